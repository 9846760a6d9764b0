package authz

import (
	"fmt"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const provider = "arn:aws:iam::" + accountA + ":oidc-provider/idp"

// TestExactlyOneCaller: of the ways to say who asks one is taken alone; two or none of them are nobody, who may nothing and whom nobody needs to repair.
func TestExactlyOneCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	var heard []*Failure
	w.z.Alarm = func(f *Failure) { heard = append(heard, f) }
	opens := w.bucketPolicy(to("Allow", `"*"`, "*"))
	const principal, service, identityProvider, anonymous = 1, 2, 4, 8
	for who := range 16 {
		q := Query{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:" + accountA + ":q", ResourcePolicy: opens, Grantees: []string{policy.AllUsers}}
		if who&principal != 0 {
			q.Principal = alice(accountA)
		}
		if who&service != 0 {
			q.Service = []string{"x.amazonaws.com"}
		}
		if who&identityProvider != 0 {
			q.Provider = provider
		}
		q.Anonymous = who&anonymous != 0
		a := w.decide(&q)
		if one := who > 0 && who&(who-1) == 0; (a.Denial == nil) != one {
			t.Errorf("callers %04b: %v; want allowed %t", who, a.Denial, one)
		} else if !one && a.Denial.Decision != (policy.Decision{}) {
			t.Errorf("callers %04b: decided as %+v", who, a.Decision)
		}
	}
	if len(heard) > 0 {
		t.Errorf("%d alarms, the first: %v", len(heard), heard[0])
	}
}

// TestNothingIsLeftOfACaller: where sets are made for one decision, nothing of the one before stands in them.
func TestNothingIsLeftOfACaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Deny", "*", "*")))
	first := Query{Principal: alice(accountA), Canonical: "c", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:" + accountA + ":q"}
	second := Query{Anonymous: true, Action: first.Action, Resource: first.Resource, ResourcePolicy: w.bucketPolicy(to("Allow", `"*"`, "*"))}
	for range 100 { // the room of the first is that of the second, most times
		if a := w.decide(&first); a.Denial == nil {
			t.Fatal("alice is allowed what is denied")
		}
		if a := w.decide(&second); a.Denial != nil {
			t.Fatal(a.Denial)
		}
	}
}

// TestCallersAsPoliciesNameThem: what a resource's policy takes each kind of caller for, by the kind of principal that lets it in and by a name that does not.
func TestCallersAsPoliciesNameThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	limited := &session.Session{Claims: session.Claims{Policy: "x"}, Inline: w.load(document(statement("Allow", "*", "*")), policy.Session)}
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	byRoot := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: accountA, Session: "fed"}
	iam, sts := "arn:aws:iam::"+accountA+":", "arn:aws:sts::"+accountA+":"
	for _, c := range []struct {
		name  string
		query Query
		in    string
		out   string
	}{
		{"user", Query{Principal: alice(accountA)}, `{"AWS":"` + iam + `user/alice"}`, `{"AWS":"` + iam + `user/bob"}`},
		{"role", Query{Principal: app(accountA)}, `{"AWS":"` + iam + `role/p/app"}`, `{"AWS":"` + iam + `role/p/other"}`},
		{"role session", Query{Principal: app(accountA)}, `{"AWS":"` + sts + `assumed-role/app/s1"}`, `{"AWS":"` + sts + `assumed-role/app/s2"}`},
		{"root", Query{Principal: rootOf(accountA)}, `{"AWS":"` + iam + `root"}`, `{"AWS":"` + accountB + `"}`},
		{"the user of a federated one", Query{Principal: federated, Session: limited}, `{"AWS":"` + iam + `user/alice"}`, `{"AWS":"` + iam + `user/bob"}`},
		{"federated", Query{Principal: federated, Session: limited}, `{"AWS":"` + sts + `federated-user/fed"}`, `{"AWS":"` + sts + `federated-user/other"}`},
		{"federated by root", Query{Principal: byRoot, Session: limited}, `{"AWS":"` + sts + `federated-user/fed"}`, `{"AWS":"` + sts + `federated-user/other"}`},
		{"service", Query{Service: []string{"x.amazonaws.com"}}, `{"Service":"x.amazonaws.com"}`, `{"Service":"y.amazonaws.com"}`},
		{"provider", Query{Provider: provider}, `{"Federated":"` + provider + `"}`, `{"Federated":"` + provider + `2"}`},
		{"anonymous", Query{Anonymous: true}, `"*"`, `{"AWS":"` + accountA + `"}`},
	} {
		for names, want := range map[string]bool{c.in: true, c.out: false} {
			q := c.query
			q.Action, q.Resource, q.NeedsResourcePolicy = "sqs:SendMessage", "arn:aws:sqs:us-east-1:"+accountA+":q", true
			q.ResourcePolicy = w.bucketPolicy(to("Allow", names, "*"))
			if q.Provider != "" { // which only trust policies let in
				q.Action, q.Resource = "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::"+accountA+":role/x"
				q.ResourcePolicy = &policy.Attached{Policy: w.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":`+names+`,"Action":"sts:AssumeRoleWithWebIdentity"}}`, policy.Trust)}
			}
			if a := w.decide(&q); (a.Denial == nil) != want {
				t.Errorf("%s, %s is let in: %v; want allowed %t", c.name, names, a.Denial, want)
			}
		}
	}
	for who, want := range map[*state.Principal]string{federated: iam + "user/alice", byRoot: ""} {
		if got := w.z.callerOf(w.store.View(), &Query{Principal: who}).sets.Caller.ARN; got != want {
			t.Errorf("%s was issued by %q; want %q", who.ARN(), got, want)
		}
	}
}

// TestSessionsWithoutToken: what an asker says of a session by its principal alone, without a token's claims, holds.
func TestSessionsWithoutToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range []*state.Principal{
		{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"},
		{Kind: state.FederatedUser, Account: accountA, ID: accountA, Session: "fed"},
	} { // nothing was passed for it, so that it may nothing
		if a := w.decide(&Query{Principal: kind, Action: "s3:GetObject", Resource: "*"}); a.Denial == nil || a.Decision.Layer != policy.LayerSession && a.Decision.Layer != policy.LayerIdentity {
			t.Errorf("%s: %+v", kind.ARN(), a.Decision)
		}
	}
	for _, c := range []struct {
		who  *state.Principal
		want map[string]string
	}{
		{app(accountA), map[string]string{"aws:userid": "AROAAPP:s1", "aws:PrincipalType": "AssumedRole", "aws:PrincipalArn": "arn:aws:iam::111111111111:role/p/app"}},
		{&state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"},
			map[string]string{"aws:userid": accountA + ":fed", "aws:PrincipalType": "FederatedUser", "aws:PrincipalTag/team": "red"}},
	} {
		m := w.z.callerOf(w.store.View(), &Query{Principal: c.who})
		got := shown(&keys{entries: m.keys})
		for key, value := range c.want {
			if got[key] != value {
				t.Errorf("%s: %s is %q; want %q", c.who.ARN(), key, got[key], value)
			}
		}
	}
	want := "User: arn:aws:sts::111111111111:assumed-role/app/s1 is not authorized to perform: sqs:Get because no identity-based policy allows the sqs:Get action"
	if a := w.decide(&Query{Principal: app(accountA), Action: "sqs:Get", Resource: "*"}); a.Denial == nil || a.Denial.Error() != want {
		t.Errorf("%v; want %s", a.Denial, want)
	}
}

// TestWhoIsGone: a principal that the store does not have is named, and told as much as one that stands as far away; nobody hears of it.
func TestWhoIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	w.z.Alarm = func(f *Failure) { t.Error(f) }
	reason := " because no identity-based policy allows the sqs:Get action"
	for _, who := range []*state.Principal{
		{Kind: state.IAMUser, Account: accountA, ID: "AIDAGONE", Path: "/", Name: "gone"},
		{Kind: state.RoleSession, Account: accountA, ID: "AROAGONE", Path: "/", Name: "gone", Session: "s"},
		{Kind: state.FederatedUser, Account: accountA, ID: "AIDAGONE", Path: "/", Name: "gone", Session: "f"},
		{Kind: state.IAMUser, Account: "123456789012", ID: aliceID, Path: "/", Name: "alice"},
		{Kind: state.RootUser, Account: "123456789012", ID: "123456789012"},
	} {
		for owner, told := range map[string]string{"": reason, who.Account: reason, accountX: ""} {
			a := w.decide(&Query{Principal: who, Action: "sqs:Get", Resource: "arn:aws:sqs:::q", Owner: owner})
			want := "User: " + who.ARN() + " is not authorized to perform: sqs:Get on resource: arn:aws:sqs:::q" + told
			if a.Denial == nil || a.Denial.Error() != want {
				t.Errorf("owner %q:\n got %v\nwant %s", owner, a.Denial, want)
			}
		}
	}
}

// TestDistances: how far the resource is, by who asks and whose it is, and that finding it out does not fail.
func TestDistances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.z.Alarm = func(f *Failure) { t.Error(f) }
	w.organize()
	const accountO = "121212121212" // of another organization
	(&statetest.Organization{ID: "o-2", Management: accountO, Root: "r-2"}).Put(t, w.store)
	queue := func(account string) string { return "arn:aws:sqs:us-east-1:" + account + ":q" }
	for _, c := range []struct {
		query Query
		want  Distance
	}{
		{Query{Principal: alice(accountA), Resource: queue(accountA)}, SameAccount},
		{Query{Principal: alice(accountA), Resource: queue(accountB)}, SameOrganization},
		{Query{Principal: alice(accountA), Resource: queue(accountM)}, SameOrganization},
		{Query{Principal: alice(accountA), Resource: queue(accountX)}, Foreign},
		{Query{Principal: alice(accountA), Resource: queue(accountO)}, Foreign},
		{Query{Principal: alice(accountX), Resource: queue(accountA)}, Foreign},
		{Query{Principal: alice(accountX), Resource: queue("123456789012")}, Foreign},
		{Query{Principal: alice(accountA), Resource: "arn:aws:s3:::b"}, SameAccount},
		{Query{Principal: alice(accountA), Resource: "arn:aws:s3:::b", Owner: accountX}, Foreign},
		{Query{Principal: alice(accountA), Resource: queue(accountB), Owner: accountX}, Foreign}, // what is said goes before the ARN
		{Query{Principal: alice(accountA), Resource: "*", Owner: accountX}, SameAccount},         // of no resource nobody else is the owner
		{Query{Anonymous: true, Resource: queue(accountA)}, NoAccount},
		{Query{Service: []string{"x.amazonaws.com"}, Resource: queue(accountA)}, NoAccount},
		{Query{Provider: provider, Resource: queue(accountA)}, NoAccount},
	} {
		c.query.Action = "sqs:Get"
		a := w.decide(&c.query)
		if a.Denial == nil || a.Denial.Distance != c.want {
			t.Errorf("%s to %s of %q: %+v; want distance %d", a.Denial.Principal, c.query.Resource, c.query.Owner, a.Denial, c.want)
		}
	}
}

// TestOwnersOfTargets: our own operations say whose a target is, or it is the caller's, whatever account the ARN names; only a role that is passed is that of
// its ARN.
func TestOwnersOfTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ action, resource, account, want string }{
		{"iam:GetUser", "arn:aws:iam::" + accountB + ":user/x", "", accountA},
		{"iam:GetUser", "arn:aws:iam::" + accountB + ":user/x", accountX, accountX},
		{"iam:GetPolicy", "arn:aws:iam::aws:policy/X", "", accountA},
		{"iam:PassRole", "arn:aws:iam::" + accountB + ":role/x", "", accountB},
		{"iam:PassRole", "arn:aws:iam::" + accountB + ":role/x", accountA, accountB},
	} {
		k := check{z: w.z, r: w.store.View(), q: &Query{Principal: alice(accountA), Action: c.action, Resource: c.resource, Owner: c.account, own: &ownCheck{environment: &Environment{}}}}
		k.safely()
		if k.owner != c.want {
			t.Errorf("%s on %s of %q: of %q; want %q", c.action, c.resource, c.account, k.owner, c.want)
		}
	}
}

// TestTargets: an action of the target goes before that of the operation, and keys and tags of a target reach the policies that read them, the trust policy's
// own tags only that one.
func TestTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	where := func(key, value string) string {
		return `"Condition":{"StringEquals":{"` + key + `":"` + value + `"}}`
	}
	allow := func(action, condition string) string {
		return document(`{"Effect":"Allow","Action":"` + action + `","Resource":"*",` + condition + `}`)
	}
	tags := func(value string) []*statepb.Tag { return []*statepb.Tag{{Key: "k", Value: value}} }
	trusts := func(value string) *policy.Attached {
		return &policy.Attached{Policy: w.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole",`+
			where("aws:ResourceTag/k", value)+`}}`, policy.Trust)}
	}
	for i, c := range []struct {
		identity string
		action   string
		target   Target
		want     bool
	}{
		{allow("iam:GetRole", where("aws:username", "alice")), "iam:GetUser", Target{Action: "iam:GetRole"}, true},
		{allow("iam:GetRole", where("aws:username", "alice")), "iam:GetRole", Target{Action: "iam:GetUser"}, false},
		{allow("iam:GetRole", where("aws:username", "alice")), "iam:GetRole", Target{}, true},
		{allow("iam:AttachUserPolicy", where("iam:PolicyARN", "p")), "iam:AttachUserPolicy", Target{Keys: []policy.Entry{single("iam:PolicyARN", "p")}}, true},
		{allow("iam:AttachUserPolicy", where("iam:PolicyARN", "p")), "iam:AttachUserPolicy", Target{Keys: []policy.Entry{single("iam:PolicyARN", "q")}}, false},
		{allow("iam:AttachUserPolicy", where("aws:RequestedRegion", "eu-west-1")), "iam:AttachUserPolicy", Target{}, true},
		{allow("sts:AssumeRole", where("aws:ResourceTag/k", "identity")), "sts:AssumeRole", Target{Tags: tags("identity"), Trust: trusts("identity"), MustTrust: true}, true},
		{allow("sts:AssumeRole", where("aws:ResourceTag/k", "identity")), "sts:AssumeRole", Target{Tags: tags("identity"), Trust: trusts("trust"), MustTrust: true}, false},
		{allow("sts:AssumeRole", where("aws:ResourceTag/k", "identity")), "sts:AssumeRole", Target{Tags: tags("identity"), TrustTags: tags("trust"), Trust: trusts("trust"), MustTrust: true}, true},
		{allow("sts:AssumeRole", where("aws:ResourceTag/k", "identity")), "sts:AssumeRole", Target{Tags: tags("identity"), TrustTags: tags("trust"), Trust: trusts("identity"), MustTrust: true}, false},
		{allow("sts:AssumeRole", where("aws:ResourceTag/k", "trust")), "sts:AssumeRole",
			Target{Account: accountB, Tags: tags("identity"), TrustTags: tags("trust"), Trust: trusts("trust"), MustTrust: true}, false},
	} {
		w.put(accountA, record(aliceID, "p").WithDocument(w.load(c.identity, policy.Identity)))
		if c.target.ARN = "*"; c.action == "sts:AssumeRole" {
			c.target.ARN = "arn:aws:iam::" + accountA + ":role/x"
		}
		d := w.z.Authorize(w.store.View(), &Subject{Principal: alice(accountA), Environment: &Environment{Region: "eu-west-1"}}, c.action, &c.target)
		if (d == nil) != c.want {
			t.Errorf("%d: %v; want allowed %t", i, d, c.want)
		}
		if want := fmt.Sprint(c.target.Action); d != nil && want != "" && d.Action != want {
			t.Errorf("%d: %s is denied; want %s", i, d.Action, want)
		}
	}
}
