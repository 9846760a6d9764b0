package policy_test

import (
	"errors"
	"fmt"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func Example() {
	document, err := policy.Parse(`{
		"Version": "2012-10-17",
		"Statement": [
			{"Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::app-data/home/alice/*"},
			{"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
		]
	}`, policy.Managed) // checked as IAM checks it; the error is a *policy.Error with AWS's message
	if err != nil {
		panic(err)
	}
	home, err := policy.Compile(document) // once; any number of goroutines may share it
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

// A caller of another account needs its own policy and that of the resource.
func Example_resourcePolicy() {
	bucket, err := policy.Load(`{
		"Version": "2012-10-17",
		"Statement": {
			"Effect": "Allow",
			"Principal": {"AWS": "222222222222"},
			"Action": "s3:GetObject",
			"Resource": "arn:aws:s3:::shared/*",
			"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
		}
	}`, policy.Resource) // Load is Parse and Compile
	if err != nil {
		panic(err)
	}
	read, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`, policy.Managed)
	if err != nil {
		panic(err)
	}
	bob := &policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: "222222222222", ID: "AIDABOB", ARN: "arn:aws:iam::222222222222:user/bob"},
		Identity: policy.NewSet(&policy.Attached{Policy: read, Name: "Read"}),
	}
	for _, address := range []string{"192.0.2.7", "203.0.113.9"} {
		d := policy.Decide(bob, &policy.Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/plan.pdf", Owner: "111111111111",
			Context:        []policy.Entry{{Key: "aws:SourceIp", Values: []string{address}}},
			ResourcePolicy: &policy.Attached{Policy: bucket, Name: "shared"},
		})
		fmt.Println(address, d.Effect, d.Layer)
	}
	// Output:
	// 192.0.2.7 ALLOW identity
	// 203.0.113.9 DENY-I resource
}

// What one level of the organization does not allow, nobody in the account can do, not even its root user.
func Example_organization() {
	full, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, policy.SCP)
	if err != nil {
		panic(err)
	}
	europe, err := policy.Load(`{
		"Version": "2012-10-17",
		"Statement": {
			"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
			"Condition": {"StringNotLike": {"aws:RequestedRegion": "eu-*"}}
		}
	}`, policy.SCP)
	if err != nil {
		panic(err)
	}
	root := &policy.Sets{
		Caller: policy.Caller{Kind: policy.RootCaller, Account: "222222222222"},
		Root:   true, // needs no policy of its own
		SCP: []*policy.Set{ // from the organization's root down to the account
			policy.NewSet(&policy.Attached{Policy: full, Name: "FullAWSAccess"}),
			policy.NewSet(&policy.Attached{Policy: full, Name: "FullAWSAccess"}, &policy.Attached{Policy: europe, Name: "Europe"}),
		},
	}
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		d := policy.Decide(root, &policy.Request{
			Action: "ec2:RunInstances", Resource: "arn:aws:ec2:" + region + ":222222222222:instance/*",
			Context: []policy.Entry{{Key: "aws:RequestedRegion", Values: []string{region}}},
		})
		fmt.Println(region, d.Effect, d.Layer)
	}
	// Output:
	// eu-west-1 ALLOW identity
	// us-east-1 DENY-E SCP
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

// Two things stand in bob's way, and a different side can change each.
func ExampleExplain() {
	bucket, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Sid":"Office","Effect":"Allow","Principal":{"AWS":"222222222222"},
		"Action":"s3:Get*","Resource":"arn:aws:s3:::shared/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}`, policy.Resource)
	if err != nil {
		panic(err)
	}
	guard, err := policy.Load(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Sid":"NoBuckets","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`, policy.Managed)
	if err != nil {
		panic(err)
	}
	bob := &policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: "222222222222", ID: "AIDABOB", ARN: "arn:aws:iam::222222222222:user/bob"},
		Identity: policy.NewSet(&policy.Attached{Policy: guard, Name: "Guard"}),
	}
	e := policy.Explain(bob, &policy.Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/plan.pdf", Owner: "111111111111",
		Context:        []policy.Entry{{Key: "aws:SourceIp", Values: []string{"203.0.113.9"}}},
		ResourcePolicy: &policy.Attached{Policy: bucket, Name: "shared"},
	})
	fmt.Println(e.Decision.Effect)
	for i := range e.Layers {
		for j := range e.Layers[i].Statements {
			v := &e.Layers[i].Statements[j]
			fmt.Printf("%s: %s#%d %q applies: %v, fails: %q\n", e.Layers[i].Layer, v.Policy.Name, v.Statement, e.Statement(v).Sid, v.Applies, v.Failed)
			if c := v.Condition; c != nil {
				fmt.Println(" ", c.Operator, c.Key, "expects", c.Expected, "and sees", c.Seen)
			}
		}
	}
	for _, c := range e.Changes {
		fmt.Printf("%s: %s\n", c.Side, c.Kind)
		if c.Kind == policy.AddStatement {
			fmt.Println(" ", c.Text)
		}
	}
	// Output:
	// DENY-E
	// identity: Guard#0 "" applies: true, fails: ""
	// identity: Guard#1 "NoBuckets" applies: true, fails: ""
	// resource: shared#0 "Office" applies: false, fails: "Condition"
	//   IpAddress aws:SourceIp expects [192.0.2.0/24] and sees [203.0.113.9]
	// caller's account: remove statement
	// resource's account: add statement
	//   {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222222222222:user/bob"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::shared/plan.pdf"]}
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
