package wire

import (
	"fmt"
	"reflect"
	"strings"
)

// plan is what walking a structure needs, worked out once per shape: the shape and its generated struct always go together.
type plan struct {
	goType reflect.Type
	fields []field
}

// field belongs to Members[i] of the shape and to field i of the struct.
type field struct {
	*Member
	kind        Kind
	open, empty string // XML tags of the member and of the empty member, after as many spaces as the deepest indentation takes
	close       string // XML end tag
	jsonKey     string // "name":
	label       string // name in validation messages: first letter in lower case
	hand        string // IAM's own message for a broken pattern, "" if there is none
}

// planOf returns the plan of a structure shape for the struct type t.
func planOf(s *Shape, t reflect.Type) *plan {
	if p := s.plan.Load(); p != nil && p.goType == t {
		return p
	}
	return makePlan(s, t)
}

func makePlan(s *Shape, t reflect.Type) *plan {
	if s.Kind != Structure || t.Kind() != reflect.Struct || t.NumField() != len(s.Members) {
		panic(fmt.Sprintf("wire: %v is not the struct generated for %s", t, s.Name))
	}
	p := &plan{goType: t, fields: make([]field, len(s.Members))}
	for i := range s.Members {
		m := &s.Members[i]
		if !strings.EqualFold(t.Field(i).Name, m.Name) {
			panic(fmt.Sprintf("wire: %v is not the struct generated for %s: field %s is not member %s", t, s.Name, t.Field(i).Name, m.Name))
		}
		p.fields[i] = field{
			Member: m, kind: m.Shape.Kind,
			open: spaces + "<" + m.Name + ">", empty: spaces + "<" + m.Name + "/>\n", close: "</" + m.Name + ">\n",
			jsonKey: `"` + m.Name + `":`,
			label:   lowerFirst(m.Name), hand: handWritten(m),
		}
	}
	s.plan.Store(p)
	return p
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

// target returns the struct behind a pointer to a generated struct. A pointer that is nil or to something else is a fault of the caller.
func target(v any) reflect.Value {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Pointer || r.IsNil() || r.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("wire: %T is not a pointer to a generated struct", v))
	}
	return r.Elem()
}
