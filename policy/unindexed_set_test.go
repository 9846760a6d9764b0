package policy_test

import (
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestUnindexedSet: decisions with it are those with a set that is made to be kept.
func TestUnindexedSet(t *testing.T) {
	t.Parallel()
	allow := &policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`), Name: "allow"}
	deny := &policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Deny","Action":"s3:Put*","Resource":"*","Condition":{"Bool":{"a:b":"false"}}}`), Name: "deny"}
	wrong := &policy.Attached{Policy: aboutPolicy(t, policy.SCP, `{"Effect":"Allow","Action":"*","Resource":"*"}`)}
	for name, list := range map[string][]*policy.Attached{
		"none": nil, "one": {allow}, "both": {allow, deny}, "nothing": {allow, nil}, "no policy": {allow, {}}, "another kind": {allow, wrong},
	} {
		once, kept := policy.UnindexedSet(list), policy.NewSet(list...)
		if once.UsesContext() != kept.UsesContext() || !slices.Equal(once.Policies(), list) {
			t.Errorf("%s: uses a context %t, %v", name, once.UsesContext(), once.Policies())
		}
		for _, action := range []string{"s3:GetObject", "s3:PutObject", "ec2:RunInstances"} {
			r := policy.Request{Action: action, Resource: "arn:aws:s3:::b/k", Context: []policy.Entry{single("a:b", "false")}}
			caller := policy.Caller{Kind: policy.UserCaller, Account: "111111111111"}
			got, want := policy.Decide(&policy.Sets{Caller: caller, Identity: &once}, &r), policy.Decide(&policy.Sets{Caller: caller, Identity: kept}, &r)
			if got != want {
				t.Errorf("%s, %s: %+v; want %+v", name, action, got, want)
			}
		}
	}
}
