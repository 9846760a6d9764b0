package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// Every decision case goes over HTTP through authorize: what the store knows of its caller is put into the store, everything else into the
// question.

// caseServer answers the questions of cases. Each case has the accounts for itself while it is decided.
type caseServer struct {
	*apiTest
	roots  map[string]caller
	stored bool // SCPs and RCPs stand in the store
}

// openAccounts is a server with the accounts of the cases.
func openAccounts(t *testing.T) *caseServer {
	x := newAPIOf(t, func(cfg *Config) { cfg.catalog = invented(t) })
	x.T = t
	s := &caseServer{apiTest: x, roots: map[string]caller{}}
	for _, account := range []string{policytest.AccountA, policytest.AccountB, policytest.AccountM, policytest.AccountX, "123456789012", "777788889999"} {
		s.roots[account] = s.addAccount(account)
	}
	return s
}

// invented is the catalogue with the service that cases invent, whose action they ask about on resources of other services too.
func invented(t *testing.T) *catalog.Catalog {
	t.Helper()
	own, err := catalog.Read(strings.NewReader(`{"services": [{
		"prefix": "x", "name": "Invented by the cases",
		"resourceTypes": [{"name": "thing", "arn": "arn:${Partition}:*:*:*:*"}],
		"actions": [{"name": "Do", "level": "Write", "resources": [{"type": "thing"}]}]
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

// uncatalogued are the cases that policies allow and the catalogue does not (docs/spec/evaluation.md 7, items 7 and 8): what they show is how
// texts are matched, with actions and resources that no service has together.
var uncatalogued = map[string]catalog.Verdict{
	"action-backtrack": catalog.UnknownAction,
	"V1":               catalog.WrongResource, // s3:GetObject and iam:CreateUser of a service "x"
	"V2":               catalog.WrongResource,
	"V4":               catalog.WrongResource,
	"V5":               catalog.WrongResource,
}

// openCases is a server with the accounts and the organization of the cases. SCPs and RCPs come with the questions: the store's own would hold
// besides. TestAuthorizeStoredChains has them in the store.
func openCases(t *testing.T) *caseServer {
	s := openAccounts(t)
	(&statetest.Organization{
		ID: "o-1", Management: policytest.AccountM, Root: "r-1", Units: map[string]string{"ou-1": "r-1"},
		Accounts: map[string]string{policytest.AccountA: "ou-1", policytest.AccountB: "ou-1"}, Enabled: []statepb.PolicyType{},
	}).Put(t, s.cell.store)
	return s
}

// inexpressible says why a case cannot be asked, "" for one that can.
func inexpressible(c *policytest.Case) string {
	for _, k := range c.Context {
		switch name := strings.ToLower(k.Name); {
		case name == "aws:principalorgpaths" && (len(k.Values) != 1 || k.Values[0] != "o-1/r-1/ou-1/"):
			return "the caller's account stands at another place of the organization"
		case name == "aws:resourcetag/":
			return "no tag has an empty key"
		}
	}
	switch {
	case c.Resource == "":
		return "a question without a resource is refused"
	case strings.Count(c.Action, ":") != 1:
		return "a question whose action is not prefix:name is refused"
	case c.Caller.Root() && slices.ContainsFunc(c.Policies, func(p policytest.Policy) bool { return p.Layer == policy.LayerIdentity }):
		return "a root user has no identity policies"
	case c.Caller.Kind == policy.FederatedCaller && strings.HasPrefix(c.Action, "sts:"):
		return "STS refuses the credentials of federated users before anything is decided"
	}
	return ""
}

// records are what the store knows of the case's caller.
func records(c *policytest.Case) ([]state.Record, error) {
	who := c.Caller.Policy()
	var list []state.Record
	var tags []*statepb.Tag
	for key, value := range c.Tags {
		tags = append(tags, &statepb.Tag{Key: key, Value: value})
	}
	name := c.Caller.Name
	switch c.Caller.Kind {
	case policy.RoleCaller:
		role := &state.Role{}
		role.Id, role.Path, role.Name, role.Tags = who.ID, pathOf(name), path.Base(name), tags
		trust, err := compiledText(trustEC2, policy.Trust)
		if err != nil {
			return nil, err
		}
		role.SetTrust(trust)
		list = append(list, role)
	case policy.UserCaller, policy.FederatedCaller:
		if c.Caller.Kind == policy.FederatedCaller {
			name = c.Caller.Issuer
		}
		if name == "" {
			break // issued by root
		}
		user := &state.User{}
		user.Id, user.Path, user.Name, user.Tags = who.ID, pathOf(name), path.Base(name), tags
		list = append(list, user)
	}
	for i, p := range c.Policies {
		if p.Layer != policy.LayerIdentity && p.Layer != policy.LayerBoundary || who.ID == "" {
			continue
		}
		compiled, err := compiledText(p.Text, policytest.Kind(p.Layer))
		if err != nil {
			return nil, err
		}
		if p.Layer == policy.LayerIdentity {
			inline := &state.InlinePolicy{}
			inline.Owner, inline.Name = who.ID, fmt.Sprintf("%03d.%s", i, p.Name) // in the order of the case
			list = append(list, inline.WithDocument(compiled))
			continue
		}
		managed := &state.ManagedPolicy{}
		managed.Id, managed.Name, managed.Path, managed.DefaultVersion, managed.LastVersion = "ANPABOUNDARY", p.Name, "/", 1, 1
		version := &state.PolicyVersion{Compiled: compiled}
		version.Policy, version.Number, version.Document = managed.Id, 1, p.Text
		at := &state.Attachment{}
		at.Owner, at.Policy, at.Boundary = who.ID, managed.ARN(c.Caller.Account), true
		list = append(list, managed, version, at)
	}
	return list, nil
}

func compiledText(text string, kind policy.Kind) (*policy.Policy, error) {
	d, err := policy.Decode(text, kind)
	if err != nil {
		return nil, err
	}
	return policy.Compile(d)
}

func pathOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return "/" + name[:i+1]
	}
	return "/"
}

// asked is the case as a question, and the names of its policies by the member of the question that holds them.
func asked(c *policytest.Case) (question jsonObject, names map[string]string) {
	names = map[string]string{}
	principal := principalOf(c)
	if id := c.Caller.Policy().Canonical; id != "" {
		principal["CanonicalUserId"] = id
	}
	question = jsonObject{"Principal": principal, "Action": c.Action, "Resource": c.Resource}
	if c.NeedsResourcePolicy {
		question["ResourcePolicyRequired"] = true
	}
	if owner := c.Owner; owner != "" {
		question["ResourceAccount"] = owner
	} else if c.Caller.Account != "" {
		question["ResourceAccount"] = c.Caller.Account
	}
	var sessions []string
	for _, p := range c.Policies {
		switch p.Layer {
		case policy.LayerSession:
			sessions = append(sessions, p.Text)
			names[fmt.Sprintf("SessionPolicies.%d", len(sessions))] = p.Name
		case policy.LayerResource, policy.LayerTrust:
			question["ResourcePolicy"], names["ResourcePolicy"] = p.Text, p.Name
		case policy.LayerEndpoint:
			question["EndpointPolicy"], names["EndpointPolicy"] = p.Text, p.Name
			question["EndpointType"] = "Interface"
			if c.Gateway {
				question["EndpointType"] = "Gateway"
			}
		}
	}
	if assumedRoot(c) && sessions == nil {
		sessions = []string{`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`} // the task policy that each has
	}
	if sessions != nil {
		principal["SessionPolicies"] = sessions
	}
	for layer, member := range map[policy.Layer]string{policy.LayerSCP: "ServiceControlPolicies", policy.LayerRCP: "ResourceControlPolicies"} {
		if !c.Applies(layer) {
			continue
		}
		levels := [][]string{}
		for i, level := range c.Chain(layer) {
			texts := []string{}
			for j, p := range level {
				texts = append(texts, p.Text)
				names[fmt.Sprintf("%s.%d.%d", member, i+1, j+1)] = p.Name
			}
			levels = append(levels, texts)
		}
		question[member] = levels
	}
	addContext(c, question)
	return question, names
}

// assumedRoot says whether the caller is a session of AssumeRoot: only those have session policies or the key.
func assumedRoot(c *policytest.Case) bool {
	return c.Caller.Kind == policy.RootCaller && (slices.ContainsFunc(c.Policies, func(p policytest.Policy) bool { return p.Layer == policy.LayerSession }) ||
		slices.ContainsFunc(c.Context, func(k policytest.Key) bool { return strings.EqualFold(k.Name, "aws:AssumedRoot") }))
}

// addContext adds the keys that an asker gives.
func addContext(c *policytest.Case, question jsonObject) {
	keys, tags := jsonObject{}, map[string]string{}
	for _, e := range c.Request().Context {
		name := strings.ToLower(e.Key)
		switch {
		case strings.HasPrefix(name, "aws:resourcetag/"):
			tags[e.Key[len("aws:resourcetag/"):]] = e.Values[0]
		case strings.HasPrefix(name, "aws:principal"), strings.HasPrefix(name, "aws:resource"), name == "aws:userid", name == "aws:username",
			name == "aws:tokenissuetime", name == "aws:multifactorauthpresent", name == "aws:federatedprovider", name == "aws:assumedroot":
		case e.Multi:
			keys[e.Key] = append([]string{}, e.Values...)
		default:
			keys[e.Key] = e.Values[0]
		}
	}
	question["Context"] = keys
	if len(tags) > 0 {
		question["ResourceTags"] = tags
	}
	if c.Grantees != nil {
		question["AclGrantees"] = c.Grantees
	}
}

func principalOf(c *policytest.Case) jsonObject {
	who := c.Caller.Policy()
	const issued = "2026-11-21T11:30:00Z"
	switch c.Caller.Kind {
	case policy.RootCaller:
		if assumedRoot(c) {
			return jsonObject{"Arn": "arn:aws:sts::" + c.Caller.Account + ":assumed-root"}
		}
		return jsonObject{"Arn": "arn:aws:iam::" + c.Caller.Account + ":root"}
	case policy.UserCaller:
		if c.Caller.Temporary {
			return jsonObject{"Arn": who.ARN, "TokenIssueTime": issued, "MultiFactorAuthPresent": false}
		}
		return jsonObject{"Arn": who.ARN}
	case policy.RoleCaller:
		return jsonObject{"Arn": who.Session, "TokenIssueTime": issued}
	case policy.FederatedCaller:
		p := jsonObject{"Arn": who.Session, "IssuerArn": who.ARN, "TokenIssueTime": issued}
		if c.Caller.Issuer == "" {
			p["IssuerArn"] = "arn:aws:iam::" + c.Caller.Account + ":root"
			if len(c.Tags) > 0 {
				p["SessionTags"] = c.Tags
			}
		}
		return p
	case policy.ServiceCaller:
		return jsonObject{"Service": who.Names}
	case policy.ProviderCaller:
		return jsonObject{"Federated": who.Names[0]}
	}
	return jsonObject{"Anonymous": true}
}

// decide is policytest.Evaluator.Decide.
func (s *caseServer) decide(c *policytest.Case) (o policytest.Outcome, err error) {
	list, err := records(c)
	if err != nil {
		return o, err
	}
	asker := c.Caller.Account
	if asker == "" {
		asker = policytest.AccountA
	}
	unit := []string{state.AccountUnit(asker)}
	if len(list) > 0 {
		if err := s.cell.store.Update(s.Context(), unit, func(tx *state.Tx) error {
			for _, r := range list {
				tx.Put(unit[0], r)
			}
			return nil
		}); err != nil {
			return o, err
		}
		defer func() {
			if gone := s.cell.store.Update(s.Context(), unit, func(tx *state.Tx) error {
				for _, r := range list {
					tx.Delete(unit[0], r)
				}
				return nil
			}); err == nil {
				err = gone
			}
		}()
	}
	question, names := asked(c)
	if s.stored {
		delete(question, "ServiceControlPolicies")
		delete(question, "ResourceControlPolicies")
	}
	a := s.send(s.question(s.roots[asker], jsonOf(question)))
	if a.status != http.StatusOK {
		return o, fmt.Errorf("%s\n%s", s.jsonText(a), jsonOf(question))
	}
	return outcomeOf(a.body, c, names)
}

// decideCatalogued is decide, which of a case among uncatalogued gives what the case wants if the catalogue is what denies.
func (s *caseServer) decideCatalogued(c *policytest.Case) (policytest.Outcome, error) {
	o, err := s.decide(c)
	if _, ok := uncatalogued[c.Name]; !ok || err != nil {
		return o, err
	}
	if c.Want.Effect != policy.Allow || o != (policytest.Outcome{Effect: policy.DenyImplicit}) {
		return o, fmt.Errorf("it stands among those that only the catalogue denies, wants %s and got %s", c.Want, o)
	}
	return c.Want, nil
}

// outcomeOf reads an answer, and checks what a policytest.Outcome does not hold.
func outcomeOf(body []byte, c *policytest.Case, names map[string]string) (o policytest.Outcome, err error) {
	var got struct {
		Decision, Layer, Message string
		Explicit                 bool
		Level                    *int
		Policy                   *struct{ Arn, Name, Owner string }
		Statement                *struct {
			Index *int
			Sid   string
		}
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return o, err
	}
	switch {
	case got.Decision == "Allow" && !got.Explicit:
		o.Effect = policy.Allow
	case got.Decision == "Deny" && got.Explicit:
		o.Effect = policy.DenyExplicit
	case got.Decision != "Deny":
		return o, fmt.Errorf("decision %q, explicit %t", got.Decision, got.Explicit)
	}
	for layer := policy.LayerIdentity; layer <= policy.LayerExempt; layer++ {
		if layer.String() == got.Layer {
			o.Layer = layer
		}
	}
	levels := o.Layer == policy.LayerSCP || o.Layer == policy.LayerRCP
	switch {
	case o.Layer == policy.LayerNone && got.Layer != "":
		return o, fmt.Errorf("layer %q", got.Layer)
	case (got.Level != nil) != levels, (got.Policy == nil) != (got.Statement == nil), (got.Message == "") != (o.Effect == policy.Allow):
		return o, fmt.Errorf("members that do not fit: %s", body)
	case levels:
		o.Level = *got.Level
	}
	if got.Policy == nil {
		return o, nil
	}
	o.Policy, o.Statement = names[got.Policy.Name], *got.Statement.Index
	if o.Policy == "" {
		_, o.Policy, _ = strings.Cut(got.Policy.Name, ".") // an inline policy
	}
	for _, p := range c.Policies {
		managed := p.Layer == policy.LayerBoundary || p.Layer == policy.LayerSCP || p.Layer == policy.LayerRCP
		if p.Name != o.Policy && (!managed || p.Name != got.Policy.Name) {
			continue
		}
		o.Policy = p.Name
		d, err := policy.Decode(p.Text, policytest.Kind(p.Layer))
		if err != nil {
			return o, err
		}
		if sid := d.Statements[o.Statement].Sid; sid != got.Statement.Sid {
			return o, fmt.Errorf("Sid %q, want %q", got.Statement.Sid, sid)
		}
	}
	return o, nil
}

// skipped is how many cases cannot be asked. A number that changes is looked at.
const skipped = 9

func TestAuthorizeCases(t *testing.T) {
	t.Parallel()
	cases, err := policytest.Load(os.DirFS("../../policy/policytest/testdata"), "*.case")
	if err != nil {
		t.Fatal(err)
	}
	var able []*policytest.Case
	for _, c := range cases {
		if why := inexpressible(c); why != "" {
			t.Logf("skipped: case %s (%s:%d): %s", c.Name, c.File, c.Line, why)
			continue
		}
		able = append(able, c)
	}
	for name, verdict := range uncatalogued {
		i := slices.IndexFunc(able, func(c *policytest.Case) bool { return c.Name == name })
		if i < 0 || invented(t).Verdict(able[i].Action, able[i].Resource) != verdict {
			t.Errorf("case %s is not there, or not what the catalogue calls %s", name, verdict)
		}
	}
	if n := len(cases) - len(able); n != skipped {
		t.Errorf("%d cases are skipped, not %d", n, skipped)
	}
	s := openCases(t)
	policytest.Run(t, able, policytest.Evaluator{Name: "authorize", Decide: s.decideCatalogued})
}
