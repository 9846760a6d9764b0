package wire_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func decodeStrict(body string, in *ghapi.AuthorizeRequest) *wire.Error {
	r := httptest.NewRequest("POST", "/gatehouse/v1/authorize", nil)
	q, err := wire.Identify(r, []byte(body), []*wire.Service{ghapi.Service}, "gatehouse")
	if err != nil {
		return err
	}
	return q.Decode(in)
}

// TestStrictServices: what another service passes over in silence is refused.
func TestStrictServices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`{"Actoin":"s3:Get"}`, "The member 'Actoin' is not known."},
		{`{"action":"s3:Get"}`, "The member 'action' is not known."},
		{`{"Principal":{"ARN":"x"}}`, "The member 'ARN' is not known."},
		{`{"` + strings.Repeat("é", 1000) + `":1}`, "The member '" + strings.Repeat("é", 50) + "…' is not known."},
		{`{"Action":"a:b","Action":"a:c"}`, "The member 'Action' occurs twice."},
		{`{"Action":null,"Action":"a:c"}`, "The member 'Action' occurs twice."},
		{`{"Principal":{"Arn":"x"},"Resource":"*","Principal":{"Arn":"y"}}`, "The member 'Principal' occurs twice."},
		{`{"ResourceTags":{"a":"1","a":"1"}}`, "The member 'a' occurs twice."},
		{`{"Context":{"a":"1","\u0061":"1"}}`, "The member 'a' occurs twice."},
		{`{"Context":{"a":[{"b":1,"b":1}]}}`, "The member 'b' occurs twice."},
		{`{"ResourceTags":{"a":null}}`, "The value at 'resourceTags.a' is not a string."},
		{`{"ResourceTags":{"a":1}}`, "The value at 'resourceTags.a' is not a string."},
		{`{"ServiceControlPolicies":[null]}`, "The value at 'serviceControlPolicies' is not a list."},
		{`{"ServiceControlPolicies":["{}"]}`, "The value at 'serviceControlPolicies' is not a list."},
		{`{"Context":{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, "The request body is nested too deep."},
		{`{"Context":{"a":[` + strings.Repeat("1,", 50_001) + `1]}}`, "The request body has too many values."},
		{`{"Context":{"a":tru}}`, "The request body is not valid JSON."},
		{`{"Context":{"a":"\ud800"}}`, "The request body contains a string that is not valid UTF-8 or holds a character that is not allowed."},
		{`{"Context":[]}`, "The value at 'context' is not an object."},
	} {
		var in ghapi.AuthorizeRequest
		if err := decodeStrict(c.body, &in); !err.IsFault(wire.ValidationError) || err.Message != c.want {
			t.Errorf("%.200s: %v, want %s", c.body, err, c.want)
		}
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	var in ghapi.AuthorizeRequest
	if err := decodeStrict(`{"ResourcePolicy":null,"Context":{"n":null,"t":true,"s":"é\n","d":-1.5e+3,"l":["a",null,[]],"o":{"x":{}}}}`, &in); err != nil {
		t.Fatal(err)
	}
	want := ghapi.AuthorizeRequest{Context: map[string]any{
		"n": nil, "t": true, "s": "é\n", "d": json.Number("-1.5e+3"), "l": []any{"a", nil, []any{}}, "o": map[string]any{"x": map[string]any{}},
	}}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %#v", in.Context)
	}
}

// FuzzStrict sends any body to a strict service. What is accepted means to encoding/json what was decoded, and says so again when it is printed.
func FuzzStrict(f *testing.F) {
	f.Add(`{"Principal":{"Arn":"a","TokenIssueTime":"2026-01-02T03:04:05Z","SessionTags":{"k":"v"}},"Action":"a:b","Context":{"x":["y",null,1e9,{"z":false}]}}`)
	f.Add(`{"ServiceControlPolicies":[["{}"],[]],"ResourceTags":{"":""},"Context":{"\u00e9":"\ud83d\ude00"}}`)
	f.Add(`{"Action":"a","Action":"b"}`)
	f.Fuzz(func(t *testing.T, body string) {
		var in ghapi.AuthorizeRequest
		err := decodeStrict(body, &in)
		if err != nil {
			if status := err.Fault.StatusFor(wire.RestJSON); status < 400 || status > 499 {
				t.Fatalf("%v has status %d", err, status)
			}
			return
		}
		wire.Check(ghapi.OpAuthorize.Operation, &in)
		if in.Context == nil {
			return
		}
		var plain struct{ Context map[string]any }
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if bad := d.Decode(&plain); bad != nil {
			t.Fatalf("encoding/json refuses it: %v", bad)
		}
		if got, want := fmt.Sprint(in.Context), fmt.Sprint(plain.Context); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	})
}
