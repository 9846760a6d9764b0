package wire

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONValues bounds the elements and members of one JSON body: a short text can stand for much memory.
const maxJSONValues = 50_000

// decodeJSON fills the struct v from the body. An empty body is an empty object.
func (q *Request) decodeJSON(v reflect.Value) *Error {
	if len(q.Body) == 0 {
		return nil
	}
	d := jsonDecoder{data: q.Body, strict: q.Service.Strict}
	err := d.body(q.Operation.In, v)
	switch {
	case err == nil:
		return nil
	case q.Protocol == RestJSON:
		return cannotParse(err.Error())
	}
	return MalformedInput.New("%s", err.Error())
}

// jsonDecoder reads JSON straight into generated structs: strict about types, with bounds on depth and number of values, and unlike
// encoding/json sensitive to the case of names. A name that occurs twice has its last value. A strict one refuses that, and members that no
// shape has, and null among the values of a map: what is left out in silence may have been a limit.
type jsonDecoder struct {
	data   []byte
	strict bool
	pos    int
	depth  int
	values int
}

// jsonError is a sentence for the client.
type jsonError string

func (e jsonError) Error() string { return string(e) }

const (
	errJSONSyntax jsonError = "The request body is not valid JSON."
	errJSONObject jsonError = "The request body is not a JSON object."
	errJSONDepth  jsonError = "The request body is nested too deep."
	errJSONValues jsonError = "The request body has too many values."
	errJSONText   jsonError = "The request body contains a string that is not valid UTF-8 or holds a character that is not allowed."
)

func (d *jsonDecoder) body(shape *Shape, v reflect.Value) error {
	d.space()
	if d.peek() != '{' {
		if err := d.skip(); err != nil {
			return err
		}
		return errJSONObject
	}
	if err := d.structure(shape, v, ""); err != nil {
		return err
	}
	d.space()
	if d.pos != len(d.data) {
		return errJSONSyntax
	}
	return nil
}

func (d *jsonDecoder) peek() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

func (d *jsonDecoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func mismatch(name string, kind Kind) error {
	want := map[Kind]string{
		Structure: "an object", List: "a list", Map: "an object", String: "a string", Integer: "an integer", Long: "an integer",
		Double: "a number", Boolean: "a boolean", Timestamp: "a timestamp", Blob: "a base64 string",
	}[kind]
	return jsonError("The value at '" + lowerFirst(bounded(name)) + "' is not " + want + ".")
}

// items walks the members of an object or the elements of an array; each must consume one value. The bracket is at pos.
func (d *jsonDecoder) items(end byte, each func() error) error {
	d.depth++
	defer func() { d.depth-- }()
	if d.depth > MaxDepth {
		return errJSONDepth
	}
	d.pos++
	d.space()
	if d.peek() == end {
		d.pos++
		return nil
	}
	for {
		if d.values++; d.values > maxJSONValues {
			return errJSONValues
		}
		d.space()
		if err := each(); err != nil {
			return err
		}
		d.space()
		switch c := d.peek(); c {
		case ',':
			d.pos++
		case end:
			d.pos++
			return nil
		default:
			return errJSONSyntax
		}
	}
}

// key reads a member name and its colon.
func (d *jsonDecoder) key() (string, error) {
	if d.peek() != '"' {
		return "", errJSONSyntax
	}
	key, err := d.text()
	if err != nil {
		return "", err
	}
	d.space()
	if d.peek() != ':' {
		return "", errJSONSyntax
	}
	d.pos++
	d.space()
	return key, nil
}

func (d *jsonDecoder) structure(shape *Shape, v reflect.Value, name string) error {
	if d.peek() != '{' {
		return mismatch(name, Structure)
	}
	p := planOf(shape, v.Type())
	var seen []bool // members, by their number
	if d.strict {
		seen = make([]bool, len(p.fields))
	}
	return d.items('}', func() error {
		key, err := d.key()
		if err != nil {
			return err
		}
		i := p.find(key)
		if i < 0 || p.fields[i].Location != InBody {
			if d.strict {
				return jsonError("The member '" + bounded(key) + "' is not known.")
			}
			return d.skip()
		}
		if d.strict {
			if seen[i] {
				return twice(key)
			}
			seen[i] = true
		}
		f := v.Field(i)
		f.SetZero()
		return d.value(p.fields[i].Shape, f, key, true)
	})
}

func (d *jsonDecoder) value(shape *Shape, v reflect.Value, name string, pointer bool) error {
	if d.peek() == 'n' && pointer {
		return d.literal("null") // an absent member; a list cannot hold null
	}
	switch shape.Kind {
	case Structure:
		if d.peek() != '{' {
			return mismatch(name, Structure)
		}
		if pointer {
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		return d.structure(shape, v, name)
	case List:
		if d.peek() != '[' {
			return mismatch(name, List)
		}
		list := reflect.MakeSlice(v.Type(), 0, 0)
		item := reflect.New(v.Type().Elem()).Elem()
		err := d.items(']', func() error {
			item.SetZero()
			if err := d.value(shape.Elem, item, name, false); err != nil {
				return err
			}
			list = reflect.Append(list, item)
			return nil
		})
		v.Set(list)
		return err
	case Map:
		if d.peek() != '{' {
			return mismatch(name, Map)
		}
		m := reflect.MakeMap(v.Type())
		err := d.items('}', func() error {
			key, err := d.key()
			if err != nil {
				return err
			}
			at := reflect.ValueOf(key)
			if d.strict && m.MapIndex(at).IsValid() {
				return twice(key)
			}
			if d.peek() == 'n' && !d.strict && shape.Value.Kind != Document {
				return d.literal("null")
			}
			item := reflect.New(v.Type().Elem()).Elem()
			if err := d.value(shape.Value, item, name+"."+key, false); err != nil {
				return err
			}
			m.SetMapIndex(at, item)
			return nil
		})
		v.Set(m)
		return err
	case Document:
		value, err := d.document()
		if err == nil && value != nil {
			v.Set(reflect.ValueOf(value))
		}
		return err
	}
	return d.scalar(shape, v, name, pointer)
}

// document reads one value of any type, as encoding/json would with numbers as json.Number.
func (d *jsonDecoder) document() (any, error) {
	switch c := d.peek(); {
	case c == '{':
		object := map[string]any{}
		return object, d.items('}', func() error {
			key, err := d.key()
			if err != nil {
				return err
			}
			if _, known := object[key]; known && d.strict {
				return twice(key)
			}
			object[key], err = d.document()
			return err
		})
	case c == '[':
		list := []any{}
		err := d.items(']', func() error {
			item, err := d.document()
			list = append(list, item)
			return err
		})
		return list, err
	case c == '"':
		return d.text()
	case c == 't':
		return true, d.literal("true")
	case c == 'f':
		return false, d.literal("false")
	case c == 'n':
		return nil, d.literal("null")
	}
	number, err := d.number()
	return json.Number(number), err
}

func twice(key string) error {
	return jsonError("The member '" + bounded(key) + "' occurs twice.")
}

// bounded is as much of a client's name as an error repeats.
func bounded(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

func (d *jsonDecoder) scalar(shape *Shape, v reflect.Value, name string, pointer bool) error {
	c := d.peek()
	switch shape.Kind {
	case String, Blob:
		if c != '"' {
			return mismatch(name, shape.Kind)
		}
		s, err := d.text()
		if err != nil {
			return err
		}
		if shape.Kind == String {
			set(v, pointer, s)
			return nil
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil {
			return mismatch(name, Blob)
		}
		v.SetBytes(b)
	case Boolean:
		switch c {
		case 't':
			set(v, pointer, true)
			return d.literal("true")
		case 'f':
			set(v, pointer, false)
			return d.literal("false")
		}
		return mismatch(name, Boolean)
	case Integer, Long:
		number, err := d.number()
		if err != nil {
			return mismatch(name, shape.Kind)
		}
		bits := 64
		if shape.Kind == Integer {
			bits = 32
		}
		n, err := strconv.ParseInt(number, 10, bits)
		if err != nil {
			return mismatch(name, shape.Kind)
		}
		if shape.Kind == Integer {
			set(v, pointer, int32(n))
		} else {
			set(v, pointer, n)
		}
	case Double:
		f, err := d.float()
		if err != nil {
			return mismatch(name, Double)
		}
		set(v, pointer, f)
	case Timestamp:
		t, err := d.timestamp(shape)
		if err != nil {
			return mismatch(name, Timestamp)
		}
		set(v, pointer, t)
	default:
		return mismatch(name, shape.Kind)
	}
	return nil
}

func (d *jsonDecoder) timestamp(shape *Shape) (time.Time, error) {
	if shape.ISO8601 {
		if d.peek() != '"' {
			return time.Time{}, errJSONSyntax
		}
		s, err := d.text()
		if err != nil {
			return time.Time{}, err
		}
		return parseTime(s)
	}
	f, err := d.float()
	if err != nil || math.Abs(f) > 253402300799 { // the year 9999
		return time.Time{}, errJSONSyntax
	}
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1e3).UTC(), nil
}

func (d *jsonDecoder) float() (float64, error) {
	number, err := d.number()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(number, 64)
}

// number reads a number by JSON's grammar and returns its text.
func (d *jsonDecoder) number() (string, error) {
	start := d.pos
	digits := func() bool {
		from := d.pos
		for d.pos < len(d.data) && d.data[d.pos] >= '0' && d.data[d.pos] <= '9' {
			d.pos++
		}
		return d.pos > from
	}
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else if !digits() {
		return "", errJSONSyntax
	}
	if d.peek() == '.' {
		d.pos++
		if !digits() {
			return "", errJSONSyntax
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if !digits() {
			return "", errJSONSyntax
		}
	}
	return string(d.data[start:d.pos]), nil
}

func (d *jsonDecoder) literal(want string) error {
	if len(d.data)-d.pos < len(want) || string(d.data[d.pos:d.pos+len(want)]) != want {
		return errJSONSyntax
	}
	d.pos += len(want)
	return nil
}

// text reads a string, the quote at pos, into new memory. NUL is refused, so is a lone surrogate.
func (d *jsonDecoder) text() (string, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			s := string(d.data[start:d.pos])
			d.pos++
			if !utf8.ValidString(s) {
				return "", errJSONText
			}
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", errJSONSyntax
		}
		d.pos++
	}
	return "", errJSONSyntax
}

// escaped goes on with a string that has an escape at pos.
func (d *jsonDecoder) escaped(start int) (string, error) {
	b := append(make([]byte, 0, 2*(d.pos-start)+32), d.data[start:d.pos]...)
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		d.pos++
		switch {
		case c == '"':
			if !utf8.Valid(b) {
				return "", errJSONText
			}
			return string(b), nil
		case c < ' ':
			return "", errJSONSyntax
		case c != '\\':
			b = append(b, c)
			continue
		}
		c = d.peek()
		d.pos++
		switch c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r, err := d.hex4()
			if err != nil {
				return "", err
			}
			if utf16.IsSurrogate(r) {
				if d.literal(`\u`) != nil {
					return "", errJSONText
				}
				low, err := d.hex4()
				if err != nil {
					return "", err
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return "", errJSONText
				}
			}
			if r == 0 {
				return "", errJSONText
			}
			b = utf8.AppendRune(b, r)
		default:
			return "", errJSONSyntax
		}
	}
	return "", errJSONSyntax
}

func (d *jsonDecoder) hex4() (rune, error) {
	if len(d.data)-d.pos < 4 {
		return 0, errJSONSyntax
	}
	var r rune
	for _, c := range d.data[d.pos : d.pos+4] {
		if !isHex(c) {
			return 0, errJSONSyntax
		}
		r = r<<4 | rune(unhex(c))
	}
	d.pos += 4
	return r, nil
}

// skip reads one value of any type and forgets it.
func (d *jsonDecoder) skip() error {
	switch c := d.peek(); {
	case c == '{':
		return d.items('}', func() error {
			if _, err := d.key(); err != nil {
				return err
			}
			return d.skip()
		})
	case c == '[':
		return d.items(']', d.skip)
	case c == '"':
		_, err := d.text()
		return err
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case c == 'n':
		return d.literal("null")
	}
	_, err := d.number()
	return err
}
