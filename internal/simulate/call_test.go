package simulate_test

import (
	"slices"
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

// part is one action of a call on some resources, with keys that it alone has.
type part struct {
	Action    string
	Resources []string // none: "*"
	Context   []policy.Entry
	Policy    *policy.Attached // of the resources
}

// checks are those of the part, by the caller of in.
func (p part) checks(in *simulate.Input) []*simulate.Input {
	var list []*simulate.Input
	for _, resource := range p.Resources {
		one := *in
		one.Actions, one.Resources, one.Context = []string{p.Action}, []string{resource}, p.Context
		if p.Policy != nil {
			one.ResourcePolicy = p.Policy
		}
		list = append(list, &one)
	}
	if len(p.Resources) == 0 {
		return part{p.Action, []string{"*"}, p.Context, p.Policy}.checks(in)
	}
	return list
}

// call is an operation whose context is that of the whole call, and what it needs besides.
type call struct {
	part
	With    []part
	PerItem bool
}

func (c call) of(in *simulate.Input) *simulate.Call {
	operation := c.part
	operation.Context = nil
	out := &simulate.Call{Checks: operation.checks(in), Context: simulate.Overlay(in.Context, c.Context...), PerItem: c.PerItem}
	for i := range c.With {
		out.Checks = append(out.Checks, c.With[i].checks(in)...)
	}
	return out
}

// The calls of docs/spec/evaluation.md 13, "Calls with several checks".
func TestCalls(t *testing.T) {
	t.Parallel()
	const everything = `"Action":"*","Resource":"*"`
	trusts := func(actions, condition string) string {
		return `{"Version":"2012-10-17","Statement":[` + `{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRole"}` + actions + condition + `]}`
	}
	tagging := `,{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:TagSession"`
	run := func(keys ...policy.Entry) call {
		return call{part: part{Action: "ec2:RunInstances", Resources: launched, Context: keys}}
	}
	assume := func(with ...part) call {
		return call{part: part{Action: "sts:AssumeRole", Resources: []string{role}}, With: with}
	}
	tagSession := func(keys ...string) part {
		return part{Action: "sts:TagSession", Resources: []string{role}, Context: []policy.Entry{entry("aws:TagKeys", keys...)}}
	}
	tests := []struct {
		name, caller, identity, trust string
		owner                         string
		call                          call
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
		{name: "M04", identity: allow(`"Action":"ec2:RunInstances","Resource":"*"`), call: func() call {
			c := run()
			c.With = []part{{Action: "iam:PassRole", Resources: []string{role}, Context: []policy.Entry{entry("iam:PassedToService", "ec2.amazonaws.com")}}}
			return c
		}(), denied: "iam:PassRole " + role, layer: policy.LayerIdentity},
		{name: "M05", identity: allow(`"Action":"ec2:RunInstances","Resource":"*"`), call: func() call {
			c := run()
			c.With = []part{{Action: "ec2:CreateTags", Resources: []string{inEC2 + "instance/*"}, Context: []policy.Entry{entry("aws:RequestTag/team", "x"), entry("aws:TagKeys", "team")}}}
			return c
		}(), denied: "ec2:CreateTags " + inEC2 + "instance/*", layer: policy.LayerIdentity},
		{name: "M06", trust: trusts("", ""), call: assume(tagSession("team")), denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M07", trust: trusts(tagging, `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`), call: assume(tagSession("team")), effect: policy.Allow},
		{name: "M08", trust: trusts(tagging, `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`), call: assume(tagSession("team", "cost")),
			denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M09", trust: trusts("", ""), call: assume(part{Action: "sts:TagSession", Resources: []string{role}, Context: []policy.Entry{entry("aws:ResourceTag/team", "red")}}),
			denied: "sts:TagSession " + role, layer: policy.LayerTrust},
		{name: "M10", identity: allow(`"Action":"sts:AssumeRole","Resource":"*"`), trust: trusts(`,{"Effect":"Allow","Principal":{"AWS":"`+alice+`"},"Action":"sts:SetSourceIdentity"}`, ""),
			owner: "222222222222", call: assume(part{Action: "sts:SetSourceIdentity", Resources: []string{role}}), denied: "sts:SetSourceIdentity " + role, layer: policy.LayerIdentity},
		{name: "M11", identity: allow(`"Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/PB1"}}`),
			call:   call{part: part{Action: "iam:CreateUser", Resources: []string{"arn:aws:iam::111111111111:user/bob"}, Context: []policy.Entry{entry("iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/PB2")}}},
			denied: "iam:CreateUser arn:aws:iam::111111111111:user/bob", layer: policy.LayerIdentity},
		{name: "M11, the right boundary", identity: allow(`"Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/PB1"}}`),
			call:   call{part: part{Action: "iam:CreateUser", Resources: []string{"arn:aws:iam::111111111111:user/bob"}, Context: []policy.Entry{entry("iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/PB1")}}},
			effect: policy.Allow},
		{name: "M12", identity: allow(`"Action":"s3:DeleteObject","Resource":"arn:aws:s3:::b/k1"`),
			call:   call{part: part{Action: "s3:DeleteObject", Resources: []string{"arn:aws:s3:::b/k1", "arn:aws:s3:::b/k2"}}, PerItem: true},
			effect: policy.Allow, denied: "s3:DeleteObject arn:aws:s3:::b/k2", layer: policy.LayerIdentity},
		{name: "M13", identity: allow(`"Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"`),
			call: call{part: part{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::b/k"}}, With: []part{{
				Action: "kms:Decrypt", Resources: []string{"arn:aws:kms:us-east-1:111111111111:key/k1"}, Context: []policy.Entry{entry("aws:ViaAWSService", "true")},
				Policy: load(t, "key", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"kms:*","Resource":"*"}}`, policy.Resource),
			}}}, denied: "kms:Decrypt arn:aws:kms:us-east-1:111111111111:key/k1", layer: policy.LayerResource},
		{name: "M14", caller: "arn:aws:sts::111111111111:federated-user/bob", identity: allow(everything),
			call: call{part: part{Action: "iam:ListUsers"}}, denied: "iam:ListUsers *", refusal: "The security token included in the request is invalid"},
		{name: "M15", identity: allow(`"Action":"iam:*","Resource":"*"`),
			call:   call{part: part{Action: "iam:DetachRolePolicy", Resources: []string{"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/x"}}},
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
			got, err := simulate.RunCall(tt.call.of(in))
			if err != nil {
				t.Fatal(err)
			}
			denied, layer, refusal := "", policy.LayerNone, ""
			if i := slices.IndexFunc(got.Checks, func(c simulate.Check) bool { return c.Decision.Effect != policy.Allow }); i >= 0 {
				d := &got.Checks[i]
				denied, layer, refusal = d.Action+" "+d.Resource, d.Decision.Layer, d.Refusal
				if decides := got.Decides == i; decides != (tt.effect != policy.Allow) {
					t.Errorf("check %d decides, %d denies", got.Decides, i)
				}
			}
			if d := got.Checks[got.Decides].Decision.Effect; d != got.Effect {
				t.Errorf("the call is %s, check %d that decides %s", got.Effect, got.Decides, d)
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
	in := everything(t)
	tests := []struct {
		call  call
		wrong string
	}{
		{call{part: part{Action: "ec2:RunInstances", Resources: launched[:1]}}, "a call of ec2:RunInstances has a resource of the type image"},
		{call{part: part{Action: "ec2:RunInstances", Resources: launched[:1]}, With: []part{{Action: "ec2:CreateTags", Resources: launched}}}, "a call of ec2:RunInstances has a resource of the type image"},
		{call{part: part{Action: "s3:DeleteObject", Resources: make([]string, simulate.MaxChecks+1)}, PerItem: true}, "too large: a call with 1001 checks, at most 1000"},
	}
	for _, tt := range tests {
		if got, err := simulate.RunCall(tt.call.of(in)); err == nil || !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: got %+v, %v, want an error with %q", tt.call.Action, got, err, tt.wrong)
		}
	}
	// A type that was added stands in the place of the only one that AWS's part requires.
	for action, resource := range map[string]string{
		"iam:GetUser": "arn:aws:iam::111111111111:root",
		"elasticloadbalancing:DeleteLoadBalancer": "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/app/a/0123456789abcdef",
	} {
		c := call{part: part{Action: action, Resources: []string{resource}}}
		if got, err := simulate.RunCall(c.of(in)); err != nil || got.Effect != policy.Allow {
			t.Errorf("%s on %s: got %+v, %v", action, resource, got, err)
		}
	}
	several := *in
	several.Actions, several.Resources = []string{"s3:GetObject", "s3:PutObject"}, []string{"*"}
	for _, c := range []*simulate.Call{{}, {Checks: []*simulate.Input{in}}, {Checks: []*simulate.Input{&several}}} {
		if got, err := simulate.RunCall(c); err == nil {
			t.Errorf("%d checks: got %+v", len(c.Checks), got)
		}
	}
	// What nobody knows, and what is of another type, is no error but denied.
	for action, resource := range map[string]string{"x:Y": "arn:aws:x:::y", "iam:DeleteRole": "arn:aws:iam::111111111111:group/g", "s3:GetObjct": "arn:aws:s3:::b/k", "s3:ListAllMyBuckets": "arn:aws:s3:::b"} {
		c := call{part: part{Action: action, Resources: []string{resource}}}
		got, err := simulate.RunCall(c.of(in))
		if err != nil || got.Effect != policy.DenyImplicit || got.Checks[got.Decides].Verdict == catalog.Known {
			t.Errorf("%s on %s: got %+v, %v", action, resource, got, err)
		}
	}
}

// everything is alice, who may do everything.
func everything(t *testing.T) *simulate.Input {
	t.Helper()
	caller, err := simulate.ParseCaller(alice)
	if err != nil {
		t.Fatal(err)
	}
	in := &simulate.Input{Sets: simulate.SetsOf(caller)}
	in.Sets.Identity = policy.NewSet(load(t, "p", allow(`"Action":"*","Resource":"*"`), policy.Identity))
	return in
}

// Which check decides a call, and what the policies alone change.
func TestWhichCheckDecides(t *testing.T) {
	t.Parallel()
	deny := func(actions string) *policy.Attached {
		return load(t, "deny", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":[`+actions+`],"Resource":"*"}}`, policy.Resource)
	}
	get := func(p *policy.Attached) part {
		return part{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::b/k"}, Policy: p}
	}
	wrong := part{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::b"}} // a bucket is no object
	tests := []struct {
		name         string
		call         call
		policiesOnly bool
		effect       policy.Effect
		decides      int
	}{
		{name: "all allow", call: call{part: get(nil), With: []part{{Action: "s3:PutObject", Resources: []string{"arn:aws:s3:::c/k"}}}}, effect: policy.Allow},
		{name: "an explicit denial before an implicit one", call: call{part: wrong, With: []part{get(deny(`"s3:GetObject"`))}}, effect: policy.DenyExplicit, decides: 1},
		{name: "the first of two", call: call{part: wrong, With: []part{get(nil), wrong}}, effect: policy.DenyImplicit},
		{name: "an item does not fail the call", call: call{part: wrong, With: []part{get(nil)}, PerItem: true}, effect: policy.Allow, decides: 1},
		{name: "but what is no item does", call: call{part: wrong, With: []part{{Action: "S3:getobject", Resources: []string{"arn:aws:s3:::b"}}, {Action: "s3:PutObject", Resources: []string{"arn:aws:s3:::b"}}}, PerItem: true}, effect: policy.DenyImplicit, decides: 2},
		{name: "all items denied", call: call{part: wrong, PerItem: true}, effect: policy.Allow, decides: -1},
		{name: "by the policies alone", call: call{part: wrong, With: []part{{Action: "x:Y"}}}, policiesOnly: true, effect: policy.Allow},
		{name: "nor does it lack a resource", call: call{part: part{Action: "ec2:RunInstances", Resources: launched[:1]}}, policiesOnly: true, effect: policy.Allow},
	}
	for _, tt := range tests {
		in := everything(t)
		in.PoliciesOnly = tt.policiesOnly
		got, err := simulate.RunCall(tt.call.of(in))
		if err != nil || got.Effect != tt.effect || got.Decides != tt.decides {
			t.Errorf("%s: got %+v, %v, want %s by check %d", tt.name, got, err, tt.effect, tt.decides)
		}
	}
}

// A check has the keys of the whole call that are for its action, and its own whatever they are.
func TestKeysOfCalls(t *testing.T) {
	t.Parallel()
	x := load(t, "p", allow(`"Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}`), policy.Identity)
	prefix := func(value string) []policy.Entry { return []policy.Entry{entry("s3:prefix", value)} }
	list := func(keys []policy.Entry) part { return part{"s3:ListBucket", []string{"arn:aws:s3:::b"}, keys, nil} }
	get := func(keys []policy.Entry) part { return part{"s3:GetObject", []string{"arn:aws:s3:::b/k"}, keys, nil} } // has no s3:prefix
	for _, tt := range []struct {
		name         string
		context      []policy.Entry
		checks       []part
		policiesOnly bool
		want         string
	}{
		{"of the whole call", prefix("x"), []part{list(nil), get(nil)}, false, "allowed implicitDeny"},
		{"of one check", nil, []part{list(nil), get(prefix("x"))}, false, "implicitDeny allowed"},
		{"a check's goes before", prefix("x"), []part{list(prefix("y")), list(nil), list([]policy.Entry{entry("S3:Prefix")})}, false, "implicitDeny allowed implicitDeny"},
		{"where the policies alone decide", prefix("x"), []part{list(nil), get(nil)}, true, "allowed allowed"},
	} {
		in := everything(t)
		in.Sets.Identity, in.PoliciesOnly = policy.NewSet(x), tt.policiesOnly
		c := &simulate.Call{Context: tt.context}
		for i := range tt.checks {
			c.Checks = append(c.Checks, tt.checks[i].checks(in)...)
		}
		got, err := simulate.RunCall(c)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for i := range got.Checks {
			words = append(words, simulate.Word(got.Checks[i].Decision.Effect))
		}
		if strings.Join(words, " ") != tt.want {
			t.Errorf("%s: %q, want %s", tt.name, words, tt.want)
		}
	}
	// What the policy of the resource reads otherwise lies over the same keys.
	in := everything(t)
	in.Sets.Identity = nil
	in.ResourcePolicy = load(t, "r", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x","aws:PrincipalOrgID":"o-1"}}}}`, policy.Resource)
	check := list(nil).checks(in)[0]
	check.PolicyContext = []policy.Entry{entry("aws:PrincipalOrgID", "o-1")}
	if got, err := simulate.RunCall(&simulate.Call{Checks: []*simulate.Input{check}, Context: prefix("x")}); err != nil || got.Effect != policy.Allow {
		t.Errorf("keys of the resource's policy: %+v, %v", got, err)
	}
}
