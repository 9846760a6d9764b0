package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func load(t testing.TB, text string) *policy.Attached {
	t.Helper()
	p, err := policy.Load(text, policy.Identity)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return &policy.Attached{Policy: p, Name: "p"}
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func TestDecideFailsClosed(t *testing.T) {
	t.Parallel()
	all := load(t, allowAll)
	request := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
	sets := &policy.Sets{Identity: policy.NewSet(all), Root: true}
	if d := policy.Decide(sets, &request); d.Effect != policy.Allow {
		t.Fatalf("the frame of this test does not allow: %+v", d)
	}
	for _, action := range []string{"", "s3", ":", "s3:", ":Get", "s3:Get:Object", "s3:\xff", "s3:" + strings.Repeat("a", policy.MaxAction)} {
		r := policy.Request{Action: action, Resource: request.Resource}
		if d := policy.Decide(sets, &r); d != (policy.Decision{}) {
			t.Errorf("action %.30q: %+v, want the zero decision", action, d)
		}
	}
	for _, resource := range []string{"", "arn:aws:s3:::\xff", "arn:aws:s3:::" + strings.Repeat("a", policy.MaxResource)} {
		r := policy.Request{Action: request.Action, Resource: resource}
		if d := policy.Decide(sets, &r); d != (policy.Decision{}) {
			t.Errorf("resource %.30q: %+v, want the zero decision", resource, d)
		}
	}
	everyone := principalPolicy(t, policy.Resource, "Allow", &policy.Principal{Any: true})
	for _, list := range [][]*policy.Attached{{nil}, {all, nil}, {all, {Name: "unreadable"}}, {{}, all}, {all, everyone}} {
		for _, s := range []policy.Sets{{Identity: policy.NewSet(list...), Root: true}, {Session: policy.NewSet(list...), Root: true}} {
			if d := policy.Decide(&s, &request); d != (policy.Decision{}) {
				t.Errorf("a set with an unreadable policy: %+v, want the zero decision", d)
			}
		}
	}
	for _, unreadable := range []*policy.Attached{{}, everyone} {
		if d := policy.Decide(&policy.Sets{Boundary: policy.NewSet(unreadable), Root: true}, &request); d != (policy.Decision{}) {
			t.Errorf("an unreadable boundary: %+v, want the zero decision", d)
		}
	}
	for _, unreadable := range []*policy.Attached{{}, all} {
		r := request
		r.ResourcePolicy = unreadable
		if d := policy.Decide(sets, &r); d != (policy.Decision{}) {
			t.Errorf("an unreadable policy of the resource: %+v, want the zero decision", d)
		}
	}
	exempt, malformed := request, policy.Request{Action: "s3", Resource: "*", Exempt: true}
	exempt.Exempt = true
	unreadable := policy.Sets{Identity: policy.NewSet(nil)}
	if d := policy.Decide(&unreadable, &exempt); d != (policy.Decision{Effect: policy.Allow, Layer: policy.LayerExempt}) {
		t.Errorf("an exempt call with an unreadable policy: %+v", d) // T1 of docs/spec/evaluation.md 4.1 asks none
	}
	if d := policy.Decide(sets, &malformed); d != (policy.Decision{}) {
		t.Errorf("a malformed call that is exempt: %+v", d)
	}
	if d := policy.Decide(&policy.Sets{}, &request); d != (policy.Decision{Layer: policy.LayerIdentity}) {
		t.Errorf("no policies: %+v", d)
	}
}

// docs/spec/evaluation.md 10.3: of several sets that refuse, which one is named.
func TestCauseOrder(t *testing.T) {
	t.Parallel()
	const statement = `{"Version":"2012-10-17","Statement":{"Effect":%q,"Action":%q,"Resource":"*"}}`
	caller := callers()["SESSION"]
	set := func(says string) *policy.Attached {
		switch says {
		case "deny":
			return load(t, fmt.Sprintf(statement, "Deny", "*"))
		case "allow":
			return load(t, allowAll)
		}
		return load(t, fmt.Sprintf(statement, "Allow", "y:*")) // silent
	}
	tests := []struct {
		identity, boundary, session, resource string // the resource's policy: "effect form", or "" for none
		owner                                 string
		needs                                 bool
		want                                  string
	}{
		{"deny", "deny", "deny", "Deny *", "", false, "DENY-E identity"},
		{"allow", "deny", "deny", "Deny *", "", false, "DENY-E boundary"},
		{"allow", "allow", "deny", "Deny *", "", false, "DENY-E session"},
		{"silent", "silent", "silent", "Deny *", "", false, "DENY-E trust"},
		{"silent", "silent", "silent", "", "", true, "DENY-I resource"},
		{"silent", "silent", "silent", "Allow AROAOLD", "", true, "DENY-I trust"},
		{"allow", "allow", "allow", "Allow AROAOLD", "", true, "DENY-I trust"},
		{"silent", "silent", "silent", "Allow 111111111111", "", true, "DENY-I identity"},
		{"silent", "silent", "silent", "", "", false, "DENY-I identity"},
		{"allow", "silent", "silent", "Allow 111111111111", "", true, "DENY-I boundary"},
		{"allow", "allow", "silent", "Allow 111111111111", "", true, "DENY-I session"},
		{"allow", "silent", "allow", "Allow AROAAPP", "", true, "DENY-I boundary"},
		{"silent", "allow", "silent", "Allow AROAAPP", "", true, "DENY-I identity"},
		{"silent", "allow", "allow", "Allow AROAAPP", "", true, "ALLOW trust"},
		{"allow", "allow", "allow", "Allow 111111111111", "", true, "ALLOW identity"},
		{"silent", "silent", "silent", "Allow *", "", true, "ALLOW trust"},
		{"allow", "allow", "allow", "", "222222222222", false, "DENY-I resource"},
		{"silent", "silent", "silent", "", "222222222222", false, "DENY-I resource"},
		{"silent", "allow", "allow", "Allow 111111111111", "222222222222", false, "DENY-I trust"},
		{"silent", "allow", "allow", "Allow AROAAPP", "222222222222", false, "DENY-I identity"},
		{"silent", "silent", "allow", "Allow *", "222222222222", false, "DENY-I identity"},
		{"allow", "silent", "silent", "Allow *", "222222222222", false, "DENY-I boundary"},
		{"allow", "allow", "silent", "Allow 111111111111", "222222222222", false, "DENY-I session"},
		{"allow", "allow", "allow", "Allow 111111111111", "222222222222", false, "ALLOW identity"},
		{"allow", "allow", "allow", "Allow 111111111111", "111111111111", false, "ALLOW identity"},
	}
	for _, tt := range tests {
		s := policy.Sets{Caller: caller, Identity: policy.NewSet(set(tt.identity)), Boundary: policy.NewSet(set(tt.boundary)), Session: policy.NewSet(set(tt.session))}
		r := policy.Request{Action: "x:Do", Resource: "arn:aws:x:::r", Owner: tt.owner, NeedsResourcePolicy: tt.needs}
		if effect, name, ok := strings.Cut(tt.resource, " "); ok {
			r.ResourcePolicy = principalPolicy(t, policy.Trust, effect, listed("AWS", name))
		}
		d := policy.Decide(&s, &r)
		if got := d.Effect.String() + " " + d.Layer.String(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
		if (d.Policy == nil) != (d.Effect == policy.DenyImplicit) {
			t.Errorf("%+v: the deciding policy is %v", tt, d.Policy)
		}
	}
}

// The root user needs no identity policy, but obeys what denies, and what its resource asks for.
func TestRoot(t *testing.T) {
	t.Parallel()
	root := policy.Sets{Caller: callers()["ROOT"], Root: true}
	r := policy.Request{Action: "x:Do", Resource: "arn:aws:x:::r"}
	if d := policy.Decide(&root, &r); d != (policy.Decision{Effect: policy.Allow, Layer: policy.LayerIdentity}) {
		t.Errorf("root on its own resource: %+v", d)
	}
	foreign := r
	foreign.Owner = "222222222222"
	if d := policy.Decide(&root, &foreign); d != (policy.Decision{Layer: policy.LayerResource}) {
		t.Errorf("root on another account's resource: %+v", d)
	}
	foreign.ResourcePolicy = principalPolicy(t, policy.Resource, "Allow", listed("AWS", "111111111111"))
	if d := policy.Decide(&root, &foreign); d.Effect != policy.Allow {
		t.Errorf("root on a resource that names its account: %+v", d)
	}
	limited := root
	limited.Session = policy.NewSet(load(t, `{"Statement":{"Effect":"Allow","Action":"y:*","Resource":"*"}}`))
	if d := policy.Decide(&limited, &r); d != (policy.Decision{Layer: policy.LayerSession}) {
		t.Errorf("root with a session policy: %+v", d)
	}
	r.NeedsResourcePolicy = true
	if d := policy.Decide(&root, &r); d != (policy.Decision{Layer: policy.LayerResource}) {
		t.Errorf("root on a key without policy: %+v", d)
	}
}

// Only the policy of the resource can allow a caller without an account; and what has no resource belongs to the caller's account.
func TestOwners(t *testing.T) {
	t.Parallel()
	all := policy.NewSet(load(t, allowAll))
	for name, caller := range callers() {
		r := policy.Request{Action: "x:Do", Resource: "arn:aws:x:::r"}
		sets := &policy.Sets{Caller: caller, Identity: all, Session: all}
		own := policy.Decide(sets, &r)
		r.Resource, r.Owner = "*", "222222222222"
		none := policy.Decide(sets, &r)
		want := policy.Allow
		if name == "SERVICE" || name == "FEDERATED" || name == "ANON" {
			want = policy.DenyImplicit
		}
		if own.Effect != want || none.Effect != want {
			t.Errorf("%s: %s on its own resource, %s on none, want %s", name, own.Effect, none.Effect, want)
		}
		if want == policy.DenyImplicit && own.Layer != policy.LayerResource {
			t.Errorf("%s: refused by %s", name, own.Layer)
		}
	}
}

// PolicyContext is for the policy of the resource and for no other, and stands under the same bounds.
func TestPolicyContext(t *testing.T) {
	t.Parallel()
	const condition = `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/k":"red"}}`
	identity := load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+condition+`}}`)
	p, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},`+condition+`}}`, policy.Resource)
	if err != nil {
		t.Fatal(err)
	}
	sets := policy.Sets{Caller: callers()["USER"], Identity: policy.NewSet(identity)}
	tag := func(value string) []policy.Entry {
		return []policy.Entry{{Key: "aws:ResourceTag/k", Values: []string{value}}}
	}
	for _, c := range []struct {
		name      string
		own, that []policy.Entry
		want      policy.Decision
	}{
		{"the same for both", tag("red"), nil, policy.Decision{Effect: policy.Allow, Layer: policy.LayerIdentity}},
		{"right for each", tag("red"), tag("red"), policy.Decision{Effect: policy.Allow, Layer: policy.LayerIdentity}},
		{"wrong for the policy of the resource", tag("red"), tag("blue"), policy.Decision{Layer: policy.LayerResource}},
		{"wrong for the caller's", tag("blue"), tag("red"), policy.Decision{Layer: policy.LayerIdentity}},
		{"not UTF-8", tag("red"), tag("\xff"), policy.Decision{}},
		{"too much", tag("red"), make([]policy.Entry, policy.MaxContext+1), policy.Decision{}},
	} {
		d := policy.Decide(&sets, &policy.Request{
			Action: "x:Do", Resource: "arn:aws:x:::r", Context: c.own, PolicyContext: c.that,
			ResourcePolicy: &policy.Attached{Policy: p}, NeedsResourcePolicy: true,
		})
		if d.Effect != c.want.Effect || d.Layer != c.want.Layer {
			t.Errorf("%s: %s by %s, want %s by %s", c.name, d.Effect, d.Layer, c.want.Effect, c.want.Layer)
		}
	}
}

func TestUsesContext(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		allowAll: false,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${*}","Condition":{"Bool":{}}}}`:                    false,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${k}"}}`:                                            true,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${k}"}}`:                                                                   false,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"k":"true"}}}]}`: true,
	} {
		a := load(t, text)
		if got := a.Policy.UsesContext(); got != want {
			t.Errorf("%s\n%v", text, got)
		}
		for _, s := range []policy.Sets{{Identity: policy.NewSet(nil, a)}, {Boundary: policy.NewSet(a)}, {Session: policy.NewSet(a)}} {
			if got := s.UsesContext(); got != want {
				t.Errorf("%+v of %s\n%v", s, text, got)
			}
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]policy.Decision{
		"because no identity-based policy allows the s3:GetObject action":   {Layer: policy.LayerIdentity},
		"with an explicit deny in an identity-based policy":                 {Effect: policy.DenyExplicit, Layer: policy.LayerIdentity},
		"because no role trust policy allows the s3:GetObject action":       {Layer: policy.LayerTrust},
		"with an explicit deny in a service control policy":                 {Effect: policy.DenyExplicit, Layer: policy.LayerSCP},
		"because no resource control policy allows the s3:GetObject action": {Layer: policy.LayerRCP},
	} {
		if got := d.Reason("s3:GetObject"); got != want {
			t.Errorf("%+v: %q, want %q", d, got, want)
		}
	}
	for _, d := range []policy.Decision{{}, {Effect: policy.Allow, Layer: policy.LayerIdentity}, {Layer: 200}} {
		if got := d.Reason("s3:GetObject"); got != "" {
			t.Errorf("%+v: %q, want nothing", d, got)
		}
	}
}

// typical has every form of pattern.
func typical(t testing.TB) *policy.Sets {
	return &policy.Sets{Identity: policy.NewSet(
		load(t, `{"Version":"2012-10-17","Statement":[
			{"Sid":"List","Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::app-data"]},
			{"Sid":"Home","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::app-data/home/alice/*"]},
			{"Sid":"NoDelete","Effect":"Deny","Action":["s3:DeleteObject"],"Resource":["arn:aws:s3:::app-data/*"]}]}`),
		load(t, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Deny","Action":["s3:*Tagging","s?:Del*t*"],"Resource":["arn:aws:s3:::*/x/${*}?","arn:aws:dynamodb:*:table/p-*"]},
			{"Effect":"Deny","NotAction":"s3:*","NotResource":["arn:aws:s3","arn:*:sqs:*:*:app-data/*/x-*-y"]}]}`),
	)}
}

func TestDecideAllocatesNothing(t *testing.T) {
	sets := typical(t)
	for _, r := range []policy.Request{
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::app-data/home/alice/report.csv"},
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::app-data/home/alice/report.csv"},
		{Action: "s3:PutTagging", Resource: "arn:aws:s3:::other/x/*é"},
		{Action: "ec2:RunInstances", Resource: "arn:aws:ec2:us-east-1:111111111111:instance/*"},
		{Action: "iam:ListUsers", Resource: "*"},
	} {
		if n := testing.AllocsPerRun(100, func() { policy.Decide(sets, &r) }); n != 0 {
			t.Errorf("%s on %s: %v allocations", r.Action, r.Resource, n)
		}
	}
}

// A policy costs little besides its text: W2's shape (4 statements) must stay near 100 bytes a statement (DESIGN: 10,000 principals in 80 MB).
func TestCompiledSize(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":[`
	for i := range 4 {
		text += fmt.Sprintf(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject*"],"Resource":["arn:aws:s3:::bucket-%d/*"]},`, i)
	}
	text = strings.TrimSuffix(text, ",") + "]}"
	d, err := policy.Parse(text, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	keep := make([]*policy.Policy, n)
	result := testing.Benchmark(func(b *testing.B) {
		for i := range b.N {
			p, err := policy.Compile(d)
			if err != nil {
				b.Fatal(err)
			}
			keep[i%n] = p
		}
	})
	if size := result.AllocedBytesPerOp(); size > 384 {
		t.Errorf("a compiled policy of 4 statements takes %d bytes besides its text (header %d)", size, unsafe.Sizeof(policy.Policy{}))
	}
}

func BenchmarkDecide(b *testing.B) {
	sets := typical(b)
	one := &policy.Sets{Identity: policy.NewSet(sets.Identity.Policies()[:1]...)}
	r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::app-data/home/alice/report-000.csv"}
	b.Run("one policy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			policy.Decide(one, &r)
		}
	})
	b.Run("two policies", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			policy.Decide(sets, &r)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	text := typical(b).Identity.Policies()[0].Policy.Text()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Load(text, policy.Identity); err != nil {
			b.Fatal(err)
		}
	}
}

// A caller of no kind is limited like every caller of an account, though no Principal names it.
func TestCallerOfNoKind(t *testing.T) {
	t.Parallel()
	all := policy.NewSet(load(t, allowAll))
	deny, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, policy.SCP)
	if err != nil {
		t.Fatal(err)
	}
	r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
	for _, tt := range []struct {
		sets policy.Sets
		want string
	}{
		{policy.Sets{Identity: all}, "ALLOW identity"},
		{policy.Sets{Identity: all, SCP: []*policy.Set{policy.NewSet(&policy.Attached{Policy: deny})}}, "DENY-E SCP"},
		{policy.Sets{Identity: all, SCP: []*policy.Set{nil}}, "DENY-I SCP"},
		{policy.Sets{Identity: all, Boundary: policy.NewSet()}, "DENY-I boundary"},
		{policy.Sets{Identity: all, Session: policy.NewSet()}, "DENY-I session"},
	} {
		if d := policy.Decide(&tt.sets, &r); d.Effect.String()+" "+d.Layer.String() != tt.want {
			t.Errorf("%+v, want %s", d, tt.want)
		}
	}
}
