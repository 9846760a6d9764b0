package offline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Question is one action on one resource, or a call that needs several checks, with all that is known of who asks and of what there is.
type Question struct {
	Name  string // of a case in a suite
	Place string // "file:line" of it

	Policies Policies
	// Principal is the ARN of a user, role or role session of Asker.Dump: the caller, its policies and its boundary come from there. Policies of
	// the identity that are given besides are added, a boundary that is given replaces the principal's.
	Principal string
	Caller    string // see ParseCaller; "" is nobody in particular, whose identity policies alone count
	CallerID  string // unique id of the caller's user or role
	Canonical string // canonical user id of the caller's account

	Action, Resource string
	Owner            string // account of the resource; "" is the one in its ARN, else the caller's
	Context          []Key
	PolicyContext    []Key    // what the policy of the resource reads otherwise
	Grantees         []string // of the resource's ACL, see policy.Request
	// NeedsResourcePolicy and Exempt are as in simulate.Input.
	NeedsResourcePolicy, Exempt bool

	// Checks are those of a call (docs/spec/evaluation.md 7), in the place of Action and Resource: of each its Action and Resource, its Expect, if
	// there is one, and what is its own of Context, Owner, PolicyContext, Grantees, NeedsResourcePolicy, Exempt and the policies Resource, Trust and
	// RCP. The first is of the operation that is called, see simulate.Call.
	Checks  []*Question
	PerItem bool // of a call, see simulate.Call

	Expect *Expect // nil: nothing is expected
}

// Asker answers questions. It remembers the policies that it has read, and is not for several goroutines at once.
type Asker struct {
	Files   Files
	Catalog *catalog.Catalog // nil: catalog.Builtin
	// PoliciesOnly decides by the policies alone: what the catalogue says of actions and resources is told, and denies nothing.
	PoliciesOnly bool
	// Unchecked takes policies as they are: by the grammar alone, as stored ones are read, and without RCPFullAWSAccess on every level.
	Unchecked bool
	Dump      *Dump

	library *library
}

// Answer is the answer to a question.
type Answer struct {
	Question *Question
	Caller   string
	Check    *simulate.Check // nil for a call
	// Checks are the answers to the checks of a call, in their order. Decides is the index of the one that decides, see simulate.CallResult.
	Checks  []*Answer
	Decides int
	// Dependent are actions that such a call may need besides, and nobody asked about. It is told only where what was asked is allowed.
	Dependent []catalog.Dependent
	// Decision is that of Check; of a call that of the check that decides.
	Decision policy.Decision
	// Difference is how the answer differs from what is expected; "" where it does not, or where nothing is expected.
	Difference string
	// ByCatalogue: the policies allow it, and what the catalogue says of the action and the resource denies it.
	ByCatalogue bool
	Hint        string // the nearest name to an action that is not known

	policiesOnly bool  // of the Asker
	dump         *Dump // of the Asker
	documents    map[*policy.Attached]*readDocument
}

// Prepare reads all that the questions name, so that bad input (files, policies, principals, limits) is told before the first answer.
func (a *Asker) Prepare(questions []*Question) error {
	work := 0
	for _, q := range questions {
		cost, err := a.cost(q)
		if err != nil {
			return q.placed(err)
		}
		if work += cost; work > MaxWork {
			return fmt.Errorf("the questions are too many for so many policies: more than %d bytes of policies would be asked", MaxWork)
		}
	}
	return nil
}

// cost is in the unit of MaxWork.
func (a *Asker) cost(q *Question) (int, error) {
	if q.Checks != nil {
		call, _, err := a.call(q)
		if err != nil {
			return 0, err
		}
		return call.Cost(), call.Valid()
	}
	in, _, err := a.input(q)
	if err != nil {
		return 0, err
	}
	return in.Cost(), nil
}

// Ask answers a question.
func (a *Asker) Ask(q *Question) (*Answer, error) {
	answer, err := a.ask(q)
	return answer, q.placed(err)
}

// placed says which case of a suite an error is about.
func (q *Question) placed(err error) error {
	if err == nil || q.Place == "" {
		return err
	}
	return fmt.Errorf("%s: case %q: %w", q.Place, clip(q.Name), err)
}

func (a *Asker) ask(q *Question) (*Answer, error) {
	if q.Checks != nil {
		return a.askCall(q)
	}
	in, caller, err := a.input(q)
	if err != nil {
		return nil, err
	}
	results, err := simulate.Run(in)
	if err != nil {
		return nil, err
	}
	answer := a.answer(q, &results[0].Checks[0])
	answer.Caller = caller.Name
	a.tellDependent(answer, []*Question{q})
	return answer, nil
}

// answer is what a check says to a question.
func (a *Asker) answer(q *Question, c *simulate.Check) *Answer {
	answer := &Answer{Question: q, Check: c, Decision: c.Decision, policiesOnly: a.PoliciesOnly, dump: a.Dump}
	answer.ByCatalogue = c.Refusal == "" && c.Decision.Effect != c.Explanation.Decision.Effect
	if c.Verdict == catalog.UnknownAction || c.Verdict == catalog.UnknownService {
		answer.Hint, _ = a.catalog().NearestAction(q.Action)
	}
	if q.Expect != nil {
		answer.Difference = q.Expect.difference(answer)
	}
	return answer
}

// tellDependent fills Dependent with what the catalogue knows of the operation, which the first of the checks asks about.
func (a *Asker) tellDependent(answer *Answer, asked []*Question) {
	operation := a.catalog().Action(asked[0].Action)
	if operation == nil || answer.Decision.Effect != policy.Allow {
		return
	}
	for _, d := range operation.Dependent {
		if !slices.ContainsFunc(asked, func(q *Question) bool { return policy.SameKey(q.Action, d.Action) }) {
			answer.Dependent = append(answer.Dependent, d)
		}
	}
}

func (a *Asker) catalog() *catalog.Catalog {
	if a.Catalog != nil {
		return a.Catalog
	}
	return catalog.Builtin()
}

// input makes the question one of package simulate.
func (a *Asker) input(q *Question) (*simulate.Input, *Caller, error) {
	if a.library == nil {
		a.library = &library{files: a.Files, checked: !a.Unchecked, texts: map[string]string{}, ready: map[libraryKey]*policy.Attached{}}
	}
	if q.Action == "" || q.Resource == "" {
		return nil, nil, errors.New("an action and a resource are needed")
	}
	if n := q.Policies.count(); n > MaxPolicies {
		return nil, nil, fmt.Errorf("%d policies: at most %d", n, MaxPolicies)
	}
	if len(q.Policies.SCP) > MaxLevels || len(q.Policies.RCP) > MaxLevels {
		return nil, nil, fmt.Errorf("more than %d levels of service or resource control policies", MaxLevels)
	}
	caller, principal, err := a.caller(q)
	if err != nil {
		return nil, nil, err
	}
	in := &simulate.Input{
		Catalog: a.catalog(), Actions: []string{q.Action}, Resources: []string{q.Resource}, Owner: q.Owner, Grantees: q.Grantees,
		Gateway: q.Policies.Gateway, NeedsResourcePolicy: q.NeedsResourcePolicy, Exempt: q.Exempt, PoliciesOnly: a.PoliciesOnly,
		Sets: &policy.Sets{Caller: caller.Caller, Root: caller.Root},
	}
	if err := a.callerSets(in.Sets, q, principal); err != nil {
		return nil, nil, err
	}
	l, p := a.library, &q.Policies
	if in.RCP, err = l.chain(p.RCP, policy.RCP); err != nil {
		return nil, nil, err
	}
	for _, one := range []struct {
		ref  *PolicyRef
		kind policy.Kind
		into **policy.Attached
	}{{p.Resource, policy.Resource, &in.ResourcePolicy}, {p.Trust, policy.Trust, &in.Trust}, {p.Endpoint, policy.Endpoint, &in.Endpoint}} {
		if one.ref == nil {
			continue
		}
		if *one.into, err = l.attached(one.ref, one.kind); err != nil {
			return nil, nil, err
		}
	}
	if in.Trust == nil && a.Dump != nil {
		if in.Trust, err = a.Dump.Trust(q.Resource); err != nil {
			return nil, nil, err
		}
	}
	tags := map[string]string{}
	if principal != nil {
		for _, t := range principal.Tags {
			tags[t.Key] = t.Value
		}
	}
	in.Context = simulate.Overlay(simulate.CallerKeys(&caller.Caller, tags), entries(q.Context)...)
	if len(q.PolicyContext) > 0 {
		in.PolicyContext = simulate.Overlay(in.Context, entries(q.PolicyContext)...)
	}
	return in, caller, nil
}

// caller is who asks, and its entry in the dump, if it comes from there.
func (a *Asker) caller(q *Question) (*Caller, *Principal, error) {
	if q.Principal != "" {
		if q.Caller != "" {
			return nil, nil, errors.New("a principal of the dump and a caller: the principal is the caller, give one of them")
		}
		if a.Dump == nil {
			return nil, nil, errors.New("a principal needs the dump of its account: --account-details, or account-details in a suite")
		}
		if strings.HasSuffix(q.Principal, ":root") { // it has no policies, and is in no dump
			c, err := ParseCaller(q.Principal)
			return &c, nil, err
		}
		p, err := a.Dump.Principal(q.Principal)
		if err != nil {
			return nil, nil, err
		}
		c, err := p.caller()
		c.Canonical = q.Canonical
		return &c, p, err
	}
	if q.Caller == "" {
		if q.Policies.Resource != nil || q.Policies.Trust != nil || q.Policies.Endpoint != nil {
			return nil, nil, errors.New("who asks? Policies with principals need a caller")
		}
		return &Caller{}, nil, nil
	}
	c, err := ParseCaller(q.Caller)
	if err != nil {
		return nil, nil, err
	}
	c.ID, c.Canonical = q.CallerID, q.Canonical
	return &c, nil, nil
}

// callerSets gathers what applies to the caller whatever it asks for.
func (a *Asker) callerSets(s *policy.Sets, q *Question, principal *Principal) error {
	l, p := a.library, &q.Policies
	identity, err := l.set(p.Identity, policy.Identity)
	if err != nil {
		return err
	}
	if principal != nil {
		identity = append(slices.Clip(principal.Identity), identity...)
		if principal.Boundary != nil {
			s.Boundary = policy.NewSet(principal.Boundary)
		}
	}
	if identity != nil {
		s.Identity = policy.NewSet(identity...)
	}
	if p.Boundary != nil {
		boundary, err := l.attached(p.Boundary, policy.Boundary)
		if err != nil {
			return err
		}
		s.Boundary = policy.NewSet(boundary)
	}
	session, err := l.set(p.Session, policy.Session)
	if err != nil {
		return err
	}
	if session != nil {
		s.Session = policy.NewSet(session...)
	}
	s.SCP, err = l.chain(p.SCP, policy.SCP)
	return err
}
