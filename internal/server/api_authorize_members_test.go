package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// when is a document that allows everything under a condition.
func when(condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}}`
}

// equals is a condition on one value of a key.
func equals(key, value string) string {
	return fmt.Sprintf(`{"StringEquals":{%q:%q}}`, key, value)
}

// TestAuthorizePrincipal: each member of Principal reaches the decision.
func TestAuthorizePrincipal(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "/team/bob")
	x.ok(x.root, "TagUser", "UserName", "bob", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red")
	x.role(x.root, "/p/Job", trustEC2)
	x.ok(x.root, "TagRole", "RoleName", "Job", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	const (
		bob    = `"Arn":"` + arnHere + `user/team/bob"`
		job    = `"Arn":"` + stsHere + `assumed-role/Job/s1"`
		fed    = `"Arn":"` + stsHere + `federated-user/fed","IssuerArn":"` + arnHere + `user/team/bob"`
		rooted = `"Arn":"` + stsHere + `federated-user/fed","IssuerArn":"` + arnHere + `root"`
		issued = `"TokenIssueTime":"2026-01-02T03:04:05Z"`
	)
	all := jsonOf(document("Allow * *"))
	some := jsonOf(document("Allow s3:PutObject *"))
	isNull := func(key string, absent bool) string { return fmt.Sprintf(`{"Null":{%q:"%t"}}`, key, absent) }
	for _, c := range []struct {
		principal, condition string // of the only identity policy that the user and the role have
		allowed              bool
		layer                string // where it is denied
	}{
		{bob, equals("aws:username", "bob"), true, ""},
		{bob, equals("aws:PrincipalArn", arnHere+"user/team/bob"), true, ""},
		{bob, equals("aws:PrincipalTag/team", "red"), true, ""},
		{bob, equals("aws:PrincipalTag/team", "blue"), false, "identity"},
		{bob, isNull("aws:TokenIssueTime", true), true, ""},
		{bob, isNull("aws:MultiFactorAuthPresent", true), true, ""},
		{bob + `,"MultiFactorAuthPresent":false`, equals("aws:MultiFactorAuthPresent", "false"), true, ""},
		{bob + `,"MultiFactorAuthPresent":false`, isNull("aws:TokenIssueTime", true), true, ""},
		{bob + `,` + issued, `{"DateEquals":{"aws:TokenIssueTime":"2026-01-02T03:04:05Z"}}`, true, ""},
		{bob + `,"MultiFactorAuthPresent":true,` + issued, `{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericGreaterThan":{"aws:MultiFactorAuthAge":"86400"}}`, true, ""},
		{bob + `,"MultiFactorAuthPresent":true,"TokenIssueTime":"` + time.Now().UTC().Format(time.RFC3339) + `"`, `{"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}`, true, ""},
		{job, equals("aws:PrincipalArn", arnHere+"role/p/Job"), true, ""},
		{job, equals("aws:PrincipalTag/team", "blue"), true, ""},
		{job, equals("aws:MultiFactorAuthPresent", "false"), true, ""},
		{job, isNull("aws:TokenIssueTime", true), true, ""},
		{job, isNull("aws:SourceIdentity", true), true, ""},
		{job + `,"SessionTags":{"Team":"green"}`, equals("aws:PrincipalTag/team", "green"), true, ""},
		{job + `,"SessionTags":{"other":"green"}`, equals("aws:PrincipalTag/team", "blue"), true, ""},
		{job + `,"SourceIdentity":"alice"`, equals("aws:SourceIdentity", "alice"), true, ""},
		{job + `,"FederatedProvider":"accounts.google.com"`, equals("aws:FederatedProvider", "accounts.google.com"), true, ""},
		{job + `,"FederatedProvider":"accounts.google.com"`, isNull("aws:MultiFactorAuthPresent", true), true, ""},
		{job + `,"SessionPolicies":[]`, `{}`, true, ""},
		{job + `,"SessionPolicies":[` + some + `]`, `{}`, false, "session"},
		{job + `,"SessionPolicies":[` + some + `,` + all + `]`, `{}`, true, ""},
		{fed, `{}`, false, "session"}, // without a session policy it has nothing
		{fed + `,"SessionPolicies":[` + all + `]`, `{}`, true, ""},
		{fed + `,"SessionPolicies":[` + all + `]`, equals("aws:PrincipalTag/team", "red"), true, ""},
		{fed + `,"SessionPolicies":[` + all + `],"SessionTags":{"team":"x"}`, equals("aws:PrincipalTag/team", "x"), true, ""},
		{fed + `,"SessionPolicies":[` + all + `],` + issued, equals("aws:userid", testAccount+":fed"), true, ""},
		{rooted, `{}`, false, "session"},
		{rooted + `,"SessionPolicies":[` + all + `]`, `{}`, true, ""},
		{`"Arn":"` + arnHere + `root"`, `{}`, true, ""},
		{`"Arn":"` + stsHere + `assumed-root","SessionPolicies":[` + some + `]`, `{}`, false, "session"},
		{`"Arn":"` + stsHere + `assumed-root","SessionPolicies":[` + jsonOf(when(equals("aws:AssumedRoot", "true"))) + `]`, `{}`, true, ""},
	} {
		x.put(x.root, "bob", "p", when(c.condition))
		x.rolePolicy(x.root, "Job", "p", when(c.condition))
		got := x.ask(x.root, who(c.principal))
		want := `{"Decision":"Allow","Explicit":false,`
		if !c.allowed {
			want = `{"Decision":"Deny","Explicit":false,"Layer":"` + c.layer + `","Message":`
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s if %s\n got %.400s\nwant %s", c.principal, c.condition, got, want)
		}
	}
}

// TestAuthorizeCredentials: an access key and a session token stand for whom they were given.
func TestAuthorizeCredentials(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow s3:* *", "Allow sts:* *")
	x.role(x.root, "Job", trusting(arnHere+"user/bob", "", "sts:TagSession", "sts:SetSourceIdentity"))
	x.rolePolicy(x.root, "Job", "p", when(`{"StringEquals":{"aws:PrincipalTag/team":"red","aws:SourceIdentity":"me"},"Null":{"aws:TokenIssueTime":"false"}}`))
	role := x.assume(bob, arnHere+"role/Job", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red", "SourceIdentity", "me", "Policy", document("Allow s3:GetObject *"))
	own := x.session(bob, "GetSessionToken")
	fed := x.session(bob, "GetFederationToken", "Name", "fed", "Policy", document("Allow s3:Get* *"))
	of := func(c caller) string {
		s := `"AccessKeyId":"` + c.AccessKeyID + `"`
		if c.SessionToken != "" {
			s += `,"SessionToken":"` + c.SessionToken + `"`
		}
		return s
	}
	ask := func(c caller, action string) string {
		return x.ask(x.root, strings.Replace(who(of(c)), "s3:GetObject", action, 1))
	}
	const allowed, refused = `{"Decision":"Allow",`, `{"Decision":"Deny","Explicit":false,"Layer":"session",`
	for _, c := range []struct {
		what   string
		by     caller
		action string
		want   string
	}{
		{"a key", bob, "s3:GetObject", allowed}, {"a key", bob, "ec2:RunInstances", `{"Decision":"Deny","Explicit":false,"Layer":"identity",`},
		{"root's key", x.root, "s3:DeleteObject", allowed}, {"a user's session", own, "s3:PutObject", allowed},
		{"a role session", role, "s3:GetObject", allowed}, {"a role session", role, "s3:PutObject", refused},
		{"a federated user", fed, "s3:GetObject", allowed}, {"a federated user", fed, "s3:PutObject", refused},
	} {
		if got := ask(c.by, c.action); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, %s: %.300s; want %s", c.what, c.action, got, c.want)
		}
	}

	const invalid = "400 InvalidCredentialsException "
	swapped := role
	swapped.SessionToken = own.SessionToken
	withToken := bob
	withToken.SessionToken = own.SessionToken
	garbage := own
	garbage.SessionToken = "x"
	bare := own
	bare.SessionToken = ""
	unknown := bob
	unknown.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	for _, c := range []struct {
		what string
		by   caller
		want string
	}{
		{"the token of another key", swapped, invalid + "Principal.SessionToken is not a session token of this access key."},
		{"a token with a long-term key", withToken, invalid + "Principal.SessionToken is not a session token of this access key."},
		{"no token", garbage, invalid + "Principal.SessionToken is not a session token of this access key."},
		{"a temporary key alone", bare, "400 ValidationException Principal.SessionToken is required: the credentials are temporary."},
		{"no such key", unknown, "403 AccessDeniedException User: " + arnHere + "root is not authorized to perform: gatehouse:Authorize on resource: access key AKIAIOSFODNN7EXAMPLE"},
	} {
		if got := ask(c.by, "s3:GetObject"); got != c.want {
			t.Errorf("%s: %.300s; want %s", c.what, got, c.want)
		}
	}
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	x.asks(invalid+"The access key "+bob.AccessKeyID+" is inactive.", x.root, who(of(bob)))
	x.ok(x.root, "DeleteRolePolicy", "RoleName", "Job", "PolicyName", "p")
	x.ok(x.root, "DeleteRole", "RoleName", "Job")
	x.asks(invalid+"The user or role that Principal.SessionToken was issued for is gone.", x.root, who(of(role)))

	// Expiry is that of the time of the question.
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {13 * time.Hour, authn.ErrExpired}} {
		if _, err := authn.Resolve(x.cell.store.View(), x.cell.sessions, own.AccessKeyID, own.SessionToken, time.Now().Add(c.after)); err != c.want { //nolint:errorlint // the very error
			t.Errorf("after %v: %v", c.after, err)
		}
	}
}

// TestAuthorizeResource: each member about the resource and the way of the call reaches the decision.
func TestAuthorizeResource(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	const (
		bob      = arnHere + "user/bob"
		other    = `"ResourceAccount":"` + testAccount2 + `"`
		key      = "arn:aws:kms:us-east-1:" + testAccount + ":key/1"
		foreign  = "arn:aws:sqs:us-east-1:" + testAccount2 + ":queue"
		identity = `{"Decision":"Allow","Explicit":false,"Layer":"identity","Policy":{"Name":"p","Owner":"` + bob + `"},"Statement":{"Index":0}}`
	)
	toBob := jsonOf(`{"Statement":{"Sid":"Bob","Effect":"Allow","Principal":{"AWS":"` + bob + `"},"Action":"*","Resource":"*"}}`)
	toAll := jsonOf(trustAll)
	denies := jsonOf(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}]}`)
	scp, deniesSCP := jsonOf(document("Allow * *")), jsonOf(document("Allow * *", "Deny s3:GetObject *"))
	by := func(action, resource, more string) string {
		if more != "" {
			more = "," + more
		}
		return `{"Principal":{"Arn":"` + bob + `"},"Action":"` + action + `","Resource":"` + resource + `"` + more + `}`
	}
	denied := func(explicit bool, layer, more string) string {
		return fmt.Sprintf(`{"Decision":"Deny","Explicit":%t,"Layer":%q%s,"Message":"`, explicit, layer, more)
	}
	named := func(name string, index int, sid string) string {
		if sid != "" {
			sid = `,"Sid":"` + sid + `"`
		}
		return fmt.Sprintf(`,"Policy":{"Name":%q},"Statement":{"Index":%d%s}`, name, index, sid)
	}
	const s3, b, own = "s3:GetObject", bucketARN, `"ResourceAccount":"` + testAccount + `"`
	everything := document("Allow * *")
	for _, c := range []struct{ what, has, question, want string }{
		{"the owner stands in the ARN", everything, by("sqs:SendMessage", foreign, ""), denied(false, "resource", "")},
		{"ResourceAccount beats the ARN", everything, by("sqs:SendMessage", foreign, own), identity},
		{"another account", everything, by(s3, b, other), `{"Decision":"Deny","Explicit":false,"Layer":"resource","Message":"Access Denied"}`},
		{"another account, whose policy lets in", everything, by(s3, b, other+`,"ResourcePolicy":`+toBob), identity},
		{"another account, whose ACL lets in", everything, by(s3, b, other+`,"AclGrantees":["`+policy.AllUsers+`"]`), identity},
		{"the resource's policy alone", "", by(s3, b, own+`,"ResourcePolicy":`+toBob), `{"Decision":"Allow","Explicit":false,"Layer":"resource"` + named("ResourcePolicy", 0, "Bob") + `}`},
		{"a deny of the resource's policy", everything, by(s3, b, own+`,"ResourcePolicy":`+denies), denied(true, "resource", named("ResourcePolicy", 1, ""))},
		{"a policy is required", everything, by(s3, b, own+`,"ResourcePolicyRequired":true`), denied(false, "resource", "")},
		{"a policy is not required", everything, by(s3, b, own+`,"ResourcePolicyRequired":false`), identity},
		{"a KMS key", everything, by("kms:Decrypt", key, ""), denied(false, "resource", "")},
		{"a role is trusted by its trust policy", everything, by("sts:AssumeRole", arnHere+"role/r", `"ResourcePolicy":`+jsonOf(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"`+testAccount+`"},"Action":"sts:AssumeRole"}}`)), identity},
		{"a role without a trust policy", everything, by("sts:AssumeRole", arnHere+"role/r", ""), denied(false, "resource", "") + "User: " + bob +
			" is not authorized to perform: sts:AssumeRole on resource: " + arnHere + "role/r because no role trust policy allows the sts:AssumeRole action\"}"},
		{"a role that trusts somebody else", everything, by("sts:AssumeRole", arnHere+"role/r", `"ResourcePolicy":`+jsonOf(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"`+testAccount2+`"},"Action":"sts:AssumeRole"}}`)), denied(false, "trust", "")},
		{"an endpoint that is silent", everything, by(s3, b, own+`,"EndpointPolicy":`+jsonOf(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:Put*","Resource":"*"}}`)), denied(false, "endpoint", "")},
		{"an endpoint", everything, by(s3, b, own+`,"EndpointPolicy":`+toBob), identity},
		{"a gateway endpoint that names a user", everything, by(s3, b, own+`,"EndpointType":"Gateway","EndpointPolicy":`+toBob), denied(false, "endpoint", "")},
		{"a gateway endpoint", everything, by(s3, b, own+`,"EndpointType":"Gateway","EndpointPolicy":`+toAll), identity},
		{"SCPs", everything, by(s3, b, own+`,"ServiceControlPolicies":[[`+scp+`],[`+scp+`,`+scp+`]]`), identity},
		{"an SCP that denies", everything, by(s3, b, own+`,"ServiceControlPolicies":[[`+scp+`],[`+scp+`,`+deniesSCP+`]]`), denied(true, "SCP", `,"Level":1`+named("ServiceControlPolicies.2.2", 1, ""))},
		{"a level without SCP", everything, by(s3, b, own+`,"ServiceControlPolicies":[[`+scp+`],[`+scp+`],[]]`), denied(false, "SCP", `,"Level":2`)},
		{"no levels", everything, by(s3, b, own+`,"ServiceControlPolicies":[],"ResourceControlPolicies":[]`), identity},
		{"an RCP that denies", everything, by(s3, b, own+`,"ResourceControlPolicies":[[`+denies+`]]`), denied(true, "RCP", `,"Level":0`+named("ResourceControlPolicies.1.1", 1, ""))},
		{"an RCP does not reach a service that has none", everything, by("ec2:RunInstances", "arn:aws:ec2:us-east-1:"+testAccount+":instance/i", `"ResourceControlPolicies":[[]]`), identity},
		{"tags of the resource", when(equals("aws:ResourceTag/team", "red")), by(s3, b, own+`,"ResourceTags":{"team":"red"}`), identity},
		{"other tags of the resource", when(equals("aws:ResourceTag/team", "red")), by(s3, b, own+`,"ResourceTags":{"team":"blue"}`), denied(false, "identity", "")},
		{"a key", when(equals("s3:prefix", "a/")), by(s3, b, own+`,"Context":{"S3:Prefix":"a/"}`), identity},
		{"a list of one makes a key multi-valued", when(`{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]},"Null":{"aws:TagKeys":"false"}}`), by(s3, b, own+`,"Context":{"aws:TagKeys":["a"]}`), identity},
		{"an empty list is an absent key", when(`{"Null":{"aws:TagKeys":"true"}}`), by(s3, b, own+`,"Context":{"aws:TagKeys":[]}`), identity},
		{"the time is that of the question", when(`{"DateGreaterThan":{"aws:CurrentTime":"2025-01-01T00:00:00Z"}}`), by(s3, b, own), identity},
		{"the asker may give another time", when(`{"DateLessThan":{"aws:CurrentTime":"2025-01-01T00:00:00Z"}}`), by(s3, b, own+`,"Context":{"aws:CurrentTime":"2024-01-01T00:00:00Z"}`), identity},
		{"the asker's own address is not the caller's", when(`{"Null":{"aws:SourceIp":"true","aws:UserAgent":"true","aws:SecureTransport":"true"}}`), by(s3, b, own), identity},
		{"services have only the resource's policy", "", strings.Replace(by(s3, b, own+`,"ResourcePolicy":`+jsonOf(`{"Statement":{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}}`)),
			`"Arn":"`+bob+`"`, `"Service":["cloudtrail.amazonaws.com","s3.amazonaws.com"]`, 1), `{"Decision":"Allow","Explicit":false,"Layer":"resource"` + named("ResourcePolicy", 0, "") + `}`},
		{"providers have only the trust policy", "", strings.Replace(by("sts:AssumeRoleWithWebIdentity", arnHere+"role/r", `"ResourcePolicy":`+
			jsonOf(`{"Statement":{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity"}}`)),
			`"Arn":"`+bob+`"`, `"Federated":"accounts.google.com"`, 1), `{"Decision":"Allow","Explicit":false,"Layer":"trust"` + named("ResourcePolicy", 0, "") + `}`},
		{"anonymous callers have ACLs", "", strings.Replace(by(s3, b, own+`,"AclGrantees":["`+policy.AllUsers+`"]`), `"Arn":"`+bob+`"`, `"Anonymous":true`, 1), `{"Decision":"Allow","Explicit":false,"Layer":"ACL"}`},
		{"anonymous callers have nothing else", "", strings.Replace(by(s3, b, own), `"Arn":"`+bob+`"`, `"Anonymous":true`, 1),
			`{"Decision":"Deny","Explicit":false,"Layer":"resource","Message":"User: anonymous is not authorized to perform: s3:GetObject on resource: \"` + bucketARN + `\" because no resource-based policy allows the s3:GetObject action"}`},
	} {
		has := c.has
		if has == "" {
			has = document("Allow x:y *")
		}
		x.put(x.root, "bob", "p", has)
		if got := x.ask(x.root, c.question); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %.500s\nwant %s", c.what, got, c.want)
		}
	}
}

// TestAuthorizeStored: a boundary, groups and managed policies come from the store, as for Gatehouse's own operations.
func TestAuthorizeStored(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.group(x.root, "crew", "bob")
	x.groupPolicy(x.root, "crew", "gp", "Allow s3:* *")
	x.asks(fmt.Sprintf(allowedBy, "identity", inline("gp", arnHere+"group/crew"), 0), x.root, about(""))
	x.ok(x.root, "CreatePolicy", "PolicyName", "limit", "PolicyDocument", document("Allow ec2:* *"))
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", arnHere+"policy/limit")
	const denied = `{"Decision":"Deny","Explicit":%t,"Layer":"boundary"%s,"Message":"User: ` + arnHere + `user/bob is not authorized to perform: s3:GetObject on resource: \"` + bucketARN + `\" %s"}`
	x.asks(fmt.Sprintf(denied, false, "", "because no permissions boundary allows the s3:GetObject action"), x.root, about(""))
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arnHere+"policy/limit", "PolicyDocument", document("Allow * *", "Deny s3:* *"), "SetAsDefault", "true")
	x.asks(fmt.Sprintf(denied, true, `,"Policy":{"Arn":"`+arnHere+`policy/limit","Name":"limit"},"Statement":{"Index":1}`,
		"with an explicit deny in a permissions boundary: "+arnHere+"policy/limit"), x.root, about(""))
	// A policy that cannot be read denies, and names nothing.
	x.must(x.cell.store.Update(x.Context(), []string{state.AccountUnit(testAccount)}, func(tx *state.Tx) error {
		a := &state.Attachment{}
		a.Owner, a.Policy = tx.Account(testAccount).UserByName("bob").Id, arnHere+"policy/gone"
		tx.Put(state.AccountUnit(testAccount), a)
		return nil
	}))
	if got := x.ask(x.root, about("")); !strings.HasPrefix(got, `{"Decision":"Deny","Explicit":false,"Message":"User: `) {
		t.Errorf("with a policy that is not there: %s", got)
	}
}
