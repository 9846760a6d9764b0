package simulate_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestPositions is docs/spec/evaluation.md 11.3; the first case is recorded.
func TestPositions(t *testing.T) {
	t.Parallel()
	const one = `"Effect":"Allow","Action":"*","Resource":"*"`
	tests := []struct{ name, text, want string }{
		{"recorded", `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`, "1:41-1:113"},
		{"a lone object", `{"Statement":{` + one + `}}`, "1:15-1:60"},
		{"an array, from its bracket", `{"Statement":[{` + one + `}]}`, "1:15-1:61"},
		{"later elements, from the one before", `{"Statement":[{` + one + `} , {` + one + `}]}`, "1:15-1:61 1:61-1:110"},
		{"lines", "{\n\"Statement\": [\n  {" + one + "},\n\n  {\n" + one + "\n}\n]}", "2:15-3:49 3:49-7:2"},
		{"a carriage return is a column", "{\"Statement\":[\r\n{" + one + "}]}", "1:15-2:47"},
		{"characters of two units", `{"Id":"𝄞é","Statement":{` + one + `}}`, "1:26-1:71"},
		{"in a statement", `{"Statement":{"Condition":{"Null":{"x:é𝄞":"true"}},` + one + `}}`, "1:15-1:98"},
	}
	for _, tt := range tests {
		d, err := policy.Decode(tt.text, policy.Identity)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		compiled, err := policy.Compile(d)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		caller, err := simulate.ParseCaller(alice)
		if err != nil {
			t.Fatal(err)
		}
		in := &simulate.Input{Sets: simulate.SetsOf(caller), Actions: []string{"s3:PutObject"}}
		in.Sets.Identity = policy.NewSet(&policy.Attached{Policy: compiled, Name: "p"})
		results, err := simulate.Run(in)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		var got []string
		for _, m := range results[0].Matched {
			got = append(got, fmt.Sprintf("%d:%d-%d:%d", m.Start.Line, m.Start.Column, m.End.Line, m.End.Column))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s\n%s", tt.name, s, tt.want, tt.text)
		}
	}
}

func TestSourceID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a    policy.Attached
		want string
	}{
		{policy.Attached{Name: "PolicyInputList.1"}, "PolicyInputList.1"},
		{policy.Attached{Name: "pol", ARN: "arn:aws:iam::111111111111:policy/p/pol"}, "pol"},
		{policy.Attached{ARN: "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"}, "AWSLambdaRole"},
		{policy.Attached{Name: "p", Owner: alice}, "user_alice_p"},
		{policy.Attached{Name: "p", Owner: "arn:aws:iam::111111111111:group/x/y/crew"}, "group_crew_p"},
		{policy.Attached{Name: "p", Owner: role}, "role_app_p"},
		{policy.Attached{Name: "p", Owner: "?"}, "p"},
		{policy.Attached{}, ""},
	}
	for _, tt := range tests {
		if got := simulate.SourceID(&tt.a); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.a, got, tt.want)
		}
	}
}

func TestParseCaller(t *testing.T) {
	t.Parallel()
	const a = "111111111111"
	tests := []struct {
		text string
		kind policy.CallerKind // 0 = refused
		arn  string
		keys string
	}{
		{"111111111111", policy.RootCaller, "arn:aws:iam::" + a + ":root", "aws:PrincipalArn=arn:aws:iam::" + a + ":root aws:PrincipalType=Account aws:userid=" + a + " aws:PrincipalAccount=" + a},
		{"arn:aws:iam::" + a + ":root", policy.RootCaller, "arn:aws:iam::" + a + ":root", "aws:PrincipalArn=arn:aws:iam::" + a + ":root aws:PrincipalType=Account aws:userid=" + a + " aws:PrincipalAccount=" + a},
		{"arn:aws:iam::" + a + ":user/x/bob", policy.UserCaller, "arn:aws:iam::" + a + ":user/x/bob", "aws:PrincipalArn=arn:aws:iam::" + a + ":user/x/bob aws:PrincipalType=User aws:username=bob aws:PrincipalAccount=" + a},
		{"arn:aws:iam::" + a + ":role/x/r", policy.RoleCaller, "arn:aws:iam::" + a + ":role/x/r", "aws:PrincipalArn=arn:aws:iam::" + a + ":role/x/r aws:PrincipalType=AssumedRole aws:PrincipalAccount=" + a},
		{"arn:aws:sts::" + a + ":assumed-role/r/s", policy.RoleCaller, "arn:aws:iam::" + a + ":role/r", "aws:PrincipalArn=arn:aws:iam::" + a + ":role/r aws:PrincipalType=AssumedRole aws:PrincipalAccount=" + a},
		{"arn:aws:sts::" + a + ":federated-user/f", policy.FederatedCaller, "", "aws:PrincipalArn=arn:aws:sts::" + a + ":federated-user/f aws:PrincipalType=FederatedUser aws:userid=" + a + ":f aws:PrincipalAccount=" + a},
		{"ec2.amazonaws.com", policy.ServiceCaller, "", "aws:PrincipalType=Service aws:userid=ec2.amazonaws.com"},
		{"accounts.google.com", policy.ProviderCaller, "", ""},
		{"cognito-identity.amazonaws.com", policy.ProviderCaller, "", ""},
		{"arn:aws:iam::" + a + ":oidc-provider/x.example/y", policy.ProviderCaller, "", ""},
		{"anonymous", policy.AnonymousCaller, "", "aws:PrincipalAccount=anonymous aws:PrincipalType=Anonymous aws:userid=anonymous"},
		{text: ""}, {text: "*"}, {text: "bob"}, {text: "11111111111"}, {text: "arn:aws:iam::" + a + ":group/g"}, {text: "arn:aws:iam::" + a + ":user/"},
		{text: "arn:aws:iam::" + a + ":user/*"}, {text: "arn:aws:iam:us-east-1:" + a + ":user/b"}, {text: "arn:aws:iam::aws:user/b"}, {text: "arn:aws:iam::" + a + ":root/x"},
		{text: "arn:aws:sts::" + a + ":assumed-role/r"}, {text: "arn:aws:sts::" + a + ":assumed-role/r/s/t"}, {text: "arn:aws:sts::" + a + ":assumed-role//s"},
		{text: "arn:aws:sts::" + a + ":federated-user/"}, {text: "arn:aws:sts::" + a + ":user/b"}, {text: "arn:aws:iam::" + a + ":saml-provider/"}, {text: "*.amazonaws.com"},
		{text: "arn:aws:s3:::b"}, {text: strings.Repeat("a", 1<<16)},
	}
	for _, tt := range tests {
		c, err := simulate.ParseCaller(tt.text)
		var keys []string
		if err == nil {
			for _, e := range simulate.CallerKeys(&c, nil) {
				keys = append(keys, e.Key+"="+e.Values[0])
			}
		}
		if (err == nil) != (tt.kind != 0) || c.Kind != tt.kind || c.ARN != tt.arn || strings.Join(keys, " ") != tt.keys {
			t.Errorf("%.100q: got %+v, %.200v, keys %q", tt.text, c, err, keys)
		}
	}
	bob := policy.Caller{Kind: policy.RoleCaller, Account: a, ID: "AROA1", ARN: "arn:aws:iam::" + a + ":role/r", Session: "arn:aws:sts::" + a + ":assumed-role/r/s"}
	keys := simulate.CallerKeys(&bob, map[string]string{"b": "2", "a": "1"})
	var got []string
	for _, e := range keys {
		got = append(got, e.Key+"="+e.Values[0])
	}
	if s := strings.Join(got, " "); !strings.HasSuffix(s, "aws:userid=AROA1:s aws:PrincipalAccount="+a+" aws:PrincipalTag/a=1 aws:PrincipalTag/b=2") {
		t.Errorf("got %s", s)
	}
}

// TestResults is what a result says beside its decision, docs/spec/evaluation.md 11.2.
func TestResults(t *testing.T) {
	t.Parallel()
	const b = "222222222222"
	full := `"Action":"*","Resource":"*"`
	bucket := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`
	type want struct {
		effect                 policy.Effect
		resource               string
		matched                string
		missing                string
		organization, boundary string
		details                string
	}
	tests := []struct {
		name                            string
		identity, boundary, scp, bucket string
		owner                           string
		resources                       []string
		action                          string
		want                            want
	}{
		{name: "nothing", want: want{effect: policy.DenyImplicit, resource: "*", organization: "none", boundary: "none", details: "absent"}},
		{name: "of one account", identity: allow(full), resources: []string{"arn:aws:s3:::b/k"},
			want: want{effect: policy.Allow, resource: "arn:aws:s3:::b/k", matched: "identity", organization: "none", boundary: "none", details: "map[]"}},
		{name: "of two accounts", identity: allow(full), bucket: bucket, owner: b, boundary: allow(full), resources: []string{"arn:aws:s3:::b/k"},
			want: want{effect: policy.Allow, resource: "arn:aws:s3:::b/k", matched: "identity,resource", organization: "none", boundary: "true",
				details: "map[IAM Policy:ALLOW Permissions Boundary Policy:ALLOW Resource Policy:ALLOW]"}},
		{name: "of two accounts, the other one silent", identity: allow(full), owner: b, resources: []string{"arn:aws:s3:::b/k"},
			want: want{effect: policy.DenyImplicit, resource: "arn:aws:s3:::b/k", organization: "none", boundary: "none", details: "map[IAM Policy:ALLOW Resource Policy:DENY-I]"}},
		{name: "an SCP that is silent", identity: allow(full), scp: allow(`"Action":"ec2:*","Resource":"*"`), resources: []string{"arn:aws:s3:::b/k"},
			want: want{effect: policy.DenyImplicit, resource: "arn:aws:s3:::b/k", organization: "false", boundary: "none", details: "absent"}},
		{name: "an SCP that denies", identity: allow(full), scp: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}]}`,
			want: want{effect: policy.DenyExplicit, resource: "*", matched: "SCP", organization: "false", boundary: "none", details: "absent"}},
		{name: "an SCP that allows beside a denial", scp: allow(full), want: want{effect: policy.DenyImplicit, resource: "*", organization: "true", boundary: "none", details: "absent"}},
		{name: "a boundary that is silent", identity: allow(full), boundary: allow(`"Action":"ec2:*","Resource":"*"`),
			want: want{effect: policy.DenyImplicit, resource: "*", organization: "none", boundary: "false", details: "absent"}},
		{name: "several resources of a type", identity: allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/*"`), resources: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::c/k"},
			want: want{effect: policy.DenyImplicit, resource: "arn:${Partition}:s3:::${BucketName}/${ObjectName}", organization: "none", boundary: "none", details: "map[]"}},
		{name: "several resources of several types", identity: allow(full), action: "ec2:RunInstances", resources: launched,
			want: want{effect: policy.Allow, resource: "*", matched: "identity", organization: "none", boundary: "none", details: "map[]"}},
		{name: "missing keys", identity: allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/${aws:PrincipalTag/team}","Condition":{"Bool":{"aws:SecureTransport":"true"}}`,
			`"Action":"ec2:*","Resource":"*","Condition":{"Null":{"ec2:Region":"true"}}`),
			want: want{effect: policy.DenyImplicit, resource: "*", missing: "aws:PrincipalTag/team,aws:SecureTransport", organization: "none", boundary: "none", details: "absent"}},
		{name: "missing keys of a resource", identity: allow(`"Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}`), resources: []string{"arn:aws:s3:::b/k"},
			want: want{effect: policy.DenyImplicit, resource: "arn:aws:s3:::b/k", organization: "none", boundary: "none", details: "map[]"}},
	}
	for _, tt := range tests {
		caller, err := simulate.ParseCaller(alice)
		if err != nil {
			t.Fatal(err)
		}
		in := &simulate.Input{Sets: simulate.SetsOf(caller), Actions: []string{"s3:GetObject"}, Resources: tt.resources, Owner: tt.owner, Context: simulate.CallerKeys(&caller, nil)}
		if tt.action != "" {
			in.Actions[0] = tt.action
		}
		if tt.identity != "" {
			in.Sets.Identity = policy.NewSet(load(t, "p", tt.identity, policy.Identity))
		}
		if tt.boundary != "" {
			in.Sets.Boundary = policy.NewSet(load(t, "b", tt.boundary, policy.Boundary))
		}
		if tt.scp != "" {
			in.Sets.SCP = []*policy.Set{policy.NewSet(load(t, "scp", tt.scp, policy.SCP))}
		}
		if tt.bucket != "" {
			in.ResourcePolicy = load(t, "ResourcePolicy", tt.bucket, policy.Resource)
		}
		results, err := simulate.Run(in)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		r := results[0]
		var layers []string
		for _, m := range r.Matched {
			layers = append(layers, m.Layer.String())
		}
		flag := func(b *bool) string {
			if b == nil {
				return "none"
			}
			return fmt.Sprint(*b)
		}
		details := "absent"
		if r.Details != nil {
			details = fmt.Sprint(maps.Collect(maps.All(r.Details)))
		}
		got := want{r.Effect, r.Resource, strings.Join(layers, ","), strings.Join(r.Missing, ","), flag(r.AllowedByOrganization), flag(r.AllowedByBoundary), details}
		if got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestBucketForObjects is the recorded answer about s3:PutObject on a bucket, which is no resource of that action.
func TestBucketForObjects(t *testing.T) {
	t.Parallel()
	caller, err := simulate.ParseCaller(alice)
	if err != nil {
		t.Fatal(err)
	}
	in := &simulate.Input{Sets: simulate.SetsOf(caller)}
	in.Sets.Identity = policy.NewSet(load(t, "p", allow(`"Action":"*","Resource":"*"`), policy.Identity))
	for _, tt := range []struct {
		action, resource string
		strict, like     policy.Effect
	}{
		{"s3:PutObject", "arn:aws:s3:::b", policy.DenyImplicit, policy.Allow},
		{"s3:PutObject", "arn:aws:s3:::b/k", policy.Allow, policy.Allow},
		{"s3:ListBucket", "arn:aws:s3:::b/k", policy.DenyImplicit, policy.DenyImplicit},
		{"iam:DeleteRole", "arn:aws:iam::111111111111:group/g", policy.DenyImplicit, policy.DenyImplicit},
		{"s3:ListAllMyBuckets", "arn:aws:s3:::b", policy.DenyImplicit, policy.DenyImplicit},
	} {
		for _, like := range []bool{false, true} {
			in.Actions, in.Resources, in.BucketForObjects = []string{tt.action}, []string{tt.resource}, like
			want := tt.strict
			if like {
				want = tt.like
			}
			if results, err := simulate.Run(in); err != nil || results[0].Effect != want {
				t.Errorf("%s on %s (a bucket for its objects: %t): got %s, %v, want %s", tt.action, tt.resource, like, results[0].Effect, err, want)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	caller, err := simulate.ParseCaller(alice)
	if err != nil {
		t.Fatal(err)
	}
	large := allow(`"Action":"*","Resource":["` + strings.Repeat(`arn:aws:s3:::b/*","`, 5000) + `*"]`)
	tests := []struct {
		name    string
		in      simulate.Input
		limited bool
	}{
		{"as many checks as may be", simulate.Input{Actions: make([]string, 10), Resources: make([]string, 100)}, false},
		{"one more", simulate.Input{Actions: make([]string, 7), Resources: make([]string, 143)}, true},
		{"no resource is one", simulate.Input{Actions: make([]string, simulate.MaxChecks+1)}, true},
		{"much text", simulate.Input{Actions: make([]string, 1000)}, true},
		{"many values", simulate.Input{Actions: make([]string, 100), Context: []policy.Entry{{Key: "a:b", Values: make([]string, 4000)}}}, true},
	}
	for _, tt := range tests {
		tt.in.Sets = simulate.SetsOf(caller)
		if strings.HasPrefix(tt.name, "m") {
			tt.in.Sets.Identity = policy.NewSet(load(t, "p", large, policy.Identity))
		}
		if _, err := simulate.Run(&tt.in); errors.Is(err, simulate.ErrLimit) != tt.limited {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
