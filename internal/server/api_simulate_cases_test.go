package server

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// Every decision case goes through the simulators as far as their parameters can say it: SimulatePrincipalPolicy with the caller, its policies and
// its organization in the store, and SimulateCustomPolicy with the policies in the question. testdata/simulate_cases.txt names each case that neither
// can say, and why: go test ./internal/server -run TestSimulateCases -update writes it.

var updateLists = flag.Bool("update", false, "write the lists of testdata anew")

// unsaid says why no simulator can be asked a case, "" if SimulatePrincipalPolicy can; custom the same of SimulateCustomPolicy.
func unsaid(c *policytest.Case) (principal, custom string) {
	if principal = unsaidByBoth(c); principal != "" {
		return principal, principal
	}
	has := func(layer policy.Layer, part string) bool {
		return slices.ContainsFunc(c.Policies, func(p policytest.Policy) bool { return p.Layer == layer && strings.Contains(p.Text, part) })
	}
	switch {
	case c.Caller.Kind != policy.UserCaller:
		custom = "CallerArn is that of a user"
	case slices.ContainsFunc(c.Policies, func(p policytest.Policy) bool { return !policy.Printable(p.Text) }):
		custom = "a policy with characters that IAM does not store"
	case has(policy.LayerResource, "AIDA") || has(policy.LayerTrust, "AIDA"):
		custom = "the store is not read, and so unique ids are not known"
	case c.SCPLevels > 0 && c.Applies(policy.LayerSCP):
		custom = "no parameter for SCPs"
	}
	return principal, custom
}

func unsaidByBoth(c *policytest.Case) string {
	action := catalog.Builtin().Action(c.Action)
	parsed, arnErr := arn.Parse(c.Resource)
	verdict := catalog.Builtin().Verdict(c.Action, c.Resource)
	onRole := strings.HasPrefix(strings.ToLower(c.Action), "sts:") && parsed.Service == "iam" && strings.HasPrefix(parsed.Resource, "role/")
	list := verdict == catalog.NoResource && parsed.Service == "iam" && action.Level == catalog.LevelList
	var resourcePolicy bool
	for _, p := range c.Policies {
		switch p.Layer {
		case policy.LayerSession:
			return "no parameter for session policies"
		case policy.LayerEndpoint:
			return "no parameter for endpoint policies"
		case policy.LayerResource, policy.LayerTrust:
			resourcePolicy = true
			if strings.Contains(p.Text, ":assumed-role/") {
				return "a policy names a session of a role, and no parameter names a session"
			}
			if strings.Contains(p.Text, `"CanonicalUser"`) {
				return "no parameter for the canonical user id of an account"
			}
			if onRole != (p.Layer == policy.LayerTrust) {
				return "the policy of a role is a trust policy, and only that"
			}
		}
		if _, err := simulate.LoadPolicy("", p.Text, policytest.Kind(p.Layer)); err != nil && (p.Layer == policy.LayerResource || p.Layer == policy.LayerTrust || p.Layer == policy.LayerIdentity || p.Layer == policy.LayerBoundary) {
			return "a policy that AWS refuses: " + err.Error()
		}
	}
	switch {
	case c.Caller.Kind != policy.UserCaller && c.Caller.Kind != policy.RoleCaller:
		return "the caller is no user and no role"
	case action == nil:
		return "the action is not known"
	case c.Resource != "*" && arnErr != nil || len(c.Resource) > 2048:
		return "the resource is no ARN of at most 2,048 characters"
	case verdict != catalog.Known && !list && c.Want.Effect == policy.Allow:
		return "the catalogue denies what the policies allow: " + verdict.String()
	case c.RCPLevels > 0 && c.Applies(policy.LayerRCP):
		return "no parameter for RCPs, and those of the store are not asked"
	case len(c.Grantees) > 0:
		return "no parameter for ACLs"
	case len(c.PolicyContext) > 0:
		return "no parameter for another context of the resource's policy"
	case c.Owner != "" && c.Resource != "*" && product.IsAccount(parsed.Account) && parsed.Account != c.Owner:
		return "the ARN names another account than the owner"
	case c.Exempt && !strings.HasPrefix(c.Action, "sts:"):
		return "no parameter says that no permission is needed"
	case !resourcePolicy && (c.NeedsResourcePolicy || action.NeedsResourcePolicy(c.Resource)), c.NeedsResourcePolicy && !action.NeedsResourcePolicy(c.Resource):
		return "no parameter says that the resource has no policy"
	}
	seen := []string{}
	for _, k := range c.Context {
		_, err := simulate.TypedEntry(k.Name, "string", nil)
		switch {
		case len(k.Name) < 5 || len(k.Name) > 256:
			return "a key with less than 5 or more than 256 characters"
		case err != nil:
			return err.Error()
		case slices.ContainsFunc(seen, func(s string) bool { return policy.SameKey(s, k.Name) && !strings.Contains(s, "/") }):
			return "a key that stands twice"
		}
		seen = append(seen, k.Name)
	}
	return ""
}

// entriesOf are the keys that the caller does not imply, as parameters.
func entriesOf(c *policytest.Case, custom bool) params {
	var p params
	n := 0
	add := func(name string, multi bool, values []string) {
		n++
		at := fmt.Sprintf("ContextEntries.member.%d.", n)
		kind := "string"
		if multi {
			kind = "stringList"
		}
		p = append(p, at+"ContextKeyName", name, at+"ContextKeyType", kind)
		for i, v := range values {
			p = append(p, fmt.Sprintf("%sContextKeyValues.member.%d", at, i+1), v)
		}
	}
	for _, e := range c.Request().Context {
		own := slices.ContainsFunc(c.Context, func(k policytest.Key) bool { return policy.SameKey(k.Name, e.Key) })
		name := strings.ToLower(e.Key)
		implied := name == "aws:principalarn" || name == "aws:principaltype" || name == "aws:principalaccount" || name == "aws:username" ||
			!custom && (strings.HasPrefix(name, "aws:principaltag/") || name == "aws:userid" && c.Caller.Kind == policy.UserCaller)
		if own || !implied {
			add(e.Key, e.Multi, e.Values)
		}
	}
	for _, k := range c.Context {
		if k.Absent {
			add(k.Name, false, nil)
		}
	}
	return p
}

// simulate is the case as a question to one of the simulators.
func (s *caseServer) simulate(c *policytest.Case, custom bool) *answer {
	p := append(ps("ActionNames.member.1", c.Action, "ResourceArns.member.1", c.Resource), entriesOf(c, custom)...)
	if c.Owner != "" {
		p = append(p, "ResourceOwner", c.Owner)
	}
	inputs := 0
	for _, one := range c.Policies {
		switch {
		case one.Layer == policy.LayerResource, one.Layer == policy.LayerTrust:
			p = append(p, "ResourcePolicy", one.Text)
		case custom && one.Layer == policy.LayerIdentity:
			inputs++
			p = append(p, fmt.Sprintf("PolicyInputList.member.%d", inputs), one.Text)
		case custom && one.Layer == policy.LayerBoundary:
			p = append(p, "PermissionsBoundaryPolicyInputList.member.1", one.Text)
		}
	}
	who, op := c.Caller.Policy().ARN, "SimulatePrincipalPolicy"
	if custom {
		op = "SimulateCustomPolicy"
		if inputs == 0 { // the list is required
			p = append(p, "PolicyInputList.member.1", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:none","Resource":"*"}}`)
		}
		p = append(p, "CallerArn", who)
	} else {
		p = append(p, "PolicySourceArn", who)
	}
	return s.call(s.roots[c.Caller.Account], op, p)
}

// wrong says what is wrong with the answer about a case.
func (s *caseServer) wrong(c *policytest.Case, a *answer) string {
	if a.status != 200 {
		return a.String()
	}
	decision, ids := a.all("EvalResourceDecision"), a.all("SourcePolicyId")
	if len(decision) != 1 || decision[0] != simulate.Word(c.Want.Effect) || a.all("EvalDecision")[0] != decision[0] {
		return a.String()
	}
	if c.Want.Policy == "" {
		return ""
	}
	inputs := 0
	for _, p := range c.Policies {
		var is func(id string) bool
		switch p.Layer {
		case policy.LayerIdentity:
			inputs++
			input := fmt.Sprintf("PolicyInputList.%d", inputs)
			is = func(id string) bool { return id == input || strings.HasSuffix(id, "."+p.Name) }
		case policy.LayerBoundary:
			is = func(id string) bool { return id == "PermissionsBoundaryPolicyInputList.1" || id == p.Name }
		case policy.LayerResource, policy.LayerTrust:
			is = func(id string) bool { return id == "ResourcePolicy" }
		default:
			is = func(id string) bool { return id == p.Name }
		}
		if p.Name == c.Want.Policy && !slices.ContainsFunc(ids, is) {
			return fmt.Sprintf("the deciding policy %s is not among those that matched: %s", p.Name, a)
		}
	}
	return ""
}

func TestSimulateCases(t *testing.T) {
	t.Parallel()
	cases, err := policytest.Load(os.DirFS("../../policy/policytest/testdata"), "*.case")
	if err != nil {
		t.Fatal(err)
	}
	shared := openAccounts(t)
	var list strings.Builder
	said := map[bool]int{}
	for _, c := range cases {
		principal, custom := unsaid(c)
		switch {
		case principal != "":
			fmt.Fprintf(&list, "%s: %s\n", c.Name, principal)
		case custom != "":
			fmt.Fprintf(&list, "%s (SimulateCustomPolicy): %s\n", c.Name, custom)
		}
		if custom == "" {
			said[true]++
			if wrong := shared.wrong(c, shared.simulate(c, true)); wrong != "" {
				t.Errorf("%s:%d: SimulateCustomPolicy: %s\n%s", c.File, c.Line, wrong, c)
			}
		}
		if principal == "" {
			said[false]++
			if wrong := simulatePrincipal(t, shared, c); wrong != "" {
				t.Errorf("%s:%d: SimulatePrincipalPolicy: %s\n%s", c.File, c.Line, wrong, c)
			}
		}
	}
	t.Logf("%d cases through SimulateCustomPolicy, %d through SimulatePrincipalPolicy, of %d", said[true], said[false], len(cases))
	if said[true] < 800 || said[false] < 900 {
		t.Errorf("only %d and %d cases could be asked", said[true], said[false])
	}
	const file = "testdata/simulate_cases.txt"
	if *updateLists {
		if err := os.WriteFile(file, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != list.String() {
		t.Errorf("%s is not what the test finds (%v); -update writes it anew", file, err)
	}
}

// simulatePrincipal stores what the case says of the caller. A case with SCPs has a server for itself.
func simulatePrincipal(t *testing.T, s *caseServer, c *policytest.Case) string {
	t.Helper()
	if c.SCPLevels > 0 {
		s = openAccounts(t)
		s.putChains(t, c)
	}
	list, err := records(c)
	if err != nil {
		return err.Error()
	}
	unit := state.AccountUnit(c.Caller.Account)
	change := func(do func(tx *state.Tx, r state.Record)) {
		s.must(s.cell.store.Update(s.Context(), []string{unit}, func(tx *state.Tx) error {
			for _, r := range list {
				do(tx, r)
			}
			return nil
		}))
	}
	change(func(tx *state.Tx, r state.Record) { tx.Put(unit, r) })
	defer change(func(tx *state.Tx, r state.Record) { tx.Delete(unit, r) })
	a := s.simulate(c, false)
	if a.status == 403 && strings.Contains(a.String(), "iam:SimulatePrincipalPolicy") && strings.Contains(a.String(), "service control policy") {
		return "" // the chain denies everything to everybody, who asks among them
	}
	return s.wrong(c, a)
}
