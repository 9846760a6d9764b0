package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// trust is a trust policy with one Allow for sts:AssumeRole.
func trust(principal string) string {
	return document(`"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"`)
}

func TestTrustAccepts(t *testing.T) {
	t.Parallel()
	const (
		account  = `"Principal":{"AWS":"111111111111"}`
		provider = `arn:aws:iam::111111111111:oidc-provider/`
		github   = "token.actions.githubusercontent.com"
	)
	web := func(federated, condition string) string {
		return document(`"Effect":"Allow","Principal":{"Federated":"` + federated + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition)
	}
	for _, text := range []string{
		// The documents that recorded roles were made with.
		trust(`{"Service":"ec2.amazonaws.com"}`),
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}]}`,
		`{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}}`,
		document(`"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceArn":"arn%3Aaws"}}`),
		trust(`{"AWS":"111111111111"}`),
		document(`"Effect":"Allow",` + account + `,"Action":["sts:AssumeRole","sts:TagSession"]`),

		trust(`{"AWS":"*"}`),
		trust(`{"AWS":"arn:aws:iam::111111111111:root"}`),
		trust(`{"AWS":["arn:aws:iam::111111111111:user/a/b/alice","arn:aws-cn:iam::111111111111:role/x+=,.@-_"]}`),
		trust(`{"AWS":["arn:aws:sts::111111111111:assumed-role/app/s1","arn:aws:sts::111111111111:federated-user/fed"]}`),
		trust(`{"AWS":["AIDAQNZGKIQY56JQ7WML2","AROAQNZGKIQY56JQ7WML2"]}`),
		trust(`{"AWS":[],"Service":"s3.amazonaws.com"}`),
		trust(`{"Service":"s3.amazonaws.com","AWS":[]}`),
		trust(`{"Service":"cognito-identity.amazonaws.com"}`), // the service, not the provider
		trust(`{"Federated":["arn:aws:iam::111111111111:saml-provider/ADFS","www.amazon.com","graph.facebook.com","accounts.google.com"]}`),
		trust(`{"Service":"ecs-tasks.amazonaws.com.cn","Federated":"` + provider + `idp.example.com/a/"}`),
		`{"Statement":[{"Effect":"Allow",` + account + `,"Action":"sts:AssumeRole","Sid":""},{"Effect":"Deny",` + account + `,"Action":"sts:AssumeRole","Sid":""}]}`,
		`{"Version":"2008-10-17","Id":"x","Statement":{"Sid":"with spaces","Effect":"Allow",` + account + `,"Action":"STS:assumerole"}}`,
		document(`"Effect":"Allow",` + account + `,"Action":["sts:*","sts:Assume*","sts:?agSession","sts:SetContext","sts:SetSourceIdentity",null]`),
		document(`"Effect":"Deny",` + account + `,"NotAction":["sts:AssumeRole*","sts:GetCallerIdentity"]`),
		document(`"Effect":"Allow",` + account + `,"Action":"sts:AssumeRole","Condition":{"x":{},"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}`),

		web(provider+github, `{"StringEquals":{"`+github+`:aud":"sts.amazonaws.com"},"StringLike":{"`+github+`:sub":"repo:org/*"}}`),
		web(provider+github, `{"ForAnyValue:StringEqualsIgnoreCase":{"TOKEN.actions.githubusercontent.com:Job_Workflow_Ref":"org/repo/w.yml@main"}}`),
		web(provider+github, `{"StringLike":{"`+github+`:sub":"${*}"}}`), // the character, no wildcard
		web(provider+github, `{"StringLike":{"`+github+`:sub":["${?}","${$}*"]}}`),
		web(provider+github, `{"StringLike":{"`+github+`:sub":["","x}","*x","${x"]}}`),
		strings.Replace(web(provider+github, `{"StringLike":{"`+github+`:sub":"${x}"}}`), "2012-10-17", "2008-10-17", 1), // no variable
		web(provider+github+"/enterprise", `{}`),                                                                         // an issuer of its own
		web(provider+"sandboxes.cloud", `{"StringEquals":{"sandboxes.cloud:aud":"me"}}`),
		web("cognito-identity.amazonaws.com", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"}}`),
		document(`"Effect":"Deny","Principal":{"Federated":"` + provider + github + `"},"Action":"sts:AssumeRoleWithWebIdentity"`),
	} {
		d, err := policy.Parse(text, policy.Trust)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if d.Text() != text {
			t.Errorf("%s\nText is %s", text, d.Text())
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s\nValidate: %v", text, err)
		}
	}
}

// Decode takes what is stored, also in forms that can no longer be written.
func TestDecodeStoredTrust(t *testing.T) {
	t.Parallel()
	d, err := policy.Decode(trust(`"*"`), policy.Trust)
	if err != nil || !d.Statements[0].Principal.Any {
		t.Fatalf("a bare star: %+v, %v", d, err)
	}
	wantError(t, d.Text(), d.Validate(), policy.MalformedPolicyDocument, "Principal must be a JSON object.", "")
	d, err = policy.Decode(document(`"Effect":"Deny","NotPrincipal":{"AWS":"x"},"Action":"s3:*"`), policy.Trust)
	if err != nil || !d.Statements[0].Principal.Not {
		t.Fatalf("NotPrincipal: %+v, %v", d, err)
	}
	wantError(t, d.Text(), d.Validate(), policy.MalformedPolicyDocument, "AssumeRole policy must not contain NotPrincipal field.", "")
	byHand := &policy.Document{Kind: policy.Trust, Statements: []policy.Statement{{Effect: "Allow", Actions: []string{"sts:AssumeRole"}}}}
	wantError(t, byHand.JSON(), byHand.Validate(), policy.MalformedPolicyDocument, "Missing required field Principal", "")
}

// The rule of docs/spec/policy-language.md 8.5 can be switched off.
func TestUnscopedProviders(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{
		"cognito-identity.amazonaws.com", "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com", "arn:aws:iam::111111111111:oidc-provider/vstoken.actions.githubusercontent.com",
		"arn:aws:iam::111111111111:oidc-provider/gitlab.com", "arn:aws:iam::111111111111:oidc-provider/app.terraform.io", "arn:aws:iam::111111111111:oidc-provider/agent.buildkite.com",
		"arn:aws:iam::111111111111:oidc-provider/oidc.codefresh.io", "arn:aws:iam::111111111111:oidc-provider/studio.datachain.ai/api", "arn:aws:iam::111111111111:oidc-provider/scalr.io",
		"arn:aws:iam::111111111111:oidc-provider/tokens.cloud.shisho.dev", "arn:aws:iam::111111111111:oidc-provider/proidc.upbound.io", "arn:aws:iam::111111111111:oidc-provider/api.pulumi.com/oidc",
		"arn:aws:iam::111111111111:oidc-provider/sandboxes.cloud", "arn:aws:iam::111111111111:oidc-provider/oidc.vercel.com", "arn:aws:iam::111111111111:oidc-provider/GitLab.com",
	} {
		text := trust(`{"Federated":"` + provider + `"}`)
		if _, err := policy.Parse(text, policy.Trust); err == nil {
			t.Errorf("%s may be trusted without a condition", provider)
		}
		if _, err := policy.ParseWith(text, policy.Trust, policy.Options{UnscopedProviders: true}); err != nil {
			t.Errorf("%s with the rule off: %v", provider, err)
		}
	}
}

// What is looked up, in which order, and what of the document changes by it.
func TestTrustResolves(t *testing.T) {
	t.Parallel()
	text := "{\t\"Version\":\"2012-10-17\",\r\n\"Statement\" : [ {\"Effect\":\"Allow\", \"Principal\": { \"AWS\" : [\"arn:aws:iam::111111111111:user\\/a\\u006cice\" ,\"222222222222\",\n\"AROAQNZGKIQY56JQ7WML2\", \"*\", \"arn:aws:sts::111111111111:assumed-role/app/s1\"], " +
		`"Service":"ec2.amazonaws.com","Federated":["www.amazon.com","arn:aws:iam::111111111111:saml-provider/ADFS"]},"Action":"sts:AssumeRole","Sid":"arn:aws:iam::111111111111:user/alice"},` +
		`{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111111111111:role/app"},"Action":"sts:AssumeRole"} ]}  `
	var asked []string
	ids := map[string]string{"arn:aws:iam::111111111111:user/alice": "AIDAAAAAAAAAAAAAAAAAA", "arn:aws:iam::111111111111:role/app": "AROAAAAAAAAAAAAAAAAAA"}
	d, err := policy.ParseWith(text, policy.Trust, policy.Options{Resolve: func(v policy.PrincipalValue) (string, bool) {
		asked = append(asked, v.Type+" "+v.Value)
		if id, ok := ids[v.Value]; ok {
			return id, true
		}
		return v.Value, true
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantAsked := []string{
		"AWS arn:aws:iam::111111111111:user/alice", "AWS 222222222222", "AWS AROAQNZGKIQY56JQ7WML2", "Service ec2.amazonaws.com",
		"Federated arn:aws:iam::111111111111:saml-provider/ADFS", "AWS arn:aws:iam::111111111111:role/app",
	}
	if !slices.Equal(asked, wantAsked) {
		t.Errorf("asked for %q\nwant      %q", asked, wantAsked)
	}
	want := strings.Replace(text, `"arn:aws:iam::111111111111:user\/a\u006cice"`, `"AIDAAAAAAAAAAAAAAAAAA"`, 1)
	want = strings.Replace(want, `"arn:aws:iam::111111111111:role/app"`, `"AROAAAAAAAAAAAAAAAAAA"`, 1)
	if d.Text() != want {
		t.Errorf("stored %q\nwant   %q", d.Text(), want)
	}
	for i := range d.Statements {
		for _, v := range d.Statements[i].Principal.Values {
			if token := d.Text()[v.Start:v.End]; token != `"`+v.Value+`"` {
				t.Errorf("statement %d: %q lies at %s", i, v.Value, token)
			}
		}
	}
	if v := d.Statements[1].Principal.Values[0].Value; v != "AROAAAAAAAAAAAAAAAAAA" {
		t.Errorf("the document says %q", v)
	}
	if !policy.PrincipalIDs(d.Text()) {
		t.Error("PrincipalIDs misses the ids")
	}
	shown := policy.RestorePrincipals(d.Text(), policy.Trust, func(id string) string {
		if id == "AIDAAAAAAAAAAAAAAAAAA" {
			return "arn:aws:iam::111111111111:user/renamed/alice"
		}
		return id // deleted
	})
	if want := strings.Replace(d.Text(), "AIDAAAAAAAAAAAAAAAAAA", "arn:aws:iam::111111111111:user/renamed/alice", 1); shown != want {
		t.Errorf("shown %q\nwant  %q", shown, want)
	}
}

func TestTrustDoesNotResolve(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ principal, missing, message string }{
		{`{"AWS":["111111111111","arn:aws:iam::111111111111:user/gone"]}`, "arn:aws:iam::111111111111:user/gone", `Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/gone"`},
		{`{"AWS":"AIDAQNZGKIQY56JQ7WML2"}`, "AIDAQNZGKIQY56JQ7WML2", `Invalid principal in policy: "AWS":"AIDAQNZGKIQY56JQ7WML2"`},
		{`{"AWS":"333333333333"}`, "333333333333", `Invalid principal in policy: "AWS":"333333333333"`},
		{`{"AWS":"arn:aws:iam::333333333333:root"}`, "arn:aws:iam::333333333333:root", `Invalid principal in policy: "AWS":"arn:aws:iam::333333333333:root"`},
		{`{"Service":"nothing.amazonaws.com"}`, "nothing.amazonaws.com", `Invalid principal in policy: "SERVICE":"nothing.amazonaws.com"`},
		{`{"Federated":"arn:aws:iam::111111111111:saml-provider/x"}`, "arn:aws:iam::111111111111:saml-provider/x", `Invalid principal in policy: "FEDERATED":"arn:aws:iam::111111111111:saml-provider/x"`},
	} {
		o := policy.Options{Resolve: func(v policy.PrincipalValue) (string, bool) { return v.Value, v.Value != tt.missing }}
		for _, kind := range []policy.Kind{policy.Trust, policy.Resource} {
			text := trust(tt.principal)
			d, err := policy.ParseWith(text, kind, o)
			if d != nil {
				t.Errorf("%s: a document came with the error", text)
			}
			wantError(t, text, err, policy.MalformedPolicyDocument, tt.message, "")
		}
	}
	// The lookup comes before the checks of actions, and after those of the shape.
	nothing := policy.Options{Resolve: func(policy.PrincipalValue) (string, bool) { return "", false }}
	text := document(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*"`)
	_, err := policy.ParseWith(text, policy.Trust, nothing)
	wantError(t, text, err, policy.MalformedPolicyDocument, `Invalid principal in policy: "AWS":"111111111111"`, "")
	text = trust(`{"AWS":"111111111111","Group":"x"}`)
	_, err = policy.ParseWith(text, policy.Trust, nothing)
	wantError(t, text, err, policy.MalformedPolicyDocument, `Invalid principal in policy: "Group"`, "")
}

func ExampleParseWith() {
	ids := map[string]string{"arn:aws:iam::111111111111:user/alice": "AIDAQNZGKIQY56JQ7WML2"}
	d, err := policy.ParseWith(`{"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}, "Action": "sts:AssumeRole"}}`,
		policy.Trust, policy.Options{Resolve: func(v policy.PrincipalValue) (string, bool) {
			id, ok := ids[v.Value]
			return id, ok
		}})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Text())
	fmt.Println(policy.RestorePrincipals(d.Text(), policy.Trust, func(string) string { return "arn:aws:iam::111111111111:user/renamed" }))
	// Output:
	// {"Statement": {"Effect": "Allow", "Principal": {"AWS": "AIDAQNZGKIQY56JQ7WML2"}, "Action": "sts:AssumeRole"}}
	// {"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:user/renamed"}, "Action": "sts:AssumeRole"}}
}
