package simulate_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// FuzzRun: whatever a policy and a question are, the answer has what it must: places in the text that rise, statements only of what decided.
func FuzzRun(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::𝄞/${aws:username}"}]}`, "s3:GetObject", "arn:aws:s3:::b/k", "111111111111", "1")
	f.Add(`{"Statement":{"Effect":"Allow","NotAction":"x:y","NotResource":"*","Condition":{"NumericEquals":{"a:b":"1"}}}}`, "iam:PassRole", "arn:aws:iam::1:role/", "ec2.amazonaws.com", "")
	f.Add(`{"Statement":[]}`, ":", "", "arn:aws:sts::111111111111:assumed-role/r/s", "\xff")
	f.Fuzz(func(t *testing.T, text, action, resource, who, value string) {
		a, err := simulate.LoadPolicy("p", text, policy.Identity)
		if err != nil {
			return
		}
		caller, _ := simulate.ParseCaller(who)
		for _, key := range simulate.ContextKeys(a.Policy) {
			if key == "" {
				t.Error("a key without a name")
			}
		}
		in := &simulate.Input{Sets: simulate.SetsOf(caller), Actions: []string{action}, Resources: []string{resource, "*"}, Context: simulate.CallerKeys(&caller, nil)}
		in.Sets.Identity = policy.NewSet(a)
		if e, err := simulate.TypedEntry("a:b", "numeric", []string{value}); err == nil {
			in.Context = simulate.Overlay(in.Context, e)
		}
		results, err := simulate.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range results[0].Checks {
			if c.Decision.Effect == policy.DenyImplicit && len(c.Matched) > 0 || c.Decision.Policy != nil && len(c.Matched) == 0 {
				t.Errorf("%s with the statements %v", c.Decision.Effect, c.Matched)
			}
			last := simulate.Position{}
			for _, m := range c.Matched {
				if m.Start.Line < last.Line || m.End.Line < m.Start.Line || m.Start.Line == m.End.Line && m.End.Column <= m.Start.Column {
					t.Errorf("statement %d from %v to %v, behind %v", m.Statement, m.Start, m.End, last)
				}
				last = m.End
			}
		}
	})
}
