package server

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
)

// plain is an element as AWS's clients show it: lists of member elements, maps of entry elements, texts.
func plain(e *element) any {
	switch {
	case len(e.children) == 0 && e.text == "" && (e.name == "EvalDecisionDetails"):
		return map[string]any{}
	case len(e.children) == 0 && e.text == "":
		return []any{}
	case len(e.children) == 0:
		return e.text
	case e.children[0].name == "member":
		list := []any{}
		for _, c := range e.children {
			list = append(list, plain(c))
		}
		return list
	}
	out := map[string]any{}
	for _, c := range e.children {
		out[c.name] = plain(c)
	}
	return out
}

// leaves are the texts of the children.
func (e *element) leaves() []string {
	var list []string
	for _, c := range e.children {
		list = append(list, c.text)
	}
	return list
}

// texts makes a recorded value comparable: numbers and booleans as the wire has them, names as they are here.
func texts(v any, names *strings.Replacer) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if k != "ResponseMetadata" {
				out[k] = texts(x, names)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, texts(x, names))
		}
		return out
	case string:
		return names.Replace(v)
	}
	return fmt.Sprint(v)
}

// TestSimulateRecorded replays the recorded answers about a policy that is attached to a user, a group or a role of an account in an organization.
func TestSimulateRecorded(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../e2e/clients/testdata/recorded/iam_test_iam.snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]struct {
		Content map[string]any `json:"recorded-content"`
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"user", "group", "role"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := openAPI(t)
			(&statetest.Organization{ID: "o-1", Management: testAccount2, Root: "r-1", Accounts: map[string]string{testAccount: "r-1"}}).Put(t, x.cell.store)
			arn := x.managed(x.root, "pol", `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`)
			title := strings.ToUpper(kind[:1]) + kind[1:]
			if kind == "role" {
				x.role(x.root, "h", trustEC2)
			} else {
				x.ok(x.root, "Create"+title, title+"Name", "h")
			}
			x.ok(x.root, "Attach"+title+"Policy", title+"Name", "h", "PolicyArn", arn)
			a := x.ok(x.root, "SimulatePrincipalPolicy", "PolicySourceArn", arnHere+kind+"/h",
				"ActionNames.member.1", "s3:PutObject", "ActionNames.member.2", "s3:GetObjectVersion", "ResourceArns.member.1", "arn:aws:s3:::bucket")
			want := recorded["tests/aws/services/iam/test_iam.py::TestIAMIntegrations::test_simulate_principle_policy["+kind+"]"].Content["response"]
			if want == nil {
				t.Fatal("the recording is not there")
			}
			wantJSON, _ := json.MarshalIndent(texts(want, strings.NewReplacer("<partition>", "aws", "<source-policy-id:1>", "pol")), "", " ")
			result := a.xml.at("SimulatePrincipalPolicyResult")
			gotJSON, _ := json.MarshalIndent(plain(result), "", " ")
			if string(gotJSON) != string(wantJSON) {
				t.Errorf("got %s\nrecorded %s", gotJSON, wantJSON)
			}
		})
	}
}

const (
	simulatedAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	simulatedNone = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:none","Resource":"*"}]}`
	anyone        = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
)

// decisions are EvalDecision of the actions of an answer.
func (x *apiTest) decisions(want string, op string, pairs ...string) *answer {
	x.Helper()
	a := x.ok(x.root, op, pairs...)
	if got := strings.Join(a.all("EvalDecision"), " "); got != want {
		x.Errorf("%s %.300q: got %s, want %s\n%s", op, pairs, got, want, a)
	}
	return a
}

func TestSimulateCustomPolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	custom := func(want string, pairs ...string) *answer {
		t.Helper()
		return x.decisions(want, "SimulateCustomPolicy", append(ps("ActionNames.member.1", "s3:GetObject"), pairs...)...)
	}
	bob := arnHere + "user/x/bob"
	x.want("EvaluationResults(member(EvalActionName=S3:getobject EvalResourceName=* EvalDecision=allowed MatchedStatements(member(SourcePolicyId=PolicyInputList.1 SourcePolicyType=IAM Policy "+
		"StartPosition(Line=1 Column=38) EndPosition(Line=1 Column=84))) MissingContextValues())) IsTruncated=false",
		x.root, "SimulateCustomPolicy", "ActionNames.member.1", "S3:getobject", "PolicyInputList.member.1", simulatedAll)
	custom("implicitDeny", "PolicyInputList.member.1", simulatedNone)
	custom("allowed", "PolicyInputList.member.1", simulatedNone, "PolicyInputList.member.2", simulatedAll)
	// The account in an ARN is no other one as long as nobody says who asks, or whose it is.
	queue := ps("PolicyInputList.member.1", simulatedAll, "ResourceArns.member.1", "arn:aws:s3:us-east-1:123456789012:accesspoint/p/object/k")
	custom("allowed", queue...)
	custom("implicitDeny", append(queue, "CallerArn", bob)...)
	custom("allowed", append(queue, "CallerArn", bob, "ResourcePolicy", anyone)...)
	bucket := ps("PolicyInputList.member.1", simulatedAll, "ResourceArns.member.1", "arn:aws:s3:::b/k")
	custom("allowed", append(bucket, "CallerArn", bob)...)
	custom("implicitDeny", append(bucket, "CallerArn", bob, "ResourceOwner", testAccount2)...)
	custom("implicitDeny", append(bucket, "ResourceOwner", "arn:aws:iam::"+testAccount2+":root")...)
	custom("allowed", append(bucket, "ResourceOwner", testAccount)...)
	a := custom("allowed", append(bucket, "CallerArn", bob, "ResourceOwner", testAccount2, "ResourcePolicy", anyone)...)
	if s := a.xml.at("SimulateCustomPolicyResult", "EvaluationResults", "member", "ResourceSpecificResults", "member", "EvalDecisionDetails"); s == nil ||
		s.String() != "EvalDecisionDetails(entry(key=IAM Policy value=allowed) entry(key=Resource Policy value=allowed))" {
		t.Errorf("details of two accounts: %s", a)
	}
	// Boundaries.
	a = custom("implicitDeny", "PolicyInputList.member.1", simulatedAll, "PermissionsBoundaryPolicyInputList.member.1", simulatedNone)
	if got := a.all("AllowedByPermissionsBoundary"); len(got) != 1 || got[0] != "false" {
		t.Errorf("a boundary that is silent: %s", a)
	}
	// Keys: given ones, missing ones, implied ones.
	mine := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"NumericLessThan":{"x:Age":"10"}}}]}`
	mineOn := ps("PolicyInputList.member.1", mine, "ResourceArns.member.1", "arn:aws:s3:::b/bob/k")
	a = custom("implicitDeny", mineOn...)
	if !strings.Contains(a.String(), "EvalResourceDecision=implicitDeny MatchedStatements() MissingContextValues(member=aws:username member=x:Age))") {
		t.Errorf("missing keys: %s", a)
	}
	age := ps("ContextEntries.member.1.ContextKeyName", "X:age", "ContextEntries.member.1.ContextKeyType", "numeric", "ContextEntries.member.1.ContextKeyValues.member.1", "9.5")
	custom("implicitDeny", append(mineOn, age...)...)
	custom("allowed", append(append(mineOn, age...), "CallerArn", bob)...)
	custom("implicitDeny", append(append(mineOn, age...), "CallerArn", bob, "ContextEntries.member.2.ContextKeyName", "aws:username",
		"ContextEntries.member.2.ContextKeyType", "string", "ContextEntries.member.2.ContextKeyValues.member.1", "carol")...)
	// A trust policy is one.
	assume := func(want, trust string) {
		t.Helper()
		x.decisions(want, "SimulateCustomPolicy", "ActionNames.member.1", "sts:AssumeRole", "ResourceArns.member.1", arnJob, "PolicyInputList.member.1", simulatedNone, "CallerArn", bob, "ResourcePolicy", trust)
	}
	assume("allowed", trusting(bob, ""))
	assume("implicitDeny", trusting(arnHere+"user/bob", ""))
	assume("implicitDeny", trusting(testAccount, ""))
	assume("allowed", trusting("*", ""))
	// The scenarios of EC2.
	launch := ps("ActionNames.member.1", "ec2:RunInstances", "PolicyInputList.member.1", simulatedAll, "ResourceHandlingOption", "EC2-VPC-InstanceStore",
		"ResourceArns.member.1", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", "ResourceArns.member.2", "arn:aws:ec2:us-east-1::image/ami-1",
		"ResourceArns.member.3", "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1")
	x.want("400 InvalidInput ResourceArns has no network-interface, which the resource handling option EC2-VPC-InstanceStore needs.", x.root, "SimulateCustomPolicy", launch...)
	x.decisions("allowed", "SimulateCustomPolicy", append(launch, "ResourceArns.member.4", "arn:aws:ec2:us-east-1:111122223333:network-interface/*")...)
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "/x/bob")
	x.group(x.root, "/crew", "bob")
	x.role(x.root, "/p/worker", trustEC2, tags("team", "red")...)
	x.ok(x.root, "TagUser", append(tags("team", "red"), "UserName", "bob")...)
	const red = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}`
	x.ok(x.root, "PutGroupPolicy", "GroupName", "crew", "PolicyName", "gp", "PolicyDocument", red)
	x.rolePolicy(x.root, "worker", "rp", red)
	bob, crew, worker := arnHere+"user/x/bob", arnHere+"group/crew", arnHere+"role/p/worker"
	of := func(want, source string, pairs ...string) *answer {
		t.Helper()
		return x.decisions(want, "SimulatePrincipalPolicy", append(ps("PolicySourceArn", source, "ActionNames.member.1", "s3:GetObject"), pairs...)...)
	}
	ids := func(a *answer, want string) {
		t.Helper()
		if got := strings.Join(a.all("SourcePolicyId"), " "); got != want {
			t.Errorf("policies %q, want %q", got, want)
		}
	}
	ids(of("allowed", bob), "group_crew_gp")
	ids(of("allowed", worker), "role_worker_rp")
	if a := of("implicitDeny", crew); strings.Join(a.xml.at("SimulatePrincipalPolicyResult", "EvaluationResults", "member", "MissingContextValues").leaves(), " ") != "aws:PrincipalTag/team" {
		t.Errorf("a group has no tags: %s", a)
	}
	of("implicitDeny", bob, "CallerArn", arnHere+"user/carol") // whose tags are not read
	of("allowed", bob, "CallerArn", bob)
	ids(of("allowed", crew, "PolicyInputList.member.1", simulatedAll), "PolicyInputList.1")
	ids(of("allowed", bob, "PolicyInputList.member.1", simulatedAll), "group_crew_gp PolicyInputList.1")
	// A boundary takes the place of the stored one.
	pol := x.managed(x.root, "pol", simulatedNone)
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", pol)
	a := of("implicitDeny", bob)
	if got := a.all("AllowedByPermissionsBoundary"); len(got) != 1 || got[0] != "false" {
		t.Errorf("the stored boundary: %s", a)
	}
	a = of("allowed", bob, "PermissionsBoundaryPolicyInputList.member.1", simulatedAll)
	if got := a.all("AllowedByPermissionsBoundary"); len(got) != 1 || got[0] != "true" {
		t.Errorf("a boundary in its place: %s", a)
	}
	// A resource policy for a session of a role: the role is named, the boundary would count.
	on := ps("ResourceArns.member.1", "arn:aws:s3:::b/k", "ResourcePolicy", strings.Replace(anyone, `"*"`, `{"AWS":"`+worker+`"}`, 1))
	x.decisions("allowed", "SimulatePrincipalPolicy", append(on, "PolicySourceArn", worker, "ActionNames.member.1", "s3:PutObject")...)
	x.decisions("implicitDeny", "SimulatePrincipalPolicy", append(on, "PolicySourceArn", crew, "CallerArn", bob, "ActionNames.member.1", "s3:PutObject")...)
	// SCPs of the account, whose answer stands beside others'.
	if strings.Contains(of("allowed", worker).String(), "Organizations") {
		t.Error("the account is in no organization")
	}
	scp := statetest.SCP(t, "p-1", "guard", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	o := &statetest.Organization{ID: "o-1", Management: testAccount2, Root: "r-1", Accounts: map[string]string{testAccount: "r-1"}, Policies: []*state.OrganizationPolicy{scp}, Attached: map[string][]string{"r-1": {"p-1"}}}
	o.Put(t, x.cell.store)
	a = of("explicitDeny", worker)
	ids(a, "guard")
	if got := a.all("AllowedByOrganizations"); len(got) != 1 || got[0] != "false" {
		t.Errorf("an SCP that denies: %s", a)
	}
}

// TestSimulateOwnService: the services of --catalog are simulated as those of AWS are. Elsewhere nobody knows them.
func TestSimulateOwnService(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "services.json")
	if err := os.WriteFile(file, []byte(`{"services": [{
		"prefix": "crm", "name": "Customers",
		"resourceTypes": [{"name": "customer", "arn": "arn:${Partition}:crm::${Account}:customer/${CustomerId}"}],
		"actions": [{"name": "ReadCustomer", "level": "Read", "resources": [{"type": "customer", "required": true}]}]
	}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newAPIOf(t, func(cfg *Config) { cfg.CatalogFile = file })
	x.T = t
	x.user(x.root, "bob")
	x.ok(x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", simulatedAll)
	customer, other := "arn:aws:crm::"+testAccount+":customer/7", "arn:aws:crm::"+testAccount+":invoice/7"
	for op, of := range map[string]params{
		"SimulateCustomPolicy": ps("PolicyInputList.member.1", simulatedAll), "SimulatePrincipalPolicy": ps("PolicySourceArn", arnHere+"user/bob"),
	} {
		ask := func(action, resource string) params {
			return append(slices.Clip(of), "ActionNames.member.1", action, "ResourceArns.member.1", resource)
		}
		x.decisions("allowed", op, ask("crm:ReadCustomer", customer)...)
		x.decisions("implicitDeny", op, ask("crm:ReadCustomer", other)...) // on which it does not act
		x.decisions("allowed", op, ask("s3:GetObject", "arn:aws:s3:::b/k")...)
		x.want("400 InvalidInput Invalid action: crm:ReadCustomers. The nearest action is crm:ReadCustomer.", x.root, op, ask("crm:ReadCustomers", customer)...)
	}
	y := openAPI(t)
	y.want("400 InvalidInput Invalid action: crm:ReadCustomer", y.root, "SimulateCustomPolicy", "ActionNames.member.1", "crm:ReadCustomer", "PolicyInputList.member.1", simulatedAll)
}

// TestSimulatePages: every result once, whatever the size of the pages.
func TestSimulatePages(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	p := ps("PolicyInputList.member.1", simulatedAll)
	want := []string{"s3:GetObject", "s3:PutObject", "iam:GetUser", "s3:GetObject", "ec2:RunInstances", "sts:AssumeRole", "iam:ListUsers"}
	for i, action := range want {
		p = append(p, fmt.Sprintf("ActionNames.member.%d", i+1), action)
	}
	for size := 1; size <= len(want)+1; size++ {
		var got []string
		marker := params(nil)
		for range want {
			a := x.ok(x.root, "SimulateCustomPolicy", append(append(p, "MaxItems", fmt.Sprint(size)), marker...)...)
			page := a.all("EvalActionName")
			got = append(got, page...)
			if len(page) > size || a.value("SimulateCustomPolicyResult", "IsTruncated") != fmt.Sprint(len(got) < len(want)) {
				t.Fatalf("pages of %d: %s", size, a)
			}
			if len(got) >= len(want) {
				break
			}
			marker = ps("Marker", a.value("SimulateCustomPolicyResult", "Marker"))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pages of %d: got %q", size, got)
		}
	}
	// A page that would cost too much is shorter.
	p = ps("PolicyInputList.member.1", simulatedAll)
	for i := range 300 {
		p = append(p, fmt.Sprintf("ResourceArns.member.%d", i+1), fmt.Sprintf("arn:aws:s3:::b/%d", i))
	}
	for i := range 10 {
		p = append(p, fmt.Sprintf("ActionNames.member.%d", i+1), "s3:GetObject")
	}
	if a := x.ok(x.root, "SimulateCustomPolicy", p...); len(a.all("EvalDecision")) != 3 || a.value("SimulateCustomPolicyResult", "IsTruncated") != "true" {
		t.Errorf("%d results of 300 resources", len(a.all("EvalDecision")))
	}
}

func TestContextKeys(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.group(x.root, "crew", "bob")
	keys := func(names ...string) string {
		return strings.Replace("ContextKeyNames(member="+strings.Join(names, " member=")+")", "member=)", ")", 1)
	}
	const (
		one = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}","Condition":{"Bool":{"AWS:SecureTransport":"true"}}}]}`
		two = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"aws:securetransport":"true","aws:UserName":"true","x:y":"true"}}}]}`
	)
	x.want(keys("aws:username", "AWS:SecureTransport", "x:y"), x.root, "GetContextKeysForCustomPolicy", "PolicyInputList.member.1", one, "PolicyInputList.member.2", two)
	x.want(keys(""), x.root, "GetContextKeysForCustomPolicy", "PolicyInputList.member.1", simulatedAll)
	of := ps("PolicySourceArn", arnHere+"user/bob")
	x.want(keys(""), x.root, "GetContextKeysForPrincipalPolicy", of...)
	x.ok(x.root, "PutGroupPolicy", "GroupName", "crew", "PolicyName", "gp", "PolicyDocument", two)
	x.want(keys("aws:securetransport", "aws:UserName", "x:y"), x.root, "GetContextKeysForPrincipalPolicy", of...)
	x.ok(x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", one)
	x.want(keys("aws:username", "AWS:SecureTransport", "x:y"), x.root, "GetContextKeysForPrincipalPolicy", of...)
	x.want(keys("aws:securetransport", "aws:UserName", "x:y", "z:z"), x.root, "GetContextKeysForPrincipalPolicy", "PolicySourceArn", arnHere+"group/crew",
		"PolicyInputList.member.1", strings.Replace(two, "x:y", "z:z", 1))
	x.want("404 NoSuchEntity The role with name none cannot be found.", x.root, "GetContextKeysForPrincipalPolicy", "PolicySourceArn", arnHere+"role/none")
	x.want("400 InvalidInput PolicyInputList.1: Syntax errors in policy.", x.root, "GetContextKeysForCustomPolicy", "PolicyInputList.member.1", "{}")
}
