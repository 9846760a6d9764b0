package statetest

import (
	"fmt"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

const denyAll = `{"Version":"2012-10-17","Statement":{"Effect":"Deny",%s"Action":"s3:*","Resource":"*"}}`

func TestOrganization(t *testing.T) {
	t.Parallel()
	o := Organization{
		ID: "o-1", Management: "111111111111", Root: "r-1",
		Units:    map[string]string{"ou-1": "r-1", "ou-2": "ou-1"},
		Accounts: map[string]string{"222222222222": "ou-2", "333333333333": "r-1"},
		Attached: map[string][]string{"ou-1": {awspolicy.FullAccessSCP, "p-1", "p-2", awspolicy.FullAccessRCP}, "333333333333": nil},
	}
	o.Policies = append(o.Policies, SCP(t, "p-1", "NoS3", fmt.Sprintf(denyAll, "")), RCP(t, "p-2", "NobodyS3", fmt.Sprintf(denyAll, `"Principal":"*",`)))
	for i := range 100 {
		o.Accounts[fmt.Sprint(400_000_000_000+i)] = "ou-1"
	}
	s := Open(t)
	o.Put(t, s)
	for _, c := range []struct {
		account, path string
		scp, rcp      []int // policies at each level
	}{
		{"111111111111", "o-1/r-1/", nil, nil},
		{"222222222222", "o-1/r-1/ou-1/ou-2/", []int{1, 2, 1, 1}, []int{1, 2, 1, 1}},
		{"333333333333", "o-1/r-1/", []int{1, 0}, []int{1, 0}},
		{"400000000099", "o-1/r-1/ou-1/", []int{1, 2, 1}, []int{1, 2, 1}},
	} {
		m := s.View().Membership(c.account)
		if m == nil {
			t.Errorf("%s is in no organization", c.account)
			continue
		}
		var scp, rcp []int
		for _, l := range m.SCP {
			scp = append(scp, len(l.Policies()))
		}
		for _, l := range m.RCP {
			rcp = append(rcp, len(l.Policies()))
		}
		if m.Path != c.path || fmt.Sprint(scp, rcp) != fmt.Sprint(c.scp, c.rcp) || m.Management != (c.account == o.Management) {
			t.Errorf("%s: path %q with %d and %d policies, want %q with %d and %d", c.account, m.Path, scp, rcp, c.path, c.scp, c.rcp)
		}
	}
	if s.View().Membership("999999999999") != nil {
		t.Error("an account that was not put there is in the organization")
	}
	o.Enabled = []statepb.PolicyType{}
	o.Put(t, s)
	if m := s.View().Membership("222222222222"); m.SCP != nil || m.RCP != nil {
		t.Errorf("policies of types that are not enabled: %v, %v", m.SCP, m.RCP)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
