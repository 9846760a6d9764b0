package wire

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Check tests in, a pointer to the input struct of op, against the constraints of the model and returns all broken ones in one error
// with the texts of docs/spec/wire.md 3, nil if there is none. It costs no allocation if nothing is broken.
func Check(op *Operation, in any) *Error {
	if op.In == nil {
		return nil
	}
	c := checker{iam: op.Service.ID == "iam"}
	c.structure(op.In, target(in))
	if len(c.items) == 0 {
		if c.hand != "" {
			return c.error(op, c.hand, c.handAt)
		}
		return nil
	}
	if op.Name == "GetRole" && c.iam && len(c.items) == 1 && c.items[0].text == mustNotBeNull {
		return MissingParameter.New("The request must contain the parameter RoleName.")
	}
	return c.error(op, c.frame(), "")
}

// maxItems bounds the broken constraints one error names, so that a small request cannot ask for a huge answer.
const maxItems = 100

const mustNotBeNull = "Member must not be null"

type checker struct {
	iam    bool
	items  []item
	hand   string // first hand-written message
	handAt string
	places [MaxDepth]place
	depth  int
}

// item is one broken constraint.
type item struct {
	path, value, text string
	null, secret      bool
}

// place is one step to a value: a member, or an element of the list called name.
type place struct {
	name  string
	index int // > 0: element
}

// push and pop keep the way to the current value. Steps beyond the array are counted but not named; decoders refuse such depth.
func (c *checker) push(name string, index int) {
	if c.depth < len(c.places) {
		c.places[c.depth] = place{name, index}
	}
	c.depth++
}

func (c *checker) pop() { c.depth-- }

// index makes the last step element n of its list, 0 the list itself.
func (c *checker) index(n int) {
	if c.depth <= len(c.places) {
		c.places[c.depth-1].index = n
	}
}

// path renders the way to the current value: tags.1.member.key.
func (c *checker) path() string {
	var b strings.Builder
	for i, p := range c.places[:min(c.depth, len(c.places))] {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.name)
		if p.index > 0 {
			b.WriteString("." + strconv.Itoa(p.index) + ".member")
		}
	}
	return b.String()
}

func (c *checker) structure(shape *Shape, v reflect.Value) {
	p := planOf(shape, v.Type())
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(i)
		switch {
		case !fv.IsNil():
			if fv.Kind() == reflect.Pointer {
				fv = fv.Elem()
			}
			c.push(f.label, 0)
			c.value(f.Shape, fv, f.hand)
			c.pop()
		case f.Required:
			if len(c.items) < maxItems {
				c.push(f.label, 0)
				c.items = append(c.items, item{path: c.path(), text: mustNotBeNull, null: true})
				c.pop()
			}
		}
	}
}

func (c *checker) value(s *Shape, v reflect.Value, hand string) {
	switch s.Kind {
	case Structure:
		c.structure(s, v)
	case String:
		c.text(s, v, hand)
	case List:
		c.length(s, v.Len(), v)
		c.list(s.Elem, v)
	case Map:
		c.length(s, v.Len(), v)
		c.entries(s, v)
	case Blob:
		c.length(s, v.Len(), v)
	case Integer, Long:
		c.bounds(s, v)
	}
}

func (c *checker) text(s *Shape, v reflect.Value, hand string) {
	text := v.String()
	if s.HasMin || s.HasMax {
		c.length(s, utf8.RuneCountInString(text), v)
	}
	if s.Pattern != "" && !s.matches(text) {
		if c.iam && hand != "" {
			if c.hand == "" {
				c.hand, c.handAt = hand, c.path()
			}
		} else {
			c.add(s, v, patternText(s))
		}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.add(s, v, c.enumText(s))
	}
}

func (c *checker) length(s *Shape, n int, v reflect.Value) {
	if s.HasMin && int64(n) < s.Min {
		c.add(s, v, lengthText("greater", s.Min))
	}
	if s.HasMax && int64(n) > s.Max {
		c.add(s, v, lengthText("less", s.Max))
	}
}

func (c *checker) bounds(s *Shape, v reflect.Value) {
	n := v.Int()
	if s.HasMin && n < s.Min {
		c.add(s, v, "Member must have value greater than or equal to "+strconv.FormatInt(s.Min, 10))
	}
	if s.HasMax && n > s.Max {
		c.add(s, v, "Member must have value less than or equal to "+strconv.FormatInt(s.Max, 10))
	}
}

// list checks the elements. Broken scalars are one item of the list itself, which prints all constraints of an element.
func (c *checker) list(elem *Shape, v reflect.Value) {
	switch elem.Kind {
	case Structure, List, Map:
		if !elem.isConstrained() {
			return
		}
		for i := range v.Len() {
			c.index(i + 1)
			c.value(elem, v.Index(i), "")
		}
		c.index(0)
	default:
		if !elem.isConstrained() {
			return
		}
		for i := range v.Len() {
			if broken(elem, v.Index(i)) {
				c.add(elem, v, "Member must satisfy constraint: ["+c.all(elem)+"]")
				return
			}
		}
	}
}

// entries checks a map in the order of its keys.
func (c *checker) entries(s *Shape, v reflect.Value) {
	if !s.Key.isConstrained() && !s.Value.isConstrained() {
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if broken(s.Key, key) {
			c.add(s.Key, v, "Map keys must satisfy constraint: ["+c.all(s.Key)+"]")
			break
		}
	}
	for _, key := range keys {
		c.push(key.String(), 0)
		c.push("member", 0)
		c.value(s.Value, v.MapIndex(key), "")
		c.pop()
		c.pop()
	}
}

// isConstrained says whether anything about a value of the shape can be broken.
func (s *Shape) isConstrained() bool {
	const no, yes = 1, 2
	known := s.constraint.Load()
	if known == 0 {
		known = no
		if s.constrained(nil) {
			known = yes
		}
		s.constraint.Store(known)
	}
	return known == yes
}

func (s *Shape) constrained(seen []*Shape) bool {
	if s.HasMin || s.HasMax || s.Pattern != "" || len(s.Enum) > 0 {
		return true
	}
	if slices.Contains(seen, s) {
		return false
	}
	seen = append(seen, s)
	switch s.Kind {
	case List:
		return s.Elem.constrained(seen)
	case Map:
		return s.Key.constrained(seen) || s.Value.constrained(seen)
	case Structure:
		return slices.ContainsFunc(s.Members, func(m Member) bool { return m.Required || m.Shape.constrained(seen) })
	}
	return false
}

// broken says whether a scalar breaks a constraint of its shape.
func broken(s *Shape, v reflect.Value) bool {
	switch {
	case s.Kind == String:
		text := v.String()
		n := int64(utf8.RuneCountInString(text))
		return s.HasMin && n < s.Min || s.HasMax && n > s.Max || s.Pattern != "" && !s.matches(text) || len(s.Enum) > 0 && !slices.Contains(s.Enum, text)
	case s.Kind == Integer || s.Kind == Long:
		return s.HasMin && v.Int() < s.Min || s.HasMax && v.Int() > s.Max
	}
	return false
}

// all lists the constraints of a list element in the order AWS prints them.
func (c *checker) all(s *Shape) string {
	var parts []string
	if s.Kind == Integer || s.Kind == Long {
		if s.HasMax {
			parts = append(parts, "Member must have value less than or equal to "+strconv.FormatInt(s.Max, 10))
		}
		if s.HasMin {
			parts = append(parts, "Member must have value greater than or equal to "+strconv.FormatInt(s.Min, 10))
		}
	} else {
		if s.HasMax {
			parts = append(parts, lengthText("less", s.Max))
		}
		if s.HasMin {
			parts = append(parts, lengthText("greater", s.Min))
		}
	}
	if len(s.Enum) > 0 {
		parts = append(parts, c.enumText(s))
	}
	if s.Pattern != "" {
		parts = append(parts, patternText(s), mustNotBeNull)
	}
	return strings.Join(parts, ", ")
}

func lengthText(than string, n int64) string {
	return "Member must have length " + than + " than or equal to " + strconv.FormatInt(n, 10)
}

func patternText(s *Shape) string {
	return "Member must satisfy regular expression pattern: " + s.Pattern
}

func (c *checker) enumText(s *Shape) string {
	if c.iam {
		return "Member must satisfy enum value set"
	}
	return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
}

func (c *checker) add(s *Shape, v reflect.Value, text string) {
	if len(c.items) >= maxItems {
		return
	}
	it := item{path: c.path(), text: text, secret: s.Sensitive}
	if !c.iam && !s.Sensitive {
		it.value = echo(s, v)
	}
	c.items = append(c.items, it)
}

// echo prints a value as the messages of STS and the JSON services do.
func echo(s *Shape, v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return "java.nio.HeapByteBuffer"
		}
		var parts []string
		for i := range v.Len() {
			parts = append(parts, echo(s, v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, key := range v.MapKeys() {
			parts = append(parts, key.String()+"="+echo(s, v.MapIndex(key)))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return "…"
}

// frame renders the broken constraints.
func (c *checker) frame() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(c.items)))
	if len(c.items) == 1 {
		b.WriteString(" validation error detected: ")
	} else {
		b.WriteString(" validation errors detected: ")
	}
	for i, it := range c.items {
		if i > 0 {
			b.WriteString("; ")
		}
		switch {
		case c.iam:
			b.WriteString("Value")
		case it.null:
			b.WriteString("Value null")
		case it.secret:
			b.WriteString("Value")
		default:
			b.WriteString("Value '" + it.value + "'")
		}
		b.WriteString(" at '" + it.path + "' failed to satisfy constraint: " + it.text)
	}
	return b.String()
}

// error makes the error; restJson1 names the fields as well.
func (c *checker) error(op *Operation, message, at string) *Error {
	e := ValidationError.New("%s", message)
	if op.Service.Protocol != RestJSON {
		return e
	}
	type entry struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	}
	var list []entry
	for _, it := range c.items {
		list = append(list, entry{it.path, it.text})
	}
	if at != "" {
		list = append(list, entry{at, message})
	}
	return e.With("reason", "fieldValidationFailed").With("fieldList", list)
}

// Patterns by which the members with a message of their own are told; docs/spec/wire.md 3.
const (
	namePattern     = `[\w+=,.@-]+`
	keyPattern      = `[\w]+`
	documentPattern = `[\u0009\u000A\u000D\u0020-\u00FF]+`
)

// handWritten returns the message IAM gives instead of the pattern item, "" if it gives that item.
func handWritten(m *Member) string {
	frame := "The specified value for " + lowerFirst(m.Name) + " is invalid. "
	switch {
	case m.Shape.Pattern == "":
		return ""
	case m.Shape.Pattern == namePattern:
		return frame + "It must contain only alphanumeric characters and/or the following: +=,.@_-"
	case m.Name == "Path" || m.Name == "NewPath":
		return frame + "It must begin and end with / and contain only alphanumeric characters and/or / characters."
	case m.Name == "PathPrefix":
		return frame + "It must begin with the / character and contain only alphanumeric characters and/or / characters."
	case (m.Name == "PolicyDocument" || m.Name == "AssumeRolePolicyDocument") && m.Shape.Pattern == documentPattern:
		return frame + "It must contain only printable ASCII characters."
	case (m.Name == "AccessKeyId") && m.Shape.Pattern == keyPattern:
		return frame + "It must contain only alphanumeric characters."
	case m.Name == "AccountAlias":
		return frame + "It must contain only digits, lowercase letters, and hyphens (-), but cannot begin or end with a hyphen."
	case m.Name == "Marker":
		return "Invalid Marker."
	}
	return ""
}
