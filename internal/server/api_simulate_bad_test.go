package server

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSimulateBadInput: what is unknown, misspelt, foreign or malformed has an error that says so, or is denied.
func TestSimulateBadInput(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.addAccount(testAccount2)
	bob := arnHere + "user/bob"
	get := ps("ActionNames.member.1", "s3:GetObject")
	all := append(get, "PolicyInputList.member.1", simulatedAll)
	entry := func(name, kind string, values ...string) params {
		p := append(slices.Clip(all), "ContextEntries.member.1.ContextKeyName", name, "ContextEntries.member.1.ContextKeyType", kind)
		for i, v := range values {
			p = append(p, fmt.Sprintf("ContextEntries.member.1.ContextKeyValues.member.%d", i+1), v)
		}
		return p
	}
	with := func(p params, pairs ...string) params { return append(slices.Clip(p), pairs...) }
	action := func(name string) params {
		return ps("PolicyInputList.member.1", simulatedAll, "ActionNames.member.1", name)
	}
	const invalid = "400 InvalidInput "
	for _, tt := range []struct {
		p    params
		want string // begins the answer
	}{
		// Actions.
		{action("s3:GetObjct"), invalid + "Invalid action: s3:GetObjct. The nearest action is s3:GetObject."},
		{action("s4:GetObject"), invalid + "Invalid action: s4:GetObject"},
		{action("s3:*"), invalid + "Invalid action: s3:*"},
		{action("s3:Get?bject"), invalid + "Invalid action: s3:Get?bject"},
		{action("GetObject"), invalid + "Invalid action: GetObject"},
		{action("s3:"), invalid + "Invalid action: s3:"},
		{action("acme:Fire"), invalid + "Invalid action: acme:Fire"},
		{action("s3:GetObject:x"), invalid + "Invalid action: s3:GetObject:x"},
		{with(all, "ActionNames.member.2", "s3:Nope"), invalid + "Invalid action: s3:Nope"},
		{action("ab"), "400 ValidationError 1 validation error detected: Value at 'actionNames' failed to satisfy constraint: "},
		{action(strings.Repeat("a", 129)), "400 ValidationError 1 validation error detected: Value at 'actionNames' failed to satisfy constraint: "},
		{ps("PolicyInputList.member.1", simulatedAll), "400 ValidationError 1 validation error detected: Value at 'actionNames' failed to satisfy constraint: Member must not be null"},
		{ps("PolicyInputList.member.1", simulatedAll, "ActionNames", ""), invalid + "ActionNames is empty."},
		{get, "400 ValidationError 1 validation error detected: Value at 'policyInputList' failed to satisfy constraint: Member must not be null"},
		// Resources and owners.
		{with(all, "ResourceArns.member.1", "bucket"), invalid + "Invalid resource: bucket is neither * nor an ARN."},
		{with(all, "ResourceArns.member.1", "*", "ResourceArns.member.2", "arn:aws:s3"), invalid + "Invalid resource: arn:aws:s3 is neither * nor an ARN."},
		{with(all, "ResourceArns.member.1", strings.Repeat("a", 2049)), "400 ValidationError "},
		{with(all, "ResourceArns.member.1", "arn:aws:iam::111122223333:group/g"), "EvaluationResults(member(EvalActionName=s3:GetObject EvalResourceName=arn:aws:iam::111122223333:group/g EvalDecision=implicitDeny"},
		{with(all, "ResourceArns.member.1", "arn:acme:warehouse:north:1:shelf/7"), "EvaluationResults(member(EvalActionName=s3:GetObject EvalResourceName=arn:acme:warehouse:north:1:shelf/7 EvalDecision=implicitDeny"},
		{with(all, "ResourceOwner", "me"), invalid + "ResourceOwner me is neither an account id nor the ARN of something that belongs to an account."},
		{with(all, "ResourceOwner", "arn:aws:s3:::b"), invalid + "ResourceOwner arn:aws:s3:::b is neither an account id"},
		{with(all, "ResourceOwner", "12345678901"), invalid + "ResourceOwner 12345678901 is neither an account id"},
		{with(all, "ResourceHandlingOption", "EC2-VPC"), invalid + "Invalid resource handling option: EC2-VPC"},
		// Callers.
		{with(all, "CallerArn", "bob"), invalid + "CallerArn bob is not the ARN of a user."},
		{with(all, "CallerArn", arnJob), invalid + "CallerArn " + arnJob + " is not the ARN of a user."},
		{with(all, "CallerArn", arnHere+"root"), invalid + "CallerArn " + arnHere + "root is not the ARN of a user."},
		{with(all, "CallerArn", arnHere+"user/*"), invalid + "CallerArn " + arnHere + "user/* is not the ARN of a user."},
		{with(all, "ResourcePolicy", anyone), invalid + "CallerArn is required with ResourcePolicy: its principals are compared with it."},
		// Policies.
		{with(get, "PolicyInputList.member.1", "{"), invalid + "PolicyInputList.1: Syntax errors in policy."},
		{with(all, "PolicyInputList.member.2", anyone), invalid + "PolicyInputList.2: Policy document should not specify a principal."},
		{with(get, "PolicyInputList.member.1", strings.Replace(simulatedAll, `"Action":"*"`, `"Action":"getObject"`, 1)), invalid + "PolicyInputList.1: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{with(get, "PolicyInputList.member.1", "é𝄞"), "400 ValidationError "},
		{with(get, "PolicyInputList.member.1", strings.Repeat(" ", 131073)), "400 ValidationError "},
		{with(all, "PermissionsBoundaryPolicyInputList.member.1", simulatedAll, "PermissionsBoundaryPolicyInputList.member.2", simulatedAll), invalid + "The list of Permissions Boundary policies cannot exceed 1 items."},
		{with(all, "PermissionsBoundaryPolicyInputList.member.1", "[]"), invalid + "PermissionsBoundaryPolicyInputList.1: Syntax errors in policy."},
		{with(all, "CallerArn", bob, "ResourcePolicy", simulatedAll), invalid + "ResourcePolicy: "},
		// Context.
		{entry("username", "string", "x"), invalid + `ContextEntries.1: "username" is not the name of a condition key.`},
		{entry("aws:x", "text", "x"), "400 ValidationError "},
		{entry("aws:x", "string", "x", "y"), invalid + "ContextEntries.1: aws:x has 2 values: its type would have to be stringList."},
		{entry("aws:x", "numeric", "ten"), invalid + `ContextEntries.1: "ten" is not a value of the type numeric, which aws:x has.`},
		{entry("aws:x", "ip", "1.2.3"), invalid + `ContextEntries.1: "1.2.3" is not a value of the type ip, which aws:x has.`},
		{entry("aws:x", "dateList", "2026-11-21", "soon"), invalid + `ContextEntries.1: "soon" is not a value of the type date, which aws:x has.`},
		{with(entry("aws:x", "string", "x"), "ContextEntries.member.2.ContextKeyName", "AWS:X", "ContextEntries.member.2.ContextKeyType", "string"), invalid + "ContextEntries.2: the key AWS:X stands twice."},
		{with(all, "ContextEntries.member.1.ContextKeyType", "string"), invalid + `ContextEntries.1: "" is not the name of a condition key.`},
		{entry("aws:x", "string", strings.Repeat("x", 32<<10)), invalid + "The values in ContextEntries have more than 32768 bytes, each counted 64 longer than it is."},
		// Pages.
		{with(all, "Marker", "x"), "400 ValidationError Invalid Marker."},
		{with(all, "Marker", markerFor("simulation", "1")), "400 ValidationError Invalid Marker."},
		{with(all, "Marker", markerFor("simulation", "-1")), "400 ValidationError Invalid Marker."},
		{with(all, "Marker", markerFor("users", "0")), "400 ValidationError Invalid Marker."},
		{with(all, "MaxItems", "0"), "400 ValidationError "},
		{with(all, "MaxItems", "1001"), "400 ValidationError "},
	} {
		if got := x.call(x.root, "SimulateCustomPolicy", tt.p).String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\n got %.300s\nwant %s", tt.p, got, tt.want)
		}
	}
	of := func(source string) params { return with(get, "PolicySourceArn", source) }
	entity := func(arn string) string {
		return invalid + "Invalid Entity Arn: " + arn + " is not the ARN of a user, a group or a role."
	}
	for _, tt := range []struct {
		p    params
		want string
	}{
		{of("bob"), "400 ValidationError "},
		{of("arn:aws:iam::111122223333"), entity("arn:aws:iam::111122223333")},
		{of(arnHere + "root"), entity(arnHere + "root")},
		{of(arnHere + "policy/p"), entity(arnHere + "policy/p")},
		{of(arnSTS + "assumed-role/Job/s1"), entity(arnSTS + "assumed-role/Job/s1")},
		{of("arn:aws:sts::111122223333:user/bob"), entity("arn:aws:sts::111122223333:user/bob")},
		{of(arnHere + "user/carol"), "404 NoSuchEntity The user with name carol cannot be found."},
		{of(arnHere + "user/Bob"), "404 NoSuchEntity The user with name Bob cannot be found."},
		{of(arnHere + "user/x/bob"), "404 NoSuchEntity The user with name bob cannot be found."},
		{of("arn:aws:iam::" + testAccount2 + ":user/bob"), "404 NoSuchEntity The user with name bob cannot be found."},
		{of(arnHere + "group/bob"), "404 NoSuchEntity The group with name bob cannot be found."},
		{of(arnHere + "role/bob"), "404 NoSuchEntity The role with name bob cannot be found."},
		{with(of(bob), "ActionNames.member.2", "s3:Nope"), invalid + "Invalid action: s3:Nope"},
		{get, "400 ValidationError 1 validation error detected: Value at 'policySourceArn' failed to satisfy constraint: Member must not be null"},
	} {
		if got := x.call(x.root, "SimulatePrincipalPolicy", tt.p).String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\n got %.300s\nwant %s", tt.p, got, tt.want)
		}
	}
	x.group(x.root, "crew")
	x.want(invalid+"CallerArn is required with ResourcePolicy and a group: its principals are compared with it.", x.root, "SimulatePrincipalPolicy",
		with(get, "PolicySourceArn", arnHere+"group/crew", "ResourcePolicy", anyone)...)
	// A policy of the store that cannot be evaluated: the boundary does not exist.
	x.storedBoundary(x.ok(x.root, "GetUser", "UserName", "bob").all("UserId")[0], arnHere+"policy/none")
	x.want("500 PolicyEvaluation The policy none could not be evaluated.", x.root, "SimulatePrincipalPolicy", of(bob)...)
}

// markerFor is a marker of a list behind a name.
func markerFor(list, name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("1" + list + "\n" + name))
}

// TestSimulateHostile: the largest questions are bounded work.
func TestSimulateHostile(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	values := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return `"` + strings.Join(list, `","`) + `"`
	}
	wide := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":[` + values(4900, "arn:aws:s3:::*a*b*%d") + `]}]}`
	deep := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"x:key":[` + values(8000, "*a*b*%d") + `]}}}]}`
	many := `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(`{"Effect":"Allow","Action":"*","Resource":"*"},`, 2700), ",") + `]}`
	for name, document := range map[string]string{"wide": wide, "deep": deep, "many": many} {
		p := ps("PolicyInputList.member.1", document)
		for i := range 500 {
			p = append(p, fmt.Sprintf("ActionNames.member.%d", i+1), "s3:GetObject")
		}
		for i := range 200 {
			p = append(p, fmt.Sprintf("ContextEntries.member.1.ContextKeyValues.member.%d", i+1), strings.Repeat("a", 16))
		}
		p = append(p, "ContextEntries.member.1.ContextKeyName", "x:key", "ContextEntries.member.1.ContextKeyType", "stringList",
			"ResourceArns.member.1", "arn:aws:s3:::"+strings.Repeat("ab", 500))
		began := time.Now()
		a := x.call(x.root, "SimulateCustomPolicy", p)
		took := time.Since(began)
		t.Logf("%s: %d results of %d bytes in %s: %.100s", name, len(a.all("EvalActionName")), len(a.body), took, a)
		if a.status != 200 || len(a.body) > 8<<20 || took > 15*time.Second {
			t.Errorf("%s: %d in %s", name, a.status, took)
		}
	}
}
