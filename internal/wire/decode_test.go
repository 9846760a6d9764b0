package wire_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func decodeForm(t *testing.T, body string, in any) *wire.Error {
	t.Helper()
	q, err := wire.Identify(form(body), []byte(body), services, "")
	if err != nil {
		return err
	}
	if q.Operation == nil {
		t.Fatalf("no operation in %s", body)
	}
	return q.Decode(in)
}

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	const tag = "Action=TagUser&Version=2010-05-08&UserName=bob"
	tags := func(pairs ...string) []iamapi.Tag {
		out := []iamapi.Tag{}
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, iamapi.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		return out
	}
	for _, c := range []struct {
		name, body string
		want       any
	}{
		{"absent list", tag, &iamapi.TagUserRequest{UserName: new("bob")}},
		{"explicitly empty list", tag + "&Tags=", &iamapi.TagUserRequest{UserName: new("bob"), Tags: tags()}},
		{"explicitly empty list and an element", tag + "&Tags=&Tags.member.1.Key=k&Tags.member.1.Value=v", &iamapi.TagUserRequest{UserName: new("bob"), Tags: tags("k", "v")}},
		{"sparse and unsorted", tag + "&Tags.member.10.Key=c&Tags.member.10.Value=3&Tags.member.2.Key=a&Tags.member.2.Value=1&Tags.member.3.Value=2&Tags.member.3.Key=b",
			&iamapi.TagUserRequest{UserName: new("bob"), Tags: tags("a", "1", "b", "2", "c", "3")}},
		{"decoding", tag + "&Tags.member.1.Key=a+b%20c%2B&Tags.member.1.Value=%C3%A9%26%3d", &iamapi.TagUserRequest{UserName: new("bob"), Tags: tags("a b c+", "é&=")}},
		{"encoded names", tag + "&Tags%2Emember.1.%4Bey=k&Tags.member.1.Value=v", &iamapi.TagUserRequest{UserName: new("bob"), Tags: tags("k", "v")}},
		{"first of two counts", tag + "&UserName=eve", &iamapi.TagUserRequest{UserName: new("bob")}},
		{"case-sensitive names", "Action=TagUser&Version=2010-05-08&username=bob", &iamapi.TagUserRequest{}},
		{"unknown parameters", tag + "&Foo=1&UserName.x=2&Tags-x=3&Tags.Key=4&Tags.member=5&X-Amz-Date=6&&=7", &iamapi.TagUserRequest{UserName: new("bob")}},
		{"a name between a name and its parts", tag + "&Tags=&Tags-x=1&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member-.1.Key=z", &iamapi.TagUserRequest{UserName: new("bob"), Tags: tags("k", "v")}},
		{"list of strings", "Action=UntagUser&Version=2010-05-08&TagKeys.member.1=b&TagKeys.member.2=a", &iamapi.UntagUserRequest{TagKeys: []string{"b", "a"}}},
		{"integer and empty string", "Action=ListUsers&Version=2010-05-08&MaxItems=7&Marker=", &iamapi.ListUsersRequest{MaxItems: new(int32(7)), Marker: new("")}},
		{"boolean", "Action=CreateLoginProfile&Version=2010-05-08&PasswordResetRequired=true", &iamapi.CreateLoginProfileRequest{PasswordResetRequired: new(true)}},
		{"structure, lower-case member", "Action=AssumeRole&Version=2011-06-15&PolicyArns.member.1.arn=x&ProvidedContexts.member.1.ProviderArn=y",
			&stsapi.AssumeRoleRequest{PolicyArns: []stsapi.PolicyDescriptorType{{Arn: new("x")}}, ProvidedContexts: []stsapi.ProvidedContext{{ProviderArn: new("y")}}}},
		{"list in a list", "Action=SimulateCustomPolicy&Version=2010-05-08&ContextEntries.member.1.ContextKeyValues.member.2=b&ContextEntries.member.1.ContextKeyValues.member.1=a",
			&iamapi.SimulateCustomPolicyRequest{ContextEntries: []iamapi.ContextEntry{{ContextKeyValues: []string{"a", "b"}}}}},
		{"nothing", "Action=GetUser&Version=2010-05-08", &iamapi.GetUserRequest{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reflect.New(reflect.TypeOf(c.want).Elem()).Interface()
			if err := decodeForm(t, c.body, got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("\n got %s\nwant %s", asJSON(got), asJSON(c.want))
			}
		})
	}
}

func TestDecodeQueryRefuses(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("&a=1", wire.MaxParams)
	for _, c := range []struct {
		name, body string
		in         any
		fault      *wire.Fault
		message    string // "" = no message element
	}{
		{"integer", "Action=ListUsers&Version=2010-05-08&MaxItems=abc", new(iamapi.ListUsersRequest), wire.MalformedInput, ""},
		{"empty integer", "Action=ListUsers&Version=2010-05-08&MaxItems=", new(iamapi.ListUsersRequest), wire.MalformedInput, ""},
		{"integer beyond 32 bits", "Action=ListUsers&Version=2010-05-08&MaxItems=2147483648", new(iamapi.ListUsersRequest), wire.MalformedInput, ""},
		{"boolean", "Action=CreateLoginProfile&Version=2010-05-08&PasswordResetRequired=True", new(iamapi.CreateLoginProfileRequest), wire.MalformedInput, ""},
		{"index 0", "Action=UntagUser&Version=2010-05-08&TagKeys.member.0=b", new(iamapi.UntagUserRequest), wire.MalformedInput, ""},
		{"index with leading zero", "Action=UntagUser&Version=2010-05-08&TagKeys.member.01=b", new(iamapi.UntagUserRequest), wire.MalformedInput, ""},
		{"index beyond the bound", "Action=UntagUser&Version=2010-05-08&TagKeys.member.100000=b", new(iamapi.UntagUserRequest), wire.MalformedInput, ""},
		{"index not a number", "Action=UntagUser&Version=2010-05-08&TagKeys.member.x=b", new(iamapi.UntagUserRequest), wire.MalformedInput, ""},
		{"text for a list", "Action=UntagUser&Version=2010-05-08&TagKeys=b", new(iamapi.UntagUserRequest), wire.MalformedInput, ""},
		{"text for a structure", "Action=TagUser&Version=2010-05-08&Tags.member.1=b", new(iamapi.TagUserRequest), wire.MalformedInput, ""},
		{"percent at the end", "Action=GetUser&Version=2010-05-08&UserName=%4", new(iamapi.GetUserRequest), wire.MalformedQueryString, "percent-encoding"},
		{"percent and no hex", "Action=GetUser&Version=2010-05-08&UserName=%zz", new(iamapi.GetUserRequest), wire.MalformedQueryString, "percent-encoding"},
		{"not UTF-8", "Action=GetUser&Version=2010-05-08&UserName=%ff", new(iamapi.GetUserRequest), wire.MalformedInput, "not allowed"},
		{"not UTF-8, raw", "Action=GetUser&Version=2010-05-08&UserName=\xff", new(iamapi.GetUserRequest), wire.MalformedInput, "not allowed"},
		{"surrogate", "Action=GetUser&Version=2010-05-08&UserName=%ED%A0%80", new(iamapi.GetUserRequest), wire.MalformedInput, "not allowed"},
		{"NUL", "Action=GetUser&Version=2010-05-08&UserName=a%00", new(iamapi.GetUserRequest), wire.MalformedInput, "not allowed"},
		{"NUL in a name", "Action=GetUser&Version=2010-05-08&User%00Name=a", new(iamapi.GetUserRequest), wire.MalformedInput, "not allowed"},
		{"too many", "Action=GetUser&Version=2010-05-08" + many, new(iamapi.GetUserRequest), wire.MalformedQueryString, "more than 5000 parameters"},
		{"too deep", "Action=GetUser&Version=2010-05-08&a" + strings.Repeat(".a", 33) + "=1", new(iamapi.GetUserRequest), wire.MalformedQueryString, "nested"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := decodeForm(t, c.body, c.in)
			if !err.IsFault(c.fault) {
				t.Fatalf("got %v, want %s", err, c.fault.Code)
			}
			if err.NoMessage != (c.message == "") || !strings.Contains(err.Message, c.message) {
				t.Errorf("message %q (none: %v), want %q", err.Message, err.NoMessage, c.message)
			}
		})
	}
}

func TestDecodedSharesNothing(t *testing.T) {
	t.Parallel()
	body := []byte("Action=GetUser&Version=2010-05-08&UserName=bob")
	q, err := wire.Identify(form(string(body)), body, services, "")
	if err != nil {
		t.Fatal(err)
	}
	var in iamapi.GetUserRequest
	if err := q.Decode(&in); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = 'x'
	}
	if *in.UserName != "bob" || q.Action != "GetUser" {
		t.Errorf("got %q, %q", *in.UserName, q.Action)
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	request := func(method, target, body string, headers ...string) *http.Request {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	const formType = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name      string
		r         *http.Request
		signing   string
		service   *wire.Service
		operation *wire.Operation
		err       string
	}{
		{"POST, signed", request("POST", "/", "Action=GetUser&Version=2010-05-08", "Content-Type", formType), "iam", iamapi.Service, iamapi.OpGetUser.Operation, ""},
		{"POST with charset in capitals", request("POST", "/", "Action=GetUser&Version=2010-05-08", "Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"), "iam", iamapi.Service, iamapi.OpGetUser.Operation, ""},
		{"GET", request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", ""), "sts", stsapi.Service, stsapi.OpGetCallerIdentity.Operation, ""},
		{"split", request("POST", "/?Version=2010-05-08", "Action=GetUser", "Content-Type", formType), "iam", iamapi.Service, iamapi.OpGetUser.Operation, ""},
		{"query string before body", request("POST", "/?Action=GetRole", "Action=GetUser&Version=2010-05-08", "Content-Type", formType), "iam", iamapi.Service, iamapi.OpGetRole.Operation, ""},
		{"unsigned, version decides", request("POST", "/", "Action=AssumeRoleWithSAML&Version=2011-06-15", "Content-Type", formType), "", stsapi.Service, stsapi.OpAssumeRoleWithSAML.Operation, ""},
		{"unsigned, no version", request("POST", "/", "Action=AssumeRole", "Content-Type", formType), "", stsapi.Service, nil, "InvalidAction: Could not find operation AssumeRole for version NO_VERSION_SPECIFIED"},
		{"signing name beats version", request("POST", "/", "Action=GetUser&Version=2010-05-08", "Content-Type", formType), "sts", stsapi.Service, nil, "InvalidAction: Could not find operation GetUser for version 2010-05-08"},
		{"foreign signing name", request("POST", "/", "Action=GetUser&Version=2010-05-08", "Content-Type", formType), "s3", iamapi.Service, iamapi.OpGetUser.Operation, ""},
		{"unknown action", request("POST", "/", "Action=Fly&Version=2010-05-08", "Content-Type", formType), "iam", iamapi.Service, nil, "InvalidAction: Could not find operation Fly for version 2010-05-08"},
		{"no action", request("GET", "/", ""), "", iamapi.Service, nil, "MissingAction: The request is missing an action or a required parameter."},
		{"a body that is no form", request("POST", "/", "Action=GetUser&Version=2010-05-08", "Content-Type", "text/plain"), "iam", iamapi.Service, nil, "MissingAction: The request is missing an action or a required parameter."},
		{"elsewhere", request("POST", "/nowhere", "a=b", "Content-Type", formType), "", iamapi.Service, nil, "UnknownOperationException"},
		{"other method", request("DELETE", "/?Action=GetUser&Version=2010-05-08", ""), "iam", iamapi.Service, nil, "UnknownOperationException"},
		{"target", request("POST", "/", "{}", "X-Amz-Target", "AWSOrganizationsV20161128.ListRoots"), "organizations", orgapi.Service, orgapi.OpListRoots.Operation, ""},
		{"target, unsigned", request("POST", "/", "{}", "X-Amz-Target", "AWSOrganizationsV20161128.ListRoots"), "", orgapi.Service, orgapi.OpListRoots.Operation, ""},
		{"unknown target", request("POST", "/", "{}", "X-Amz-Target", "AWSOrganizationsV20161128.Fly"), "organizations", orgapi.Service, nil, "InvalidAction"},
		{"foreign target", request("POST", "/", "{}", "X-Amz-Target", "DynamoDB.ListRoots"), "organizations", orgapi.Service, nil, "InvalidAction"},
		{"no target", request("POST", "/", "{}"), "organizations", orgapi.Service, nil, "InvalidAction"},
		{"path", request("GET", "/analyzer/a", ""), "access-analyzer", aaapi.Service, aaapi.OpGetAnalyzer.Operation, ""},
		{"path, unsigned", request("PUT", "/analyzer", "{}"), "", aaapi.Service, aaapi.OpCreateAnalyzer.Operation, ""},
		{"literal before label", request("POST", "/analyzer/findings/statistics", "{}"), "access-analyzer", aaapi.Service, aaapi.OpGetFindingsStatistics.Operation, ""},
		{"path with an empty label", request("GET", "/analyzer/", ""), "access-analyzer", aaapi.Service, nil, "InvalidAction"},
		{"path with another method", request("PATCH", "/analyzer/a", ""), "access-analyzer", aaapi.Service, nil, "InvalidAction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body, _ := io.ReadAll(c.r.Body)
			q, err := wire.Identify(c.r, body, services, c.signing)
			if err == nil && q.Operation == nil {
				err = q.Unknown()
			}
			if q.Service != c.service || q.Protocol != c.service.Protocol {
				t.Errorf("service %+v, want %s", q.Service.ID, c.service.ID)
			}
			if q.Operation != c.operation {
				t.Errorf("operation %+v", q.Operation)
			}
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != c.err {
				t.Errorf("error %q, want %q", text, c.err)
			}
		})
	}
}

func TestIdentifyWantsJSON(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{"": false, "*/*": false, "application/json": true, "text/xml, Application/JSON;q=0.5": true, "application/jsonp": false} {
		r := httptest.NewRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
		r.Header.Set("Accept", accept)
		q, err := wire.Identify(r, nil, services, "sts")
		if err != nil || q.WantsJSON != want {
			t.Errorf("Accept: %s: %v, %v", accept, q.WantsJSON, err)
		}
	}
}

func decodeTarget(target, body string, in any) *wire.Error {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+target)
	q, err := wire.Identify(r, []byte(body), services, "organizations")
	if err != nil {
		return err
	}
	return q.Decode(in)
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operation, body string
		in              any // pointer to the wanted value, or to the zero value if refused is set
		refused         string
	}{
		{"ListRoots", "", &orgapi.ListRootsRequest{}, ""},
		{"ListRoots", " {} ", &orgapi.ListRootsRequest{}, ""},
		{"ListRoots", `{"MaxResults": 7, "NextToken" : "a\u00e9\n\ud83d\ude00\/"}`, &orgapi.ListRootsRequest{MaxResults: new(int32(7)), NextToken: new("aé\n😀/")}, ""},
		{"ListRoots", `{"MaxResults": null, "Unknown": [1, {"a": [true, false, null, -1.5e3, "x"]}]}`, &orgapi.ListRootsRequest{}, ""},
		{"ListRoots", `{"NextToken":"a","NextToken":"b"}`, &orgapi.ListRootsRequest{NextToken: new("b")}, ""},
		{"ListRoots", `{"nexttoken":"a"}`, &orgapi.ListRootsRequest{}, ""},
		{"TagResource", `{"ResourceId":"r","Tags":[]}`, &orgapi.TagResourceRequest{ResourceId: new("r"), Tags: []orgapi.Tag{}}, ""},
		{"TagResource", `{"Tags":[{"Key":"k","Value":"v"},{}]}`, &orgapi.TagResourceRequest{Tags: []orgapi.Tag{{Key: new("k"), Value: new("v")}, {}}}, ""},
		{"ListAccounts", `{"MaxResults":"7"}`, &orgapi.ListAccountsRequest{}, "The value at 'maxResults' is not an integer."},
		{"ListAccounts", `{"MaxResults":7.0}`, &orgapi.ListAccountsRequest{}, "The value at 'maxResults' is not an integer."},
		{"ListAccounts", `{"MaxResults":99999999999}`, &orgapi.ListAccountsRequest{}, "The value at 'maxResults' is not an integer."},
		{"ListAccounts", `{"MaxResults":07}`, &orgapi.ListAccountsRequest{}, "The request body is not valid JSON."},
		{"ListAccounts", `{"NextToken":7}`, &orgapi.ListAccountsRequest{}, "The value at 'nextToken' is not a string."},
		{"TagResource", `{"Tags":{}}`, &orgapi.TagResourceRequest{}, "The value at 'tags' is not a list."},
		{"TagResource", `{"Tags":["k"]}`, &orgapi.TagResourceRequest{}, "The value at 'tags' is not an object."},
		{"UntagResource", `{"TagKeys":["k",null]}`, &orgapi.UntagResourceRequest{}, "The value at 'tagKeys' is not a string."},
		{"ListRoots", `[]`, &orgapi.ListRootsRequest{}, "The request body is not a JSON object."},
		{"ListRoots", `{`, &orgapi.ListRootsRequest{}, "The request body is not valid JSON."},
		{"ListRoots", `{} x`, &orgapi.ListRootsRequest{}, "The request body is not valid JSON."},
		{"ListRoots", `{"a":1,}`, &orgapi.ListRootsRequest{}, "The request body is not valid JSON."},
		{"ListRoots", `{"a" 1}`, &orgapi.ListRootsRequest{}, "The request body is not valid JSON."},
		{"ListRoots", "{\"NextToken\":\"a\nb\"}", &orgapi.ListRootsRequest{}, "The request body is not valid JSON."},
		{"ListRoots", `{"NextToken":"\ud83d"}`, &orgapi.ListRootsRequest{}, "not valid UTF-8"},
		{"ListRoots", `{"NextToken":"\u0000"}`, &orgapi.ListRootsRequest{}, "not allowed"},
		{"ListRoots", "{\"NextToken\":\"\xff\"}", &orgapi.ListRootsRequest{}, "not valid UTF-8"},
		{"ListRoots", `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, &orgapi.ListRootsRequest{}, "nested too deep"},
		{"ListRoots", `{"a":[` + strings.Repeat("1,", 50_001) + `1]}`, &orgapi.ListRootsRequest{}, "too many values"},
	} {
		t.Run(fmt.Sprintf("%s %.60s", c.operation, c.body), func(t *testing.T) {
			t.Parallel()
			got := reflect.New(reflect.TypeOf(c.in).Elem()).Interface()
			err := decodeTarget(c.operation, c.body, got)
			if c.refused != "" {
				if !err.IsFault(wire.MalformedInput) || !strings.Contains(err.Message, c.refused) || err.Fault.CodeFor(wire.JSON11) != "SerializationException" {
					t.Fatalf("got %v, want %s", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.in) {
				t.Errorf("\n got %s\nwant %s", asJSON(got), asJSON(c.in))
			}
		})
	}
}

func TestDecodeRest(t *testing.T) {
	t.Parallel()
	decode := func(method, target, body string, in any) *wire.Error {
		r := httptest.NewRequest(method, target, nil)
		q, err := wire.Identify(r, []byte(body), services, "access-analyzer")
		if err != nil {
			return err
		}
		return q.Decode(in)
	}
	var untag aaapi.UntagResourceRequest
	if err := decode("DELETE", "/tags/arn:aws:access-analyzer:us-east-1:111122223333:analyzer%2Fa%20b?tagKeys=x&tagKeys=y+z", "", &untag); err != nil {
		t.Fatal(err)
	}
	if want := (aaapi.UntagResourceRequest{ResourceArn: new("arn:aws:access-analyzer:us-east-1:111122223333:analyzer/a b"), TagKeys: []string{"x", "y z"}}); !reflect.DeepEqual(untag, want) {
		t.Errorf("got %s", asJSON(untag))
	}
	var rule aaapi.UpdateArchiveRuleRequest
	if err := decode("PUT", "/analyzer/one/archive-rule/two", `{"analyzerName":"body","filter":{"a":{"eq":["1"]},"b":null},"clientToken":"t"}`, &rule); err != nil {
		t.Fatal(err)
	}
	if want := (aaapi.UpdateArchiveRuleRequest{AnalyzerName: new("one"), RuleName: new("two"), Filter: map[string]aaapi.Criterion{"a": {Eq: []string{"1"}}}, ClientToken: new("t")}); !reflect.DeepEqual(rule, want) {
		t.Errorf("got %s", asJSON(rule))
	}
	var start aaapi.StartPolicyGenerationRequest
	if err := decode("PUT", "/policy/generation", `{"cloudTrailDetails":{"startTime":"2026-01-02T03:04:05.5+01:00"}}`, &start); err != nil {
		t.Fatal(err)
	}
	if got := *start.CloudTrailDetails.StartTime; !got.Equal(time.Date(2026, 1, 2, 2, 4, 5, 5e8, time.UTC)) {
		t.Errorf("time %v", got)
	}
	for _, c := range []struct{ method, target, body, message string }{
		{"GET", "/policy/generation?maxResults=x", "", "The value at 'maxResults' cannot be parsed."},
		{"PUT", "/policy/generation", `{"cloudTrailDetails":1}`, "The value at 'cloudTrailDetails' is not an object."},
		{"GET", "/analyzer/%ff", "", "The path cannot be decoded."},
	} {
		in := any(new(aaapi.StartPolicyGenerationRequest))
		if c.method == "GET" {
			in = new(aaapi.ListPolicyGenerationsRequest)
		}
		err := decode(c.method, c.target, c.body, in)
		if err == nil || err.Message != c.message || err.Fault.CodeFor(wire.RestJSON) != "ValidationException" || !reflect.DeepEqual(err.Extra, []wire.Extra{{Name: "reason", Value: "cannotParse"}}) {
			t.Errorf("%s %s: %+v", c.method, c.target, err)
		}
	}
}

// failing is a body that ends with an error.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	post := func(body io.Reader, length int64) *http.Request {
		r := httptest.NewRequest("POST", "/", body)
		r.ContentLength = length
		return r
	}
	for _, c := range []struct {
		name  string
		r     *http.Request
		want  int
		fault *wire.Fault
	}{
		{"empty", post(strings.NewReader(""), 0), 0, nil},
		{"small", post(strings.NewReader("abc"), 3), 3, nil},
		{"at the limit", post(strings.NewReader(strings.Repeat("x", 100)), 100), 100, nil},
		{"announced too large", post(strings.NewReader(""), 101), 0, wire.RequestEntityTooLarge},
		{"unknown length, too large", post(strings.NewReader(strings.Repeat("x", 101)), -1), 0, wire.RequestEntityTooLarge},
		{"unknown length", post(strings.NewReader(strings.Repeat("x", 99)), -1), 99, nil},
		{"cut off", post(failing{strings.NewReader("abc")}, 10), 0, wire.IncompleteBody},
	} {
		b, err := wire.ReadBody(c.r, 100)
		if len(b) != c.want || (c.fault == nil) != (err == nil) || err != nil && !err.IsFault(c.fault) {
			t.Errorf("%s: %d bytes, %v", c.name, len(b), err)
		}
	}
}
