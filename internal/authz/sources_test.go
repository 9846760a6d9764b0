package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	readOnlyARN = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
	adminARN    = "arn:aws:iam::aws:policy/AdministratorAccess"
)

func (w *world) attached(owner, policyARN string, boundary bool) {
	w.t.Helper()
	at := &state.Attachment{}
	at.Owner, at.Policy, at.Boundary = owner, policyARN, boundary
	w.put(accountA, at)
}

// group puts alice of A into a new group.
func (w *world) group(id, name string) {
	w.t.Helper()
	g := &state.Group{}
	g.Id, g.Name, g.Path = id, name, "/g/"
	w.put(accountA, g, state.NewMember(aliceID, id))
}

// TestWhereIdentityPoliciesComeFrom: a statement counts from wherever the evaluation model takes identity policies (docs/spec/evaluation.md 2), and the decision
// names the policy that it stands in.
func TestWhereIdentityPoliciesComeFrom(t *testing.T) {
	t.Parallel()
	gets, denies := document(statement("Allow", "s3:GetObject", "*")), document(statement("Deny", "s3:GetObject", "*"))
	owned := "arn:aws:iam::" + accountA + ":"
	for _, c := range []struct {
		name     string
		identity string
		prepare  func(w *world)
		who      *state.Principal
		effect   policy.Effect
		by       policy.Attached // without Policy
	}{
		{"nowhere", "", func(*world) {}, alice(accountA), policy.DenyImplicit, policy.Attached{}},
		{"inline of the user", gets, func(*world) {}, alice(accountA), policy.Allow, policy.Attached{Name: "inline", Owner: owned + "user/alice"}},
		{"inline of the role", gets, func(*world) {}, app(accountA), policy.Allow, policy.Attached{Name: "inline", Owner: owned + "role/p/app"}},
		{"managed of the user", "", func(w *world) { w.attach(aliceID, "M", gets, false) }, alice(accountA), policy.Allow, policy.Attached{Name: "M", ARN: owned + "policy/M"}},
		{"managed of the role", "", func(w *world) { w.attach(appID, "M", gets, false) }, app(accountA), policy.Allow, policy.Attached{Name: "M", ARN: owned + "policy/M"}},
		{"AWS managed of the user", "", func(w *world) { w.attached(aliceID, readOnlyARN, false) }, alice(accountA), policy.Allow, policy.Attached{ARN: readOnlyARN}},
		{"AWS managed of the role", "", func(w *world) { w.attached(appID, readOnlyARN, false) }, app(accountA), policy.Allow, policy.Attached{ARN: readOnlyARN}},
		{"inline of the group", "", func(w *world) {
			w.group("AGPA1", "devs")
			w.put(accountA, record("AGPA1", "ours").WithDocument(w.load(gets, policy.Identity)))
		}, alice(accountA), policy.Allow, policy.Attached{Name: "ours", Owner: owned + "group/g/devs"}},
		{"inline of the second group", "", func(w *world) {
			w.group("AGPA1", "devs")
			w.group("AGPA2", "ops")
			w.put(accountA, record("AGPA2", "ours").WithDocument(w.load(gets, policy.Identity)))
		}, alice(accountA), policy.Allow, policy.Attached{Name: "ours", Owner: owned + "group/g/ops"}},
		{"managed of the group", "", func(w *world) {
			w.group("AGPA1", "devs")
			w.attach("AGPA1", "M", gets, false)
		}, alice(accountA), policy.Allow, policy.Attached{Name: "M", ARN: owned + "policy/M"}},
		{"AWS managed of the group", "", func(w *world) {
			w.group("AGPA1", "devs")
			w.attached("AGPA1", readOnlyARN, false)
		}, alice(accountA), policy.Allow, policy.Attached{ARN: readOnlyARN}},
		{"a deny of the group", gets, func(w *world) {
			w.group("AGPA1", "devs")
			w.put(accountA, record("AGPA1", "ours").WithDocument(w.load(denies, policy.Identity)))
		}, alice(accountA), policy.DenyExplicit, policy.Attached{Name: "ours", Owner: owned + "group/g/devs"}},
		{"a managed deny of the group", gets, func(w *world) {
			w.group("AGPA1", "devs")
			w.attach("AGPA1", "M", denies, false)
		}, alice(accountA), policy.DenyExplicit, policy.Attached{Name: "M", ARN: owned + "policy/M"}},
		{"a group of others", "", func(w *world) {
			g := &state.Group{}
			g.Id, g.Name, g.Path = "AGPA1", "devs", "/"
			w.put(accountA, g, record("AGPA1", "ours").WithDocument(w.load(gets, policy.Identity)))
		}, alice(accountA), policy.DenyImplicit, policy.Attached{}},
		{"AWS managed, not of this action", "", func(w *world) { w.attached(aliceID, "arn:aws:iam::aws:policy/IAMReadOnlyAccess", false) }, alice(accountA), policy.DenyImplicit, policy.Attached{}},
		{"AWS managed boundary that allows", gets, func(w *world) { w.attached(aliceID, readOnlyARN, true) }, alice(accountA), policy.Allow, policy.Attached{Name: "inline", Owner: owned + "user/alice"}},
	} {
		var identity []string
		if c.identity != "" {
			identity = append(identity, c.identity)
		}
		w := newWorld(t, identity...)
		c.prepare(w)
		d := w.decide(&Query{Principal: c.who, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA}).Decision
		var by policy.Attached
		if d.Policy != nil {
			by = *d.Policy
			by.Policy = nil
		}
		if d.Effect != c.effect || by != c.by {
			t.Errorf("%s: %v by %+v; want %v by %+v", c.name, d.Effect, by, c.effect, c.by)
		}
	}
}

// TestPoliciesThatAreNotThere: a principal with a policy that the store or the catalog does not have may nothing, whatever its other policies say.
func TestPoliciesThatAreNotThere(t *testing.T) {
	t.Parallel()
	for _, boundary := range []bool{false, true} {
		w := newWorld(t, document(statement("Allow", "*", "*")))
		w.attached(aliceID, "arn:aws:iam::aws:policy/NoSuchPolicy", boundary)
		w.attached(appID, "arn:aws:iam::"+accountA+":policy/none", boundary)
		for _, who := range []*state.Principal{alice(accountA), app(accountA)} {
			if a := w.decide(&Query{Principal: who, Action: "s3:GetObject", Resource: "*"}); a.Denial == nil {
				t.Errorf("%s is allowed (boundary: %t)", who.ARN(), boundary)
			}
		}
	}
}

// TestManagedSessionPolicies: the managed policies of a session limit it, whichever they are.
func TestManagedSessionPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	w.attach("AGPANOBODY", "Puts", document(statement("Allow", "s3:PutObject", "*")), false)
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	for _, c := range []struct {
		name     string
		arns     []string
		get, put bool // of a role; a federated user has nothing without session policies
	}{
		{"none", nil, true, true},
		{"AWS managed", []string{readOnlyARN}, true, false},
		{"the account's", []string{"arn:aws:iam::" + accountA + ":policy/Puts"}, false, true},
		{"both", []string{readOnlyARN, "arn:aws:iam::" + accountA + ":policy/Puts"}, true, true},
		{"one that is gone", []string{adminARN, "arn:aws:iam::" + accountA + ":policy/gone"}, false, false},
	} {
		for _, who := range []*state.Principal{app(accountA), federated} {
			for action, want := range map[string]bool{"s3:GetObject": c.get, "s3:PutObject": c.put} {
				want = want && (who != federated || len(c.arns) > 0)
				q := Query{Principal: who, Session: &session.Session{Claims: session.Claims{PolicyARNs: c.arns}}, Action: action, Resource: "*"}
				if a := w.decide(&q); (a.Denial == nil) != want {
					t.Errorf("%s, %s, %s: %v; want allowed %t", c.name, who.ARN(), action, a.Denial, want)
				}
			}
		}
	}
}

// TestReadsOfAllPolicies: what conditions ask for is there, whichever policies they stand in and whatever those before them ask for.
func TestReadsOfAllPolicies(t *testing.T) {
	t.Parallel()
	where := func(key, value string) string {
		return `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"` + key + `":"` + value + `"}}}`
	}
	keys := map[string]string{"aws:username": "alice", "aws:ResourceTag/k": "v", "aws:ViaAWSService": "false", "own:key": "x", "aws:ResourceAccount": accountA}
	for first := range keys {
		for second, value := range keys {
			if first == second {
				continue
			}
			w := newWorld(t)
			w.put(accountA, record(aliceID, "a").WithDocument(w.load(document(where(first, "never")), policy.Identity)),
				record(aliceID, "b").WithDocument(w.load(document(where(second, value)), policy.Identity)))
			q := Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA, Context: []policy.Entry{single("own:key", "x")},
				ResourceTags: []*statepb.Tag{{Key: "k", Value: "v"}}}
			if a := w.decide(&q); a.Denial != nil {
				t.Errorf("%s after %s: %v", second, first, a.Denial)
			}
		}
	}
}

// TestLevelsOfAskers: conditions of the levels that an asker adds read what the store knows.
func TestLevelsOfAskers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	w.organize()
	level := func(kind policy.Kind, who, value string) []*policy.Set {
		text := document(`{"Effect":"Allow",`+who+`"Action":"*","Resource":"*"}`,
			`{"Effect":"Deny",`+who+`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"`+value+`"}}}`)
		return []*policy.Set{policy.NewSet(&policy.Attached{Policy: w.load(text, kind)})}
	}
	for value, want := range map[string]bool{"red": false, "blue": true} {
		q := Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA}
		q.SCP = level(policy.SCP, "", value)
		if a := w.decide(&q); (a.Denial == nil) != want {
			t.Errorf("an SCP against team %s: %v", value, a.Denial)
		}
		q.SCP, q.RCP = nil, []*policy.Set{policy.NewSet(&policy.Attached{Policy: w.load(
			`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"`+value+`"}}}}`, policy.RCP),
		}, &policy.Attached{Policy: fullAccess(w)})}
		if a := w.decide(&q); (a.Denial == nil) != want {
			t.Errorf("an RCP against team %s: %v", value, a.Denial)
		}
	}
}

// fullAccess is an RCP that allows everything, which no customer can write.
func fullAccess(w *world) *policy.Policy {
	w.t.Helper()
	for _, s := range w.store.View().Membership(accountA).RCP {
		for _, a := range s.Policies() {
			return a.Policy
		}
	}
	w.t.Fatal("the organization has no RCP")
	return nil
}
