package authz

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// shop is the catalogue with a service of somebody's own.
func shop(t testing.TB) *catalog.Catalog {
	t.Helper()
	own, err := catalog.Read(strings.NewReader(`{"services": [{
		"prefix": "shop", "name": "Shop",
		"resourceTypes": [
			{"name": "t1", "arn": "arn:${Partition}:shop:::t1/${Name}"}, {"name": "t2", "arn": "arn:${Partition}:shop:::t2/${Name}"},
			{"name": "t3", "arn": "arn:${Partition}:shop:::t3/${Name}"}, {"name": "t4", "arn": "arn:${Partition}:shop:::t4/${Name}"},
			{"name": "t5", "arn": "arn:${Partition}:shop:::t5/${Name}"}, {"name": "t6", "arn": "arn:${Partition}:shop:::t6/${Name}"}
		],
		"actions": [
			{"name": "Buy", "level": "Write", "resources": [{"type": "t1"}, {"type": "t2"}], "dependent": [{"action": "shop:Pay", "when": "it costs something"}]},
			{"name": "Pay", "level": "Write"},
			{"name": "Look", "level": "Read", "resources": [{"type": "t1"}, {"type": "t2"}, {"type": "t3"}, {"type": "t4"}, {"type": "t5"}, {"type": "t6"}]}
		]
	}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestExplainedDistance: how far the resource is, of what is allowed too.
func TestExplainedDistance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	q := Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourcePolicy: w.bucketPolicy(to("Allow", `"*"`, "*"))}
	for owner, want := range map[string]Distance{accountA: SameAccount, accountX: Foreign} {
		q.Owner = owner
		if e := w.z.Explain(w.store.View(), &q); e.Denial != nil || e.Distance != want {
			t.Errorf("a resource of %s: denied %t, distance %d; want %d", owner, e.Denial != nil, e.Distance, want)
		}
	}
}

// TestCatalogued: what the catalogue does not know nobody may do, but that root may, in its own account, what nobody knows. An explicit deny is not hidden, and
// our own operations are not asked.
func TestCatalogued(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*"), statement("Deny", "shop:*", "arn:aws:shop:::denied/*")))
	w.z = New(shop(t))
	var alarms []*Failure
	w.z.Alarm = func(f *Failure) { alarms = append(alarms, f) }
	yes, no := policy.Allow, policy.DenyImplicit
	const item, other = "arn:aws:shop:::t1/a", "arn:aws:shop:::order/a"
	for _, c := range []struct {
		who              *state.Principal
		action, resource string
		verdict          catalog.Verdict
		want             policy.Effect
	}{
		{alice(accountA), "shop:Buy", item, catalog.Known, yes},
		{alice(accountA), "SHOP:buy", item, catalog.Known, yes},
		{alice(accountA), "shop:Buy", other, catalog.WrongResource, no},
		{alice(accountA), "shop:Pay", item, catalog.NoResource, no},
		{alice(accountA), "shop:Pay", "*", catalog.Known, yes},
		{alice(accountA), "shop:Sell", item, catalog.UnknownAction, no},
		{alice(accountA), "ship:Buy", item, catalog.UnknownService, no},
		{alice(accountA), "shop:Sell", "arn:aws:shop:::denied/a", catalog.UnknownAction, policy.DenyExplicit},
		{alice(accountA), "shop:Buy", "arn:aws:shop:::denied/a", catalog.WrongResource, policy.DenyExplicit},
		{rootOf(accountA), "shop:Sell", item, catalog.UnknownAction, yes},
		{rootOf(accountA), "ship:Buy", item, catalog.UnknownService, yes},
		{rootOf(accountA), "shop:Buy", other, catalog.WrongResource, no},
		{rootOf(accountA), "shop:Pay", item, catalog.NoResource, no},
		{app(accountA), "shop:Sell", item, catalog.UnknownAction, no},
	} {
		q := Query{Principal: c.who, Action: c.action, Resource: c.resource, Owner: accountA}
		a := w.decide(&q)
		if a.Decision.Effect != c.want || (a.Denial == nil) != (c.want == yes) || c.want != yes && (a.Catalog != c.verdict || a.Denial.Record.Catalog != c.verdict) {
			t.Errorf("%s %s on %s: %+v", c.who.ARN(), c.action, c.resource, a)
		}
		if a.Denial != nil && !strings.HasSuffix(a.Denial.Error(), "because no identity-based policy allows the "+c.action+" action") &&
			c.want == no {
			t.Errorf("%s on %s: %s", c.action, c.resource, a.Denial)
		}
		e := w.z.Explain(w.store.View(), &q)
		if e.Decision != a.Decision || e.Catalog != c.verdict || (e.Denial == nil) != (a.Denial == nil) || (e.Objection == "") != (c.verdict == catalog.Known) {
			t.Errorf("%s on %s, explained: %+v", c.action, c.resource, e)
		}
	}
	foreign := Query{Principal: alice(accountX), Action: "shop:Buy", Resource: item, Owner: accountA, ResourcePolicy: w.bucketPolicy(to("Allow", `"*"`, "*"))}
	if e := w.z.Explain(w.store.View(), &foreign); e.Denial != nil || e.Distance != Foreign || !e.Record.Asked {
		t.Errorf("allowed, from another account: %+v", e)
	}
	// Root of another account is nobody special, whatever the resource's policy says.
	q := Query{
		Principal: rootOf(accountB), Action: "shop:Sell", Resource: item, Owner: accountA,
		ResourcePolicy: w.bucketPolicy(to("Allow", `{"AWS":"arn:aws:iam::222222222222:root"}`, "*")),
	}
	if a := w.decide(&q); a.Denial == nil || a.Catalog != catalog.UnknownAction {
		t.Errorf("root, on another account's: %+v", a)
	}
	subject := Subject{Principal: alice(accountA), Environment: &Environment{}}
	if d := w.z.Authorize(w.store.View(), &subject, "shop:Sell", &Target{ARN: other}); d != nil {
		t.Errorf("an operation of our own: %v", d)
	}
	if d := w.z.Authorize(w.store.View(), &subject, "shop:Sell", &Target{ARN: "arn:aws:shop:::denied/a"}); d == nil || d.Record.Catalog != catalog.Known {
		t.Errorf("a denied operation of our own: %+v", d)
	}
	if len(alarms) > 0 {
		t.Errorf("alarms: %v", alarms[0])
	}
}

// TestObjections: what the catalogue has against a question, in a sentence.
func TestObjections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	w.z = New(shop(t))
	for _, c := range []struct{ action, resource, want string }{
		{"shop:Buy", "arn:aws:shop:::t1/a", ""},
		{"shop:Buy", "arn:aws:shop:::t3/a", "shop:Buy does not act on such a resource, but on t1 (arn:${Partition}:shop:::t1/${Name}), t2 (arn:${Partition}:shop:::t2/${Name})."},
		{"shop:Look", "arn:aws:shop:::x", "shop:Look does not act on such a resource, but on t1 (arn:${Partition}:shop:::t1/${Name}), t2 (arn:${Partition}:shop:::t2/${Name}), " +
			"t3 (arn:${Partition}:shop:::t3/${Name}), t4 (arn:${Partition}:shop:::t4/${Name}), t5 (arn:${Partition}:shop:::t5/${Name}) and others."},
		{"shop:Pay", "arn:aws:shop:::t1/a", `Permission for shop:Pay is asked on "*" only, on no single resource.`},
		{"shop:Buuy", "*", "The service shop has no action Buuy. The nearest name is shop:Buy."},
		{"shop:Contemplate", "*", "The service shop has no action Contemplate."},
		{"shpo:Buy", "*", "No service has the prefix shpo. The nearest name is shop:Buy. The services of your own programs are registered with --catalog."},
	} {
		e := w.z.Explain(w.store.View(), &Query{Principal: alice(accountA), Action: c.action, Resource: c.resource, Owner: accountA})
		if e.Objection != c.want {
			t.Errorf("%s on %s: %q, want %q", c.action, c.resource, e.Objection, c.want)
		}
		if beside := len(e.Dependent) == 1 && e.Dependent[0].Action == "shop:Pay"; beside != (c.action == "shop:Buy") {
			t.Errorf("beside %s: %+v", c.action, e.Dependent)
		}
	}
}

// TestExplain: the explanation has the outcome of the decision and the policies' own, and where no policy was asked why.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "s3:*", "*"), statement("Deny", "s3:PutObject", "*")))
	w.organize()
	gone := alice(accountA)
	gone.ID = "AIDAGONE"
	for _, c := range []struct {
		name    string
		q       Query
		layers  int
		refusal string
	}{
		{"allowed", Query{Principal: alice(accountA), Action: "s3:GetObject", Owner: accountA}, 7, ""},
		{"explicit", Query{Principal: alice(accountA), Action: "s3:PutObject", Owner: accountA}, 7, ""},
		{"implicit", Query{Principal: app(accountA), Action: "sqs:SendMessage", Owner: accountA}, 7, ""},
		{"another account", Query{Principal: app(accountB), Action: "s3:GetObject", Owner: accountA}, 7, ""},
		{"exempt", Query{Principal: alice(accountA), Action: "sts:GetCallerIdentity"}, 1, ""},
		{"nobody", Query{Principal: gone, Action: "s3:GetObject", Owner: accountA}, 0, noPrincipal},
		{"anonymous", Query{Anonymous: true, Action: "s3:GetObject", Owner: accountA}, 4, ""},
	} {
		c.q.Resource = "arn:aws:s3:::b/k"
		e, a := w.z.Explain(w.store.View(), &c.q), w.decide(&c.q)
		if e.Decision != a.Decision || (e.Denial == nil) != (a.Denial == nil) || e.Record == nil || e.Record.Refusal != c.refusal || (e.Policies == nil) != (c.refusal != "") {
			t.Errorf("%s: %+v, decided %+v", c.name, e, a)
			continue
		}
		if e.Policies != nil && (e.Policies.Decision != a.Decision || len(e.Policies.Layers) != c.layers) {
			t.Errorf("%s: %d layers, %+v", c.name, len(e.Policies.Layers), e.Policies.Decision)
		}
		if a.Denial == nil {
			continue
		}
		again := w.z.ExplainDenial(a.Denial)
		if again.Decision != e.Decision || again.Caller != e.Caller || again.Distance != e.Distance || again.Record.Refusal != c.refusal || (again.Policies == nil) != (e.Policies == nil) {
			t.Errorf("%s, from its denial: %+v, at once %+v", c.name, again, e)
		}
	}
}

// TestWithheld: what is attached to the resource of another account is not for the caller's, unless it gave that itself.
func TestWithheld(t *testing.T) {
	t.Parallel()
	all := []policy.Layer{
		policy.LayerSCP, policy.LayerRCP, policy.LayerEndpoint, policy.LayerIdentity, policy.LayerBoundary, policy.LayerSession,
		policy.LayerResource, policy.LayerTrust, policy.LayerACL, policy.LayerExempt,
	}
	for _, c := range []struct {
		distance Distance
		asked    bool
		want     string
	}{
		{SameAccount, false, ""}, {SameOrganization, false, "resource trust ACL"}, {Foreign, false, "RCP resource trust ACL"}, {NoAccount, false, "resource trust ACL"},
		{SameOrganization, true, ""}, {Foreign, true, ""},
	} {
		e := Explanation{Record: &Record{Asked: c.asked}, Distance: c.distance}
		var got []string
		for _, layer := range all {
			if e.Withheld(layer) {
				got = append(got, layer.String())
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("distance %d, asked %t: %v are withheld, want %s", c.distance, c.asked, got, c.want)
		}
	}
}
