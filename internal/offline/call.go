package offline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// call makes a question with Checks one of package simulate.
func (a *Asker) call(q *Question) (*simulate.Call, *Caller, error) {
	if n := len(q.Checks); n > simulate.MaxChecks {
		return nil, nil, fmt.Errorf("a call with %d checks: at most %d", n, simulate.MaxChecks)
	}
	if q.Action != "" || q.Resource != "" {
		return nil, nil, errors.New("a call has checks in the place of an action and a resource")
	}
	call := &simulate.Call{PerItem: q.PerItem}
	var caller *Caller
	for i, own := range q.Checks {
		one := q.check(own)
		in, who, err := a.input(one)
		if err != nil {
			return nil, nil, fmt.Errorf("check %d: %w", i+1, err)
		}
		// What stands in the call's context is that of every check: which of them has a key is for the call to say.
		caller, call.Context = who, in.Context
		in.Context, in.PolicyContext = entries(own.Context), nil
		if len(one.PolicyContext) > 0 {
			in.PolicyContext = entries(over(one.PolicyContext, own.Context))
		}
		call.Checks = append(call.Checks, in)
	}
	return call, caller, nil
}

// check is a check of a call as a question of its own, with the context of the whole call. What the call says of its resource holds for the checks
// of its operation's service, which may be on parts of one resource (a bucket and its objects); what only gives permission, for those of the
// operation itself. RCPs are an organization's, and hold for all.
func (q *Question) check(own *Question) *Question {
	one := *q
	one.Action, one.Resource, one.Checks, one.Expect = own.Action, own.Resource, nil, nil
	operation := q.Checks[0].Action
	if !policy.SameKey(own.Action, operation) {
		one.Grantees, one.Exempt = nil, false
	}
	if product.ServiceOf(own.Action) != product.ServiceOf(operation) {
		one.Owner, one.PolicyContext, one.NeedsResourcePolicy = "", nil, false
		one.Policies.Resource, one.Policies.Trust = nil, nil
	}
	one.Policies = own.Policies.over(&one.Policies)
	if own.Owner != "" {
		one.Owner = own.Owner
	}
	if own.Grantees != nil {
		one.Grantees = own.Grantees
	}
	if own.PolicyContext != nil {
		one.PolicyContext = own.PolicyContext
	}
	one.NeedsResourcePolicy = one.NeedsResourcePolicy || own.NeedsResourcePolicy
	one.Exempt = one.Exempt || own.Exempt
	return &one
}

func (a *Asker) askCall(q *Question) (*Answer, error) {
	call, caller, err := a.call(q)
	if err != nil {
		return nil, err
	}
	result, err := simulate.RunCall(call)
	if err != nil {
		return nil, err
	}
	answer := &Answer{
		Question: q, Caller: caller.Name, Decides: result.Decides, Decision: policy.Decision{Effect: result.Effect}, policiesOnly: a.PoliciesOnly, dump: a.Dump,
	}
	var wrong []string
	for i := range result.Checks {
		one := a.answer(q.Checks[i], &result.Checks[i])
		answer.Checks = append(answer.Checks, one)
		if one.Difference != "" {
			wrong = append(wrong, fmt.Sprintf("check %d: %s", i+1, one.Difference))
		}
	}
	if result.Decides >= 0 {
		answer.Decision = result.Checks[result.Decides].Decision
	}
	if q.Expect != nil {
		if d := q.Expect.difference(answer); d != "" {
			wrong = slices.Insert(wrong, 0, d)
		}
	}
	answer.Difference = strings.Join(wrong, "; ")
	a.tellDependent(answer, q.Checks)
	return answer, nil
}

// callWhy says in words why the answer to a call is what it is.
func (a *Answer) callWhy() string {
	if a.Decision.Effect != policy.Allow {
		return fmt.Sprintf("check %d denies it: %s", a.Decides+1, a.Checks[a.Decides].why())
	}
	denied := 0
	for _, c := range a.Checks {
		if c.Decision.Effect != policy.Allow {
			denied++
		}
	}
	if denied > 0 {
		return fmt.Sprintf("%d of its items are denied, which does not fail the call", denied)
	}
	return "every check allows it"
}

// what says what was asked.
func (a *Answer) what() string {
	q := a.Question
	switch len(a.Checks) {
	case 0:
		return q.Action + " on " + q.Resource
	case 1:
		return "a call of " + q.Checks[0].Action + " with one check"
	}
	return fmt.Sprintf("a call of %s with %d checks", q.Checks[0].Action, len(q.Checks))
}

// asked says what was asked, and by whom.
func (a *Answer) asked() string {
	if a.Caller == "" {
		return a.what()
	}
	return a.what() + " by " + a.Caller
}
