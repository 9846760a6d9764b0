package server

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// putChains makes the organization of a case: its levels are the root, organizational units and, last, the member accounts themselves. A type
// of which the case has no chain is not enabled, a level below a chain's last has what AWS attaches by default.
func (s *caseServer) putChains(t *testing.T, c *policytest.Case) {
	t.Helper()
	levels := max(c.SCPLevels, c.RCPLevels, 2)
	o := &statetest.Organization{
		ID: "o-1", Management: policytest.AccountM, Root: "r-1", Units: map[string]string{}, Accounts: map[string]string{},
		Enabled: []statepb.PolicyType{}, Attached: map[string][]string{},
		Policies: []*state.OrganizationPolicy{statetest.SCP(t, "p-asker", "asker", document("Allow gatehouse:Authorize *", "Allow iam:SimulatePrincipalPolicy *"))}, // SCPs bind who asks as well
	}
	nodes := [][]string{{o.Root}}
	for i := 1; i < levels-1; i++ {
		unit := fmt.Sprintf("ou-%d", i)
		o.Units[unit] = nodes[i-1][0]
		nodes = append(nodes, []string{unit})
	}
	members := []string{policytest.AccountA, policytest.AccountB}
	for _, account := range members {
		o.Accounts[account] = nodes[levels-2][0]
	}
	nodes = append(nodes, members)
	for _, kind := range []struct {
		layer  policy.Layer
		enable statepb.PolicyType
		full   string
	}{
		{policy.LayerSCP, statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL, awspolicy.FullAccessSCP},
		{policy.LayerRCP, statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL, awspolicy.FullAccessRCP},
	} {
		chain := c.Chain(kind.layer)
		if chain == nil {
			continue
		}
		o.Enabled = append(o.Enabled, kind.enable)
		for level, on := range nodes {
			ids := []string{kind.full}
			if level < len(chain) {
				ids = nil
				for i, p := range chain[level] {
					compiled, err := compiledText(p.Text, policytest.Kind(kind.layer))
					s.must(err)
					stored := &state.OrganizationPolicy{}
					stored.Id, stored.Type, stored.Name = fmt.Sprintf("p-%s%d%d", p.Layer, level, i), kind.enable, p.Name
					stored.SetContent(compiled)
					o.Policies = append(o.Policies, stored)
					ids = append(ids, stored.Id)
				}
			}
			if kind.layer == policy.LayerSCP {
				ids = append(ids, "p-asker")
			}
			for _, node := range on {
				o.Attached[node] = append(o.Attached[node], ids...)
			}
		}
	}
	for _, on := range nodes { // an entry, even an empty one, for each: without it stands the default
		for _, node := range on {
			o.Attached[node] = append([]string{}, o.Attached[node]...)
		}
	}
	o.Put(t, s.cell.store)
}

// TestAuthorizeStoredChains: the cases with SCPs and RCPs once more, with the organization in the store and not in the question.
func TestAuthorizeStoredChains(t *testing.T) {
	t.Parallel()
	cases, err := policytest.Load(os.DirFS("../../policy/policytest/testdata"), "*.case")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	var mute atomic.Int32
	t.Cleanup(func() {
		if n := mute.Load(); int(n) > asked/8 {
			t.Errorf("%d cases of %d deny the question itself", n, asked)
		}
	})
	for _, c := range cases {
		if c.SCPLevels+c.RCPLevels == 0 || inexpressible(c) != "" {
			continue
		}
		asked++
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := openAccounts(t)
			s.stored = true
			s.putChains(t, c)
			got, err := s.decide(c)
			if err != nil && strings.Contains(err.Error(), "gatehouse:Authorize") && strings.Contains(err.Error(), "with an explicit deny in a service control policy") {
				mute.Add(1)
				return // the chain denies everything to everybody, who asks among them
			}
			if err != nil || got != c.Want {
				t.Errorf("%s:%d: got %s, %v; want %s\n%s", c.File, c.Line, got, err, c.Want, c)
			}
		})
	}
	if asked < 40 {
		t.Errorf("only %d cases have chains", asked)
	}
}
