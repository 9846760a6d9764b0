package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

// Tests of POST /gatehouse/v1/explain through the whole server.

const explainPath = "/gatehouse/v1/explain"

func decisionOf(a *answer) string { return a.header.Get("X-Gatehouse-Decision-Id") }

// explain gives the explanation of a decision, or of a question.
func (x *apiTest) explain(by caller, question string) *ghapi.ExplainResponse {
	x.Helper()
	a := x.send(x.questionTo(explainPath, by, question))
	var out ghapi.ExplainResponse
	if a.status != http.StatusOK {
		x.Fatalf("%.300s\n%s", question, a.body)
	}
	x.must(json.Unmarshal(a.body, &out))
	return &out
}

func decision(id string) string { return jsonOf(jsonObject{"DecisionId": id}) }

// outline is an explanation in lines: the decision, its statement, each layer with its statements, keys, changes.
func outline(e *ghapi.ExplainResponse) string {
	var b strings.Builder
	or := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	name := func(p *ghapi.DecidingPolicy) string {
		switch {
		case p == nil:
			return "-"
		case p.Arn != nil:
			return *p.Arn
		}
		return or(p.Owner) + "/" + or(p.Name)
	}
	fmt.Fprintf(&b, "%s %t %s by %s", *e.Decision, *e.Explicit, or(e.Layer), name(e.Policy))
	if e.Statement != nil {
		fmt.Fprintf(&b, " #%d %s", *e.Statement.Index, *e.Statement.Text)
	}
	if e.Refusal != nil {
		b.WriteString("\nrefused: " + *e.Refusal)
	}
	if e.Catalog != nil {
		fmt.Fprintf(&b, "\ncatalogue: %s %s", *e.Catalog.Verdict, or(e.Catalog.Message))
	}
	for _, l := range e.Layers {
		fmt.Fprintf(&b, "\n%s %s", *l.Layer, or(l.Effect))
		if l.Withheld != nil {
			b.WriteString(" withheld")
		}
		for _, st := range l.Statements {
			fmt.Fprintf(&b, "\n  %s #%d %s %t %s", name(st.Policy), *st.Statement.Index, *st.Effect, *st.Applies, or(st.Failed))
			if c := st.Condition; c != nil {
				fmt.Fprintf(&b, " %s %s %q %q", *c.Operator, *c.Key, c.Expected, c.Seen)
			}
		}
	}
	if e.MissingKeys != nil {
		fmt.Fprintf(&b, "\nmissing %q", e.MissingKeys)
	}
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "\n%s %s %s %s %s", *c.Side, *c.Kind, *c.Layer, name(c.Policy), or(c.Statement.Text))
	}
	return b.String()
}

func (x *apiTest) explained(what string, e *ghapi.ExplainResponse, want string) {
	x.Helper()
	if got := outline(e); got != want {
		x.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}

// TestExplainDenials: a denial is explained by its id as of when it was made, whatever has become of the policies and of who was denied.
func TestExplainDenials(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/div/bob")
	const who = arnHere + "user/div/bob"
	limit := x.managedPolicy(x.root, "limit", "Allow iam:List* *")
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", limit)
	x.put(x.root, "bob", "p", `{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Action":"iam:*","Resource":"*",
		"Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`)
	revision := int64(x.revision())
	denied := x.call(bob, "CreateUser", ps("UserName", "new"))
	id := decisionOf(denied)
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p")
	x.ok(x.root, "DeleteUserPermissionsBoundary", "UserName", "bob")
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.ok(x.root, "DeleteUser", "UserName", "bob")
	e := x.explain(x.root, decision(id))
	added := `{"Effect":"Allow","Action":["iam:CreateUser"],"Resource":["` + arnHere + `user/new"]}`
	x.explained("a denial", e, `Deny false identity by -
identity ImplicitDeny
  `+who+`/p #0 Allow false Condition StringEquals aws:PrincipalTag/team ["red"] []
  `+who+`/p #1 Deny false Action
boundary ImplicitDeny
  `+limit+` #0 Allow false Action
missing ["aws:PrincipalTag/team"]
CallerAccount AddStatement identity - `+added+`
CallerAccount AddStatement boundary `+limit+` `+added)
	if *e.DecisionId != id || *e.Revision != revision || *e.Caller != who || *e.Action != "iam:CreateUser" || *e.Resource != arnHere+"user/new" ||
		*e.ResourceAccount != testAccount || *e.Message != denied.value("Error", "Message") || e.Time.IsZero() {
		t.Errorf("%+v", e)
	}
	if st := e.Layers[0].Statements[0].Statement; *st.Sid != "Own" || *st.Start != 37 || *st.End < 100 || st.Text != nil {
		t.Errorf("the statement stands at %d to %d, Sid %s", *st.Start, *st.End, *st.Sid)
	}
}

// TestExplainExplicit: the text of the statement that denies.
func TestExplainExplicit(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow * *", "Deny iam:Create* *")
	denying := `{"Effect":"Deny","Action":"iam:Create*","Resource":"*"}`
	x.explained("explicit", x.explain(x.root, decision(decisionOf(x.call(bob, "CreateUser", ps("UserName", "new"))))),
		`Deny true identity by `+arnBob+`/p #1 `+denying+`
identity ExplicitDeny
  `+arnBob+`/p #0 Allow true -
  `+arnBob+`/p #1 Deny true -
CallerAccount RemoveStatement identity `+arnBob+`/p `+denying)
}

// TestWhoMayExplain: the permission is gatehouse:Explain on the principal that the decision is about, of a federated user on its issuer too. What is no denial
// of the account cannot be found.
func TestWhoMayExplain(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	reader, bob := x.user(x.root, "reader"), x.user(x.root, "bob")
	x.role(x.root, "job", trusting(arnBob, ""))
	x.policy(x.root, "bob", "p", "Allow sts:* *")
	session := x.assume(bob, arnHere+"role/job")
	question := func(principal jsonObject) string {
		return jsonOf(jsonObject{"Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k", "ResourceAccount": testAccount})
	}
	asked := func(principal jsonObject) string {
		var out ghapi.AuthorizeResponse
		x.must(json.Unmarshal(x.send(x.question(x.root, question(principal))).body, &out))
		return *out.DecisionId
	}
	for _, c := range []struct {
		what string
		id   string
		arns []string
	}{
		{"a user", decisionOf(x.call(bob, "ListUsers", nil)), []string{arnBob}},
		{"a session", decisionOf(x.call(session, "ListUsers", nil)), []string{arnSTS + "assumed-role/job/s1"}},
		{"who was asked about", asked(jsonObject{"Arn": arnBob}), []string{arnBob}},
		{"a federated user", asked(jsonObject{"Arn": arnSTS + "federated-user/fed", "IssuerArn": arnBob}), []string{arnSTS + "federated-user/fed", arnBob}},
		{"a federated user of root", asked(jsonObject{"Arn": arnSTS + "federated-user/fed", "IssuerArn": arnHere + "root"}), []string{arnSTS + "federated-user/fed", arnHere + "root"}},
		{"anonymous", asked(jsonObject{"Anonymous": true}), []string{"*"}},
	} {
		for missing := range c.arns {
			statements := []string{"Allow gatehouse:Authorize *"}
			for i, arn := range c.arns {
				if i != missing {
					statements = append(statements, "Allow gatehouse:Explain "+arn)
				}
			}
			x.policy(x.root, "reader", "p", statements...)
			want := "403 AccessDeniedException User: " + arnHere + "user/reader is not authorized to perform: gatehouse:Explain"
			if got := x.jsonText(x.send(x.questionTo(explainPath, reader, decision(c.id)))); !strings.HasPrefix(got, want) ||
				c.arns[missing] != "*" && !strings.Contains(got, " on resource: "+c.arns[missing]+" because") {
				t.Errorf("%s, without permission: %s", c.what, got)
			}
		}
		statements := []string{}
		for _, arn := range c.arns {
			statements = append(statements, "Allow gatehouse:Explain "+arn)
		}
		x.policy(x.root, "reader", "p", statements...)
		if e := x.explain(reader, decision(c.id)); *e.Decision != "Deny" {
			t.Errorf("%s: %s", c.what, outline(e))
		}
		want := "404 ResourceNotFoundException The decision " + c.id + " cannot be found. The server keeps denials only, in memory: " +
			"the last 16384, of one account the last 4096, and fewer if they are large."
		if got := x.jsonText(x.send(x.questionTo(explainPath, other, decision(c.id)))); got != want {
			t.Errorf("%s, by another account: %s", c.what, got)
		}
	}
	x.policy(x.root, "reader", "p", "Allow gatehouse:Authorize *")
	if got := x.jsonText(x.send(x.questionTo(explainPath, reader, question(jsonObject{"Arn": arnBob})))); !strings.Contains(got, "gatehouse:Explain on resource: "+arnBob) {
		t.Errorf("a question by somebody who may only authorize: %s", got)
	}
	allowed := x.call(x.root, "ListUsers", nil)
	for what, id := range map[string]string{"an id of nothing": keyring.UUID(), "what was allowed": allowed.header[requestIDHeader][0]} {
		if got := x.jsonText(x.send(x.questionTo(explainPath, x.root, decision(id)))); !strings.HasPrefix(got, "404 ResourceNotFoundException") {
			t.Errorf("%s: %s", what, got)
		}
	}
	for body, want := range map[string]string{
		`{}`: "Give DecisionId, or Principal, Action and Resource.",
		`{"Action":"s3:GetObject","Resource":"*"}`:                                     "Give DecisionId, or Principal, Action and Resource.",
		`{"DecisionId":"x","Action":"s3:GetObject"}`:                                   "DecisionId goes without other members: the decision has its own.",
		`{"DecisionId":"x","Context":{}}`:                                              "DecisionId goes without other members: the decision has its own.",
		`{"Principal":{"Anonymous":true},"Action":"s3:GetObject","Resource":"no ARN"}`: "Resource no ARN is neither * nor an ARN.",
	} {
		if got := x.jsonText(x.send(x.questionTo(explainPath, x.root, body))); got != "400 ValidationException "+want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

// TestExplainAcrossAccounts: what is attached to the resource of another account is told to that account only.
func TestExplainAcrossAccounts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	const target, gone = "arn:aws:iam::" + testAccount2 + ":role/target", "arn:aws:iam::" + testAccount2 + ":role/gone"
	bob := x.user(x.root, "bob")
	ask := func(role string) *ghapi.ExplainResponse {
		return x.explain(x.root, decision(decisionOf(x.call(bob, "AssumeRole", ps("RoleArn", role, "RoleSessionName", "s1")))))
	}
	adding := "\nCallerAccount AddStatement identity - " + `{"Effect":"Allow","Action":["sts:AssumeRole"],"Resource":["` + target + `"]}`
	for _, c := range []struct{ what, trust, has, want string }{
		{"nobody allows", trusting(testAccount2, ""), "Allow s3:* *", "Deny false - by -\nidentity ImplicitDeny\n  " + arnBob + "/p #0 Allow false Action\ntrust - withheld" + adding},
		{"the role trusts the caller", trusting(arnBob, ""), "Allow s3:* *", "Deny false - by -\nidentity ImplicitDeny\n  " + arnBob + "/p #0 Allow false Action\ntrust - withheld" + adding},
		{"the caller may", trusting(testAccount2, ""), "Allow sts:* *", "Deny false - by -\nidentity Allow\n  " + arnBob + "/p #0 Allow true -\ntrust - withheld"},
		{"the role denies", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}}`, "Allow sts:* *",
			"Deny false - by -\nidentity Allow\n  " + arnBob + "/p #0 Allow true -\ntrust - withheld"},
		{"the caller is denied at home", trusting(arnBob, ""), "Deny sts:* *", "Deny true identity by " + arnBob + `/p #0 {"Effect":"Deny","Action":"sts:*","Resource":"*"}` +
			"\nidentity ExplicitDeny\n  " + arnBob + "/p #0 Deny true -\ntrust - withheld\nCallerAccount RemoveStatement identity " + arnBob + `/p {"Effect":"Deny","Action":"sts:*","Resource":"*"}` + adding},
	} {
		if x.call(other, "GetRole", ps("RoleName", "target")).status == http.StatusOK {
			x.ok(other, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", c.trust)
		} else {
			x.role(other, "target", c.trust)
		}
		x.policy(x.root, "bob", "p", c.has)
		x.explained(c.what, ask(target), c.want)
		if there, not := outline(ask(target)), outline(ask(gone)); there != strings.ReplaceAll(not, gone, target) {
			t.Errorf("%s: a role that is not there is told from one that is\n%s\n%s", c.what, there, not)
		}
	}
}

// TestExplainQuestions: a question is explained also where the answer is yes; what the catalogue says of it is told.
func TestExplainQuestions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow * *")
	statement := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	all := "\nidentity Allow\n  " + arnBob + "/p #0 Allow true -"
	for _, c := range []struct{ what, principal, action, resource, want string }{
		{"allowed", arnBob, "s3:GetObject", bucketARN, "Allow false identity by " + arnBob + "/p #0 " + statement + all},
		{"unknown", arnBob, "s3:GetObjekt", bucketARN, "Deny false - by -\ncatalogue: UnknownAction The service s3 has no action GetObjekt. The nearest name is s3:GetObject." + all},
		{"foreign", arnBob, "s33:GetObject", bucketARN, "Deny false - by -\ncatalogue: UnknownService No service has the prefix s33. The nearest name is s3:GetObject. " +
			"The services of your own programs are registered with --catalog." + all},
		{"another type", arnBob, "s3:GetObject", "arn:aws:s3:::b", "Deny false - by -\ncatalogue: WrongResource s3:GetObject does not act on such a resource, but on "},
		{"of no resource", arnBob, "s3:ListAllMyBuckets", "arn:aws:s3:::b", "Deny false - by -\ncatalogue: NoResource Permission for s3:ListAllMyBuckets is asked on \"*\" only, on no single resource." + all},
		{"unknown, by root", arnHere + "root", "s3:GetObjekt", bucketARN, "Allow false identity by -\ncatalogue: UnknownAction The service s3 has no action GetObjekt. The nearest name is s3:GetObject.\nidentity Allow"},
		{"another type, by root", arnHere + "root", "s3:GetObject", "arn:aws:s3:::b", "Deny false - by -\ncatalogue: WrongResource s3:GetObject does not act on such a resource, but on "},
		{"credentials", stsHere + "federated-user/fed", "iam:ListUsers", "*", "Deny false - by -\nrefused: The security token included in the request is invalid"},
	} {
		principal := jsonObject{"Arn": c.principal}
		if strings.Contains(c.principal, "federated") {
			principal["IssuerArn"] = arnBob
		}
		e := x.explain(x.root, jsonOf(jsonObject{"Principal": principal, "Action": c.action, "Resource": c.resource, "ResourceAccount": testAccount}))
		if got := outline(e); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.what, got, c.want)
		}
		if e.DecisionId != nil {
			t.Errorf("%s has the id of a decision", c.what)
		}
	}
}

// TestExplainBounds: an answer has so many statements, those whose action does not match are left out first, and says how many it leaves out.
func TestExplainBounds(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	texts := func(n int, action string) string {
		var list []string
		for range n {
			list = append(list, "Allow "+action+" *")
		}
		return document(list...)
	}
	for _, c := range []struct{ matching, other, shown, omitted int }{{0, 1000, 1000, 0}, {0, 1001, 0, 1001}, {10, 991, 10, 991}, {999, 3, 999, 3}, {1100, 10, 1000, 110}} {
		var sessions []string
		for _, part := range []struct {
			n      int
			action string
		}{{c.other, "sqs:SendMessage"}, {c.matching, "s3:GetObject"}} {
			if part.n > 0 {
				sessions = append(sessions, texts(part.n, part.action))
			}
		}
		x.role(x.root, fmt.Sprint("r", c.matching, "-", c.other), trustEC2)
		e := x.explain(x.root, jsonOf(jsonObject{
			"Principal": jsonObject{"Arn": fmt.Sprintf("%sassumed-role/r%d-%d/s1", stsHere, c.matching, c.other), "SessionPolicies": sessions},
			"Action":    "s3:GetObject", "Resource": bucketARN, "ResourceAccount": testAccount,
		}))
		shown, omitted := 0, 0
		for _, l := range e.Layers {
			shown += len(l.Statements)
			if l.Omitted != nil {
				omitted += int(*l.Omitted)
			}
		}
		if shown != c.shown || omitted != c.omitted {
			t.Errorf("%d and %d others: %d shown, %d omitted", c.matching, c.other, shown, omitted)
		}
	}
	long := `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Sid":"x","Condition":{"StringNotEquals":{"aws:UserAgent":"` + strings.Repeat("é", 5000) + `"}}}}`
	e := x.explain(x.root, jsonOf(jsonObject{"Principal": jsonObject{"Arn": arnBob}, "Action": "s3:GetObject", "Resource": bucketARN, "ResourceAccount": testAccount,
		"ServiceControlPolicies": [][]string{{long}}}))
	if e.Statement == nil || len(*e.Statement.Text) > 8<<10 || len(*e.Statement.Text) < 8<<10-1 || strings.Contains(*e.Statement.Text, "\ufffd") {
		t.Errorf("a long statement: %+v", e.Statement)
	}
}
