package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Statements that look as if they were about every request, and are not: each of their elements counts.
func TestStatementsAboutNearlyEverything(t *testing.T) {
	t.Parallel()
	const owner = "111122223333"
	for _, c := range []struct {
		kind      policy.Kind
		statement string // without Effect
		applies   bool
	}{
		{policy.Identity, `"Action":"*","Resource":"*"`, true},
		{policy.Identity, `"Action":["s3:Put","*"],"Resource":["arn:aws:s3:::x","*"]`, true},
		{policy.Identity, `"Action":"*","NotResource":"*"`, false},
		{policy.Identity, `"Action":"*","NotResource":["arn:aws:s3:::x","*"]`, false},
		{policy.Identity, `"NotAction":"*","Resource":"*"`, false},
		{policy.Identity, `"NotAction":"*","NotResource":"*"`, false},
		{policy.Identity, `"NotAction":"sqs:*","NotResource":"arn:aws:s3:::x"`, true},
		{policy.Identity, `"Action":"*","Resource":"arn:aws:s3:::x"`, false},
		{policy.Identity, `"Action":"s3:Put*","Resource":"*"`, false},
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"w"}}`, false},
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"v"}}`, true},
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"v","":"v"}}`, false}, // no request has a key without a name
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"v"},"StringLike":{"k":"v*"}}`, true},
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"v"},"StringLike":{"l":"v*"}}`, false},
		{policy.Identity, `"Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"v"},"StringLike":{"l":"w*"}}`, true},
		{policy.Resource, `"Principal":"*","Action":"*","Resource":"*"`, true},
		{policy.Resource, `"Principal":"*","Action":"*"`, true},
		{policy.Resource, `"Principal":{"AWS":"*"},"Action":"*","Resource":"*"`, true},
		{policy.Resource, `"Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"`, false},
		{policy.Resource, `"Action":"*","Resource":"*"`, false},
		{policy.Resource, `"Principal":"*","Action":"*","NotResource":"*"`, false},
	} {
		for effect, want := range map[string]policy.Effect{"Allow": policy.Allow, "Deny": policy.DenyExplicit} {
			d, err := policy.Decode(`{"Version":"2012-10-17","Statement":{"Effect":"`+effect+`",`+c.statement+`}}`, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Compile(d)
			if err != nil {
				t.Fatalf("%v\n%s", err, d.Text())
			}
			request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Owner: owner, Context: []policy.Entry{single("k", "v"), single("l", "w")}}
			sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: owner, ARN: "arn:aws:iam::111122223333:user/bob", ID: "AIDABOB"}}
			if c.kind == policy.Identity {
				sets.Identity = policy.NewSet(&policy.Attached{Policy: p})
			} else {
				request.ResourcePolicy = &policy.Attached{Policy: p}
			}
			if !c.applies {
				want = policy.DenyImplicit
			}
			if got := policy.Decide(&sets, &request); got.Effect != want {
				t.Errorf("%s: %v; want %v", d.Text(), got.Effect, want)
			}
		}
	}
	// An Allow for all but everybody is for nobody. No customer can write it; what is stored is enforced.
	d, err := policy.Decode(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotPrincipal":"*","Action":"*","Resource":"*"}}`, policy.Resource)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: owner, ARN: "arn:aws:iam::111122223333:user/bob"}}
	request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Owner: owner, ResourcePolicy: &policy.Attached{Policy: p}}
	if got := policy.Decide(&sets, &request); got.Effect == policy.Allow {
		t.Errorf("%s: %+v", d.Text(), got)
	}
}
