package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// xEvaluation is the result for one action (docs/spec/evaluation.md 11.2). named says that ResourceArns were given.
func xEvaluation(r *simulate.Result, named bool) iamapi.EvaluationResult {
	x := iamapi.EvaluationResult{
		EvalActionName: &r.Action, EvalResourceName: &r.Resource, EvalDecision: new(simulate.Word(r.Effect)),
		MatchedStatements: xMatched(r.Matched), MissingContextValues: present(r.Missing), EvalDecisionDetails: xDetails(r.Details),
		PermissionsBoundaryDecisionDetail: xBoundaryDetail(r.AllowedByBoundary),
	}
	if r.AllowedByOrganization != nil {
		x.OrganizationsDecisionDetail = &iamapi.OrganizationsDecisionDetail{AllowedByOrganizations: r.AllowedByOrganization}
	}
	if !named {
		return x
	}
	x.ResourceSpecificResults = make([]iamapi.ResourceSpecificResult, 0, len(r.Checks))
	for i := range r.Checks {
		x.ResourceSpecificResults = append(x.ResourceSpecificResults, xResourceResult(&r.Checks[i]))
	}
	return x
}

func xResourceResult(c *simulate.Check) iamapi.ResourceSpecificResult {
	x := iamapi.ResourceSpecificResult{
		EvalResourceName: &c.Resource, EvalResourceDecision: new(simulate.Word(c.Decision.Effect)),
		MatchedStatements: xMatched(c.Matched), MissingContextValues: present(c.Missing), PermissionsBoundaryDecisionDetail: xBoundaryDetail(c.AllowedByBoundary),
	}
	if len(c.Details) > 0 { // of one account it is absent here, as recorded
		x.EvalDecisionDetails = xDetails(c.Details)
	}
	return x
}

func xMatched(list []simulate.Match) []iamapi.Statement {
	x := make([]iamapi.Statement, 0, len(list))
	for i := range list {
		m := &list[i]
		x = append(x, iamapi.Statement{SourcePolicyId: &m.SourceID, SourcePolicyType: &m.SourceType, StartPosition: xPosition(m.Start), EndPosition: xPosition(m.End)})
	}
	return x
}

func xPosition(p simulate.Position) *iamapi.Position {
	return &iamapi.Position{Line: new(int32(p.Line)), Column: new(int32(p.Column))}
}

// xDetails is nil, and so absent, only where there are none.
func xDetails(details map[string]policy.Effect) map[string]string {
	if details == nil {
		return nil
	}
	x := make(map[string]string, len(details))
	for side, effect := range details {
		x[side] = simulate.Word(effect)
	}
	return x
}

func xBoundaryDetail(allowed *bool) *iamapi.PermissionsBoundaryDecisionDetail {
	if allowed == nil {
		return nil
	}
	return &iamapi.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: allowed}
}

// present is a list that answers have even where it is empty.
func present(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
