package wire_test

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// serve takes a request through the package. Whatever it holds must be answered: with an output or with an error of status 4xx.
func serve(t *testing.T, q *wire.Request, err *wire.Error, in any, out any) {
	if q == nil {
		t.Fatal("Identify returned no request")
	}
	if err == nil && q.Operation == nil {
		err = q.Unknown()
	}
	if err == nil {
		if err = q.Decode(in); err == nil {
			err = wire.Check(q.Operation, in)
		}
	}
	w := httptest.NewRecorder()
	if err == nil {
		if _, err := wire.WriteResponse(w, q, out); err != nil {
			t.Fatal(err)
		}
	} else {
		if status := err.Fault.StatusFor(q.Protocol); status < 400 || status > 499 {
			t.Fatalf("%v has status %d", err, status)
		}
		if _, err := wire.WriteError(w, q, err); err != nil {
			t.Fatal(err)
		}
	}
	wellFormed(t, w)
}

// FuzzDecodeQuery sends any form body to an operation with nested lists.
func FuzzDecodeQuery(f *testing.F) {
	f.Add("PolicyInputList.member.1=%7B%7D&ActionNames.member.1=s3:GetObject&ContextEntries.member.2.ContextKeyValues.member.1=a&MaxItems=3")
	f.Add("ContextEntries.member.1.ContextKeyName=aaaaa&ContextEntries=&ContextEntries.member.01.x=1&ResourceArns.member.99999=%ff&Marker=%")
	f.Add("Tags=&Tags-x=1&Tags.member.1.Key=k&a..b=&.=&=&&&ActionNames.member.=1&ActionNames.member.1.1=2")
	f.Fuzz(func(t *testing.T, text string) {
		body := "Action=SimulateCustomPolicy&Version=2010-05-08&" + text
		q, err := wire.Identify(form(body), []byte(body), services, "iam")
		var in iamapi.SimulateCustomPolicyRequest
		serve(t, q, err, &in, &iamapi.SimulatePolicyResponse{Marker: &text})
		if values, bad := url.ParseQuery(text); err == nil && bad == nil {
			// The first value counts, as in url.Values.Get; only semicolons, which net/url refuses, differ.
			if got := in.Marker; got != nil && *got != values.Get("Marker") {
				t.Errorf("Marker %q, net/url says %q", *got, values.Get("Marker"))
			}
		}
	})
}

// FuzzDecodeJSON sends any JSON body; what is decoded must come back the same after encoding it again.
func FuzzDecodeJSON(f *testing.F) {
	f.Add(`{"ResourceId":"r","Tags":[{"Key":"k","Value":"\ud83d\ude00"},{}]}`)
	f.Add(`{"Tags":[null],"x":[1,-0.5e+7,true,{"a":"\u0041"}]}`)
	f.Add(`{"Tags":{"a":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		decode := func(body string, in any) (*wire.Request, *wire.Error) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128.TagResource")
			q, err := wire.Identify(r, []byte(body), services, "organizations")
			if err == nil {
				err = q.Decode(in)
			}
			return q, err
		}
		var in, again orgapi.TagResourceRequest
		q, err := decode(body, &in)
		serve(t, q, err, &in, nil)
		if err != nil {
			return
		}
		if _, err := decode(asJSON(compact(in)), &again); err != nil || !reflect.DeepEqual(in, again) {
			t.Errorf("%s: %v\n got %s\nthen %s", body, err, asJSON(in), asJSON(again))
		}
	})
}

// compact leaves out what is nil, which encoding/json would print as null.
func compact(in orgapi.TagResourceRequest) map[string]any {
	out := map[string]any{}
	if in.ResourceId != nil {
		out["ResourceId"] = *in.ResourceId
	}
	if in.Tags != nil {
		tags := []map[string]string{}
		for _, tag := range in.Tags {
			m := map[string]string{}
			if tag.Key != nil {
				m["Key"] = *tag.Key
			}
			if tag.Value != nil {
				m["Value"] = *tag.Value
			}
			tags = append(tags, m)
		}
		out["Tags"] = tags
	}
	return out
}

// FuzzPath routes any method and target to the restJson1 service.
func FuzzPath(f *testing.F) {
	for _, op := range aaapi.Service.Operations {
		f.Add(op.Method, op.URI, "a=b&maxResults=1&tagKeys=%41")
	}
	f.Add("GET", "/analyzer/%2F%00", "%")
	f.Add("GET", "//////////////////////////", "")
	inputs := map[string]func() any{
		"GetAnalyzer": func() any { return new(aaapi.GetAnalyzerRequest) }, "UntagResource": func() any { return new(aaapi.UntagResourceRequest) },
		"ListPolicyGenerations": func() any { return new(aaapi.ListPolicyGenerationsRequest) }, "GetGeneratedPolicy": func() any { return new(aaapi.GetGeneratedPolicyRequest) },
	}
	f.Fuzz(func(t *testing.T, method, path, query string) {
		u := &url.URL{Path: path, RawQuery: query}
		if decoded, err := url.PathUnescape(path); err == nil {
			u.Path, u.RawPath = decoded, path
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL = method, u
		q, err := wire.Identify(r, nil, services, "access-analyzer")
		if err == nil && q.Operation != nil {
			if input := inputs[q.Operation.Name]; input != nil {
				if err = q.Decode(input()); err == nil {
					return
				}
			} else {
				return
			}
		}
		serve(t, q, err, nil, nil)
	})
}
