package wire

import (
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// spaces is the deepest indentation: no shape is nested deeper than half its length.
const spaces = "                                "

func indent(b []byte, depth int) []byte { return append(b, spaces[len(spaces)-width(depth):]...) }

func width(depth int) int { return min(2*depth, len(spaces)) }

// appendXMLMembers writes the members of a structure, each on lines of its own.
func appendXMLMembers(b []byte, shape *Shape, v reflect.Value, depth int) []byte {
	p := planOf(shape, v.Type())
	skip := len(spaces) - width(depth)
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(i)
		if fv.IsNil() {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			fv = fv.Elem()
		}
		mark := len(b)
		b = append(b, f.open[skip:]...)
		switch f.kind {
		case String:
			if f.PolicyDocument {
				b = appendPercent(b, fv.String())
			} else {
				b = appendXMLText(b, fv.String())
			}
		case Structure, List, Map:
			b = append(b, '\n')
			body := len(b)
			if f.kind == Structure {
				b = appendXMLMembers(b, f.Shape, fv, depth+1)
			} else {
				b = appendXMLItems(b, f.Shape, fv, depth+1)
			}
			if len(b) == body {
				b = append(b[:mark], f.empty[skip:]...)
				continue
			}
			b = indent(b, depth)
		default:
			b = appendXMLScalar(b, f.kind, fv)
		}
		b = append(b, f.close...)
	}
	return b
}

// appendXMLItems writes the elements of a list or the entries of a map, sorted by key.
func appendXMLItems(b []byte, shape *Shape, v reflect.Value, depth int) []byte {
	if shape.Kind == List {
		for i := range v.Len() {
			b = appendXMLElement(b, "member", shape.Elem, v.Index(i), depth)
		}
		return b
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, compareKeys)
	for _, key := range keys {
		b = append(indent(b, depth), "<entry>\n"...)
		b = appendXMLElement(b, "key", shape.Key, key, depth+1)
		b = appendXMLElement(b, "value", shape.Value, v.MapIndex(key), depth+1)
		b = append(indent(b, depth), "</entry>\n"...)
	}
	return b
}

func compareKeys(a, b reflect.Value) int {
	switch x, y := a.String(), b.String(); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func appendXMLElement(b []byte, name string, shape *Shape, v reflect.Value, depth int) []byte {
	b = indent(b, depth)
	mark := len(b)
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, '>')
	switch shape.Kind {
	case Structure, List, Map:
		b = append(b, '\n')
		body := len(b)
		if shape.Kind == Structure {
			b = appendXMLMembers(b, shape, v, depth+1)
		} else {
			b = appendXMLItems(b, shape, v, depth+1)
		}
		if len(b) == body {
			b = append(b[:mark], '<')
			b = append(b, name...)
			return append(b, "/>\n"...)
		}
		b = indent(b, depth)
	default:
		b = appendXMLScalar(b, shape.Kind, v)
	}
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, ">\n"...)
}

func appendXMLScalar(b []byte, kind Kind, v reflect.Value) []byte {
	switch kind {
	case String:
		return appendXMLText(b, v.String())
	case Integer, Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case Double:
		return appendFloat(b, v.Float())
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Timestamp:
		return appendTime(b, timeOf(v))
	case Blob:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	}
	return b
}

// timeOf returns the time in v without allocating, if v is addressable.
func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}

// appendTime writes YYYY-MM-DDThh:mm:ssZ.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05Z")
	}
	two := func(n int) { b = append(b, byte('0'+n/10), byte('0'+n%10)) }
	two(year / 100)
	two(year % 100)
	b = append(b, '-')
	two(int(month))
	b = append(b, '-')
	two(day)
	b = append(b, 'T')
	two(hour)
	b = append(b, ':')
	two(minute)
	b = append(b, ':')
	two(second)
	return append(b, 'Z')
}

func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// plainXML marks the ASCII characters that stand for themselves in XML text.
var plainXML = [4]uint64{
	^uint64(0xFFFFFFFF|1<<'<'|1<<'>'|1<<'&'|1<<'"') | 1<<'\t' | 1<<'\n',
	^uint64(0),
}

// appendXMLText escapes s. What XML 1.0 cannot carry, and bytes that are not UTF-8, become U+FFFD.
func appendXMLText(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainXML[c>>6]&(1<<(c&63)) != 0 {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			switch c {
			case '<':
				b = append(b, "&lt;"...)
			case '>':
				b = append(b, "&gt;"...)
			case '&':
				b = append(b, "&amp;"...)
			case '"':
				b = append(b, "&quot;"...)
			case '\r': // a parser would turn a bare one into a line feed
				b = append(b, "&#xD;"...)
			default:
				b = append(b, "\uFFFD"...)
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			start = i + size
		}
		i += size
	}
	return append(b, s[start:]...)
}

// appendPercent encodes every byte outside A-Za-z0-9-_.~ as %XX (RFC 3986).
func appendPercent(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	b = slices.Grow(b, len(s)+len(s)/2)
	for i := range len(s) {
		c := s[i]
		if unreserved[c>>6]&(1<<(c&63)) != 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

var unreserved = [4]uint64{
	0x03FF<<'0' | 1<<'-' | 1<<'.',
	0x03FFFFFF<<('A'-64) | 0x03FFFFFF<<('a'-64) | 1<<('_'-64) | 1<<('~'-64),
}
