package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestReachOfResourcePolicies is the table of docs/spec/evaluation.md 5 for every kind of principal: with which grants it passes by its
// identity policies, its boundary and its session policy. The resource's policy is a trust policy that need not be there.
func TestReachOfResourcePolicies(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	load := func(text string, kind policy.Kind) *policy.Policy {
		t.Helper()
		p, err := policy.Load(text, kind)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const (
		assume  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`
		nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*"}}`
	)
	allows, silent := load(assume, policy.Session), load(nothing, policy.Session)
	trust := load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+ownAccount+`"},"Action":"sts:AssumeRole"}}`, policy.Trust)

	// For each user and role: with an identity policy or without, with a silent boundary or without.
	put(t, s, func(tx *state.Tx) {
		unit := state.AccountUnit(ownAccount)
		boundary := &state.ManagedPolicy{}
		boundary.Id, boundary.Name, boundary.Path, boundary.DefaultVersion, boundary.LastVersion = "ANPABOUND", "bound", "/", 1, 1
		tx.Put(unit, boundary)
		version := &state.PolicyVersion{Compiled: load(nothing, policy.Managed)}
		version.Policy, version.Number, version.Document = "ANPABOUND", 1, nothing
		tx.Put(unit, version)
		for _, id := range []string{"N", "I", "B", "IB"} {
			u := &state.User{}
			u.Id, u.Name, u.Path = "AIDABOB000000000"+id, "bob"+id, "/"
			tx.Put(unit, u)
			r := &state.Role{}
			r.Id, r.Name, r.Path = "AROAAPP000000000"+id, "app"+id, "/"
			r.SetTrust(trust)
			tx.Put(unit, r)
			for _, owner := range []string{u.Id, r.Id} {
				if id == "I" || id == "IB" {
					p := &state.InlinePolicy{}
					p.Owner, p.Name = owner, "p"
					tx.Put(unit, p.WithDocument(load(assume, policy.Identity)))
				}
				if id == "B" || id == "IB" {
					b := &state.Attachment{}
					b.Owner, b.Policy, b.Boundary = owner, boundary.ARN(ownAccount), true
					tx.Put(unit, b)
				}
			}
		}
	})
	view, z := s.View(), New(nil)

	principals := map[string]func(id string) state.Principal{
		"user": func(id string) state.Principal {
			return state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB000000000" + id, Path: "/", Name: "bob" + id}
		},
		"federated": func(id string) state.Principal {
			return state.Principal{Kind: state.FederatedUser, Account: ownAccount, ID: "AIDABOB000000000" + id, Path: "/", Name: "bob" + id, Session: "fed"}
		},
		"role": func(id string) state.Principal {
			return state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "AROAAPP000000000" + id, Path: "/", Name: "app" + id, Session: "s1"}
		},
		"root": func(string) state.Principal {
			return state.Principal{Kind: state.RootUser, Account: ownAccount, ID: ownAccount}
		},
		"federated by root": func(string) state.Principal {
			return state.Principal{Kind: state.FederatedUser, Account: ownAccount, ID: ownAccount, Session: "fed"}
		},
	}
	const (
		own      = iota // the class "not limited": the principal itself, or everybody
		behind          // the role of a session, the user of a federated one: limited by boundary and session policy
		wholeAcc        // the account: limited by everything
		none
	)
	grants := map[int]func(p *state.Principal) string{
		own: func(p *state.Principal) string {
			if p.Kind == state.IAMUser {
				return p.ID
			}
			return p.ARN()
		},
		behind:   func(p *state.Principal) string { return p.ID },
		wholeAcc: func(*state.Principal) string { return ownAccount },
		none:     func(*state.Principal) string { return "arn:aws:sts::" + ownAccount + ":federated-user/nobody" },
	}
	for name, of := range principals {
		for _, id := range []string{"N", "I", "B", "IB"} {
			for _, limit := range []string{"", "allows", "silent"} {
				p := of(id)
				federated := p.Kind == state.FederatedUser
				if limit != "" && (name == "user" || name == "root") {
					continue // their sessions have no policies
				}
				subject := &Subject{Principal: &p, Environment: &Environment{}}
				if limit != "" || federated || p.Kind == state.RoleSession {
					subject.Session = &session.Session{}
					if limit == "allows" {
						subject.Session.Policy, subject.Session.Inline = assume, allows
					} else if limit == "silent" {
						subject.Session.Policy, subject.Session.Inline = nothing, silent
					}
				}
				rooted := p.ID == ownAccount
				identity := id == "I" || id == "IB" || rooted
				boundary := id == "N" || id == "I" || rooted
				limited := limit == "silent" || federated && limit == ""
				for grant, value := range grants {
					if grant == behind && (name == "user" || rooted) || grant == own && name == "root" {
						continue
					}
					text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + value(&p) + `"},"Action":"sts:AssumeRole"}}`
					target := &Target{ARN: "arn:aws:iam::111122223333:role/x", Trust: &policy.Attached{Policy: load(text, policy.Trust)}, MustTrust: true}
					want := false
					switch grant {
					case own:
						want = true
					case behind:
						want = boundary && !limited
					case wholeAcc:
						want = identity && boundary && !limited
					}
					d := z.Authorize(view, subject, "sts:AssumeRole", target)
					if (d == nil) != want {
						t.Errorf("%s%s, session policy %q, trust in %s: %v; want allowed %t", name, id, limit, value(&p), d, want)
					}
					if grant != none || d == nil {
						continue
					}
					if reason := "because no role trust policy allows the sts:AssumeRole action"; d.Decision.Reason(d.Action) != reason {
						t.Errorf("%s%s, not trusted: %s; want %s", name, id, d, reason)
					}
				}
			}
		}
	}
}

// TestForeignPrincipals: a principal of another account needs its identity policies whatever the trust, and is not told why it is denied.
func TestForeignPrincipals(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	put(t, s, func(tx *state.Tx) {
		u := &state.User{}
		u.Id, u.Name, u.Path = "AIDABOB", "bob", "/"
		tx.Put(state.AccountUnit(ownAccount), u)
	})
	trust, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`, policy.Trust)
	if err != nil {
		t.Fatal(err)
	}
	p := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB", Path: "/", Name: "bob"}
	ask := func(target *Target) string {
		if d := New(nil).Authorize(s.View(), &Subject{Principal: &p, Environment: &Environment{}}, "sts:AssumeRole", target); d != nil {
			return d.Error()
		}
		return ""
	}
	const role = "arn:aws:iam::444455556666:role/x"
	denied := "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: " + role
	for _, attached := range []*policy.Attached{nil, {Policy: trust}} {
		if got := ask(&Target{ARN: role, Account: "444455556666", Trust: attached, MustTrust: true}); got != denied {
			t.Errorf("\n got %s\nwant %s", got, denied)
		}
	}
	// A role whose trust policy cannot be read lets nobody in, and a role that is not there trusts nobody.
	here := "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x"
	if got := ask(&Target{ARN: "arn:aws:iam::111122223333:role/x", Trust: &policy.Attached{}, MustTrust: true}); got == "" {
		t.Error("allowed without a readable trust policy")
	}
	if got, want := ask(&Target{ARN: "arn:aws:iam::111122223333:role/x", MustTrust: true}), here+" because no role trust policy allows the sts:AssumeRole action"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := ask(&Target{ARN: "arn:aws:iam::111122223333:role/x", Trust: &policy.Attached{Policy: trust}, MustTrust: true}); got != "" {
		t.Errorf("everybody is trusted: %s", got)
	}
}

// TestWhereConditionsStand: a condition in any of the sets reads the context, which is made only then.
func TestWhereConditionsStand(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	load := func(text string, kind policy.Kind) *policy.Policy {
		t.Helper()
		p, err := policy.Load(text, kind)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const (
		condition = `,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`
		begin     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole"`
		here      = begin + `,"Resource":"*"`
		trusts    = begin + `,"Principal":{"AWS":"` + ownAccount + `"}`
	)
	for _, where := range []string{"nowhere", "identity", "boundary", "session", "trust"} {
		text := func(in, statement string) string {
			if in == where {
				statement += condition
			}
			return statement + "}}"
		}
		trust := load(text("trust", trusts), policy.Trust)
		put(t, s, func(tx *state.Tx) {
			unit := state.AccountUnit(ownAccount)
			r := &state.Role{}
			r.Id, r.Name, r.Path = "AROA"+where, where, "/"
			r.SetTrust(trust)
			tx.Put(unit, r)
			p := &state.InlinePolicy{}
			p.Owner, p.Name = r.Id, "p"
			tx.Put(unit, p.WithDocument(load(text("identity", here), policy.Identity)))
			boundary := &state.ManagedPolicy{}
			boundary.Id, boundary.Name, boundary.Path, boundary.DefaultVersion, boundary.LastVersion = "ANPA"+where, where, "/", 1, 1
			tx.Put(unit, boundary)
			version := &state.PolicyVersion{Compiled: load(text("boundary", here), policy.Managed)}
			version.Policy, version.Number, version.Document = boundary.Id, 1, version.Compiled.Text()
			tx.Put(unit, version)
			b := &state.Attachment{}
			b.Owner, b.Policy, b.Boundary = r.Id, boundary.ARN(ownAccount), true
			tx.Put(unit, b)
		})
		limit := load(text("session", here), policy.Session)
		for region, allowed := range map[string]bool{"eu-west-1": true, "us-east-1": where == "nowhere"} {
			d := New(nil).Authorize(s.View(), &Subject{
				Principal:   &state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "AROA" + where, Path: "/", Name: where, Session: "s1"},
				Session:     &session.Session{Claims: session.Claims{Policy: limit.Text()}, Inline: limit},
				Environment: &Environment{Region: region},
			}, "sts:AssumeRole", &Target{ARN: "arn:aws:iam::111122223333:role/x", Trust: &policy.Attached{Policy: trust}, MustTrust: true})
			if (d == nil) != allowed {
				t.Errorf("a condition in %s, region %s: %v; want allowed %t", where, region, d, allowed)
			}
		}
	}
}
