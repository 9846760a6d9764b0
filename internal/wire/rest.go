package wire

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// clean says whether s is UTF-8 without NUL.
func clean(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// cannotParse is the restJson1 error of a request that cannot be read (docs/spec/wire.md 1.7).
func cannotParse(message string) *Error {
	return ValidationError.New("%s", message).With("reason", "cannotParse")
}

// decodeRest fills the members of v that travel in path, query string and headers.
func (q *Request) decodeRest(v reflect.Value) *Error {
	p := planOf(q.Operation.In, v.Type())
	for i := range p.fields {
		f := &p.fields[i]
		var err *Error
		switch f.Location {
		case InURI:
			if n := labelIndex(q.Operation.URI, f.LocationName); n >= 0 && n < len(q.labels) {
				err = setScalar(param{value: q.labels[n], owned: true}, f.Shape, v.Field(i), true)
			}
		case InQuery:
			err = q.decodeQueryMember(f, v.Field(i))
		case InHeader:
			if text := q.HTTP.Header.Get(f.LocationName); text != "" {
				if !clean(text) {
					return cannotParse("The header " + f.LocationName + " cannot be decoded.")
				}
				err = setScalar(param{value: text}, f.Shape, v.Field(i), true)
			}
		}
		if err != nil {
			return cannotParse("The value at '" + f.label + "' cannot be parsed.")
		}
	}
	return nil
}

func (q *Request) decodeQueryMember(f *field, v reflect.Value) *Error {
	if f.kind != List {
		for i := range q.params {
			if q.params[i].name == f.LocationName {
				return setScalar(q.params[i], f.Shape, v, true)
			}
		}
		return nil
	}
	for i := range q.params {
		if q.params[i].name != f.LocationName {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if err := setScalar(q.params[i], f.Shape.Elem, item, false); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

// labelIndex returns the position of {name} among the labels of a URI template, -1 if there is none.
func labelIndex(uri, name string) int {
	for n := 0; ; n++ {
		open := strings.IndexByte(uri, '{')
		if open < 0 {
			return -1
		}
		uri = uri[open+1:]
		end := strings.IndexByte(uri, '}')
		if end < 0 {
			return -1
		}
		if uri[:end] == name {
			return n
		}
		uri = uri[end+1:]
	}
}
