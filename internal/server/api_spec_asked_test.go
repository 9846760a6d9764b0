package server

import (
	"encoding/json"
	"maps"

	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
)

// askedRows are the rows of docs/spec/evaluation.md 13 that are about calls of other services. Here such a service asks Authorize for each check of the call, in
// order, and goes by the answers.
var askedRows = []struct {
	id  string
	run func(*specRow)
}{
	{"M01", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow ec2:RunInstances arn:aws:ec2:*:*:instance/*", "Allow ec2:RunInstances arn:aws:ec2:*::image/*", "Allow ec2:RunInstances arn:aws:ec2:*:*:volume/*",
			"Allow ec2:RunInstances arn:aws:ec2:*:*:network-interface/*", "Allow ec2:RunInstances arn:aws:ec2:*:*:security-group/*")
		x.denies(x.runInstances(nil), notAllowedEC2+subnet+becauseRun)
	}},
	{"M02", func(x *specRow) {
		x.when("bob", "ec2:RunInstances", `"StringEquals":{"ec2:InstanceType":"t3.micro"}`)
		x.denies(x.runInstances(nil), notAllowedEC2+image+becauseRun)
	}},
	{"M03", func(x *specRow) {
		x.when("bob", "ec2:RunInstances", `"StringEqualsIfExists":{"ec2:InstanceType":"t3.micro"}`)
		x.denies(x.runInstances(nil), "")
	}},
	{"M04", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow ec2:RunInstances *")
		x.denies(x.runInstances([]askedCheck{{"iam:PassRole", arnHere + "role/app", jsonObject{"iam:PassedToService": "ec2.amazonaws.com"}}}),
			refused+"iam:PassRole on resource: "+arnHere+"role/app because no identity-based policy allows the iam:PassRole action")
	}},
	{"M05", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow ec2:RunInstances *")
		instance := "arn:aws:ec2:us-east-1:" + testAccount + ":instance/*"
		x.denies(x.runInstances([]askedCheck{{"ec2:CreateTags", instance, jsonObject{"ec2:CreateAction": "RunInstances", "aws:RequestTag/a": "1"}}}),
			refused+"ec2:CreateTags on resource: "+instance+" because no identity-based policy allows the ec2:CreateTags action")
	}},
	{"M12", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow s3:DeleteObject arn:aws:s3:::b/k1")
		for object, want := range map[string]string{ // the service reports the denial of one object beside the success of the other
			"k1": "", "k2": refused + `s3:DeleteObject on resource: "arn:aws:s3:::b/k2" because no identity-based policy allows the s3:DeleteObject action`,
		} {
			x.denies(x.checks(askedCheck{"s3:DeleteObject", "arn:aws:s3:::b/" + object, nil}), want)
		}
	}},
	{"M13", func(x *specRow) {
		const key = "arn:aws:kms:us-east-1:" + testAccount + ":key/k"
		x.policy(x.root, "bob", "p", "Allow s3:GetObject *")
		x.denies(x.checks(askedCheck{"s3:GetObject", bucketARN, nil}, askedCheck{"kms:Decrypt", key, jsonObject{"aws:ViaAWSService": "true"}}),
			refused+"kms:Decrypt on resource: "+key+" because no resource-based policy allows the kms:Decrypt action")
	}},
	{"E14", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow s3:* *")
		x.denies(x.message(jsonObject{"EndpointPolicy": `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"}}`}),
			getting+"because no VPC endpoint policy allows the s3:GetObject action")
	}},
	{"E16", func(x *specRow) {
		const key = "arn:aws:kms:us-east-1:" + testAccount + ":key/k"
		x.policy(x.root, "bob", "p", "Allow kms:* *")
		x.denies(x.message(jsonObject{"Action": "kms:Decrypt", "Resource": key}),
			refused+"kms:Decrypt on resource: "+key+" because no resource-based policy allows the kms:Decrypt action")
	}},
	{"E17", func(x *specRow) {
		x.denies(x.message(jsonObject{"Principal": jsonObject{"Anonymous": true}}),
			`User: anonymous is not authorized to perform: s3:GetObject on resource: "`+bucketARN+`" because no resource-based policy allows the s3:GetObject action`)
	}},
	{"E18", func(x *specRow) {
		x.denies(x.message(jsonObject{"Principal": jsonObject{"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Resource": arnTarget}),
			"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}},
}

const (
	refused       = "User: " + arnBob + " is not authorized to perform: "
	getting       = refused + `s3:GetObject on resource: "` + bucketARN + `" `
	notAllowedEC2 = refused + "ec2:RunInstances on resource: "
	image         = "arn:aws:ec2:us-east-1::image/ami-1"
	subnet        = "arn:aws:ec2:us-east-1:" + testAccount + ":subnet/subnet-1"
	becauseRun    = " because no identity-based policy allows the ec2:RunInstances action"
)

// askedCheck is one check of a call.
type askedCheck struct {
	action, resource string
	context          jsonObject
}

// runInstances are the checks of ec2:RunInstances, and more behind them: the first denial ends the call.
func (x *specRow) runInstances(more []askedCheck) string {
	x.Helper()
	typed := jsonObject{"ec2:InstanceType": "t3.micro"}
	const here = "arn:aws:ec2:us-east-1:" + testAccount + ":"
	all := []askedCheck{
		{"ec2:RunInstances", here + "instance/*", typed}, {"ec2:RunInstances", image, nil},
		{"ec2:RunInstances", subnet, nil}, {"ec2:RunInstances", here + "volume/*", nil}, {"ec2:RunInstances", here + "network-interface/*", nil},
		{"ec2:RunInstances", here + "security-group/sg-1", nil},
	}
	return x.checks(append(all, more...)...)
}

// checks asks in order and gives the message of the first denial, "" for none.
func (x *specRow) checks(all ...askedCheck) string {
	x.Helper()
	for _, a := range all {
		change := jsonObject{"Action": a.action, "Resource": a.resource}
		if a.context != nil {
			change["Context"] = a.context
		}
		if m := x.message(change); m != "" {
			return m
		}
	}
	return ""
}

// message asks whether bob may get an object, with other members, and gives the message of the denial.
func (x *specRow) message(change jsonObject) string {
	x.Helper()
	question := jsonObject{"Principal": jsonObject{"Arn": arnBob}, "Action": "s3:GetObject", "Resource": bucketARN, "ResourceAccount": testAccount}
	maps.Copy(question, change)
	a := x.send(x.question(x.root, jsonOf(question)))
	var out ghapi.AuthorizeResponse
	x.must(json.Unmarshal(a.body, &out))
	switch {
	case out.Decision == nil:
		x.Fatalf("%s\n%s", jsonOf(question), a.body)
	case out.Message != nil:
		return *out.Message
	}
	return ""
}

func (x *specRow) denies(got, want string) {
	x.Helper()
	if got != want {
		x.Errorf("\n got %s\nwant %s", got, want)
	}
}
