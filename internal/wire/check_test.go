package wire_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// inputs are the input types of the operations these tests send.
var inputs = map[string]any{
	"iam:CreatePolicy": iamapi.CreatePolicyRequest{}, "iam:TagPolicy": iamapi.TagPolicyRequest{}, "iam:UntagPolicy": iamapi.UntagPolicyRequest{},
	"iam:CreateRole": iamapi.CreateRoleRequest{}, "iam:TagRole": iamapi.TagRoleRequest{}, "iam:UntagRole": iamapi.UntagRoleRequest{},
	"iam:SetDefaultPolicyVersion":         iamapi.SetDefaultPolicyVersionRequest{},
	"iam:GetPolicyVersion":                iamapi.GetPolicyVersionRequest{},
	"iam:UpdateServiceSpecificCredential": iamapi.UpdateServiceSpecificCredentialRequest{},
	"iam:ResetServiceSpecificCredential":  iamapi.ResetServiceSpecificCredentialRequest{},
	"iam:DeleteServiceSpecificCredential": iamapi.DeleteServiceSpecificCredentialRequest{},
	"iam:CreateUser":                      iamapi.CreateUserRequest{}, "iam:GetUser": iamapi.GetUserRequest{}, "iam:GetRole": iamapi.GetRoleRequest{},
	"iam:ListUsers": iamapi.ListUsersRequest{}, "iam:UpdateUser": iamapi.UpdateUserRequest{}, "iam:UpdateAccessKey": iamapi.UpdateAccessKeyRequest{},
	"iam:CreateAccountAlias": iamapi.CreateAccountAliasRequest{}, "iam:DeleteUser": iamapi.DeleteUserRequest{}, "iam:TagUser": iamapi.TagUserRequest{},
	"iam:SimulateCustomPolicy": iamapi.SimulateCustomPolicyRequest{}, "iam:PutUserPolicy": iamapi.PutUserPolicyRequest{},
	"iam:UpdateAccountPasswordPolicy": iamapi.UpdateAccountPasswordPolicyRequest{}, "iam:CreateSAMLProvider": iamapi.CreateSAMLProviderRequest{},
	"iam:CreateLoginProfile": iamapi.CreateLoginProfileRequest{}, "iam:EnableMFADevice": iamapi.EnableMFADeviceRequest{},
	"sts:AssumeRole": stsapi.AssumeRoleRequest{}, "sts:GetFederationToken": stsapi.GetFederationTokenRequest{},
	"sts:AssumeRoleWithWebIdentity": stsapi.AssumeRoleWithWebIdentityRequest{}, "sts:GetWebIdentityToken": stsapi.GetWebIdentityTokenRequest{},
	"organizations:CreateAccount": orgapi.CreateAccountRequest{}, "organizations:ListPolicies": orgapi.ListPoliciesRequest{},
	"organizations:TagResource": orgapi.TagResourceRequest{}, "organizations:ListAccounts": orgapi.ListAccountsRequest{},
	"access-analyzer:CreateAnalyzer": aaapi.CreateAnalyzerRequest{}, "access-analyzer:GetFinding": aaapi.GetFindingRequest{},
}

// judge sends a query request through Identify, Decode and Check.
func judge(t *testing.T, service, operation string, parameters map[string]string) *wire.Error {
	t.Helper()
	var s *wire.Service
	for _, candidate := range services {
		if candidate.ID == service {
			s = candidate
		}
	}
	values := url.Values{"Action": {operation}, "Version": {s.APIVersion}}
	for name, value := range parameters {
		values.Set(name, value)
	}
	body := values.Encode()
	q, err := wire.Identify(form(body), []byte(body), services, s.SigningName)
	if err != nil {
		t.Fatalf("Identify: %v", err)
	}
	input, ok := inputs[service+":"+operation]
	if !ok {
		t.Fatalf("no input type for %s", operation)
	}
	in := reflect.New(reflect.TypeOf(input)).Interface()
	if err := q.Decode(in); err != nil {
		return err
	}
	return wire.Check(q.Operation, in)
}

func TestCheckRecorded(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/recorded/validation.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Case, Step, Service, Operation, Code, Message string
		Parameters                                    map[string]string
		Status                                        int
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 25 {
		t.Fatalf("only %d recorded cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Case+"/"+c.Step, func(t *testing.T) {
			got := judge(t, c.Service, c.Operation, c.Parameters)
			if got == nil {
				t.Fatalf("accepted; AWS says %s", c.Message)
			}
			if got.Fault.CodeFor(wire.Query) != c.Code || got.Fault.StatusFor(wire.Query) != c.Status || got.Message != c.Message {
				t.Errorf("\n got %s %d %s\nwant %s %d %s", got.Fault.Code, got.Fault.Status, got.Message, c.Code, c.Status, c.Message)
			}
		})
	}
}

func TestCheckTexts(t *testing.T) {
	t.Parallel()
	const long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" // 65
	document := map[string]string{"AssumeRolePolicyDocument": "{}", "RoleName": "r"}
	with := func(base map[string]string, pairs ...string) map[string]string {
		out := map[string]string{}
		maps.Copy(out, base)
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	const one = "1 validation error detected: "
	for _, c := range []struct {
		name, service, operation string
		parameters               map[string]string
		want                     string // "" = accepted
	}{
		{"accepted", "iam", "CreateUser", with(nil, "UserName", "Bob"), ""},
		{"accepted, nothing given", "iam", "GetUser", nil, ""},
		{"required", "iam", "CreateUser", nil, one + "Value at 'userName' failed to satisfy constraint: Member must not be null"},
		{"two required", "iam", "CreateRole", nil, "2 validation errors detected: Value at 'roleName' failed to satisfy constraint: Member must not be null; " +
			"Value at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null"},
		{"role missing", "iam", "GetRole", nil, "The request must contain the parameter RoleName."},
		{"too short and of the wrong class", "iam", "CreateUser", with(nil, "UserName", ""), one + "Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"too long", "iam", "CreateUser", with(nil, "UserName", long), one + "Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"length before class", "iam", "CreateUser", with(nil, "UserName", long+"!"), one + "Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"64 on create, 128 on read", "iam", "GetUser", with(nil, "UserName", long), ""},
		{"length counts characters", "iam", "TagUser", with(nil, "UserName", "b", "Tags.member.1.Key", strings.Repeat("é", 128), "Tags.member.1.Value", ""), ""},
		{"name", "iam", "CreateUser", with(nil, "UserName", "a b"), "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"new name", "iam", "UpdateUser", with(nil, "UserName", "a", "NewUserName", "a/b"), "The specified value for newUserName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"path", "iam", "CreateUser", with(nil, "UserName", "a", "Path", "/x"), "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"path of a policy", "iam", "CreatePolicy", with(nil, "PolicyName", "a", "PolicyDocument", "{}", "Path", "/x"), "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"good path", "iam", "CreateUser", with(nil, "UserName", "a", "Path", "/a/b/"), ""},
		{"path prefix", "iam", "ListUsers", with(nil, "PathPrefix", "x"), "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."},
		{"policy document", "iam", "PutUserPolicy", with(nil, "UserName", "a", "PolicyName", "p", "PolicyDocument", "{\"日\"}"), "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."},
		{"trust policy", "iam", "CreateRole", with(nil, "RoleName", "a", "AssumeRolePolicyDocument", "日"), "The specified value for assumeRolePolicyDocument is invalid. It must contain only printable ASCII characters."},
		{"access key id", "iam", "UpdateAccessKey", with(nil, "AccessKeyId", "AKIA-AAAAAAAAAAAAAAA", "Status", "Active"), "The specified value for accessKeyId is invalid. It must contain only alphanumeric characters."},
		{"alias", "iam", "CreateAccountAlias", with(nil, "AccountAlias", "a--b"), "The specified value for accountAlias is invalid. It must contain only digits, lowercase letters, and hyphens (-), but cannot begin or end with a hyphen."},
		{"marker", "iam", "ListUsers", with(nil, "Marker", "日"), "Invalid Marker."},
		{"framed before hand-written", "iam", "CreateUser", with(nil, "UserName", "a b", "Path", "/"+strings.Repeat("x", 600)+"/"), one + "Value at 'path' failed to satisfy constraint: Member must have length less than or equal to 512"},
		{"value bounds", "iam", "ListUsers", with(nil, "MaxItems", "0"), one + "Value at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"value bounds above", "iam", "ListUsers", with(nil, "MaxItems", "1001"), one + "Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"enum without list", "iam", "UpdateAccessKey", with(nil, "AccessKeyId", "AKIAAAAAAAAAAAAAAAAA", "Status", "active"), one + "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"},
		{"half a tag", "iam", "TagUser", with(nil, "UserName", "b", "Tags.member.1.Key", "k"), one + "Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"},
		{"path of the second tag", "iam", "TagUser", with(nil, "UserName", "b", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v", "Tags.member.2.Key", "!", "Tags.member.2.Value", "v"),
			one + `Value at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{"nested list", "iam", "SimulateCustomPolicy", with(nil, "PolicyInputList.member.1", "{}", "ActionNames.member.1", "iam:GetUser", "ContextEntries.member.1.ContextKeyName", "abcd"),
			one + "Value at 'contextEntries.1.member.contextKeyName' failed to satisfy constraint: Member must have length greater than or equal to 5"},
		{"list of strings without a pattern", "iam", "SimulateCustomPolicy", with(nil, "PolicyInputList.member.1", "{}", "ActionNames.member.1", "ab"),
			one + "Value at 'actionNames' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 3]"},
		{"acronym", "iam", "CreateSAMLProvider", with(nil, "Name", "n"), one + "Value at 'sAMLMetadataDocument' failed to satisfy constraint: Member must not be null"},
		{"secret not echoed by IAM", "iam", "CreateLoginProfile", with(nil, "UserName", "u", "Password", "日"), one + `Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`},
		{"no tags given", "iam", "CreateRole", document, ""},
		{"empty list given", "iam", "CreateRole", with(document, "Tags", ""), ""},

		{"STS required", "sts", "AssumeRole", with(nil, "RoleSessionName", "ab"), one + "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"},
		{"STS value", "sts", "AssumeRole", with(nil, "RoleArn", "short", "RoleSessionName", "ab"), one + "Value 'short' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		{"STS several", "sts", "AssumeRole", with(nil, "RoleArn", "short", "RoleSessionName", "!", "DurationSeconds", "1"),
			"4 validation errors detected: Value 'short' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; " +
				"Value '!' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; " +
				`Value '!' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*; ` +
				"Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"STS secret", "sts", "AssumeRoleWithWebIdentity", with(nil, "RoleArn", "arn:aws:iam::111122223333:role/r", "RoleSessionName", "ab", "WebIdentityToken", "abc"),
			one + "Value at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := judge(t, c.service, c.operation, c.parameters)
			if c.want == "" {
				if got != nil {
					t.Errorf("got %v, want it accepted", got)
				}
				return
			}
			if got == nil || got.Message != c.want {
				t.Fatalf("\n got %v\nwant %s", got, c.want)
			}
			wantFault := wire.ValidationError
			if c.operation == "GetRole" {
				wantFault = wire.MissingParameter
			}
			if !got.IsFault(wantFault) {
				t.Errorf("code %s", got.Fault.Code)
			}
		})
	}
}

func TestCheckJSONServices(t *testing.T) {
	t.Parallel()
	err := wire.Check(orgapi.OpListPolicies.Operation, &orgapi.ListPoliciesRequest{Filter: new("X"), MaxResults: new(int32(21))})
	if err == nil || !strings.HasPrefix(err.Message, "2 validation errors detected: Value 'X' at 'filter' failed to satisfy constraint: Member must satisfy enum value set: [SERVICE_CONTROL_POLICY, ") ||
		!strings.HasSuffix(err.Message, "; Value '21' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 20") {
		t.Errorf("got %v", err)
	}
	err = wire.Check(aaapi.OpCreateAnalyzer.Operation, &aaapi.CreateAnalyzerRequest{AnalyzerName: new("1x"), Type: new("ACCOUNT")})
	if err == nil || len(err.Extra) != 2 || err.Extra[0] != (wire.Extra{Name: "reason", Value: "fieldValidationFailed"}) {
		t.Fatalf("got %+v", err)
	}
	list, _ := json.Marshal(err.Extra[1].Value)
	if want := `[{"name":"analyzerName","message":"Member must satisfy regular expression pattern: [A-Za-z_][A-Za-z0-9_.-]*"}]`; string(list) != want {
		t.Errorf("fieldList %s, want %s", list, want)
	}
}

func TestCheckBound(t *testing.T) {
	t.Parallel()
	in := &iamapi.TagUserRequest{UserName: new("bob"), Tags: make([]iamapi.Tag, 2000)}
	err := wire.Check(iamapi.OpTagUser.Operation, in)
	if err == nil || !strings.HasPrefix(err.Message, "100 validation errors detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50; "+
		"Value at 'tags.1.member.key' failed to satisfy constraint: Member must not be null; ") || len(err.Message) > 20_000 {
		t.Errorf("got %v", err)
	}
}

func TestCheckAllocates(t *testing.T) {
	in := &iamapi.TagUserRequest{UserName: new("bob"), Tags: []iamapi.Tag{{Key: new("k"), Value: new("v")}}}
	if n := testing.AllocsPerRun(100, func() { wire.Check(iamapi.OpTagUser.Operation, in) }); n > 0 {
		t.Errorf("Check of a good input allocates %v times", n)
	}
}

// shapes calls each for every shape of every service, once.
func shapes(each func(*wire.Service, *wire.Shape)) {
	seen := map[*wire.Shape]bool{}
	var walk func(s *wire.Service, shape *wire.Shape)
	walk = func(s *wire.Service, shape *wire.Shape) {
		if shape == nil || seen[shape] {
			return
		}
		seen[shape] = true
		each(s, shape)
		for _, m := range shape.Members {
			walk(s, m.Shape)
		}
		walk(s, shape.Elem)
		walk(s, shape.Key)
		walk(s, shape.Value)
	}
	for _, s := range services {
		for _, op := range s.Operations {
			walk(s, op.In)
			walk(s, op.Out)
		}
	}
}

// TestPatterns compiles every pattern of the models and holds the simple matchers against package regexp.
func TestPatterns(t *testing.T) {
	t.Parallel()
	pieces := []string{"", "/", "a", "Z", "0", "9", "-", "_", ".", ":", "=", "+", "@", ",", " ", "\t", "\n", "\x7f", "é", "ÿ", "Ā", "日", "😀", "\u00a0", "\ufffe",
		"//", "/a/", "o-", "ou-", "r-", "p-", "0123456789", "123456789012", "abcdefgh", "arn:aws:", "v1", "v1.2", "http://", "https://x"}
	var probes []string
	for _, a := range pieces {
		for _, b := range pieces {
			probes = append(probes, a+b)
			for _, c := range []string{"/", "a", "é", "0123", "-abcdefgh"} {
				probes = append(probes, a+b+c)
			}
		}
	}
	seen, simple := map[string]bool{}, 0
	shapes(func(_ *wire.Service, s *wire.Shape) {
		if s.Pattern == "" || seen[s.Pattern] {
			return
		}
		seen[s.Pattern] = true
		compiled := wire.CompilePattern(s.Pattern)
		if compiled.Simple() {
			simple++
		}
		reference := wire.ReferencePattern(s.Pattern)
		if reference == nil {
			reference = regexp.MustCompile(`\A[a-z0-9](?:-?[a-z0-9])+\z`) // 3 to 63 characters are asked below
		}
		for _, probe := range probes {
			want := reference.MatchString(probe)
			if strings.Contains(s.Pattern, "(?!") {
				want = want && len(probe) >= 3 && len(probe) <= 63
			}
			if compiled.Match(probe) != want {
				t.Errorf("%s: %q matches: %v, package regexp says %v", s.Pattern, probe, !want, want)
			}
		}
	})
	if len(seen) < 60 || simple < 40 {
		t.Errorf("%d patterns, %d of them simple", len(seen), simple)
	}
	for _, p := range []string{`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, `[\w+=,.@-]+`, `^o-[a-z0-9]{10,32}$`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`} {
		if !wire.CompilePattern(p).Simple() {
			t.Errorf("%s needs a regular expression", p)
		}
	}
}
