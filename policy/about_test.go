package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func aboutPolicy(t *testing.T, kind policy.Kind, statements ...string) *policy.Policy {
	t.Helper()
	d, err := policy.Decode(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`, kind)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestActionSearchAllows: an Allow statement that is about the action, whatever its resource and conditions.
func TestActionSearchAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		statement string
		want      bool
	}{
		{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}`, true},
		{`{"Effect":"Allow","Action":"S3:getobject","Resource":"*","Condition":{"Null":{"aws:username":"true"}}}`, true},
		{`{"Effect":"Allow","Action":["ec2:*","s3:Get*"],"Resource":"*"}`, true},
		{`{"Effect":"Allow","Action":"*","Resource":"*"}`, true},
		{`{"Effect":"Allow","NotAction":"ec2:*","Resource":"*"}`, true},
		{`{"Effect":"Allow","NotAction":"s3:Get*","Resource":"*"}`, false},
		{`{"Effect":"Allow","Action":"s3:GetObjects","Resource":"*"}`, false},
		{`{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`, false},
		{`{"Effect":"Deny","Action":"*","Resource":"*"}`, false},
	} {
		other := `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`
		for _, list := range [][]string{{c.statement}, {other, c.statement}} {
			set := policy.NewSet(&policy.Attached{Policy: aboutPolicy(t, policy.Identity, other)}, &policy.Attached{Policy: aboutPolicy(t, policy.Identity, list...)})
			if got := policy.NewActionSearch("s3:GetObject").Allows(set); got != c.want {
				t.Errorf("%s: %t", list, got)
			}
		}
	}
	search := policy.NewActionSearch("s3:GetObject")
	if search.Allows(nil) || search.Allows(policy.NewSet()) {
		t.Error("a set without policies allows something")
	}
	everything := &policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"*"}`)}
	if !search.Allows(policy.NewSet(nil, &policy.Attached{}, everything)) {
		t.Error("behind policies that cannot be read nothing is found")
	}
	anything := policy.NewSet(everything)
	if !policy.NewActionSearch("x:Do").Allows(anything) || policy.NewActionSearch(":Do").Allows(anything) {
		t.Error("a service has a name of one letter or more")
	}
	for _, text := range []string{"", ":", ":x", "s3", "s3:" + strings.Repeat("x", policy.MaxAction)} {
		if policy.NewActionSearch(text).Allows(policy.NewSet(&policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":["s3:*","ec2:x"],"Resource":"*"}`)})) {
			t.Errorf("%.20q is an action", text)
		}
	}
	if policy.NewActionSearch("s3:" + strings.Repeat("x", policy.MaxAction-2)).Allows(policy.NewSet(everything)) {
		t.Error("an action that is too long is one")
	}
	if !policy.NewActionSearch("s3:" + strings.Repeat("x", policy.MaxAction-3)).Allows(policy.NewSet(everything)) {
		t.Error("the longest action is none")
	}
}

// TestActionSearchKeys: the keys of the statements about the action, in sets small and large, and of single policies.
func TestActionSearchKeys(t *testing.T) {
	t.Parallel()
	about := func(action, key string) string {
		return `{"Effect":"Deny","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}`
	}
	statements := []string{
		about("s3:GetObject", "a:one"), about("s3:Put*", "a:other"), about("*", "a:two"), about("s3:*", "A:one"), about("s3:Get*", "a:one"),
		`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::x","arn:aws:s3:::${a:resource}/*"],"Condition":{"StringLike":{"a:name":["${a:value}-${*}","b"],"a:name2":"x"},"NumericLessThan":{"a:number":"7"},"ArnLike":{"a:arn":["arn:aws:iam::1:*","arn:aws:iam::${a:account}:*"]}}}`,
		`{"Effect":"Allow","NotAction":"s3:*","Resource":"*","Condition":{"Bool":{"a:not":"true"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`,
	}
	want := []string{"A:one", "a:account", "a:arn", "a:name", "a:name2", "a:number", "a:one", "a:resource", "a:two", "a:value"}
	var large []string
	for range 20 {
		large = append(large, statements...)
	}
	search := policy.NewActionSearch("s3:GetObject")
	for name, list := range map[string][]string{"a few": statements, "many": large} {
		p := aboutPolicy(t, policy.Identity, list...)
		keys := map[string]struct{}{}
		search.AddKeysOf(keys, p)
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
			t.Errorf("%s statements: %q", name, got)
		}
		set := policy.NewSet(&policy.Attached{Policy: p}, &policy.Attached{Policy: aboutPolicy(t, policy.Identity, about("s3:GetObject", "b:key"))})
		for _, set := range []*policy.Set{set, set.Unindexed()} {
			keys = map[string]struct{}{"before": {}}
			search.AddKeys(keys, set)
			if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, append(slices.Clone(want), "b:key", "before")) {
				t.Errorf("a set of %s statements: %q", name, got)
			}
		}
	}
	// Without variables a statement is asked only for keys that are new.
	keys := map[string]struct{}{"a:one": {}}
	search.AddKeysOf(keys, aboutPolicy(t, policy.Identity, about("s3:*", "a:one"), `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a:one":"x"},"StringNotEquals":{"a:one":"y","a:three":"x"}}}`))
	if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, []string{"a:one", "a:three"}) {
		t.Errorf("%q", got)
	}
	// With variables it is asked for those too.
	search.AddKeysOf(keys, aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${a:four}","Condition":{"StringEquals":{"a:one":"x"}}}`))
	if _, ok := keys["a:four"]; !ok {
		t.Errorf("the key of a variable is not among %v", keys)
	}
	none := map[string]struct{}{}
	search.AddKeys(none, nil)
	search.AddKeys(none, policy.NewSet())
	search.AddKeys(none, policy.NewSet(nil, &policy.Attached{}))
	if len(none) > 0 {
		t.Errorf("%v", none)
	}
	// Of a set with a policy that cannot be read, those of the others.
	search.AddKeys(none, policy.NewSet(nil, &policy.Attached{}, &policy.Attached{Policy: aboutPolicy(t, policy.Identity, about("s3:*", "a:one"))}))
	if len(none) != 1 {
		t.Errorf("%v", none)
	}
}

// TestTrustees: whom Allow statements name.
func TestTrustees(t *testing.T) {
	t.Parallel()
	allow := func(principal string) string {
		return `{"Effect":"Allow",` + principal + `,"Action":"sts:AssumeRole"}`
	}
	deny := func(principal string) string {
		return `{"Effect":"Deny",` + principal + `,"Action":"sts:AssumeRole"}`
	}
	const user, session = "arn:aws:iam::111122223333:user/u", "arn:aws:sts::111122223333:assumed-role/r/s"
	for _, c := range []struct {
		statements []string
		want       policy.Trustees
	}{
		{[]string{allow(`"Principal":"*"`)}, policy.Trustees{Everybody: true}},
		{[]string{allow(`"Principal":{"AWS":"*"}`)}, policy.Trustees{Everybody: true}},
		{[]string{allow(`"NotPrincipal":{"AWS":"` + user + `"}`)}, policy.Trustees{Everybody: true, Names: []string{user}}},
		{[]string{allow(`"NotPrincipal":{"AWS":"` + user + `"}`), allow(`"Principal":{"AWS":"111122223333"}`)}, policy.Trustees{Everybody: true, Accounts: []string{"111122223333"}, Names: []string{user}}},
		{[]string{deny(`"Principal":"*"`), deny(`"NotPrincipal":{"AWS":"` + user + `"}`)}, policy.Trustees{}},
		{[]string{deny(`"Principal":"*"`), allow(`"Principal":{"AWS":["111122223333","` + user + `","AROAEXAMPLE"]}`), allow(`"Principal":{"AWS":["arn:aws:iam::444455556666:root","` + session + `"]}`)},
			policy.Trustees{Accounts: []string{"111122223333", "444455556666"}, Names: []string{user, "AROAEXAMPLE", session}}},
		{[]string{allow(`"Principal":{"Service":"ec2.amazonaws.com"}`), allow(`"Principal":{"Federated":"accounts.google.com"}`)}, policy.Trustees{}},
		{[]string{allow(`"Principal":{"AWS":[]}`)}, policy.Trustees{}},
	} {
		got := aboutPolicy(t, policy.Trust, c.statements...).Trustees()
		if got.Everybody != c.want.Everybody || !slices.Equal(got.Accounts, c.want.Accounts) || !slices.Equal(got.Names, c.want.Names) {
			t.Errorf("%s: %+v; want %+v", c.statements, got, c.want)
		}
	}
	resource := aboutPolicy(t, policy.Resource, `{"Effect":"Allow","Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},"Action":"s3:*","Resource":"*"}`)
	if !resource.Trustees().Everybody {
		t.Error("a canonical user is nobody")
	}
	for _, p := range []*policy.Policy{aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`),
		aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}`)} {
		if !p.Trustees().Everybody {
			t.Error("who has a policy without principals is not among them")
		}
	}
}
