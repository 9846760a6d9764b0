package wire_test

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files")

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

const (
	formHead = "POST / HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n\n"
	orgHead  = "POST / HTTP/1.1\nHost: x\nContent-Type: application/x-amz-json-1.1\nX-Amz-Target: AWSOrganizationsV20161128."
)

var when = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600))

// goldens: the golden file of a case holds the request and the whole answer. The request says which service; out or err is the answer,
// if both are nil the error of Identify, Decode and Check.
var goldens = []struct {
	name, request string
	in            any
	out           any
	err           *wire.Error
}{
	{"create_user", formHead + "Action=CreateUser&Version=2010-05-08&UserName=Bob&Path=%2Fa%2F", new(iamapi.CreateUserRequest), &iamapi.CreateUserResponse{User: &iamapi.User{
		Path: new("/a/"), UserName: new("Bob"), UserId: new("AIDA"), Arn: new("arn:aws:iam::111122223333:user/a/Bob"), CreateDate: &when,
		Tags: []iamapi.Tag{{Key: new("a<&>\"'b"), Value: new("")}, {Key: new("c\r\td\x01\uFFFE"), Value: new("日本")}},
	}}, nil},
	{"delete_user", formHead + "Action=DeleteUser&Version=2010-05-08&UserName=Bob", new(iamapi.DeleteUserRequest), nil, nil},
	{"update_role", formHead + "Action=UpdateRole&Version=2010-05-08&RoleName=r", new(iamapi.UpdateRoleRequest), &iamapi.UpdateRoleResponse{}, nil},
	{"list_users_empty", formHead + "Action=ListUsers&Version=2010-05-08", new(iamapi.ListUsersRequest), &iamapi.ListUsersResponse{Users: []iamapi.User{}, IsTruncated: new(false)}, nil},
	{"get_role", formHead + "Action=GetRole&Version=2010-05-08&RoleName=r", new(iamapi.GetRoleRequest), &iamapi.GetRoleResponse{Role: &iamapi.Role{
		Path: new("/"), RoleName: new("r"), AssumeRolePolicyDocument: new("{\"Version\": \"2012-10-17\",\n \"x\":\"%3A+é~-_.\"}"),
		MaxSessionDuration: new(int32(3600)), RoleLastUsed: &iamapi.RoleLastUsed{},
	}}, nil},
	{"get_account_summary", formHead + "Action=GetAccountSummary&Version=2010-05-08", nil, &iamapi.GetAccountSummaryResponse{SummaryMap: map[string]int32{"Users": 3, "Groups": 0}}, nil},
	{"get_credential_report", formHead + "Action=GetCredentialReport&Version=2010-05-08", nil, &iamapi.GetCredentialReportResponse{Content: []byte("user,arn\n"), ReportFormat: new("text/csv"), GeneratedTime: &when}, nil},
	{"simulate_empty_map", formHead + "Action=SimulateCustomPolicy&Version=2010-05-08&PolicyInputList.member.1=%7B%7D&ActionNames.member.1=s3%3AGetObject", new(iamapi.SimulateCustomPolicyRequest),
		&iamapi.SimulatePolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{EvalActionName: new("s3:GetObject"), EvalDecision: new("allowed"), EvalDecisionDetails: map[string]string{}, MissingContextValues: []string{},
			MatchedStatements: []iamapi.Statement{{StartPosition: &iamapi.Position{Line: new(int32(1)), Column: new(int32(2))}}}}}}, nil},
	{"get_caller_identity", "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\nHost: x\n\n", new(stsapi.GetCallerIdentityRequest),
		&stsapi.GetCallerIdentityResponse{UserId: new("AIDA"), Account: new("111122223333"), Arn: new("arn:aws:iam::111122223333:user/Bob")}, nil},
	{"get_caller_identity_json", "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\nHost: x\nAccept: application/json\n\n", new(stsapi.GetCallerIdentityRequest),
		&stsapi.GetCallerIdentityResponse{UserId: new("AIDA"), Account: new("111122223333"), Arn: new("arn:aws:iam::111122223333:user/Bob")}, nil},
	{"get_session_token_json", "GET /?Action=GetSessionToken&Version=2011-06-15 HTTP/1.1\nHost: x\nAccept: application/json\n\n", new(stsapi.GetSessionTokenRequest),
		&stsapi.GetSessionTokenResponse{Credentials: &stsapi.Credentials{AccessKeyId: new("ASIA"), SecretAccessKey: new("a/b+\"\\"), SessionToken: new("t"), Expiration: &when}}, nil},
	{"delete_user_json", strings.Replace(formHead, "\n\n", "\nAccept: application/json\n\n", 1) + "Action=DeleteUser&Version=2010-05-08&UserName=Bob", new(iamapi.DeleteUserRequest), nil, nil},
	{"error", formHead + "Action=GetUser&Version=2010-05-08&UserName=x", new(iamapi.GetUserRequest), nil, iamapi.NoSuchEntity.New("The user with name %s cannot be found.", "x<y>")},
	{"error_json", strings.Replace(formHead, "\n\n", "\nAccept: application/json\n\n", 1) + "Action=GetUser&Version=2010-05-08&UserName=x", new(iamapi.GetUserRequest), nil, wire.AccessDenied.New("no %s")},
	{"error_receiver", formHead + "Action=GetUser&Version=2010-05-08&UserName=x", new(iamapi.GetUserRequest), nil, wire.InternalFailure.New(wire.InternalFailureText)},
	{"error_not_implemented", formHead + "Action=GetUser&Version=2010-05-08&UserName=x", new(iamapi.GetUserRequest), nil, wire.NotImplemented.New("GetUser is not implemented.")},
	{"error_no_message", formHead + "Action=GetCredentialReport&Version=2010-05-08", nil, nil, iamapi.ReportInProgress.New("")},
	{"error_malformed_input", formHead + "Action=ListUsers&Version=2010-05-08&MaxItems=abc", new(iamapi.ListUsersRequest), nil, nil},
	{"error_validation", formHead + "Action=CreateUser&Version=2010-05-08", new(iamapi.CreateUserRequest), nil, nil},
	{"error_invalid_action", formHead + "Action=Fly&Version=2010-05-08", nil, nil, nil},
	{"error_missing_action", "GET / HTTP/1.1\nHost: x\n\n", nil, nil, nil},
	{"error_elsewhere", "POST /nowhere HTTP/1.1\nHost: x\n\n", nil, nil, nil},
	{"error_query_string", "GET /?Action=%zz HTTP/1.1\nHost: x\n\n", nil, nil, nil},
	{"org_create_account", orgHead + "CreateAccount\n\n" + `{"Email":"a@b.example","AccountName":"A"}`, new(orgapi.CreateAccountRequest), &orgapi.CreateAccountResponse{CreateAccountStatus: &orgapi.CreateAccountStatus{
		Id: new("car-1"), AccountName: new("A\"<é>\x01"), State: new("IN_PROGRESS"), RequestedTimestamp: &when}}, nil},
	{"org_no_output", orgHead + "MoveAccount\n\n" + `{"AccountId":"111122223333","SourceParentId":"r-abcd","DestinationParentId":"r-abcd"}`, new(orgapi.MoveAccountRequest), nil, nil},
	{"org_error", orgHead + "DescribeAccount\n\n" + `{"AccountId":"111122223333"}`, new(orgapi.DescribeAccountRequest), nil, orgapi.ConstraintViolation.New("no").With("Reason", "ACCOUNT_NUMBER_LIMIT_EXCEEDED")},
	{"org_error_service", orgHead + "DescribeAccount\n\n" + `{"AccountId":"111122223333"}`, new(orgapi.DescribeAccountRequest), nil, orgapi.ServiceException.New("later")},
	{"org_error_framework", orgHead + "DescribeAccount\n\n" + `{"AccountId":"111122223333"}`, new(orgapi.DescribeAccountRequest), nil, wire.InvalidClientTokenId.New("The security token included in the request is invalid.")},
	{"org_error_access_denied", orgHead + "DescribeAccount\n\n" + `{"AccountId":"111122223333"}`, new(orgapi.DescribeAccountRequest), nil, wire.AccessDenied.New("no")},
	{"org_error_unknown", orgHead + "Fly\n\n{}", nil, nil, nil},
	{"org_error_body", orgHead + "DescribeAccount\n\n{", new(orgapi.DescribeAccountRequest), nil, nil},
	{"org_error_validation", orgHead + "DescribeAccount\n\n{}", new(orgapi.DescribeAccountRequest), nil, nil},
	{"aa_get_analyzer", "GET /analyzer/a HTTP/1.1\nHost: x\n\n", new(aaapi.GetAnalyzerRequest), &aaapi.GetAnalyzerResponse{Analyzer: &aaapi.AnalyzerSummary{
		Arn: new("arn:a"), Name: new("a"), Type: new("ACCOUNT"), CreatedAt: &when, Status: new("ACTIVE"), Tags: map[string]string{"b": "2", "a": "1"}}}, nil},
	{"aa_no_output", "DELETE /analyzer/a HTTP/1.1\nHost: x\n\n", new(aaapi.DeleteAnalyzerRequest), nil, nil},
	{"aa_error", "GET /analyzer/a HTTP/1.1\nHost: x\n\n", new(aaapi.GetAnalyzerRequest), nil, aaapi.ResourceNotFound.New("none").With("resourceId", "a").With("resourceType", "analyzer")},
	{"aa_error_throttled", "GET /analyzer/a HTTP/1.1\nHost: x\n\n", new(aaapi.GetAnalyzerRequest), nil, aaapi.Throttling.New("slow").With("Retry-After", 3)},
	{"aa_error_signature", "GET /analyzer/a HTTP/1.1\nHost: x\n\n", new(aaapi.GetAnalyzerRequest), nil, wire.MissingAuthenticationToken.New("Missing Authentication Token")},
	{"aa_error_validation", "GET /analyzer/%21 HTTP/1.1\nHost: x\n\n", new(aaapi.GetAnalyzerRequest), nil, nil},
	{"aa_error_parse", "PUT /analyzer HTTP/1.1\nHost: x\n\n{", new(aaapi.CreateAnalyzerRequest), nil, nil},
	{"aa_error_unknown", "PATCH /analyzer/a HTTP/1.1\nHost: x\n\n", nil, nil, nil},
}

// signedFor is the signing name a client of the request would use.
func signedFor(request string) string {
	switch {
	case strings.Contains(request, "X-Amz-Target"):
		return "organizations"
	case strings.Contains(request, " /analyzer"):
		return "access-analyzer"
	}
	return ""
}

func answer(t *testing.T, request string, in, out any, fault *wire.Error) *httptest.ResponseRecorder {
	t.Helper()
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	words := strings.Fields(lines[0])
	target, err := url.Parse(words[1])
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: words[0], URL: target, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	q, bad := wire.Identify(r, []byte(body), services, signedFor(request))
	q.ID = "7a62c49f-347e-4fc4-9331-6e8e00000000"
	if bad == nil && q.Operation == nil {
		bad = q.Unknown()
	}
	if bad == nil && in != nil {
		if bad = q.Decode(in); bad == nil {
			bad = wire.Check(q.Operation, in)
		}
	}
	if bad == nil {
		bad = fault
	}
	var n int
	if bad != nil {
		if out != nil || fault != nil && bad != fault {
			t.Fatalf("refused: %v", bad)
		}
		n, err = wire.WriteError(w, q, bad)
	} else {
		n, err = wire.WriteResponse(w, q, out)
	}
	if err != nil || n != w.Body.Len() {
		t.Fatalf("wrote %d of %d bytes: %v", n, w.Body.Len(), err)
	}
	return w
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range goldens {
		t.Run(c.name, func(t *testing.T) {
			w := answer(t, c.request, c.in, c.out, c.err)
			var b strings.Builder
			b.WriteString("-- request --\n" + c.request + "\n-- answer --\n" + w.Result().Status + "\n")
			for _, name := range []string{"Content-Type", "Content-Length", "x-amzn-RequestId", "x-amzn-ErrorType", "Retry-After"} {
				for _, value := range w.Header()[name] {
					b.WriteString(name + ": " + value + "\n")
				}
			}
			b.WriteString("\n" + w.Body.String())
			path := filepath.Join("testdata", "golden", c.name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("%s: got\n%s\nwant\n%s", path, b.String(), want)
			}
			wellFormed(t, w)
		})
	}
}

func wellFormed(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Body.Len() == 0 {
		return
	}
	var v any
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Error(err)
		}
		return
	}
	var element struct {
		XMLName xml.Name
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &element); err != nil {
		t.Error(err)
	}
}

func TestWriteErrorWithoutRequest(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if _, err := wire.WriteError(w, nil, nil); err != nil {
		t.Fatal(err)
	}
	if w.Code != 500 || !strings.Contains(w.Body.String(), "<Code>InternalFailure</Code>") || !strings.Contains(w.Body.String(), "AWSFault/2005-15-09") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestDecisionID: an error that a decision led to names it under every protocol, beside everything that AWS sends.
func TestDecisionID(t *testing.T) {
	t.Parallel()
	const id = "d-1<"
	for _, c := range []struct {
		name string
		q    *wire.Request
		with string // in the body, in addition
		rest string // the body without it
	}{
		{"query", &wire.Request{Protocol: wire.Query, Service: iamapi.Service, ID: "r"}, "    <DecisionId>d-1&lt;</DecisionId>\n",
			"<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>AccessDenied</Code>\n" +
				"    <Message>no</Message>\n  </Error>\n  <RequestId>r</RequestId>\n</ErrorResponse>\n"},
		{"query, JSON", &wire.Request{Protocol: wire.Query, Service: iamapi.Service, ID: "r", WantsJSON: true}, `,"DecisionId":"d-1<"`,
			`{"Error":{"Code":"AccessDenied","Message":"no","Type":"Sender"},"RequestId":"r"}`},
		{"JSON 1.1", &wire.Request{Protocol: wire.JSON11, Service: orgapi.Service, ID: "r"}, `,"DecisionId":"d-1<"`,
			`{"__type":"AccessDeniedException","Message":"no"}`},
		{"REST", &wire.Request{Protocol: wire.RestJSON, Service: aaapi.Service, ID: "r"}, `,"DecisionId":"d-1<"`, `{"Message":"no"}`},
	} {
		w := httptest.NewRecorder()
		e := wire.AccessDenied.New("no")
		if _, err := wire.WriteError(w, c.q, e); err != nil || w.Body.String() != c.rest || w.Header().Get("X-Gatehouse-Decision-Id") != "" {
			t.Errorf("%s, without: %v\n%s", c.name, err, w.Body)
		}
		w = httptest.NewRecorder()
		e.DecisionID = id
		if _, err := wire.WriteError(w, c.q, e); err != nil || strings.Count(w.Body.String(), c.with) != 1 ||
			strings.Replace(w.Body.String(), c.with, "", 1) != c.rest || w.Header().Get("X-Gatehouse-Decision-Id") != id {
			t.Errorf("%s, with: %v, header %v\n%s", c.name, err, w.Header(), w.Body)
		}
		wellFormed(t, w)
	}
}

func TestWriteErrorReportsBadMember(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	q := &wire.Request{Protocol: wire.JSON11, Service: orgapi.Service}
	if _, err := wire.WriteError(w, q, orgapi.InvalidInput.New("m").With("Reason", make(chan int))); err == nil {
		t.Error("no error for a member that cannot be encoded")
	}
	if want := `{"__type":"InvalidInputException","Message":"m"}`; w.Code != 400 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWriteResponseRefusesWrongOutput(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	q := &wire.Request{Protocol: wire.Query, Service: iamapi.Service, Operation: iamapi.OpGetUser.Operation}
	if n, err := wire.WriteResponse(w, q, nil); err == nil || n != 0 || w.Body.Len() > 0 {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
}

// TestStatuses asks each common fault for its code and status under the three protocols.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault             *wire.Fault
		code              string
		query, json, rest int
	}{
		{wire.AccessDenied, "AccessDeniedException", 403, 400, 403},
		{wire.ExpiredToken, "ExpiredTokenException", 403, 400, 403},
		{wire.IncompleteSignature, "IncompleteSignatureException", 400, 400, 403},
		{wire.InternalFailure, "InternalFailure", 500, 500, 500},
		{wire.InvalidClientTokenId, "UnrecognizedClientException", 403, 400, 403},
		{wire.MalformedInput, "SerializationException", 400, 400, 400},
		{wire.MalformedQueryString, "SerializationException", 404, 400, 400},
		{wire.MissingAuthenticationToken, "MissingAuthenticationTokenException", 403, 400, 403},
		{wire.NotImplemented, "NotImplementedException", 501, 501, 501},
		{wire.ServiceUnavailable, "ServiceUnavailableException", 503, 503, 503},
		{wire.SignatureDoesNotMatch, "InvalidSignatureException", 403, 400, 403},
		{wire.Throttling, "ThrottlingException", 400, 400, 429},
		{wire.ValidationError, "ValidationException", 400, 400, 400},
		{orgapi.TooManyRequests, "TooManyRequestsException", 400, 400, 400},
		{aaapi.ServiceQuotaExceeded, "ServiceQuotaExceededException", 402, 402, 402},
	} {
		f := c.fault
		if f.CodeFor(wire.JSON11) != c.code || f.CodeFor(wire.RestJSON) != c.code || f.CodeFor(wire.Query) != f.Code {
			t.Errorf("%s: codes %s %s", f.Code, f.CodeFor(wire.JSON11), f.CodeFor(wire.RestJSON))
		}
		if f.StatusFor(wire.Query) != c.query || f.StatusFor(wire.JSON11) != c.json || f.StatusFor(wire.RestJSON) != c.rest {
			t.Errorf("%s: statuses %d %d %d", f.Code, f.StatusFor(wire.Query), f.StatusFor(wire.JSON11), f.StatusFor(wire.RestJSON))
		}
	}
}

// TestModelFaults holds the generated faults against docs/spec/wire.md 4.1.
func TestModelFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  *wire.Fault
		code   string
		status int
	}{
		{iamapi.NoSuchEntity, "NoSuchEntity", 404}, {iamapi.EntityAlreadyExists, "EntityAlreadyExists", 409}, {iamapi.DeleteConflict, "DeleteConflict", 409},
		{iamapi.LimitExceeded, "LimitExceeded", 409}, {iamapi.MalformedPolicyDocument, "MalformedPolicyDocument", 400}, {iamapi.InvalidAuthenticationCode, "InvalidAuthenticationCode", 403},
		{iamapi.ReportExpired, "ReportExpired", 410}, {iamapi.ReportInProgress, "ReportInProgress", 404}, {iamapi.FeatureDisabled, "FeatureDisabled", 404},
		{iamapi.NotSupportedService, "NotSupportedService", 404}, {iamapi.ServiceFailure, "ServiceFailure", 500}, {iamapi.PolicyEvaluation, "PolicyEvaluation", 500},
		{iamapi.OrganizationNotFound, "OrganizationNotFoundException", 400}, {stsapi.ExpiredToken, "ExpiredTokenException", 400},
		{stsapi.IDPRejectedClaim, "IDPRejectedClaim", 403}, {stsapi.PackedPolicyTooLarge, "PackedPolicyTooLarge", 400}, {stsapi.RegionDisabled, "RegionDisabledException", 403},
	} {
		if c.fault.Code != c.code || c.fault.Status != c.status {
			t.Errorf("%s %d, want %s %d", c.fault.Code, c.fault.Status, c.code, c.status)
		}
	}
}

func TestXMLText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "plain é 日 😀\t\n": "plain é 日 😀\t\n", "<a&b>\"'": "&lt;a&amp;b&gt;&quot;'", "a\rb": "a&#xD;b",
		"\x00\x1f\x7f": "\uFFFD\uFFFD\x7f", "a\xffb\xed\xa0\x80c": "a\uFFFDb\uFFFD\uFFFD\uFFFDc", "\uFFFE\uFFFF\uFFFD": "\uFFFD\uFFFD\uFFFD",
	} {
		if got := wire.AppendXMLText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for c := range 256 {
		in := string([]byte{byte(c)})
		if got, want := wire.AppendPercent(in), strings.ReplaceAll(url.QueryEscape(in), "+", "%20"); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
