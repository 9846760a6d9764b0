package server

import (
	"fmt"
	"strings"
	"testing"
)

// who is a question about a principal, given as the members of Principal.
func who(members string) string {
	return `{"Principal":{` + members + `},` + asksBucket + `}`
}

func whoARN(arn string) string { return who(`"Arn":"` + arn + `"`) }

const stsHere = "arn:aws:sts::" + testAccount + ":"

// TestWhoMayAuthorize: the permission is gatehouse:Authorize on the ARN of who is asked about.
func TestWhoMayAuthorize(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	asker := x.user(x.root, "/team/asker")
	bob := x.user(x.root, "/div/bob")
	x.role(x.root, "/div/Job", trustEC2)
	session := x.session(x.root, "GetSessionToken")
	const askerARN = arnHere + "user/team/asker"
	denied := func(resource string, explicit bool) string {
		s := "403 AccessDeniedException User: " + askerARN + " is not authorized to perform: gatehouse:Authorize"
		if resource != "*" {
			s += " on resource: " + resource
		}
		if explicit {
			return s + " with an explicit deny in an identity-based policy"
		}
		return s + " because no identity-based policy allows the gatehouse:Authorize action"
	}
	for _, c := range []struct {
		principal, arn string
		wrong          []string
	}{
		{`"Arn":"` + arnHere + `user/div/bob"`, arnHere + "user/div/bob", []string{arnHere + "user/bob", arnHere + "user/div/Bob", askerARN}},
		{`"AccessKeyId":"` + bob.AccessKeyID + `"`, arnHere + "user/div/bob", []string{arnHere + "user/bob", askerARN}},
		{`"Arn":"` + arnHere + `root"`, arnHere + "root", []string{arnHere + "user/*"}},
		{`"AccessKeyId":"` + session.AccessKeyID + `","SessionToken":"` + session.SessionToken + `"`, arnHere + "root", []string{arnHere + "user/*"}},
		{`"Arn":"` + stsHere + `assumed-role/Job/s1"`, stsHere + "assumed-role/Job/s1", []string{arnHere + "role/div/Job", arnHere + "*", stsHere + "assumed-role/Job/s2"}},
		{`"Arn":"` + stsHere + `assumed-root","SessionPolicies":["{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"]`, stsHere + "assumed-root", []string{arnHere + "root"}},
		{`"Arn":"` + arnHere + `user/nobody"`, arnHere + "user/nobody", []string{arnHere + "user/div/*"}},
		{`"Service":["s3.amazonaws.com"]`, "*", []string{arnHere + "*", "arn:aws:s3:::*"}},
		{`"Federated":"accounts.google.com"`, "*", []string{arnHere + "*"}},
		{`"Anonymous":true`, "*", []string{arnHere + "*"}},
	} {
		question := who(c.principal)
		x.policy(x.root, "asker", "p", "Allow s3:* *", "Allow iam:* *")
		x.asks(denied(c.arn, false), asker, question)
		for _, wrong := range c.wrong {
			x.policy(x.root, "asker", "p", "Allow gatehouse:Authorize "+wrong)
			x.asks(denied(c.arn, false), asker, question)
		}
		x.policy(x.root, "asker", "p", "Allow * *", "Deny gatehouse:Authorize "+c.arn)
		x.asks(denied(c.arn, true), asker, question)
		x.policy(x.root, "asker", "p", "Allow gatehouse:Authorize "+c.arn)
		if got := x.ask(asker, question); strings.HasPrefix(got, "403") {
			t.Errorf("%s, allowed on exactly what it needs: %s", c.principal, got)
		}
	}
	// Of a federated user on its issuer too, whose policies the answer tells of.
	fed, issuer := stsHere+"federated-user/fed", arnHere+"user/div/bob"
	question := who(`"Arn":"` + fed + `","IssuerArn":"` + issuer + `"`)
	for _, c := range []struct {
		allow []string
		want  string
	}{
		{[]string{"Allow gatehouse:Authorize " + issuer}, denied(fed, false)},
		{[]string{"Allow gatehouse:Authorize " + fed}, denied(issuer, false)},
		{[]string{"Allow gatehouse:Authorize *", "Deny gatehouse:Authorize " + issuer}, denied(issuer, true)},
	} {
		x.policy(x.root, "asker", "p", c.allow...)
		x.asks(c.want, asker, question)
	}
	x.policy(x.root, "asker", "p", "Allow gatehouse:Authorize "+fed, "Allow gatehouse:Authorize "+issuer)
	if got := x.ask(asker, question); !strings.HasPrefix(got, "{") {
		t.Errorf("allowed on the federated user and its issuer: %s", got)
	}
	// The tags of who is asked about are those of the resource.
	x.ok(x.root, "TagUser", "UserName", "bob", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red")
	for value, want := range map[string]string{"red": "{", "blue": "403"} {
		x.ok(x.root, "PutUserPolicy", "UserName", "asker", "PolicyName", "p", "PolicyDocument",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"gatehouse:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"`+value+`"}}}}`)
		if got := x.ask(asker, whoARN(arnHere+"user/div/bob")); !strings.HasPrefix(got, want) {
			t.Errorf("team %s: %s", value, got)
		}
	}
}

// TestAuthorizeAcrossAccounts: nobody asks about principals of another account, and what is refused says nothing of it.
func TestAuthorizeAcrossAccounts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	eve := x.user(other, "eve")
	x.policy(other, "eve", "p", "Allow * *")
	bob := x.user(x.root, "bob")
	session := x.session(x.root, "GetSessionToken")
	for _, by := range []struct {
		caller
		arn string
	}{{eve, "arn:aws:iam::" + testAccount2 + ":user/eve"}, {other, "arn:aws:iam::" + testAccount2 + ":root"}} {
		for _, arn := range []string{arnHere + "user/bob", arnHere + "user/nobody", arnHere + "root", stsHere + "assumed-role/none/s1", "arn:aws:iam::999999999999:root"} {
			x.asks("403 AccessDeniedException User: "+by.arn+" is not authorized to perform: gatehouse:Authorize on resource: "+arn, by.caller, whoARN(arn))
		}
		for _, key := range []string{bob.AccessKeyID, x.root.AccessKeyID, "AKIAIOSFODNN7EXAMPLE"} {
			x.asks(fmt.Sprintf("403 AccessDeniedException User: %s is not authorized to perform: gatehouse:Authorize on resource: access key %s", by.arn, key),
				by.caller, who(`"AccessKeyId":"`+key+`"`))
		}
		x.asks(fmt.Sprintf("403 AccessDeniedException User: %s is not authorized to perform: gatehouse:Authorize on resource: access key %s", by.arn, session.AccessKeyID),
			by.caller, who(`"AccessKeyId":"`+session.AccessKeyID+`","SessionToken":"`+session.SessionToken+`"`))
	}
}
