//go:build !race

package authz

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestDecisionsAllocateNothing: for callers that are known, whatever of the context policies read. It is not parallel, since allocations are counted for the
// whole process, and not for the race detector, whose pools allocate.
func TestDecisionsAllocateNothing(t *testing.T) {
	everything := document(statement("Allow", "*", "*"))
	w := newWorld(t, document(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red","aws:ResourceAccount":"`+accountA+`"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}`))
	w.attach(aliceID, "bound", everything, true)
	w.organize(statetest.SCP(t, "p-1", "P1", document(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-9"}}}`)))
	limited := &session.Session{Claims: session.Claims{AccessKeyID: "ASIA1", Policy: everything, Issued: time.Unix(1, 0), MFA: time.Unix(1795262400, 0),
		Tags: []session.Tag{{Key: "team", Value: "red"}}}, Inline: w.load(everything, policy.Session)}
	view, at := w.store.View(), time.Unix(1795262401, 0)
	for _, q := range []Query{
		{Principal: alice(accountA)},
		{Principal: rootOf(accountA)},
		{Principal: app(accountA), Session: limited},
		{Principal: &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}, Session: limited},
		{Anonymous: true, ResourcePolicy: w.bucketPolicy(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"Anonymous"}}}}`)},
		{Service: []string{"x.amazonaws.com"}, ResourcePolicy: w.bucketPolicy(to("Allow", `{"Service":"x.amazonaws.com"}`, "*"))},
	} {
		q.Action, q.Resource, q.Owner, q.Time, q.Context = "s3:GetObject", "arn:aws:s3:::b/k", accountA, at, benchmarkContext
		if n := testing.AllocsPerRun(200, func() {
			if a := w.z.Ask(view, &q); a.Denial != nil {
				t.Error(a.Denial)
			}
		}); n > 0 {
			t.Errorf("%+v: %v allocations", q.Principal, n)
		}
	}
	denied := Query{
		Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA, Time: at,
		Context: []policy.Entry{single("aws:RequestedRegion", "eu-west-9")},
	}
	if n := testing.AllocsPerRun(200, func() {
		if d := w.z.Decide(view, &denied); d.Effect != policy.DenyExplicit {
			t.Error(d)
		}
	}); n > 0 {
		t.Errorf("a denial: %v allocations", n)
	}
}
