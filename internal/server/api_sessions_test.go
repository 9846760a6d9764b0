package server

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// session calls an operation that hands out credentials and returns them as a caller.
func (x *apiTest) session(by caller, op string, pairs ...string) caller {
	x.Helper()
	a := x.ok(by, op, pairs...)
	c := caller{sigv4.Credentials{
		AccessKeyID:     a.value(op+"Result", "Credentials", "AccessKeyId"),
		SecretAccessKey: a.value(op+"Result", "Credentials", "SecretAccessKey"),
		SessionToken:    a.value(op+"Result", "Credentials", "SessionToken"),
	}, "the session of " + by.name}
	if !strings.HasPrefix(c.AccessKeyID, "ASIA") || len(c.SecretAccessKey) != 40 || c.SessionToken == "" {
		x.Fatalf("%s by %s: credentials %+v", op, by.name, a)
	}
	return c
}

const (
	credentials = "Credentials(AccessKeyId=ASIA SecretAccessKey=SECRET SessionToken=TOKEN Expiration=DATE)"
	arnSTS      = "arn:aws:sts::" + testAccount + ":"
)

// life is how many seconds the credentials of an answer live; the clock may have turned to the next second.
func life(t *testing.T, a *answer) int {
	t.Helper()
	text := a.all("Expiration")
	if len(text) != 1 {
		t.Fatalf("no expiration: %s", a)
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", text[0])
	if err != nil {
		t.Fatal(err)
	}
	return int(time.Until(at).Round(time.Second) / time.Second)
}

func (x *apiTest) wantLife(want int, by caller, op string, pairs ...string) {
	x.Helper()
	if got := life(x.T, x.ok(by, op, pairs...)); got != want && got != want-1 {
		x.Errorf("%s by %s %v: lives %d s, want %d", op, by.name, pairs, got, want)
	}
}

func outOfRange(value, bound string) string {
	return "400 ValidationError 1 validation error detected: Value '" + value + "' at 'durationSeconds' failed to satisfy constraint: Member must have value " + bound
}

// TestSessionTokenNeedsNoPermission: docs/spec/evaluation.md 4.4, docs/spec/wire.md 10.1.
func TestSessionTokenNeedsNoPermission(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	x.want(credentials, bob, "GetSessionToken")
	x.policy(x.root, "bob", "p", "Deny * *")
	before := x.revision()
	s := x.session(bob, "GetSessionToken")
	if after := x.revision(); after != before {
		t.Errorf("a session was written: revision %d, before it %d", after, before)
	}
	want := "UserId=AIDA Account=" + testAccount + " Arn=" + arnHere + "user/team/bob"
	x.want(want, s, "GetCallerIdentity")
	root := x.session(x.root, "GetSessionToken")
	x.want("UserId="+testAccount+" Account="+testAccount+" Arn="+arnHere+"root", root, "GetCallerIdentity")

	for _, c := range []struct {
		by    caller
		asked int // 0: nothing
		want  int
	}{
		{bob, 0, 43200}, {bob, 900, 900}, {bob, 129600, 129600}, {x.root, 0, 3600}, {x.root, 900, 900}, {x.root, 3601, 3600}, {x.root, 129600, 3600},
	} {
		var p params
		if c.asked != 0 {
			p = ps("DurationSeconds", strconv.Itoa(c.asked))
		}
		x.wantLife(c.want, c.by, "GetSessionToken", p...)
	}
	x.want(outOfRange("899", "greater than or equal to 900"), bob, "GetSessionToken", "DurationSeconds", "899")
	x.want(outOfRange("129601", "less than or equal to 129600"), x.root, "GetSessionToken", "DurationSeconds", "129601")
}

const (
	mfaBoth    = "403 AccessDenied MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
	mfaUnknown = "403 AccessDenied MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
)

// TestSecondFactors: nobody has a device yet. docs/spec/wire.md 4.3.
func TestSecondFactors(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	serial := arnHere[:len(arnHere)-1] + ":mfa/bob"
	for _, c := range []struct {
		op string
		p  params
	}{
		{"GetSessionToken", nil}, {"AssumeRole", ps("RoleArn", arnHere+"role/none", "RoleSessionName", "s1")},
	} {
		p := func(more ...string) params { return append(append(params{}, c.p...), more...) }
		x.want(mfaBoth, bob, c.op, p("SerialNumber", serial)...)
		x.want(mfaBoth, bob, c.op, p("TokenCode", "123456")...)
		x.want(mfaUnknown, bob, c.op, p("SerialNumber", serial, "TokenCode", "123456")...)
		a := x.call(bob, c.op, p("SerialNumber", serial, "TokenCode", "12345x"))
		if a.code() != "ValidationError" {
			t.Errorf("%s with a code that is no number: %s", c.op, a)
		}
	}
}

// TestCredentialRestrictions: what holders of sessions may never call (docs/spec/evaluation.md 4.4), whatever policies allow.
func TestCredentialRestrictions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow * *")
	own, rootOwn := x.session(bob, "GetSessionToken"), x.session(x.root, "GetSessionToken")
	everything := document("Allow * *")
	federated := x.session(bob, "GetFederationToken", "Name", "fed", "Policy", everything)
	rootFederated := x.session(x.root, "GetFederationToken", "Name", "fed", "Policy", everything)
	refused := func(op string) string { return "403 AccessDenied Cannot call " + op + " with session credentials" }
	for _, by := range []caller{own, rootOwn, federated, rootFederated} {
		x.want(badToken, by, "ListUsers")
		x.want(badToken, by, "GetUser")
		x.want(refused("GetSessionToken"), by, "GetSessionToken")
		x.want(refused("GetFederationToken"), by, "GetFederationToken", "Name", "fed")
		x.want(refused("GetAccessKeyInfo"), by, "GetAccessKeyInfo", "AccessKeyId", bob.AccessKeyID)
		x.ok(by, "GetCallerIdentity")
	}
	assume := ps("RoleArn", arnHere+"role/none", "RoleSessionName", "s1")
	for _, by := range []caller{federated, rootFederated} {
		x.want(refused("AssumeRole"), by, "AssumeRole", assume...)
	}
	x.want("403 AccessDenied User: "+arnHere+"user/bob is not authorized to perform: sts:AssumeRole on resource: "+arnHere+
		"role/none because no role trust policy allows the sts:AssumeRole action", own, "AssumeRole", assume...)
	for _, by := range []caller{x.root, rootOwn} {
		x.want("403 AccessDenied Roles may not be assumed by root accounts.", by, "AssumeRole", assume...)
	}
}

// TestFederationToken: docs/spec/wire.md 10.1, docs/spec/evaluation.md 8.4.
func TestFederationToken(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	x.policy(x.root, "bob", "p", "Allow sts:GetFederationToken "+arnSTS+"federated-user/f*")
	answered := func(name string, packed int) string {
		return fmt.Sprintf("%s FederatedUser(FederatedUserId=%s:%s Arn=%sfederated-user/%[3]s) PackedPolicySize=%[5]d", credentials, testAccount, name, arnSTS, packed)
	}
	x.want(answered("fed", 0), bob, "GetFederationToken", "Name", "fed")
	before := x.revision()
	fed := x.session(bob, "GetFederationToken", "Name", "f@x")
	if after := x.revision(); after != before {
		t.Errorf("a session was written: revision %d, before it %d", after, before)
	}
	x.want("UserId="+testAccount+":f@x Account="+testAccount+" Arn="+arnSTS+"federated-user/f@x", fed, "GetCallerIdentity")
	rootFed := x.session(x.root, "GetFederationToken", "Name", "x.y")
	x.want("UserId="+testAccount+":x.y Account="+testAccount+" Arn="+arnSTS+"federated-user/x.y", rootFed, "GetCallerIdentity")

	denied := func(action, name, reason string) string {
		return "403 AccessDenied User: " + arnHere + "user/team/bob is not authorized to perform: " + action + " on resource: " + arnSTS + "federated-user/" + name + " " + reason
	}
	none := func(action string) string { return "because no identity-based policy allows the " + action + " action" }
	x.want(denied("sts:GetFederationToken", "gx", none("sts:GetFederationToken")), bob, "GetFederationToken", "Name", "gx")
	tagged := ps("Name", "fed", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "red")
	x.want(denied("sts:TagSession", "fed", none("sts:TagSession")), bob, "GetFederationToken", tagged...)
	x.put(x.root, "bob", "q", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:TagSession","Resource":"`+arnSTS+`federated-user/fed",
		"Condition":{"StringEquals":{"aws:RequestTag/team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["Team"]}}}}`)
	a := x.ok(bob, "GetFederationToken", tagged...)
	if n := a.value("GetFederationTokenResult", "PackedPolicySize"); n == "" || n == "0" {
		t.Errorf("PackedPolicySize %q with a tag: %s", n, a)
	}
	x.want(denied("sts:TagSession", "fed", none("sts:TagSession")), bob, "GetFederationToken", append(tagged, "Tags.member.2.Key", "Cost", "Tags.member.2.Value", "")...)
	x.want("400 InvalidParameterValue Duplicate tag keys found. Please note that Tag keys are case insensitive.", bob, "GetFederationToken",
		append(tagged, "Tags.member.2.Key", "tEAM", "Tags.member.2.Value", "blue")...)
	x.want("400 InvalidParameterValue Tag keys that begin with aws: are reserved.", bob, "GetFederationToken", "Name", "fed", "Tags.member.1.Key", "AWS:x", "Tags.member.1.Value", "")

	for _, c := range []struct {
		by    caller
		asked string
		want  int
	}{{bob, "", 43200}, {bob, "900", 900}, {bob, "129600", 129600}, {x.root, "", 3600}, {x.root, "129600", 3600}} {
		p := ps("Name", "fed")
		if c.asked != "" {
			p = append(p, "DurationSeconds", c.asked)
		}
		x.wantLife(c.want, c.by, "GetFederationToken", p...)
	}
	x.want(outOfRange("899", "greater than or equal to 900"), bob, "GetFederationToken", "Name", "fed", "DurationSeconds", "899")
	x.want("400 ValidationError 1 validation error detected: Value 'f' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2",
		bob, "GetFederationToken", "Name", "f")
}

// put puts an inline policy of a user.
func (x *apiTest) put(by caller, user, name, document string) {
	x.Helper()
	x.ok(by, "PutUserPolicy", "UserName", user, "PolicyName", name, "PolicyDocument", document)
}

// TestSessionPolicyTexts: what is said of session policies that cannot be.
func TestSessionPolicyTexts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow sts:* *")
	with := func(pairs ...string) params { return append(ps("Name", "fed"), pairs...) }
	arns := func(n int) (p params) {
		for i := range n {
			p = append(p, fmt.Sprintf("PolicyArns.member.%d.arn", i+1), arnHere+"policy/p"+strconv.Itoa(i))
		}
		return p
	}
	long := `{"Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*"}}`
	long = strings.Repeat(" ", 2049-len(long)) + long
	for _, c := range []struct {
		p    params
		want string
	}{
		{with("Policy", "{}"), "400 MalformedPolicyDocument Syntax errors in policy."},
		{with("Policy", `{"Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"x"}}`), `400 MalformedPolicyDocument Resource x must be in ARN format or "*".`},
		{with("Policy", `{"Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*","Principal":"*"}}`), `400 MalformedPolicyDocument Policy document should not specify a principal.`},
		{with("Policy", long), "400 ValidationError 1 validation error detected: Value '" + long + "' at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{with("Policy", ""), "400 ValidationError 2 validation errors detected: Value '' at 'policy' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			`Value '' at 'policy' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`},
		{with("Policy", long[1:], "PolicyArns.member.1.arn", arnHere+"policy/p"), "400 PackedPolicyTooLarge Packed policy consumes 102% of allotted space, please use smaller policy."},
		{with(arns(11)...), "400 ValidationError A session can have at most 10 managed session policies."},
		{with(arns(1)...), "400 ValidationError Policy " + arnHere + "policy/p0 does not exist or is not attachable."},
		{with("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/NoSuchPolicy"), "400 ValidationError Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable."},
		{with("PolicyArns.member.1.arn", "no-arn-at-all-but-long"), "400 ValidationError no-arn-at-all-but-long is invalid"},
	} {
		x.want(c.want, bob, "GetFederationToken", c.p...)
	}
	var p params
	for i := range 50 {
		p = append(p, fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("key%d", i), fmt.Sprintf("Tags.member.%d.Value", i+1), fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)})))
	}
	a := x.call(bob, "GetFederationToken", with(p...))
	if a.code() != "PackedPolicyTooLarge" || !strings.HasPrefix(a.value("Error", "Message"), "Packed size of session tags consumes ") {
		t.Errorf("50 tags: %s", a)
	}
	if a := x.call(bob, "GetFederationToken", with(append(p, "Tags.member.51.Key", "k", "Tags.member.51.Value", "v")...)); a.code() != "ValidationError" {
		t.Errorf("51 tags: %.200s", a)
	}
}

// TestTokensOfSessions: a token belongs to its key, and the key to its token.
func TestTokensOfSessions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	a, b := x.session(bob, "GetSessionToken"), x.session(bob, "GetSessionToken")
	x.ok(a, "GetCallerIdentity")
	mixed := a
	mixed.SessionToken = b.SessionToken
	x.want(badToken, mixed, "GetCallerIdentity")
	bare := a
	bare.SessionToken = ""
	x.want(badToken, bare, "GetCallerIdentity")
	wrong := a
	wrong.SecretAccessKey = b.SecretAccessKey
	if got := x.call(wrong, "GetCallerIdentity", nil); got.code() != "SignatureDoesNotMatch" {
		t.Errorf("with the secret of another session: %s", got)
	}
	longTerm := bob
	longTerm.SessionToken = a.SessionToken
	x.want(badToken, longTerm, "GetCallerIdentity")

	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.ok(a, "GetCallerIdentity") // a session does not end with the key that made it
	x.ok(x.root, "DeleteUser", "UserName", "bob")
	x.want(badToken, a, "GetCallerIdentity")
	x.user(x.root, "bob")
	x.want(badToken, a, "GetCallerIdentity") // somebody else's name now
	if w := x.call(a, "GetCallerIdentity", nil); w.status != http.StatusForbidden {
		t.Errorf("status %d", w.status)
	}
}
