package wire

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendJSONObject writes the body members of a structure as an object. Absent members are left out.
func appendJSONObject(b []byte, protocol Protocol, shape *Shape, v reflect.Value) []byte {
	p := planOf(shape, v.Type())
	b = append(b, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(i)
		if fv.IsNil() || f.Location != InBody {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, f.jsonKey...)
		if fv.Kind() == reflect.Pointer {
			fv = fv.Elem()
		}
		if f.PolicyDocument {
			b = append(appendPercent(append(b, '"'), fv.String()), '"')
			continue
		}
		b = appendJSONValue(b, protocol, f.Shape, fv)
	}
	return append(b, '}')
}

func appendJSONValue(b []byte, protocol Protocol, shape *Shape, v reflect.Value) []byte {
	switch shape.Kind {
	case Structure:
		return appendJSONObject(b, protocol, shape, v)
	case List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONValue(b, protocol, shape.Elem, v.Index(i))
		}
		return append(b, ']')
	case Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, compareKeys)
		b = append(b, '{')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONText(b, key.String()), ':')
			b = appendJSONValue(b, protocol, shape.Value, v.MapIndex(key))
		}
		return append(b, '}')
	case String:
		return appendJSONText(b, v.String())
	case Integer, Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case Double:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(appendFloat(append(b, '"'), f), '"')
		}
		return appendFloat(b, f)
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Timestamp:
		return appendJSONTime(b, protocol, shape, timeOf(v))
	case Blob:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"')
	case Document:
		return appendDocument(b, v)
	}
	return append(b, "null"...)
}

// appendDocument writes what Decode makes of a Document; what that never makes is null.
func appendDocument(b []byte, v reflect.Value) []byte {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
	case v.Kind() == reflect.String && v.Type() == reflect.TypeFor[json.Number]():
		return append(b, v.String()...)
	case v.Kind() == reflect.String:
		return appendJSONText(b, v.String())
	case v.Kind() == reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case v.Kind() == reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendDocument(b, v.Index(i))
		}
		return append(b, ']')
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, compareKeys)
		b = append(b, '{')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONText(b, key.String()), ':')
			b = appendDocument(b, v.MapIndex(key))
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// appendJSONTime writes a time: an ISO 8601 string where the model says so, else seconds since 1970, whole under the query services
// and with milliseconds under awsJson1_1.
func appendJSONTime(b []byte, protocol Protocol, shape *Shape, t time.Time) []byte {
	if shape.ISO8601 {
		b = append(b, '"')
		if t.Nanosecond() < 1e6 {
			b = appendTime(b, t)
		} else {
			b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		}
		return append(b, '"')
	}
	if milli := t.Nanosecond() / 1e6; protocol == JSON11 && milli != 0 {
		return strconv.AppendFloat(b, float64(t.UnixMilli())/1e3, 'f', 3, 64)
	}
	return strconv.AppendInt(b, t.Unix(), 10)
}

// appendJSONText writes a quoted string. Bytes that are not UTF-8 become U+FFFD.
func appendJSONText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7F {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
