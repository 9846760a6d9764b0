package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const (
	badRequest = "400 ValidationException "
	oneError   = badRequest + "1 validation error detected: "
	failed     = " failed to satisfy constraint: "
)

// repeated is n times the same element of a JSON list.
func repeated(n int, element string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
}

// numbered are n members of a JSON object, with %d for their number.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, format, i)
	}
	return "{" + b.String() + "}"
}

// TestAuthorizeRefuses: what cannot be answered is a clear error.
func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.role(x.root, "/div/Job", trustEC2)
	const (
		bob    = `"Arn":"` + arnHere + `user/bob"`
		job    = `"Arn":"` + stsHere + `assumed-role/Job/s1"`
		fed    = `"Arn":"` + stsHere + `federated-user/fed","IssuerArn":"` + arnHere + `user/bob"`
		root   = `"Arn":"` + arnHere + `root"`
		s3     = `{"Principal":{"Anonymous":true},"Action":"s3:GetObject",`
		onlyIn = badRequest + "Principal must have exactly one of Arn, AccessKeyId, Service, Federated and Anonymous."
		noUser = "404 ResourceNotFoundException "
	)
	allow := jsonOf(document("Allow * *"))
	for _, c := range []struct{ want, body string }{
		// Principal
		{oneError + "Value null at 'principal'" + failed + "Member must not be null", `{` + asksBucket + `}`},
		{badRequest + "3 validation errors detected: Value null at 'principal'" + failed + "Member must not be null; Value null at 'action'" + failed +
			"Member must not be null; Value null at 'resource'" + failed + "Member must not be null", ``},
		{onlyIn, who(``)},
		{onlyIn, who(bob + `,"Anonymous":true`)},
		{onlyIn, who(`"Service":["s3.amazonaws.com"],"Federated":"accounts.google.com"`)},
		{onlyIn, who(bob + `,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE"`)},
		{badRequest + "Principal.Anonymous must be true.", who(`"Anonymous":false`)},
		{badRequest + "Principal.SessionToken goes with AccessKeyId.", who(bob + `,"SessionToken":"x"`)},
		{badRequest + "IssuerArn, SessionPolicies, SessionTags, SourceIdentity, MultiFactorAuthPresent, TokenIssueTime and FederatedProvider of Principal go with Arn.", who(`"Anonymous":true,"SessionTags":{}`)},
		{badRequest + "IssuerArn, SessionPolicies, SessionTags, SourceIdentity, MultiFactorAuthPresent, TokenIssueTime and FederatedProvider of Principal go with Arn.",
			who(`"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","MultiFactorAuthPresent":true`)},
		{badRequest + "Principal.CanonicalUserId goes with Arn or AccessKeyId: it is that of their account.", who(`"Anonymous":true,"CanonicalUserId":"` + strings.Repeat("a", 64) + `"`)},
		{oneError + "Value '" + strings.Repeat("A", 64) + "' at 'principal.canonicalUserId'" + failed + "Member must satisfy regular expression pattern: [0-9a-f]{64}",
			who(bob + `,"CanonicalUserId":"` + strings.Repeat("A", 64) + `"`)},
		{oneError + "Value '[]' at 'principal.service'" + failed + "Member must have length greater than or equal to 1", who(`"Service":[]`)},
		{badRequest + "Principal.Arn " + arnHere + "group/g is not the ARN of a user, a root user, or a session of a role, of a federated user or of AssumeRoot.", whoARN(arnHere + "group/g")},
		{badRequest + "Principal.Arn " + arnHere + "role/div/Job is a role. Ask about a session of it: " + stsHere + "assumed-role/Job/SESSION.", whoARN(arnHere + "role/div/Job")},
		{badRequest + "Principal.Arn arn:aws-cn:iam::" + testAccount + ":user/bob is not the ARN of a principal.", whoARN("arn:aws-cn:iam::" + testAccount + ":user/bob")},
		{badRequest + "Principal.Arn arn:aws:iam:us-east-1:" + testAccount + ":user/bob is not the ARN of a principal.", whoARN("arn:aws:iam:us-east-1:" + testAccount + ":user/bob")},
		{badRequest + "Principal.Arn not-an-arn-but-long-enough is not the ARN of a principal.", whoARN("not-an-arn-but-long-enough")},
		{badRequest + "Principal.Arn " + stsHere + "assumed-role/Job is not the ARN of a role session.", whoARN(stsHere + "assumed-role/Job")},
		{badRequest + "Principal.Arn " + stsHere + "assumed-role/Job/a/b is not the ARN of a role session.", whoARN(stsHere + "assumed-role/Job/a/b")},
		{badRequest + "Principal.IssuerArn is required with a federated user: its permissions are those of who issued the session.", whoARN(stsHere + "federated-user/fed")},
		{badRequest + "Principal.Arn " + stsHere + "federated-user/f is not the ARN of a federated user.", whoARN(stsHere + "federated-user/f")},
		{badRequest + "SourceIdentity and FederatedProvider of Principal go with role sessions.", who(fed + `,"SourceIdentity":"me"`)},
		{badRequest + "Principal.IssuerArn goes with federated users.", who(job + `,"IssuerArn":"` + arnHere + `user/bob"`)},
		{badRequest + "IssuerArn, SessionTags, SourceIdentity and FederatedProvider of Principal go with role sessions and federated users.", who(bob + `,"SessionTags":{"a":"b"}`)},
		{badRequest + "Principal.SessionPolicies goes with sessions; the permissions of a user are limited by its boundary.", who(bob + `,"SessionPolicies":[]`)},
		{badRequest + "Principal.SessionPolicies of a root user go with the ARN of an AssumeRoot session: " + stsHere + "assumed-root.", who(root + `,"SessionPolicies":[]`)},
		{badRequest + "Principal.SessionPolicies is required with an AssumeRoot session: it has the task policy.", whoARN(stsHere + "assumed-root")},
		{badRequest + "Principal.TokenIssueTime is required with MultiFactorAuthPresent: it says how long ago that was.", who(bob + `,"MultiFactorAuthPresent":true`)},
		{badRequest + "Principal.MultiFactorAuthPresent is never true for federated users and for sessions that an identity provider began.", who(fed + `,"MultiFactorAuthPresent":true,"TokenIssueTime":"2026-01-02T03:04:05Z"`)},
		{badRequest + "The value at 'tokenIssueTime' is not a timestamp.", who(bob + `,"TokenIssueTime":1700000000}`)},
		{badRequest + "Principal.SessionTags has Team and team, which are one key: tag keys of sessions are case insensitive.", who(job + `,"SessionTags":{"team":"a","Team":"b"}`)},
		{badRequest + "Principal.SessionTags has aws:x: keys that begin with aws: are reserved.", who(job + `,"SessionTags":{"aws:x":"a"}`)},
		{badRequest + "Principal.SessionTags has AWS:x: keys that begin with aws: are reserved.", who(job + `,"SessionTags":{"AWS:x":"a"}`)},
		{oneError + "Value 'a b' at 'principal.sourceIdentity'" + failed + `Member must satisfy regular expression pattern: [\w+=,.@-]*`, who(job + `,"SourceIdentity":"a b"`)},
		{noUser + "The user " + arnHere + "user/eve cannot be found.", whoARN(arnHere + "user/eve")},
		{noUser + "The user " + arnHere + "user/BOB cannot be found.", whoARN(arnHere + "user/BOB")},
		{noUser + "The user " + arnHere + "user/x/bob cannot be found.", whoARN(arnHere + "user/x/bob")},
		{noUser + "The role with name job cannot be found.", whoARN(stsHere + "assumed-role/job/s1")},
		{noUser + "The issuer " + arnHere + "user/eve cannot be found in the account of the federated user.", strings.Replace(who(fed), "user/bob", "user/eve", 1)},
		{noUser + "The issuer arn:aws:iam::444455556666:root cannot be found in the account of the federated user.", strings.Replace(who(fed), arnHere+"user/bob", "arn:aws:iam::444455556666:root", 1)},
		// Action and resource
		{oneError + "Value 's3:Get*' at 'action'" + failed + "Member must satisfy regular expression pattern: [^:*?]+:[^:*?]+", `{"Principal":{"Anonymous":true},"Action":"s3:Get*","Resource":"*"}`},
		{badRequest + "Action has more than 256 bytes.", `{"Principal":{"Anonymous":true},"Action":"s3:` + strings.Repeat("é", 200) + `","Resource":"*"}`},
		{badRequest + "Resource has more than 4096 bytes.", s3 + `"Resource":"arn:aws:s3:::` + strings.Repeat("é", 4000) + `"}`},
		{badRequest + "Resource b/k is neither * nor an ARN.", s3 + `"Resource":"b/k"}`},
		{badRequest + "ResourceAccount is required: " + bucketARN + " does not name the account that it belongs to.", s3 + `"Resource":"` + bucketARN + `"}`},
		{badRequest + "ResourceAccount is required: arn:aws:iam::aws:policy/x does not name the account that it belongs to.", s3 + `"Resource":"arn:aws:iam::aws:policy/x"}`},
		{oneError + `Value '1234' at 'resourceAccount'` + failed + `Member must satisfy regular expression pattern: \d{12}`, s3 + `"Resource":"*","ResourceAccount":"1234"}`},
		// Documents
		{"400 MalformedPolicyDocument ResourcePolicy: Syntax errors in policy. expected a member name (byte 1)", about(`"ResourcePolicy":"{"`)},
		{"400 MalformedPolicyDocument EndpointPolicy: Syntax errors in policy. Statement is missing (byte 0)", about(`"EndpointPolicy":"{}"`)},
		{"400 MalformedPolicyDocument SessionPolicies.2: Syntax errors in policy. Statement is missing (byte 0)", who(job + `,"SessionPolicies":[` + allow + `,"{}"]`)},
		{"400 MalformedPolicyDocument ServiceControlPolicies.2.1: Policy document should not specify a principal.", about(`"ServiceControlPolicies":[[],["{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}}"]]`)},
		{"400 MalformedPolicyDocument ResourceControlPolicies.1.3: The provided policy document does not meet the requirements of the specified policy type. the document is an array, not an object (byte 0)", about(`"ResourceControlPolicies":[[` + jsonOf(trustAll) + `,` + jsonOf(trustAll) + `,"[]"]]`)},
		{badRequest + "EndpointType goes with EndpointPolicy.", about(`"EndpointType":"Gateway"`)},
		{oneError + "Value 'gateway' at 'endpointType'" + failed + "Member must satisfy enum value set: [Interface, Gateway]", about(`"EndpointType":"gateway","EndpointPolicy":` + allow)},
		// Context
		{badRequest + "Context must not have aws:PrincipalTag/team: it follows from Principal and from the members about the resource.", about(`"Context":{"aws:PrincipalTag/team":"red"}`)},
		{badRequest + "Context must not have AWS:RESOURCEACCOUNT: it follows from Principal and from the members about the resource.", about(`"Context":{"AWS:RESOURCEACCOUNT":"1"}`)},
		{badRequest + "Context must not have aws:username: it follows from Principal and from the members about the resource.", about(`"Context":{"aws:username":["x"]}`)},
		{badRequest + "The value of the key x:y in Context is neither a string nor a list of strings.", about(`"Context":{"x:y":null}`)},
		{badRequest + "The value of the key x:y in Context is neither a string nor a list of strings.", about(`"Context":{"x:y":true}`)},
		{badRequest + "The value of the key x:y in Context is neither a string nor a list of strings.", about(`"Context":{"x:y":{"a":"b"}}`)},
		{badRequest + "A value of the key x:y in Context is not a string.", about(`"Context":{"x:y":["a",1]}`)},
		{badRequest + "A value of the key x:y in Context is not a string.", about(`"Context":{"x:y":["a",null]}`)},
		{badRequest + "Context has X:y and x:Y, which are one key.", about(`"Context":{"x:Y":"a","X:y":"b"}`)},
		{badRequest + "The member 'x:y' occurs twice.", about(`"Context":{"x:y":"a","x:y":"b"}`)},
		{badRequest + "The member 'ResourcePolicyRequierd' is not known.", about(`"ResourcePolicyRequierd":true`)},
	} {
		x.asks(c.want, x.root, c.body)
	}
}

// TestAuthorizeLimits: each limit holds what is at it, and refuses what is one beyond.
func TestAuthorizeLimits(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "Job", trustEC2)
	const job = `"Arn":"` + stsHere + `assumed-role/Job/s1"`
	onJob := func(more string) string { return who(job + `,` + more) }
	allow := jsonOf(document("Allow * *"))
	trust := `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}`
	padded := func(n int) string { return jsonOf(trust + strings.Repeat(" ", n-len(trust))) }
	longest := func(n int) string {
		return jsonOf(document("Allow * *") + strings.Repeat(" ", n-len(document("Allow * *"))))
	}
	ask := func(more string) string { return `{"Principal":{` + job + `},` + asksBucket + `,` + more + `}` }
	over := func(path, n string) string {
		return oneError + "Value at '" + path + "'" + failed + "Member must have length less than or equal to " + n
	}
	for _, c := range []struct{ what, at, beyond, want string }{
		{"context keys", ask(`"Context":` + numbered(256, `"k%d":"v"`)), ask(`"Context":` + numbered(257, `"k%d":"v"`)), over("context", "256")},
		{"context values", ask(`"Context":{"k":` + repeated(512, `""`) + `}`), ask(`"Context":{"k":` + repeated(513, `""`) + `}`),
			badRequest + "The values in Context have more than 32768 bytes, each counted 64 longer than it is."},
		{"a context value", ask(`"Context":{"k":"` + strings.Repeat("x", 32768-64) + `"}`), ask(`"Context":{"k":"` + strings.Repeat("x", 32768-63) + `"}`),
			badRequest + "The values in Context have more than 32768 bytes, each counted 64 longer than it is."},
		{"a context key", ask(`"Context":{"` + strings.Repeat("k", 512) + `":"v"}`), ask(`"Context":{"` + strings.Repeat("k", 513) + `":"v"}`),
			oneError + "Value at 'context'" + failed + "Map keys must satisfy constraint: [Member must have length less than or equal to 512, Member must have length greater than or equal to 1]"},
		{"resource tags", ask(`"ResourceTags":` + numbered(50, `"k%d":"v"`)), ask(`"ResourceTags":` + numbered(51, `"k%d":"v"`)), over("resourceTags", "50")},
		{"a tag value", ask(`"ResourceTags":{"k":"` + strings.Repeat("é", 256) + `"}`), ask(`"ResourceTags":{"k":"` + strings.Repeat("v", 257) + `"}`),
			oneError + "Value at 'resourceTags.k.member'" + failed + "Member must have length less than or equal to 256"},
		{"session tags", onJob(`"SessionTags":` + numbered(50, `"k%d":"v"`)), onJob(`"SessionTags":` + numbered(51, `"k%d":"v"`)), over("principal.sessionTags", "50")},
		{"session policies", onJob(`"SessionPolicies":` + repeated(11, allow)), onJob(`"SessionPolicies":` + repeated(12, allow)), over("principal.sessionPolicies", "11")},
		{"a document", ask(`"ResourcePolicy":` + padded(policy.MaxText)), ask(`"ResourcePolicy":` + padded(policy.MaxText+1)), over("resourcePolicy", "131072")},
		{"all documents", onJob(`"SessionPolicies":` + repeated(8, longest(policy.MaxText))),
			strings.TrimSuffix(onJob(`"SessionPolicies":`+repeated(8, longest(policy.MaxText))), "}") + `,"ResourcePolicy":` + jsonOf(trust) + `}`,
			badRequest + "The policy documents have more than 1048576 bytes together."},
		{"levels", ask(`"ServiceControlPolicies":` + repeated(7, "[]")), ask(`"ServiceControlPolicies":` + repeated(8, "[]")), over("serviceControlPolicies", "7")},
		{"policies of a level", ask(`"ResourceControlPolicies":[` + repeated(10, jsonOf(trustAll)) + `]`), ask(`"ResourceControlPolicies":[` + repeated(11, jsonOf(trustAll)) + `]`),
			over("resourceControlPolicies.1.member", "10")},
		{"grantees", ask(`"AclGrantees":` + repeated(100, `"x"`)), ask(`"AclGrantees":` + repeated(101, `"x"`)), over("aclGrantees", "100")},
		{"services", who(`"Service":` + repeated(10, `"s3.amazonaws.com"`)), who(`"Service":` + repeated(11, `"s"`)),
			oneError + "Value '[" + strings.TrimSuffix(strings.Repeat("s, ", 11), ", ") + "]' at 'principal.service'" + failed + "Member must have length less than or equal to 10"},
		{"an action", strings.Replace(ask(`"Context":{}`), "s3:GetObject", "s3:"+strings.Repeat("x", 253), 1), strings.Replace(ask(`"Context":{}`), "s3:GetObject", "s3:"+strings.Repeat("x", 254), 1),
			oneError + "Value 's3:" + strings.Repeat("x", 254) + "' at 'action'" + failed + "Member must have length less than or equal to 256"},
	} {
		if got := x.ask(x.root, c.at); !strings.HasPrefix(got, `{"Decision":`) {
			t.Errorf("%s, at the limit: %.300s", c.what, got)
		}
		if got := x.ask(x.root, c.beyond); got != c.want {
			t.Errorf("%s, beyond the limit\n got %.400s\nwant %.400s", c.what, got, c.want)
		}
	}
}

const trustAll = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`

// TestAuthorizeUnderAllLimits: all limits at once are one decision, and no failure.
func TestAuthorizeUnderAllLimits(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "Job", trustEC2)
	tags := numbered(50, `"k%[1]d`+strings.Repeat("é", 120)+`":"`+strings.Repeat("\U0001F600", 256)+`"`)
	keys := numbered(256, `"x:k%d":"`+strings.Repeat("v", 64)+`"`)
	reads := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"x:k1":"v*"}}}}`
	got := x.ask(x.root, `{"Principal":{"Arn":"`+stsHere+`assumed-role/Job/s1","SessionTags":`+tags+`,"SessionPolicies":[`+jsonOf(reads)+`]},`+asksBucket+
		`,"ResourceTags":`+tags+`,"Context":`+keys+`}`)
	if want := `{"Decision":"Deny","Explicit":false,"Layer":"identity",`; !strings.HasPrefix(got, want) {
		t.Errorf("got %.300s, want %s", got, want)
	}
}

// TestAuthorizeSignature: docs/spec/wire.md 1.7.
func TestAuthorizeSignature(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	body := who(`"Anonymous":true`)
	signed := func(service, region string, at time.Time, by caller) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "http://gatehouse.example.com"+authorizePath, strings.NewReader(body))
		x.must(sigv4.Sign(r, []byte(body), by.Credentials, region, service, at))
		return r
	}
	wrong := x.root
	wrong.SecretAccessKey += "x"
	unknown := x.root
	unknown.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	changed := signed("gatehouse", "us-east-1", time.Now(), x.root)
	changed.Body = http.NoBody
	changed.ContentLength = 0
	now := time.Now()
	for what, c := range map[string]struct {
		r    *http.Request
		want string
	}{
		"unsigned":           {httptest.NewRequest(http.MethodPost, "http://h"+authorizePath, strings.NewReader(body)), "403 MissingAuthenticationTokenException"},
		"a wrong secret":     {signed("gatehouse", "us-east-1", now, wrong), "403 InvalidSignatureException"},
		"an unknown key":     {signed("gatehouse", "us-east-1", now, unknown), "403 UnrecognizedClientException"},
		"another body":       {changed, "403 InvalidSignatureException"},
		"a late request":     {signed("gatehouse", "us-east-1", now.Add(-6*time.Minute), x.root), "403 InvalidSignatureException"},
		"any region":         {signed("gatehouse", "eu-west-1", now, x.root), `{"Decision":"Deny"`},
		"within the window":  {signed("gatehouse", "us-east-1", now.Add(-4*time.Minute), x.root), `{"Decision":"Deny"`},
		"another service":    {signed("access-analyzer", "us-east-1", now, x.root), "404 UnknownOperationException"},
		"another method":     {httptest.NewRequest(http.MethodPut, "http://h"+authorizePath, strings.NewReader(body)), ""},
		"a longer path":      {signedTo(x, "http://h"+authorizePath+"/x", body), "404 UnknownOperationException"},
		"an empty last part": {signedTo(x, "http://h"+authorizePath+"/", body), "404 UnknownOperationException"},
	} {
		a := x.send(c.r)
		got := string(a.body)
		if c.want != "" {
			got = x.jsonText(a)
		}
		if !strings.HasPrefix(got, c.want) || c.want == "" && a.status < 400 {
			t.Errorf("%s: %d %s; want %s", what, a.status, got, c.want)
		}
	}
}

func signedTo(x *apiTest, url, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, url, strings.NewReader(body))
	x.must(sigv4.Sign(r, []byte(body), x.root.Credentials, "us-east-1", "gatehouse", time.Now()))
	return r
}

// TestAuthorizeHostileBodies: whatever comes, the answer is a clear 4xx and little memory is taken. It does not run beside other tests.
func TestAuthorizeHostileBodies(t *testing.T) {
	x := openAPI(t)
	repeat := strings.Repeat
	for what, body := range map[string]string{
		"no JSON": "Action=Authorize", "an array": "[]", "a text": `"x"`, "null": "null", "two objects": "{}{}", "half an object": `{"Principal":{`,
		"deep":                 repeat(`{"Principal":`, 100_000),
		"deep lists":           about(`"Context":{"k":` + repeat("[", 500_000)),
		"deep in a document":   about(`"ResourcePolicy":` + jsonOf(repeat("[", 131_072))),
		"many members":         "{" + repeat(`"a":1,`, 500_000) + `"b":1}`,
		"many context keys":    about(`"Context":` + numbered(100_000, `"k%d":"v"`)),
		"many values":          about(`"Context":{"k":` + repeated(1_000_000, `""`) + `}`),
		"one long value":       about(`"Context":{"k":"` + repeat("x", 3<<20) + `"}`),
		"one long key":         about(`"Context":{"` + repeat("x", 3<<20) + `":"k"}`),
		"many levels":          about(`"ServiceControlPolicies":` + repeated(500_000, "[]")),
		"many empty documents": about(`"ServiceControlPolicies":[` + repeated(40_000, `"{}"`) + `]`),
		"many tags":            about(`"ResourceTags":` + numbered(49_000, `"k%d":""`)),
		"many statements":      about(`"ResourcePolicy":` + jsonOf(`{"Statement":[`+repeat(`{},`, 40_000)+`{}]}`)),
		"too large":            about(`"ResourcePolicy":"` + repeat("x", 5<<20) + `"`),
		"NUL":                  about(`"Context":{"k":"\u0000"}`), "no UTF-8": about("\"Context\":{\"k\":\"\xff\"}"), "half a surrogate": about(`"Context":{"k":"\ud800"}`),
		"a number too long": about(`"ResourcePolicyRequired":` + repeat("9", 100_000)),
		"an exponent":       about(`"Context":{"k":1e999999999}`),
		"types":             `{"Principal":[],"Action":{},"Resource":1}`,
	} {
		r := x.question(x.root, body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := x.send(r)
		runtime.ReadMemStats(&after)
		if a.status < 400 || a.status > 499 {
			t.Errorf("%s: status %d\n%.300s", what, a.status, a.body)
		}
		x.jsonText(a)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MB were allocated", what, used>>20)
		}
		if len(a.body) > 4<<10 {
			t.Errorf("%s: an answer of %d bytes", what, len(a.body))
		}
	}
}
