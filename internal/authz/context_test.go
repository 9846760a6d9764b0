package authz

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// people is an account with a tagged user and a tagged role.
func people(t testing.TB) state.Reader {
	t.Helper()
	s := openStore(t)
	put(t, s, func(tx *state.Tx) {
		u := &state.User{}
		u.Id, u.Name, u.Path = "AIDABOB", "bob", "/team/"
		u.Tags = []*statepb.Tag{{Key: "Team", Value: "red"}, {Key: "cost", Value: "1"}}
		tx.Put(state.AccountUnit(ownAccount), u)
		r := &state.Role{}
		r.Id, r.Name, r.Path = "AROAAPP", "app", "/p/"
		r.Tags = []*statepb.Tag{{Key: "Team", Value: "blue"}, {Key: "stage", Value: "prod"}}
		trust, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+ownAccount+`"},"Action":"sts:AssumeRole"}}`, policy.Trust)
		if err != nil {
			t.Error(err)
			return
		}
		r.SetTrust(trust)
		tx.Put(state.AccountUnit(ownAccount), r)
	})
	return s.View()
}

// shown is a context with every value of every key, "a|b" for keys of many values.
func shown(c *keys) map[string]string {
	m := map[string]string{}
	for _, e := range c.entries {
		if _, twice := m[e.Key]; twice {
			continue // the first counts
		}
		m[e.Key] = strings.Join(e.Values, "|")
		if e.Multi {
			m[e.Key] = "many: " + m[e.Key]
		}
	}
	return m
}

// fill makes the context of one of our own checks.
func fill(c *keys, r state.Reader, s *Subject, target *Target) {
	z := New(nil)
	q := Query{
		Principal: s.Principal, Session: s.Session, Resource: target.ARN, Owner: target.Account, ResourceTags: target.Tags,
		own: &ownCheck{environment: s.Environment, keys: target.Keys},
	}
	k := check{z: z, r: r, q: &q, caller: z.callerOf(r, &q)}
	k.ownedBy()
	c.fill(&k, q.ResourceTags)
}

func filled(r state.Reader, s *Subject, target *Target) map[string]string {
	c := contexts.Get().(*keys)
	defer c.release()
	fill(c, r, s, target)
	return shown(c)
}

// TestPrincipalKeys is the table of docs/spec/evaluation.md 1.2, column by column. A key that is not named is absent.
func TestPrincipalKeys(t *testing.T) {
	t.Parallel()
	r := people(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	issued := now.Add(-time.Minute)
	tags := []session.Tag{{Key: "TEAM", Value: "green", Transitive: true}, {Key: "new", Value: ""}}
	claims := func(c session.Claims) *session.Session {
		c.Issued, c.Expires = issued, issued.Add(time.Hour)
		return &session.Session{Claims: c}
	}
	user := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB", Path: "/team/", Name: "bob"}
	rootUser := state.Principal{Kind: state.RootUser, Account: ownAccount, ID: ownAccount}
	role := state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "AROAAPP", Path: "/p/", Name: "app", Session: "s1"}
	federated := state.Principal{Kind: state.FederatedUser, Account: ownAccount, ID: "AIDABOB", Path: "/team/", Name: "bob", Session: "fed"}
	byRoot := state.Principal{Kind: state.FederatedUser, Account: ownAccount, ID: ownAccount, Session: "fed"}

	userKeys := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::111122223333:user/team/bob", "aws:PrincipalType": "User", "aws:userid": "AIDABOB", "aws:username": "bob",
		"aws:PrincipalTag/Team": "red", "aws:PrincipalTag/cost": "1",
	}
	rootKeys := map[string]string{"aws:PrincipalArn": "arn:aws:iam::111122223333:root", "aws:PrincipalType": "Account", "aws:userid": ownAccount}
	roleKeys := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::111122223333:role/p/app", "aws:PrincipalType": "AssumedRole", "aws:userid": "AROAAPP:s1",
		"aws:TokenIssueTime": "2026-11-21T11:59:00Z", "aws:MultiFactorAuthPresent": "false",
	}
	fedKeys := map[string]string{
		"aws:PrincipalArn": "arn:aws:sts::111122223333:federated-user/fed", "aws:PrincipalType": "FederatedUser", "aws:userid": "111122223333:fed",
		"aws:TokenIssueTime": "2026-11-21T11:59:00Z", "aws:MultiFactorAuthPresent": "false",
	}
	roleTags := map[string]string{"aws:PrincipalTag/Team": "blue", "aws:PrincipalTag/stage": "prod"}
	overlaid := map[string]string{"aws:PrincipalTag/TEAM": "green", "aws:PrincipalTag/new": ""}
	issueTime := map[string]string{"aws:TokenIssueTime": "2026-11-21T11:59:00Z"}
	noFactor := map[string]string{"aws:MultiFactorAuthPresent": "false"}
	factor := map[string]string{"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "90"}
	mfa := now.Add(-90 * time.Second)

	for _, c := range []struct {
		name      string
		principal state.Principal
		session   *session.Session
		want      []map[string]string
	}{
		{"root", rootUser, nil, list(rootKeys)},
		{"root, GetSessionToken", rootUser, claims(session.Claims{}), list(rootKeys, issueTime, noFactor)},
		{"root, GetSessionToken with MFA", rootUser, claims(session.Claims{MFA: mfa}), list(rootKeys, issueTime, factor)},
		{"user", user, nil, list(userKeys)},
		{"user, GetSessionToken", user, claims(session.Claims{}), list(userKeys, issueTime, noFactor)},
		{"user, GetSessionToken with MFA", user, claims(session.Claims{MFA: mfa}), list(userKeys, issueTime, factor)},
		{"role", role, claims(session.Claims{}), list(roleKeys, roleTags)},
		{"role with MFA", role, claims(session.Claims{MFA: mfa}), list(roleKeys, roleTags, factor)},
		{"role with tags", role, claims(session.Claims{Tags: tags}), list(roleKeys, overlaid, map[string]string{"aws:PrincipalTag/stage": "prod"})},
		{"role with source identity", role, claims(session.Claims{SourceIdentity: "alice"}), list(roleKeys, roleTags, map[string]string{"aws:SourceIdentity": "alice"})},
		{"federated user", federated, claims(session.Claims{}), list(fedKeys, map[string]string{"aws:PrincipalTag/Team": "red", "aws:PrincipalTag/cost": "1"})},
		{"federated user with tags", federated, claims(session.Claims{Tags: tags}), list(fedKeys, overlaid, map[string]string{"aws:PrincipalTag/cost": "1"})},
		{"federated user, MFA counts not", federated, claims(session.Claims{MFA: mfa}), list(fedKeys, map[string]string{"aws:PrincipalTag/Team": "red", "aws:PrincipalTag/cost": "1"})},
		{"federated user of root", byRoot, claims(session.Claims{Tags: tags}), list(fedKeys, overlaid)},
	} {
		want := map[string]string{"aws:PrincipalAccount": ownAccount, "aws:PrincipalIsAWSService": "false"}
		for _, m := range c.want {
			maps.Copy(want, m)
		}
		got := filled(r, &Subject{Principal: &c.principal, Session: c.session, Environment: &Environment{Time: now}}, &Target{ARN: "*"})
		maps.DeleteFunc(got, func(k, _ string) bool { return slices.Contains(environmentKeys, k) })
		compare(t, c.name, got, want)
	}
}

func list(m ...map[string]string) []map[string]string { return m }

// environmentKeys are those of every request.
var environmentKeys = []string{
	"aws:CurrentTime", "aws:EpochTime", "aws:SecureTransport", "aws:RequestedRegion", "aws:ViaAWSService", "aws:ResourceAccount",
	"aws:SourceIp", "aws:UserAgent", "aws:referer",
}

func compare(t *testing.T, name string, got, want map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have, ok := got[key]; !ok || have != want[key] {
			t.Errorf("%s: %s is %q (present: %t); want %q", name, key, have, ok, want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %s is %q; want it absent", name, key, got[key])
		}
	}
}

// TestRequestKeys is docs/spec/evaluation.md 1.3: of the environment, and of the resource.
func TestRequestKeys(t *testing.T) {
	t.Parallel()
	r := people(t)
	at := time.Date(2026, 11, 21, 13, 0, 0, 5e8, time.FixedZone("east", 3600))
	bob := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB", Path: "/team/", Name: "bob"}
	always := map[string]string{
		"aws:CurrentTime": "2026-11-21T12:00:00Z", "aws:EpochTime": "1795262400", "aws:SecureTransport": "false", "aws:RequestedRegion": "",
		"aws:ViaAWSService": "false", "aws:ResourceAccount": ownAccount,
	}
	for _, c := range []struct {
		name        string
		environment Environment
		target      Target
		want        map[string]string
	}{
		{"bare", Environment{}, Target{}, nil},
		{"everything", Environment{SourceIP: "203.0.113.10", UserAgent: "x/1", Referer: "https://r", Region: "eu-west-1", Secure: true}, Target{},
			map[string]string{"aws:SourceIp": "203.0.113.10", "aws:UserAgent": "x/1", "aws:referer": "https://r", "aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true"}},
		{"headers that are not UTF-8", Environment{UserAgent: "M\xfcller", Referer: "\xff"}, Target{}, map[string]string{"aws:UserAgent": "M\uFFFDller", "aws:referer": "\uFFFD"}},
		{"another owner", Environment{}, Target{Account: "444455556666"}, map[string]string{"aws:ResourceAccount": "444455556666"}},
		{"tags", Environment{}, Target{ARN: "arn:aws:s3:::b", Tags: []*statepb.Tag{{Key: "K", Value: "v"}, {Key: "e"}}},
			map[string]string{"aws:ResourceTag/K": "v", "aws:ResourceTag/e": ""}},
		{"tags of IAM's", Environment{}, Target{ARN: "arn:aws:iam::111122223333:user/x", Tags: []*statepb.Tag{{Key: "K", Value: "v"}, {Key: "e"}}},
			map[string]string{"aws:ResourceTag/K": "v", "iam:ResourceTag/K": "v", "aws:ResourceTag/e": "", "iam:ResourceTag/e": ""}},
		{"keys of the check", Environment{SourceIP: "203.0.113.10"}, Target{Keys: []policy.Entry{
			{Key: "aws:TagKeys", Values: []string{"a", "b"}, Multi: true}, {Key: "aws:ResourceAccount", Values: []string{"mine"}}, {Key: "sts:ExternalId", Values: []string{"42"}}}},
			map[string]string{"aws:TagKeys": "many: a|b", "aws:ResourceAccount": "mine", "sts:ExternalId": "42", "aws:SourceIp": "203.0.113.10"}},
	} {
		c.environment.Time = at
		got := filled(r, &Subject{Principal: &bob, Environment: &c.environment}, &c.target)
		for _, key := range []string{"aws:PrincipalArn", "aws:PrincipalType", "aws:userid", "aws:username", "aws:PrincipalTag/Team", "aws:PrincipalTag/cost", "aws:PrincipalAccount", "aws:PrincipalIsAWSService"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s: %s is absent", c.name, key)
			}
			delete(got, key)
		}
		want := maps.Clone(always)
		maps.Copy(want, c.want)
		compare(t, c.name, got, want)
	}
}

// TestContextsAreBounded: the fullest check there can be fits a decision, and what was used for it is not kept.
func TestContextsAreBounded(t *testing.T) {
	t.Parallel()
	r := people(t)
	s := &session.Session{}
	for i := range 200 { // the most that a token holds
		s.Tags = append(s.Tags, session.Tag{Key: fmt.Sprintf("t%d", i), Value: strings.Repeat("v", 256)})
	}
	target := Target{ARN: "*"}
	for i := range 50 {
		key := fmt.Sprintf("k%d", i)
		target.Tags = append(target.Tags, &statepb.Tag{Key: key, Value: strings.Repeat("v", 256)})
		target.Keys = append(target.Keys, policy.Entry{Key: "aws:RequestTag/" + key, Values: []string{strings.Repeat("v", 256)}})
	}
	p := state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "AROAAPP", Path: "/p/", Name: "app", Session: "s1"}
	c := &keys{}
	fill(c, r, &Subject{Principal: &p, Session: s, Environment: &Environment{}}, &target)
	if len(c.entries) > policy.MaxContext {
		t.Errorf("%d keys, a decision takes %d", len(c.entries), policy.MaxContext)
	}
	everything, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/t199":"`+strings.Repeat("v", 256)+`"}}}}`, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	sets := policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: everything}), Caller: policy.Caller{Kind: policy.RoleCaller, Account: ownAccount}}
	if d := policy.Decide(&sets, &policy.Request{Action: "s3:GetObject", Resource: "*", Context: c.entries}); d.Effect != policy.Allow {
		t.Errorf("a decision over %d keys: %+v", len(c.entries), d)
	}
	for range 100 {
		c := contexts.Get().(*keys)
		fill(c, r, &Subject{Principal: &p, Session: s, Environment: &Environment{}}, &target)
		c.release()
		if again := contexts.Get().(*keys); cap(again.entries) > keptKeys || len(again.entries) > 0 {
			t.Fatalf("a context with room for %d keys was kept, %d in it", cap(again.entries), len(again.entries))
		}
	}
}
