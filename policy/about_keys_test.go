package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestSurvey: the groups are those of all keys that a policy reads, the keys those of its statements about the action; a policy that is about the
// action is never passed over.
func TestSurvey(t *testing.T) {
	t.Parallel()
	reads := func(action, key string) string {
		return `{"Effect":"Deny","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}`
	}
	plain := `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	for _, c := range []struct {
		name       string
		statements []string
		about      bool
		groups     uint8
		keys       []string
	}{
		{"no key", []string{plain}, true, 0, nil},
		{"another action", []string{reads("ec2:Run*", "a:one")}, false, 1, nil},
		{"an action that begins alike", []string{reads("s3:GetObjects", "a:one")}, false, 1, nil},
		{"some actions", []string{reads("ec2:Run*", "a:one"), reads("s3:Get*", "b:two")}, true, 3, []string{"b:two"}},
		{"the same key twice", []string{reads("ec2:Run*", "a:one"), reads("s3:Get*", "a:one"), plain}, true, 1, []string{"a:one"}},
		{"spellings", []string{reads("s3:Get*", "A:one"), reads("s3:Get*", "a:one")}, true, 5, []string{"A:one", "a:one"}},
		{"two conditions", []string{`{"Effect":"Allow","NotAction":"s3:Put*","Resource":"*","Condition":{"StringEquals":{"a:one":"x"},"StringNotEquals":{"a:one":"y","b:two":"x"}}}`}, true, 3, []string{"a:one", "b:two"}},
		{"a number", []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"b:two":"7"}}}`}, true, 2, []string{"b:two"}},
		{"variables", []string{`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${a:one}/*","Condition":{"StringLike":{"b:two":"${A:three}"}}}`,
			reads("ec2:Run*", "c:four")}, true, 15, []string{"A:three", "a:one", "b:two"}},
		{"ARNs", []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ArnLike":{"b:two":"arn:aws:iam::${a:one}:*"}}}`}, true, 3, []string{"a:one", "b:two"}},
		{"a tag without a name", []string{reads("s3:*", "aws:ResourceTag/")}, true, 0, nil},
	} {
		p := aboutPolicy(t, policy.Identity, c.statements...)
		search := policy.NewActionSearch("s3:GetObject")
		asked := 0
		table := policy.NewKeyTable(func(key string) uint8 {
			asked++
			return map[string]uint8{"a": 1, "b": 2, "A": 4, "c": 8}[key[:1]] &^ map[bool]uint8{true: 15}[strings.HasPrefix(key, "aws:")]
		})
		for round := range 2 {
			before := asked
			if about, groups := search.Survey(p, table); groups != c.groups || c.about && !about {
				t.Errorf("%s: about %t, groups %b; want %t, %b", c.name, about, groups, c.about, c.groups)
			}
			if round > 0 && asked > before {
				t.Errorf("%s: keys that are known are asked for again", c.name)
			}
			keys := map[string]struct{}{}
			if table.AddTo(keys); round == 0 && len(keys) > 0 {
				t.Errorf("%s: %v before anything was marked", c.name, keys)
			}
			search.Mark(p, table)
			table.AddTo(keys)
			want := map[string]struct{}{}
			search.AddKeysOf(want, p)
			if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, c.keys) || !maps.Equal(keys, want) {
				t.Errorf("%s: %q; want %q, and as AddKeysOf says %v", c.name, got, c.keys, want)
			}
		}
	}
	other := aboutPolicy(t, policy.Identity, reads("ec2:RunInstances", "a:one"))
	if about, _ := policy.NewActionSearch("s3:GetObject").Survey(other, policy.NewKeyTable(func(string) uint8 { return 0 })); about {
		t.Error("a policy that names another action only is not passed over")
	}
	policy.Ahead([]*policy.Policy{nil, other}) // of its own it does nothing; it must stand what sets may have
}

// TestSetOnce: decisions with it are those with a set that is made to be kept.
func TestSetOnce(t *testing.T) {
	t.Parallel()
	allow := &policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`), Name: "allow"}
	deny := &policy.Attached{Policy: aboutPolicy(t, policy.Identity, `{"Effect":"Deny","Action":"s3:Put*","Resource":"*","Condition":{"Bool":{"a:b":"false"}}}`), Name: "deny"}
	wrong := &policy.Attached{Policy: aboutPolicy(t, policy.SCP, `{"Effect":"Allow","Action":"*","Resource":"*"}`)}
	for name, list := range map[string][]*policy.Attached{
		"none": nil, "one": {allow}, "both": {allow, deny}, "nothing": {allow, nil}, "no policy": {allow, {}}, "another kind": {allow, wrong},
	} {
		once, kept := policy.SetOnce(list), policy.NewSet(list...)
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
