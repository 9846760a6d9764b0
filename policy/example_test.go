package policy_test

import (
	"errors"
	"fmt"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func Example() {
	home, err := policy.Load(`{
		"Version": "2012-10-17",
		"Statement": [
			{"Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::app-data/home/alice/*"},
			{"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
		]
	}`, policy.Managed)
	if err != nil {
		panic(err)
	}
	alice := &policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: home, Name: "Home"})}
	for _, action := range []string{"s3:GetObject", "s3:DeleteObject", "s3:ListBucket"} {
		d := policy.Decide(alice, &policy.Request{Action: action, Resource: "arn:aws:s3:::app-data/home/alice/report.csv"})
		if d.Effect == policy.Allow {
			fmt.Println(action, "is allowed by", d.Policy.Name)
		} else {
			fmt.Println(action, "is denied", d.Reason(action))
		}
	}
	// Output:
	// s3:GetObject is allowed by Home
	// s3:DeleteObject is denied with an explicit deny in an identity-based policy
	// s3:ListBucket is denied because no identity-based policy allows the s3:ListBucket action
}

func ExampleParse() {
	_, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}`, policy.Managed)
	if e, ok := errors.AsType[*policy.Error](err); ok {
		fmt.Println(e.Code)
		fmt.Println(e.Message)
	}
	// Output:
	// MalformedPolicyDocument
	// Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
}

func ExampleDecide() {
	trust, err := policy.Load(`{
		"Version": "2012-10-17",
		"Statement": {
			"Effect": "Allow",
			"Principal": {"AWS": "222222222222"},
			"Action": "sts:AssumeRole",
			"Condition": {"StringEquals": {"sts:ExternalId": "42"}}
		}
	}`, policy.Trust)
	if err != nil {
		panic(err)
	}
	all, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, policy.Managed)
	if err != nil {
		panic(err)
	}
	bob := &policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: "222222222222", ID: "AIDABOB", ARN: "arn:aws:iam::222222222222:user/bob"},
		Identity: policy.NewSet(&policy.Attached{Policy: all, Name: "All"}),
	}
	request := &policy.Request{
		Action: "sts:AssumeRole", Resource: "arn:aws:iam::111111111111:role/partner", Owner: "111111111111",
		ResourcePolicy: &policy.Attached{Policy: trust}, NeedsResourcePolicy: true,
	}
	d := policy.Decide(bob, request)
	fmt.Println(d.Effect, d.Reason(request.Action))
	request.Context = []policy.Entry{{Key: "sts:ExternalId", Values: []string{"42"}}}
	fmt.Println(policy.Decide(bob, request).Effect)
	// Output:
	// DENY-I because no role trust policy allows the sts:AssumeRole action
	// ALLOW
}

func ExampleDecision() {
	p, err := policy.Load(`{"Version":"2012-10-17","Statement":[{"Sid":"Everything","Effect":"Allow","Action":"*","Resource":"*"}]}`, policy.Managed)
	if err != nil {
		panic(err)
	}
	sets := &policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: p, Name: "Admin", ARN: "arn:aws:iam::111111111111:policy/Admin"})}
	d := policy.Decide(sets, &policy.Request{Action: "iam:CreateUser", Resource: "arn:aws:iam::111111111111:user/bob"})
	statement := d.Policy.Policy.Document().Statements[d.Statement]
	fmt.Println(d.Effect, d.Layer, d.Policy.ARN, statement.Sid)
	fmt.Println(d.Policy.Policy.Text()[statement.Start:statement.End])
	// Output:
	// ALLOW identity arn:aws:iam::111111111111:policy/Admin Everything
	// {"Sid":"Everything","Effect":"Allow","Action":"*","Resource":"*"}
}
