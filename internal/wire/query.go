package wire

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on an awsQuery request.
const (
	MaxBody      = 4 << 20 // bytes of a request body; pass it to ReadBody
	MaxParams    = 5000    // parameters of query string and body together
	MaxListIndex = 99_999  // highest n of Name.member.n
	MaxDepth     = 16      // structures, lists and maps inside each other; JSON values too
)

type param struct {
	name, value string
	owned       bool // value shares no memory with the request
}

// parseForm appends the parameters of a query string or form body to dst. Empty pieces (a&&b) are skipped.
func parseForm(dst []param, text string) ([]param, *Error) {
	for text != "" {
		var piece string
		piece, text, _ = strings.Cut(text, "&")
		if piece == "" {
			continue
		}
		if len(dst) >= MaxParams {
			return dst, MalformedQueryString.New("The request has more than %d parameters.", MaxParams)
		}
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, _, err := unescape(rawName)
		if err != nil {
			return dst, err
		}
		if strings.Count(name, ".") > 2*MaxDepth {
			return dst, MalformedQueryString.New("A parameter name is nested more than %d levels deep.", MaxDepth)
		}
		value, owned, err := unescape(rawValue)
		if err != nil {
			return dst, err
		}
		dst = append(dst, param{name, value, owned})
	}
	return dst, nil
}

// unescape undoes form encoding. owned says that the result is new memory.
func unescape(s string) (_ string, owned bool, _ *Error) {
	escapes, plus, high := 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", false, MalformedQueryString.New("The request contains percent-encoding that cannot be decoded.")
			}
			escapes++
			i += 2
		case c == '+':
			plus = true
		case c == 0 || c >= utf8.RuneSelf:
			high = true
		}
	}
	if escapes > 0 || plus {
		b := make([]byte, 0, len(s)-2*escapes)
		for i := 0; i < len(s); i++ {
			c := s[i]
			switch c {
			case '%':
				c = unhex(s[i+1])<<4 | unhex(s[i+2])
				i += 2
				high = high || c == 0 || c >= utf8.RuneSelf
			case '+':
				c = ' '
			}
			b = append(b, c)
		}
		s, owned = string(b), true
	}
	if high && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
		return "", false, MalformedInput.New("The request contains a character that is not allowed.")
	}
	return s, owned, nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// compareNames orders parameter names so that everything under a prefix stands together: '.' sorts before all other bytes.
func compareNames(a, b param) int {
	x, y := a.name, b.name
	n := min(len(x), len(y))
	for i := range n {
		if x[i] != y[i] {
			switch {
			case x[i] == '.':
				return -1
			case y[i] == '.':
				return 1
			case x[i] < y[i]:
				return -1
			}
			return 1
		}
	}
	return len(x) - len(y)
}

// decodeQuery fills the struct v from parameters, which it sorts.
func decodeQuery(params []param, shape *Shape, v reflect.Value) *Error {
	slices.SortStableFunc(params, compareNames)
	return decodeStructure(params, 0, shape, v)
}

// decodeStructure reads the parameters whose names, from byte skip on, are those of members of the shape.
func decodeStructure(params []param, skip int, shape *Shape, v reflect.Value) *Error {
	p := planOf(shape, v.Type())
	for len(params) > 0 {
		segment, n := group(params, skip)
		if i := p.find(segment); i >= 0 && p.fields[i].Location == InBody {
			if err := decodeValue(params[:n], skip+len(segment), p.fields[i].Shape, v.Field(i), true); err != nil {
				return err
			}
		}
		params = params[n:]
	}
	return nil
}

// group returns the first name segment from byte skip on and the number of parameters that share it.
func group(params []param, skip int) (string, int) {
	segment := params[0].name[skip:]
	if dot := strings.IndexByte(segment, '.'); dot >= 0 {
		segment = segment[:dot]
	}
	n := 1
	for n < len(params) {
		rest := params[n].name[skip:]
		if !strings.HasPrefix(rest, segment) || len(rest) > len(segment) && rest[len(segment)] != '.' {
			break
		}
		n++
	}
	return segment, n
}

func (p *plan) find(name string) int {
	for i := range p.fields {
		if p.fields[i].Name == name {
			return i
		}
	}
	return -1
}

// decodeValue reads one value. All params begin with its name, which ends at byte end. pointer: the field is a pointer to the scalar.
func decodeValue(params []param, end int, shape *Shape, v reflect.Value, pointer bool) *Error {
	exact := len(params[0].name) == end
	switch shape.Kind {
	case Structure:
		if exact && params[0].value != "" {
			return malformed()
		}
		nested := below(params, end)
		if pointer {
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		return decodeStructure(nested, end+1, shape, v)
	case List:
		if exact && params[0].value != "" {
			return malformed()
		}
		return decodeList(below(params, end), end+1, shape, v, exact)
	case Map:
		return malformed() // no input of a query service has a map
	}
	if !exact {
		return nil // Name.more where Name is a scalar: an unknown parameter
	}
	return setScalar(params[0], shape, v, pointer)
}

// below drops the parameters that are the name itself; what stays continues with a dot.
func below(params []param, end int) []param {
	for len(params) > 0 && len(params[0].name) == end {
		params = params[1:]
	}
	return params
}

type element struct {
	index  int
	end    int
	params []param
}

func decodeList(params []param, skip int, shape *Shape, v reflect.Value, present bool) *Error {
	var elements []element
	for len(params) > 0 {
		segment, n := group(params, skip)
		if segment == "member" {
			members := below(params[:n], skip+len("member"))
			for start := skip + len("member."); len(members) > 0; {
				number, k := group(members, start)
				index, ok := listIndex(number)
				if !ok {
					return malformed()
				}
				elements = append(elements, element{index, start + len(number), members[:k]})
				members = members[k:]
			}
		}
		params = params[n:]
	}
	if len(elements) == 0 {
		if present {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		return nil
	}
	slices.SortFunc(elements, func(a, b element) int { return a.index - b.index })
	list := reflect.MakeSlice(v.Type(), len(elements), len(elements))
	for i, e := range elements {
		if err := decodeValue(e.params, e.end, shape.Elem, list.Index(i), false); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func listIndex(s string) (int, bool) {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n <= MaxListIndex
}

// malformed is the error of a value that cannot be parsed (docs/spec/wire.md 3).
func malformed() *Error { return MalformedInput.Bare() }

// setScalar parses a string from a parameter, label or header into v.
func setScalar(p param, shape *Shape, v reflect.Value, pointer bool) *Error {
	switch shape.Kind {
	case String:
		s := p.value
		if !p.owned {
			s = strings.Clone(s)
		}
		set(v, pointer, s)
	case Integer:
		n, err := strconv.ParseInt(p.value, 10, 32)
		if err != nil {
			return malformed()
		}
		set(v, pointer, int32(n))
	case Long:
		n, err := strconv.ParseInt(p.value, 10, 64)
		if err != nil {
			return malformed()
		}
		set(v, pointer, n)
	case Double:
		f, err := strconv.ParseFloat(p.value, 64)
		if err != nil {
			return malformed()
		}
		set(v, pointer, f)
	case Boolean:
		switch p.value {
		case "true":
			set(v, pointer, true)
		case "false":
			set(v, pointer, false)
		default:
			return malformed()
		}
	case Timestamp:
		t, err := parseTime(p.value)
		if err != nil {
			return malformed()
		}
		set(v, pointer, t)
	case Blob:
		b, err := base64.StdEncoding.Strict().DecodeString(p.value)
		if err != nil {
			return malformed()
		}
		v.SetBytes(b)
	default:
		return malformed()
	}
	return nil
}

// parseTime reads an ISO 8601 time with zone and optional fraction of a second.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err
}

// set stores x in v, a T, or, if pointer is true, a *T.
func set[T any](v reflect.Value, pointer bool, x T) {
	if pointer {
		*(v.Addr().Interface().(**T)) = &x
		return
	}
	*(v.Addr().Interface().(*T)) = x
}
