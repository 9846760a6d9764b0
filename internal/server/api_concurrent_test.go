package server

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

// together makes calls at the same time and counts their answers by code, "" for success.
func (x *apiTest) together(calls ...func() *answer) map[string]int {
	codes := make([]string, len(calls))
	var group sync.WaitGroup
	for i, call := range calls {
		group.Go(func() { codes[i] = call().code() })
	}
	group.Wait()
	count := map[string]int{}
	for _, c := range codes {
		count[c]++
	}
	return count
}

// TestLimitsUnderContention: names, quotas and aliases hold however many callers come at once, and each of them gets a true answer.
func TestLimitsUnderContention(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	if err := q.Set("UsersPerAccount", 12); err != nil {
		t.Fatal(err)
	}
	x := openAPI(t, q)
	x.quiet = true
	other := x.addAccount(testAccount2)
	const n = 10
	check := func(what string, got map[string]int, want map[string]int) {
		t.Helper()
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v; want %v", what, got, want)
		}
	}
	times := func(call func(i int) *answer) (calls []func() *answer) {
		for i := range n {
			calls = append(calls, func() *answer { return call(i) })
		}
		return calls
	}
	for round := range 5 {
		name := fmt.Sprintf("name%d", round)
		check("one name in two spellings", x.together(times(func(i int) *answer {
			return x.call(x.root, "CreateUser", ps("UserName", []string{name, strings.ToUpper(name)}[i%2]))
		})...), map[string]int{"": 1, "EntityAlreadyExists": n - 1})
		check("access keys of one user", x.together(times(func(int) *answer {
			return x.call(x.root, "CreateAccessKey", ps("UserName", name))
		})...), map[string]int{"": 2, "LimitExceeded": n - 2})
		check("an alias for two accounts", x.together(
			func() *answer { return x.call(x.root, "CreateAccountAlias", ps("AccountAlias", name)) },
			func() *answer { return x.call(other, "CreateAccountAlias", ps("AccountAlias", name)) },
		), map[string]int{"": 1, "EntityAlreadyExists": 1})
	}
	check("the last places of an account", x.together(times(func(i int) *answer {
		return x.call(x.root, "CreateUser", ps("UserName", fmt.Sprintf("last%d", i)))
	})...), map[string]int{"": 12 - 5, "LimitExceeded": n - (12 - 5)})
	if got := len(x.ok(x.root, "ListUsers").all("UserName")); got != 12 {
		t.Errorf("%d users; want 12", got)
	}
}

// TestNothingIsLeftOfADeletedUser: a user is deleted while it gets a policy and a key. Either the deletion is refused, or the gift is.
func TestNothingIsLeftOfADeletedUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.quiet = true
	for round := range 20 {
		name := fmt.Sprintf("user%d", round)
		x.ok(x.root, "CreateUser", "UserName", name)
		gift := ps("UserName", name, "PolicyName", "p", "PolicyDocument", document("Allow * *"))
		op := "PutUserPolicy"
		if round%2 == 0 {
			gift, op = ps("UserName", name), "CreateAccessKey"
		}
		got := x.together(
			func() *answer { return x.call(x.root, "DeleteUser", ps("UserName", name)) },
			func() *answer { return x.call(x.root, op, gift) },
		)
		exists := x.call(x.root, "GetUser", ps("UserName", name)).status == 200
		if exists && !maps.Equal(got, map[string]int{"": 1, "DeleteConflict": 1}) || !exists && !maps.Equal(got, map[string]int{"": 1, "NoSuchEntity": 1}) {
			t.Errorf("%s: %v, and the user exists: %t", op, got, exists)
		}
	}
	a := x.cell.store.View().Account(testAccount)
	for k := range a.AccessKeys("") {
		if k.Owner != a.ID && a.User(k.Owner) == nil {
			t.Errorf("key %s is of nobody", k.Id)
		}
	}
}
