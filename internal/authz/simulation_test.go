package authz

import (
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestSetsOf: what the simulators get is what decisions have.
func TestSetsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "s3:*", "*")))
	w.organize()
	view := w.store.View()
	a := view.Account(accountA)
	s := SetsOf(view, a, aliceID, policy.UserCaller)
	if s == nil || s.Caller.ID != aliceID || len(s.Identity.Policies()) != 1 || len(s.SCP) != 3 {
		t.Fatalf("sets of alice: %+v", s)
	}
	if a := w.decide(&Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "*"}); a.Decision.Policy.Policy != s.Identity.Policies()[0].Policy {
		t.Error("a decision has other policies")
	}
	if s := SetsOf(view, a, "AIDAGONE", policy.UserCaller); s != nil {
		t.Errorf("sets of nobody: %+v", s)
	}
	list := PoliciesOf(a, aliceID, "arn:aws:iam::111111111111:user/alice")
	if !slices.EqualFunc(list, s.Identity.Policies(), func(a, b *policy.Attached) bool { return *a == *b }) {
		t.Errorf("policies of alice: %+v", list)
	}
}
