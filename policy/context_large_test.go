package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// After many look-ups in a long context there is a table of it, which finds what a search finds: keys without regard to case, the first
// of several, the right one of several tag keys.
func TestLongContext(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	word := func() string {
		b := []byte([...]string{"aws:ResourceTag/Team", "aws:PrincipalTag/", "x:key", "é:K", "iam:resourcetag/s"}[rng.IntN(5)])
		for i := range b {
			if rng.IntN(4) == 0 && b[i] < 0x80 {
				b[i] = strings.ToUpper(string(b[i]))[0]
			}
		}
		return fmt.Sprintf("%s%d", b, rng.IntN(20))
	}
	var searches []policy.Condition
	for i := range 100 {
		searches = append(searches, policy.Condition{Name: "Null", Operator: policy.Null, Key: fmt.Sprint("absent:", i), Values: []string{"true"}})
	}
	allowed := 0
	for range 300 {
		var context []policy.Entry
		for range 65 + rng.IntN(400) {
			e := policy.Entry{Key: word(), Multi: rng.IntN(9) == 0}
			for range 1 - rng.IntN(10)/9 { // some without values
				e.Values = append(e.Values, fmt.Sprint(rng.IntN(3)))
			}
			context = append(context, e)
		}
		request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Context: context}
		key := word()
		decide := func(before []policy.Condition) policy.Decision {
			d := policy.Document{Kind: policy.Identity, Version: policy.Version2012}
			for i, effect := range []string{"Allow", "Deny"} {
				d.Statements = append(d.Statements, policy.Statement{
					Effect: effect, Actions: []string{"*"}, Resources: []string{"arn:aws:s3:::b"},
					Conditions: append(slices.Clip(before), policy.Condition{
						Name: "StringEquals", Operator: policy.StringEquals, Key: key, Values: []string{fmt.Sprint(i), "${" + strings.ToLower(key) + ", 'x'}"}[:2-i],
					}),
				})
			}
			p, err := policy.Compile(&d)
			if err != nil {
				t.Fatal(err)
			}
			return policy.Decide(&policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: p})}, &request)
		}
		short, long := decide(nil), decide(searches)
		if short.Effect != long.Effect || short.Statement != long.Statement {
			t.Fatalf("%s in %v: %s, after many look-ups %s", key, context, short.Effect, long.Effect)
		}
		if short.Effect == policy.Allow {
			allowed++
		}
	}
	if allowed < 20 {
		t.Errorf("only %d were allowed", allowed)
	}
}

// Variables and values multiply, but neither with the entries of the context.
func TestManyVariablesInLongContext(t *testing.T) { // not parallel: it counts allocations
	const variables, values = 2000, 200
	p, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"x:many":"`+
		strings.Repeat("${x:absent, ''}", variables)+`b"}}}}`, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	many := policy.Entry{Key: "x:many", Multi: true}
	for range values {
		many.Values = append(many.Values, "a")
	}
	many.Values = append(many.Values, "b")
	context := []policy.Entry{many}
	for i := len(context); i < policy.MaxContext; i++ {
		context = append(context, policy.Entry{Key: fmt.Sprintf("x:keys%04d", i), Values: []string{"v"}})
	}
	s := policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: p})}
	r := policy.Request{Action: "s3:Get", Resource: "*", Context: context}
	allocations := testing.AllocsPerRun(1, func() {
		if d := policy.Decide(&s, &r); d.Effect != policy.Allow {
			t.Errorf("%s", d.Effect)
		}
	})
	if allocations != 1 { // the table that is made once, and is what keeps the work small
		t.Errorf("%v allocations", allocations)
	}
}
