package simulate_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	alice = "arn:aws:iam::111111111111:user/alice"
	role  = "arn:aws:iam::111111111111:role/p/app"
	inEC2 = "arn:aws:ec2:us-east-1:111111111111:"
	image = "arn:aws:ec2:us-east-1::image/ami-1"
)

var launched = []string{inEC2 + "instance/*", inEC2 + "subnet/subnet-1", image, inEC2 + "volume/*", inEC2 + "network-interface/*", inEC2 + "security-group/sg-1"}

func load(t *testing.T, name, text string, kind policy.Kind) *policy.Attached {
	t.Helper()
	a, err := simulate.LoadPolicy(name, text, kind)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	return a
}

// allow is a document with statements that are given as JSON without Effect.
func allow(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + strings.Join(statements, `},{"Effect":"Allow",`) + `}]}`
}

func entry(key string, values ...string) policy.Entry {
	return policy.Entry{Key: key, Values: values, Multi: len(values) > 1 || key == "aws:TagKeys"}
}

// The calls of docs/spec/evaluation.md 13, "Calls with several checks".
func TestCalls(t *testing.T) {
	t.Parallel()
	const everything = `"Action":"*","Resource":"*"`
	trusts := func(actions, condition string) string {
		return `{"Version":"2012-10-17","Statement":[` + `{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRole"}` + actions + condition + `]}`
	}
	tagging := `,{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:TagSession"`
	run := func(keys ...policy.Entry) simulate.Call {
		return simulate.Call{Part: simulate.Part{Action: "ec2:RunInstances", Resources: launched, Context: keys}}
	}
	assume := func(with ...simulate.Part) simulate.Call {
		return simulate.Call{Part: simulate.Part{Action: "sts:AssumeRole", Resources: []string{role}}, With: with}
	}
	tagSession := func(keys ...string) simulate.Part {
		return simulate.Part{Action: "sts:TagSession", Resources: []string{role}, Context: []policy.Entry{entry("aws:TagKeys", keys...)}}
	}
	tests := []struct {
		name, caller, identity, trust string
		owner                         string
		call                          simulate.Call
		effect                        policy.Effect
		denied                        string // action and resource of the first check that was denied; "" if none
		layer                         policy.Layer
		refusal                       string
	}{
		{name: "M01", identity: allow(`"Action":"ec2:RunInstances","NotResource":"arn:aws:ec2:*:*:subnet/*"`), call: run(),
			denied: "ec2:RunInstances " + inEC2 + "subnet/subnet-1", layer: policy.LayerIdentity},
		{name: "M02", identity: allow(`"Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"t3.micro"}}`),
			call: run(entry("ec2:InstanceType", "t3.micro")), denied: "ec2:RunInstances " + inEC2 + "subnet/subnet-1", layer: policy.LayerIdentity},
		{name: "M03", identity: allow(`"Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEqualsIfExists":{"ec2:InstanceType":"t3.micro"}}`),
			call: run(entry("ec2:InstanceType", "t3.micro")), effect: policy.Allow},
		{name: "M03, another type of instance", identity: allow(`"Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEqualsIfExists":{"ec2:InstanceType":"t3.micro"}}`),
			call: run(entry("ec2:InstanceType", "x1e.32xlarge")), denied: "ec2:RunInstances " + inEC2 + "instance/*", layer: policy.LayerIdentity},
		{name: "M04", identity: allow(`"Action":"ec2:RunInstances","Resource":"*"`), call: func() simulate.Call {
			c := run()
			c.With = []simulate.Part{{Action: "iam:PassRole", Resources: []string{role}, Context: []policy.Entry{entry("iam:PassedToService", "ec2.amazonaws.com")}}}
			return c
		}(), denied: "iam:PassRole " + role, layer: policy.LayerIdentity},
		{name: "M05", identity: allow(`"Action":"ec2:RunInstances","Resource":"*"`), call: func() simulate.Call {
			c := run()
			c.With = []simulate.Part{{Action: "ec2:CreateTags", Resources: []string{inEC2 + "instance/*"}, Context: []policy.Entry{entry("aws:RequestTag/team", "x"), entry("aws:TagKeys", "team")}}}
			return c
		}(), denied: "ec2:CreateTags " + inEC2 + "instance/*", layer: policy.LayerIdentity},
		{name: "M06", trust: trusts("", ""), call: assume(tagSession("team")), denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M07", trust: trusts(tagging, `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`), call: assume(tagSession("team")), effect: policy.Allow},
		{name: "M08", trust: trusts(tagging, `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`), call: assume(tagSession("team", "cost")),
			denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M09", trust: trusts("", ""), call: assume(simulate.Part{Action: "sts:TagSession", Resources: []string{role}, Context: []policy.Entry{entry("aws:ResourceTag/team", "red")}}),
			denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M10", identity: allow(`"Action":"sts:AssumeRole","Resource":"*"`), trust: trusts(`,{"Effect":"Allow","Principal":{"AWS":"`+alice+`"},"Action":"sts:SetSourceIdentity"}`, ""),
			owner: "222222222222", call: assume(simulate.Part{Action: "sts:SetSourceIdentity", Resources: []string{role}}), denied: "sts:SetSourceIdentity " + role, layer: policy.LayerIdentity},
		{name: "M11", identity: allow(`"Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/PB1"}}`),
			call:   simulate.Call{Part: simulate.Part{Action: "iam:CreateUser", Resources: []string{"arn:aws:iam::111111111111:user/bob"}, Context: []policy.Entry{entry("iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/PB2")}}},
			denied: "iam:CreateUser arn:aws:iam::111111111111:user/bob", layer: policy.LayerIdentity},
		{name: "M11, the right boundary", identity: allow(`"Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/PB1"}}`),
			call:   simulate.Call{Part: simulate.Part{Action: "iam:CreateUser", Resources: []string{"arn:aws:iam::111111111111:user/bob"}, Context: []policy.Entry{entry("iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/PB1")}}},
			effect: policy.Allow},
		{name: "M12", identity: allow(`"Action":"s3:DeleteObject","Resource":"arn:aws:s3:::b/k1"`),
			call:   simulate.Call{Part: simulate.Part{Action: "s3:DeleteObject", Resources: []string{"arn:aws:s3:::b/k1", "arn:aws:s3:::b/k2"}}, PerItem: true},
			effect: policy.Allow, denied: "s3:DeleteObject arn:aws:s3:::b/k2", layer: policy.LayerIdentity},
		{name: "M13", identity: allow(`"Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"`),
			call: simulate.Call{Part: simulate.Part{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::b/k"}}, With: []simulate.Part{{
				Action: "kms:Decrypt", Resources: []string{"arn:aws:kms:us-east-1:111111111111:key/k1"}, Context: []policy.Entry{entry("aws:ViaAWSService", "true")},
				ResourcePolicy: load(t, "key", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"kms:*","Resource":"*"}}`, policy.Resource),
			}}}, denied: "kms:Decrypt arn:aws:kms:us-east-1:111111111111:key/k1", layer: policy.LayerResource},
		{name: "M14", caller: "arn:aws:sts::111111111111:federated-user/bob", identity: allow(everything),
			call: simulate.Call{Part: simulate.Part{Action: "iam:ListUsers"}}, denied: "iam:ListUsers *", refusal: "The security token included in the request is invalid"},
		{name: "M15", identity: allow(`"Action":"iam:*","Resource":"*"`),
			call:   simulate.Call{Part: simulate.Part{Action: "iam:DetachRolePolicy", Resources: []string{"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/x"}}},
			denied: "iam:DetachRolePolicy arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/x", refusal: "reserved"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.caller == "" {
				tt.caller = alice
			}
			caller, err := simulate.ParseCaller(tt.caller)
			if err != nil {
				t.Fatal(err)
			}
			in := &simulate.Input{Sets: simulate.SetsOf(caller), Owner: tt.owner, Context: simulate.CallerKeys(&caller, nil)}
			if tt.identity != "" {
				in.Sets.Identity = policy.NewSet(load(t, "p", tt.identity, policy.Identity))
			}
			if tt.trust != "" {
				in.Trust = load(t, "trust", tt.trust, policy.Trust)
			}
			tt.call.Input = in
			got, err := simulate.RunCall(&tt.call)
			if err != nil {
				t.Fatal(err)
			}
			denied, layer, refusal := "", policy.LayerNone, ""
			if d := got.Denied; d != nil {
				denied, layer, refusal = d.Action+" "+d.Resource, d.Decision.Layer, d.Refusal
			}
			if got.Effect != tt.effect || denied != tt.denied || layer != tt.layer || !strings.Contains(refusal, tt.refusal) || (refusal == "") != (tt.refusal == "") {
				t.Errorf("got %s, denied %q by %s (%q); want %s, %q by %s (%q)", got.Effect, denied, layer, refusal, tt.effect, tt.denied, tt.layer, tt.refusal)
			}
			for _, c := range got.Checks {
				if c.Verdict != catalog.Known {
					t.Errorf("%s on %s: %s", c.Action, c.Resource, c.Verdict)
				}
			}
		})
	}
}

func TestCallsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	caller, err := simulate.ParseCaller(alice)
	if err != nil {
		t.Fatal(err)
	}
	in := &simulate.Input{Sets: simulate.SetsOf(caller)}
	in.Sets.Identity = policy.NewSet(load(t, "p", allow(`"Action":"*","Resource":"*"`), policy.Identity))
	tests := []struct {
		call  simulate.Call
		wrong string
	}{
		{simulate.Call{Part: simulate.Part{Action: "ec2:RunInstances", Resources: launched[:1]}}, "a call of ec2:RunInstances has a resource of the type image"},
		{simulate.Call{Part: simulate.Part{Action: "sts:AssumeRole"}}, "a call of sts:AssumeRole has a resource of the type role"},
		{simulate.Call{Part: simulate.Part{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::b/k"}}, With: []simulate.Part{{Action: "iam:PassRole", Resources: []string{role}}}}, "iam:PassRole is no part of a call of s3:GetObject"},
		{simulate.Call{Part: simulate.Part{Action: "x:Y"}, With: []simulate.Part{{Action: "iam:PassRole"}}}, "iam:PassRole is no part of a call of x:Y"},
		{simulate.Call{Part: simulate.Part{Action: "s3:DeleteObject", Resources: make([]string, simulate.MaxChecks+1)}, PerItem: true}, "too large"},
	}
	for _, tt := range tests {
		tt.call.Input = in
		if got, err := simulate.RunCall(&tt.call); err == nil || !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: got %+v, %v, want an error with %q", tt.call.Action, got, err, tt.wrong)
		}
	}
	// What nobody knows, and what is of another type, is no error but denied.
	for action, resource := range map[string]string{"x:Y": "arn:aws:x:::y", "iam:DeleteRole": "arn:aws:iam::111111111111:group/g", "s3:GetObjct": "arn:aws:s3:::b/k", "s3:ListAllMyBuckets": "arn:aws:s3:::b"} {
		got, err := simulate.RunCall(&simulate.Call{Input: in, Part: simulate.Part{Action: action, Resources: []string{resource}}})
		if err != nil || got.Effect != policy.DenyImplicit || got.Denied.Verdict == catalog.Known {
			t.Errorf("%s on %s: got %+v, %v", action, resource, got, err)
		}
	}
}
