package wiretest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Operation is one operation with makers of its input and output.
type Operation struct {
	Operation *wire.Operation
	In, Out   func() any
}

// Run tests the operations of a service; want is how many there must be.
func Run(t *testing.T, service *wire.Service, operations []Operation, want int) {
	t.Helper()
	if len(operations) != want || len(service.Operations) != want {
		t.Fatalf("%s has %d operations and %d handles, want %d", service.ID, len(service.Operations), len(operations), want)
	}
	if !slices.IsSortedFunc(service.Operations, func(a, b *wire.Operation) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("the operations of %s are not sorted", service.ID)
	}
	for _, o := range operations {
		if service.Operation(o.Operation.Name) != o.Operation {
			t.Errorf("%s cannot be looked up", o.Operation.Name)
		}
		if o.Operation.Service != service {
			t.Errorf("%s belongs to another service", o.Operation.Name)
		}
		t.Run(o.Operation.Name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, uint64(len(o.Operation.Name))))
			for round := range 12 {
				f := filler{rng, float64(round) / 11}
				roundTripInput(t, o, f)
				roundTripOutput(t, o, f)
			}
		})
	}
}

func roundTripInput(t *testing.T, o Operation, f filler) {
	t.Helper()
	in, got := o.In(), o.In()
	if o.Operation.In != nil {
		f.structure(o.Operation.In, reflect.ValueOf(in).Elem(), 0)
	}
	r := request(o.Operation, in)
	body, _ := wire.ReadBody(r, wire.MaxBody)
	q, err := wire.Identify(r, body, []*wire.Service{o.Operation.Service}, "")
	if err != nil {
		t.Fatalf("Identify: %v", err)
	}
	if q.Operation != o.Operation {
		t.Fatalf("%s %s is taken for %v", r.Method, r.URL, q.Operation)
	}
	if err := q.Decode(got); err != nil {
		t.Fatalf("Decode of %s %s: %v", r.URL, body, err)
	}
	if !reflect.DeepEqual(in, got) {
		t.Fatalf("%s %s\n sent %s\n got  %s", r.URL, body, show(in), show(got))
	}
	wire.Check(o.Operation, got) // random text breaks constraints; it must not panic
	if o.Operation.In != nil {
		wire.Check(o.Operation, o.In())
	}
}

func roundTripOutput(t *testing.T, o Operation, f filler) {
	t.Helper()
	out := o.Out()
	if o.Operation.Out != nil {
		f.structure(o.Operation.Out, reflect.ValueOf(out).Elem(), 0)
	}
	for _, wantsJSON := range []bool{false, true} {
		q := &wire.Request{ID: "a-b", Protocol: o.Operation.Service.Protocol, Service: o.Operation.Service, Operation: o.Operation, WantsJSON: wantsJSON}
		w := httptest.NewRecorder()
		n, err := wire.WriteResponse(w, q, out)
		if err != nil || n != w.Body.Len() || w.Header().Get("Content-Length") != strconv.Itoa(n) {
			t.Fatalf("WriteResponse: %d bytes of %d, %v", n, w.Body.Len(), err)
		}
		got := o.Out()
		if err := readOutput(o.Operation, w.Body.Bytes(), wantsJSON, reflect.ValueOf(got).Elem()); err != nil {
			t.Fatalf("%v\n%s", err, w.Body)
		}
		if !reflect.DeepEqual(out, got) {
			t.Fatalf("%s\n sent %s\n got  %s", w.Body, show(out), show(got))
		}
	}
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// filler makes random values; density is the chance that an optional member is set.
type filler struct {
	*rand.Rand
	density float64
}

func (f filler) structure(s *wire.Shape, v reflect.Value, depth int) {
	for i, m := range s.Members {
		field := v.Field(i)
		if m.Location == wire.InURI || depth < 6 && f.Float64() < f.density {
			if field.Kind() == reflect.Pointer {
				field.Set(reflect.New(field.Type().Elem()))
				field = field.Elem()
			}
			f.value(m.Shape, field, depth+1)
			if m.Location == wire.InURI && field.String() == "" {
				field.SetString("x")
			}
			if m.Location == wire.InQuery && field.Kind() == reflect.Slice && field.Len() == 0 {
				field.SetZero() // a query string cannot say present and empty
			}
		}
	}
}

var texts = []string{"", "a", "Bob", "a b", "x+y=z&w", "%41", "<a href=\"x\">&amp;</a>", "日本語", "é\n\t ", "{\"Version\":\"2012-10-17\"}", "😀", "../..//"}

func (f filler) value(s *wire.Shape, v reflect.Value, depth int) {
	switch s.Kind {
	case wire.Structure:
		f.structure(s, v, depth)
	case wire.List:
		n := f.IntN(4)
		if depth > 6 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.value(s.Elem, v.Index(i), depth+1)
		}
	case wire.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range f.IntN(4) {
			item := reflect.New(v.Type().Elem()).Elem()
			f.value(s.Value, item, depth+1)
			v.SetMapIndex(reflect.ValueOf("k"+strconv.Itoa(i)), item)
		}
	case wire.String:
		v.SetString(texts[f.IntN(len(texts))])
	case wire.Integer:
		v.SetInt(int64(int32(f.Uint32())))
	case wire.Long:
		v.SetInt(f.Int64())
	case wire.Double:
		v.SetFloat(f.NormFloat64())
	case wire.Boolean:
		v.SetBool(f.IntN(2) == 0)
	case wire.Timestamp:
		v.Set(reflect.ValueOf(time.Unix(f.Int64N(1<<32), 0).UTC()))
	case wire.Blob:
		v.SetBytes([]byte(texts[f.IntN(len(texts))]))
	case wire.Document:
		v.Set(reflect.ValueOf(f.document(depth)))
	}
}

// document makes a value that is not null: a member that is null cannot be told from an absent one.
func (f filler) document(depth int) any {
	kinds := 5
	if depth > 6 {
		kinds = 3
	}
	switch f.IntN(kinds) {
	case 0:
		return texts[f.IntN(len(texts))]
	case 1:
		return json.Number(strconv.Itoa(f.IntN(1000)))
	case 2:
		return f.IntN(2) == 0
	case 3:
		list := []any{nil}
		for range f.IntN(3) {
			list = append(list, f.document(depth+1))
		}
		return list
	}
	object := map[string]any{"null": nil}
	for i := range f.IntN(3) {
		object["k"+strconv.Itoa(i)] = f.document(depth + 1)
	}
	return object
}

// request writes the request for in as a client would.
func request(op *wire.Operation, in any) *http.Request {
	v := reflect.ValueOf(in).Elem()
	if op.Service.Protocol == wire.Query {
		form := url.Values{"Action": {op.Name}, "Version": {op.Service.APIVersion}}
		if op.In != nil {
			formMembers(form, "", op.In, v)
		}
		r := httptest.NewRequest("POST", "/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		return r
	}
	path, query, body := op.URI, url.Values{}, map[string]any{}
	if op.In != nil {
		for i, m := range op.In.Members {
			if v.Field(i).IsNil() {
				continue
			}
			switch m.Location {
			case wire.InURI:
				path = strings.ReplaceAll(path, "{"+m.LocationName+"}", url.PathEscape(v.Field(i).Elem().String()))
			case wire.InQuery:
				if v.Field(i).Kind() == reflect.Slice {
					query[m.LocationName] = v.Field(i).Interface().([]string)
				} else {
					query.Set(m.LocationName, fmt.Sprint(v.Field(i).Elem()))
				}
			default:
				body[m.Name] = jsonValue(m.Shape, v.Field(i))
			}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(op.Method, path, strings.NewReader(string(text)))
	if op.Service.Protocol == wire.JSON11 {
		r.Header.Set("X-Amz-Target", op.Service.TargetPrefix+"."+op.Name)
	}
	return r
}

func formMembers(form url.Values, prefix string, s *wire.Shape, v reflect.Value) {
	for i, m := range s.Members {
		if !v.Field(i).IsNil() {
			formValue(form, prefix+m.Name, m.Shape, v.Field(i))
		}
	}
}

func formValue(form url.Values, name string, s *wire.Shape, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case wire.Structure:
		before := len(form)
		formMembers(form, name+".", s, v)
		if len(form) == before {
			form.Set(name, "")
		}
	case wire.List:
		if v.Len() == 0 {
			form.Set(name, "")
		}
		for i := range v.Len() {
			formValue(form, name+".member."+strconv.Itoa(i+1), s.Elem, v.Index(i))
		}
	default:
		form.Set(name, scalarText(v))
	}
}

func scalarText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.Format(time.RFC3339)
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	default:
		return fmt.Sprint(x)
	}
}

func jsonValue(s *wire.Shape, v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case wire.Structure:
		object := map[string]any{}
		for i, m := range s.Members {
			if !v.Field(i).IsNil() {
				object[m.Name] = jsonValue(m.Shape, v.Field(i))
			}
		}
		return object
	case wire.List:
		list := []any{}
		for i := range v.Len() {
			list = append(list, jsonValue(s.Elem, v.Index(i)))
		}
		return list
	case wire.Map:
		object := map[string]any{}
		for _, key := range v.MapKeys() {
			object[key.String()] = jsonValue(s.Value, v.MapIndex(key))
		}
		return object
	case wire.Timestamp:
		if !s.ISO8601 {
			return v.Interface().(time.Time).Unix()
		}
	}
	return v.Interface()
}

// node is any XML element.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func (n *node) child(name string) *node {
	for i := range n.Children {
		if n.Children[i].XMLName.Local == name {
			return &n.Children[i]
		}
	}
	return nil
}

func readOutput(op *wire.Operation, body []byte, wantsJSON bool, v reflect.Value) error {
	if op.Service.Protocol == wire.Query && !wantsJSON {
		var root node
		if err := xml.Unmarshal(body, &root); err != nil {
			return err
		}
		if root.XMLName != (xml.Name{Space: op.Service.XMLNamespace, Local: op.Name + "Response"}) {
			return fmt.Errorf("the root is %v", root.XMLName)
		}
		if id := root.child("ResponseMetadata"); id == nil || id.child("RequestId") == nil || id.child("RequestId").Text != "a-b" {
			return fmt.Errorf("no RequestId")
		}
		result := root.child(op.Name + "Result")
		if (result != nil) != (op.Out != nil) {
			return fmt.Errorf("result element: %v", result)
		}
		if op.Out == nil {
			return nil
		}
		return readXML(op.Out, result, v)
	}
	if op.Out == nil {
		return nil
	}
	if op.Service.Protocol == wire.Query {
		var outer map[string]map[string]json.RawMessage
		if err := json.Unmarshal(body, &outer); err != nil {
			return err
		}
		body = outer[op.Name+"Response"][op.ResultWrapper]
	}
	return readJSON(op.Out, body, v)
}

func readXML(s *wire.Shape, n *node, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch s.Kind {
	case wire.Structure:
		for i, m := range s.Members {
			c := n.child(m.Name)
			if c == nil {
				continue
			}
			if m.PolicyDocument {
				text, err := url.PathUnescape(c.Text)
				if err != nil || strings.ContainsAny(c.Text, " +{\"<") {
					return fmt.Errorf("%s is not percent-encoded: %s", m.Name, c.Text)
				}
				c.Text = text
			}
			if err := readXML(m.Shape, c, v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		return nil
	case wire.List:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Children), len(n.Children)))
		for i := range n.Children {
			if n.Children[i].XMLName.Local != "member" {
				return fmt.Errorf("an element is called %s", n.Children[i].XMLName.Local)
			}
			if err := readXML(s.Elem, &n.Children[i], v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case wire.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range n.Children {
			item := reflect.New(v.Type().Elem()).Elem()
			if err := readXML(s.Value, n.Children[i].child("value"), item); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(n.Children[i].child("key").Text), item)
		}
		return nil
	}
	return readText(s, n.Text, v)
}

func readText(s *wire.Shape, text string, v reflect.Value) error {
	switch s.Kind {
	case wire.String:
		v.SetString(text)
	case wire.Integer, wire.Long:
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return err
	case wire.Double:
		f, err := strconv.ParseFloat(text, 64)
		v.SetFloat(f)
		return err
	case wire.Boolean:
		v.SetBool(text == "true")
	case wire.Timestamp:
		t, err := time.Parse("2006-01-02T15:04:05Z", text)
		v.Set(reflect.ValueOf(t))
		return err
	case wire.Blob:
		b, err := base64.StdEncoding.DecodeString(text)
		v.SetBytes(b)
		return err
	}
	return nil
}

func readJSON(s *wire.Shape, text []byte, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch s.Kind {
	case wire.Structure:
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil {
			return err
		}
		for i, m := range s.Members {
			part, ok := object[m.Name]
			if !ok {
				continue
			}
			if m.PolicyDocument {
				var encoded string
				if err := json.Unmarshal(part, &encoded); err != nil {
					return err
				}
				plain, err := url.PathUnescape(encoded)
				if err != nil {
					return err
				}
				part, _ = json.Marshal(plain)
			}
			if err := readJSON(m.Shape, part, v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		return nil
	case wire.List:
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			if err := readJSON(s.Elem, list[i], v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case wire.Map:
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil {
			return err
		}
		v.Set(reflect.MakeMap(v.Type()))
		for key, part := range object {
			item := reflect.New(v.Type().Elem()).Elem()
			if err := readJSON(s.Value, part, item); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key), item)
		}
		return nil
	case wire.Timestamp:
		if !s.ISO8601 {
			var seconds int64
			err := json.Unmarshal(text, &seconds)
			v.Set(reflect.ValueOf(time.Unix(seconds, 0).UTC()))
			return err
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v.Addr().Interface())
}
