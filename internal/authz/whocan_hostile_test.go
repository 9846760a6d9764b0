package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// roleIn is a role of an account that a test describes: whom it trusts, and its policy, "" for none.
type roleIn struct{ name, trust, identity string }

// holdings is an account with roles, and one user without policies for each name.
func holdings(t testing.TB, roles []roleIn, users ...string) *state.View {
	t.Helper()
	e := &estate{t: t, store: openStore(t)}
	var records []state.Record
	for _, name := range users {
		u := &state.User{}
		u.Id, u.Name, u.Path = "AIDA"+strings.ToUpper(name), name, "/"
		records = append(records, u)
	}
	for _, in := range roles {
		role := &state.Role{}
		role.Id, role.Name, role.Path = "AROA"+strings.ToUpper(in.name), in.name, "/"
		role.SetTrust(e.load(trusts(in.trust), policy.Trust))
		records = append(records, role)
		if in.identity != "" {
			records = append(records, record(role.Id, "p").WithDocument(e.load(in.identity, policy.Identity)))
		}
	}
	for list := range slices.Chunk(records, 90) {
		put(t, e.store, func(tx *state.Tx) {
			for _, rec := range list {
				tx.Put(state.AccountUnit(ownAccount), rec)
			}
		})
	}
	return e.store.View()
}

func roleARN(name string) string { return "arn:aws:iam::" + ownAccount + ":role/" + name }

func aws(principal string) string { return `{"AWS":"` + principal + `"}` }

func ordinary() *Inquiry {
	return &Inquiry{
		Account: ownAccount, Session: askedSession, Max: 1000,
		Check: Query{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: ownAccount, Time: askedAt},
	}
}

// waysOf are the holders, each with the roles of its way.
func waysOf(t testing.TB, view *state.View, q *Inquiry) ([]string, *Holders) {
	t.Helper()
	h, err := New(nil).WhoCan(t.Context(), view, q)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range h.List {
		var way strings.Builder
		way.WriteString(h.List[i].Name)
		for _, s := range h.List[i].Steps[1:] {
			way.WriteString(" " + s.Principal[strings.LastIndexByte(s.Principal, '/')+1:])
		}
		list = append(list, way.String())
	}
	return list, h
}

// TestCycles: roles that trust each other, and themselves, are a way once.
func TestCycles(t *testing.T) {
	t.Parallel()
	reads := document(statement("Allow", "s3:GetObject", "*"))
	view := holdings(t, []roleIn{
		{"a", `{"AWS":["` + roleARN("b") + `","` + roleARN("a") + `"]}`, ""},
		{"b", `{"AWS":["` + roleARN("a") + `","` + roleARN("c") + `"]}`, ""},
		{"c", aws(roleARN("a")), reads},
		{"d", aws(roleARN("e")), ""},
		{"e", aws(roleARN("d")), ""},
	}, "alice")
	got, h := waysOf(t, view, ordinary())
	if want := []string{"", "a c", "b a c", "c"}; !slices.Equal(got, want) || h.Partial {
		t.Errorf("%q, %+v; want %q", got, h, want)
	}
}

// TestLongestChain: a way through more than maxChain roles is not found, and that is said.
func TestLongestChain(t *testing.T) {
	t.Parallel()
	var roles []roleIn
	for i := range maxChain + 3 {
		roles = append(roles, roleIn{name: fmt.Sprintf("r%02d", i), trust: aws(roleARN(fmt.Sprintf("r%02d", i+1)))})
	}
	roles[0].identity = document(statement("Allow", "s3:GetObject", "*"))
	got, h := waysOf(t, holdings(t, roles), ordinary())
	if len(got) != 1+1+maxChain || !h.Partial || len(h.List[len(h.List)-1].Steps) != maxChain+1 {
		t.Errorf("%q, partial %t", got, h.Partial)
	}
	for _, n := range []int{maxChain, maxChain + 1} { // the last one has the longest way there may be
		got, h = waysOf(t, holdings(t, roles[:n]), ordinary())
		if len(got) != 1+n || h.Partial {
			t.Errorf("%q, partial %t", got, h.Partial)
		}
	}
}

// TestRolesThatTrustEverybody: a thousand of them are one way for each principal, by the first one.
func TestRolesThatTrustEverybody(t *testing.T) {
	t.Parallel()
	var roles []roleIn
	for i := range 1000 {
		roles = append(roles, roleIn{fmt.Sprintf("r%03d", i), aws("*"), document(statement("Allow", "s3:GetObject", "*"))})
	}
	q := ordinary()
	q.Max = 10_000
	got, h := waysOf(t, holdings(t, roles, "alice", "bob"), q)
	if h.Total != 1003 || h.Partial || got[1] != "alice r000" || got[2] != "bob r000" || got[3] != "r000" || got[1002] != "r999" {
		t.Errorf("%d, partial %t: %q…", h.Total, h.Partial, got[:4])
	}
}

// TestBoundsOfChains: the search ends when it has asked too much, between batches, and says so; who can alone is there all the same.
func TestBoundsOfChains(t *testing.T) {
	t.Parallel()
	w := &search{hops: maxHops + 1, all: make([]candidate, 3*batch), names: keyNames{}, q: &Inquiry{}}
	if err := w.askOthers(t.Context(), &trusting{}, 2); err != nil || !w.partial {
		t.Errorf("%v, partial %t", err, w.partial)
	}
	w = &search{hops: maxHops, all: make([]candidate, 3*batch), names: keyNames{}, q: &Inquiry{}}
	if err := w.askOthers(t.Context(), &trusting{}, 2); err != nil || w.partial {
		t.Errorf("%v, partial %t", err, w.partial)
	}
}

// TestWhoIsTrusted: forms of principals in trust policies, and who gets in. Those who are gone let nobody in who has their name now.
func TestWhoIsTrusted(t *testing.T) {
	t.Parallel()
	sts := "arn:aws:sts::" + ownAccount + ":assumed-role/caller/"
	for _, c := range []struct {
		principal string
		want      []string
	}{
		{aws("arn:aws:iam::" + ownAccount + ":user/alice"), []string{"alice"}},
		{aws("AIDAALICE"), []string{"alice"}},
		{aws("AIDAGONE"), nil},
		{aws("arn:aws:iam::" + ownAccount + ":user/gone"), nil},
		{aws(roleARN("caller")), []string{"caller"}},
		{aws("AROACALLER"), []string{"caller"}},
		{aws("AROAGONE"), nil},
		{aws(sts + askedSession), []string{"caller"}},
		{aws(sts + "other"), nil},
		{aws(ownAccount), []string{"mighty"}}, // who has a policy for it
		{aws("arn:aws:iam::" + ownAccount + ":root"), []string{"mighty"}},
		{aws("*"), []string{"alice", "caller", "mighty"}},
		{`"*"`, []string{"alice", "caller", "mighty"}},
		{aws(accountB), nil},
		{aws("arn:aws:iam::" + accountB + ":user/alice"), nil},
		{`{"Service":"ec2.amazonaws.com"}`, nil},
		{`{"Federated":"accounts.google.com"}`, nil},
	} {
		view := holdings(t, []roleIn{
			{"target", c.principal, document(statement("Allow", "s3:GetObject", "*"))},
			{"caller", aws(accountB), ""},
			{"mighty", aws(accountB), document(statement("Allow", "sts:AssumeRole", "*"))},
		}, "alice")
		got, _ := waysOf(t, view, ordinary())
		var want []string
		for _, name := range c.want {
			want = append(want, name+" target")
		}
		want = append(want, "", "target")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q; want %q", c.principal, got, want)
		}
	}
}

// TestMissingKeys: what policies read in statements about the action, or about assuming a role that can, and the inquiry does not say.
func TestMissingKeys(t *testing.T) {
	t.Parallel()
	where := func(effect, action, key string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}`
	}
	view := holdings(t, []roleIn{
		{"r", aws("AIDAALICE") + `,"Condition":{"StringEquals":{"sts:ExternalId":"x","sts:RoleSessionName":"who-can"}}`, document(
			statement("Allow", "s3:Get*", "*"), where("Deny", "s3:*", "s3:x-amz-acl"), where("Allow", "s3:Put*", "s3:other"), where("Deny", "s3:*", "aws:sourceip"),
			where("Allow", "s3:GetObject", "aws:SourceIp"), where("Allow", "*", "aws:MultiFactorAuthPresent"), where("Allow", "*", "aws:PrincipalTag/k"),
			where("Allow", "*", "aws:CurrentTime"), where("Allow", "*", "aws:RequestedRegion"),
			`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/k}/${s3:prefix}"}`)},
		{"s", aws(accountB), document(where("Allow", "s3:*", "aws:SourceVpc"))}, // who cannot, but could with it
	}, "alice")
	q := ordinary()
	q.Check.Context = []policy.Entry{single("AWS:RequestedRegion", "eu-west-1")}
	q.Check.ResourcePolicy = &policy.Attached{Policy: (&world{t: t}).load(document(strings.Replace(where("Allow", "s3:*", "aws:UserAgent"), `"Resource"`, `"Principal":"*","Resource"`, 1)), policy.Resource)}
	q.Check.SCP = []*policy.Set{policy.NewSet(&policy.Attached{Policy: (&world{t: t}).load(document(statement("Allow", "*", "*"), where("Deny", "s3:*", "aws:Referer")), policy.SCP)})}
	_, h := waysOf(t, view, q)
	want := []string{"aws:MultiFactorAuthPresent", "aws:Referer", "aws:SourceIp", "aws:SourceVpc", "aws:UserAgent", "s3:prefix", "s3:x-amz-acl", "sts:ExternalId"}
	if !slices.Equal(h.Missing, want) || h.Cut {
		t.Errorf("%q; want %q", h.Missing, want)
	}
	var many []string
	for i := range maxMissing + 1 {
		many = append(many, where("Allow", "s3:*", fmt.Sprintf("x:k%03d", i)))
	}
	_, h = waysOf(t, holdings(t, []roleIn{{"r", aws("*"), document(many[:maxMissing]...)}}), ordinary())
	if len(h.Missing) != maxMissing || h.Cut {
		t.Errorf("%d keys, cut %t", len(h.Missing), h.Cut)
	}
	_, h = waysOf(t, holdings(t, []roleIn{{"r", aws("*"), document(many...)}}), ordinary())
	if len(h.Missing) != maxMissing || !h.Cut || h.Missing[maxMissing-1] != "x:k099" {
		t.Errorf("%d keys, cut %t", len(h.Missing), h.Cut)
	}
}

// TestMissingKeysOfHops: what a principal's own policies say of assuming roles is open where there is a role that may let it in.
func TestMissingKeysOfHops(t *testing.T) {
	t.Parallel()
	assumes := `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"v"}}}`
	for trusted, want := range map[string][]string{ownAccount: {"aws:SourceVpc"}, "AIDAALICE": nil} {
		_, h := waysOf(t, holdings(t, []roleIn{
			{"a", aws(accountB), document(assumes)}, {"r", aws(trusted), document(statement("Allow", "s3:GetObject", "*"))},
		}), ordinary())
		if !slices.Equal(h.Missing, want) {
			t.Errorf("%s is trusted: %q; want %q", trusted, h.Missing, want)
		}
	}
}

// TestWhoCannotBeAsked: an account that is not there, or is too large; an asker that is gone.
func TestWhoCannotBeAsked(t *testing.T) {
	t.Parallel()
	view := holdings(t, nil, "alice")
	q := ordinary()
	q.Account = accountX
	if _, err := New(nil).WhoCan(t.Context(), view, q); !errors.Is(err, ErrNoAccount) {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(nil).WhoCan(gone, view, ordinary()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w := &search{names: keyNames{}, all: make([]candidate, 3*portion)}
	if err := w.each(t.Context(), 0, len(w.all), func(_ *asker, i int) {
		if i == portion+1 {
			panic("that")
		}
	}); err == nil || !strings.Contains(err.Error(), "a panic: that") {
		t.Errorf("a panic while somebody is asked: %v", err)
	}
}

// TestWhoCanAlone: an account of the root user only, and a resource whose policy cannot be read.
func TestWhoCanAlone(t *testing.T) {
	t.Parallel()
	if got, h := waysOf(t, holdings(t, nil), ordinary()); !slices.Equal(got, []string{""}) || h.Partial {
		t.Errorf("%q, partial %t", got, h.Partial)
	}
	q := ordinary()
	q.Check.ResourcePolicy = &policy.Attached{}
	if got, _ := waysOf(t, holdings(t, nil, "alice"), q); len(got) != 0 {
		t.Errorf("%q can, by a policy that nobody can read", got)
	}
}

// TestGrantsOfSteps: a role that names the user lets it in by one statement; RCPs that are asked about a foreign resource do not reach the role.
func TestGrantsOfSteps(t *testing.T) {
	t.Parallel()
	view := holdings(t, []roleIn{{"r", aws("AIDAALICE"), document(statement("Allow", "s3:GetObject", "*"))}}, "alice")
	q := ordinary()
	q.Check.Owner = accountB
	q.Check.ResourcePolicy = &policy.Attached{Policy: (&estate{t: t}).load(to("Allow", `{"AWS":"`+ownAccount+`"}`, "s3:*"), policy.Resource)}
	all := &policy.Attached{Policy: (&estate{t: t}).load(to("Allow", `"*"`, "*"), policy.RCP)}
	q.Check.RCP = []*policy.Set{policy.NewSet(all, &policy.Attached{Policy: (&estate{t: t}).load(to("Deny", `"*"`, "sts:*"), policy.RCP)})}
	got, h := waysOf(t, view, q)
	if want := []string{"", "alice r", "r"}; !slices.Equal(got, want) {
		t.Fatalf("%q; want %q", got, want)
	}
	for i, want := range []policy.Layer{policy.LayerTrust, policy.LayerIdentity} {
		grants := h.List[1].Steps[i].Grants
		if grants[0].Layer != want || len(grants) != 1+i {
			t.Errorf("step %d: %+v", i, grants)
		}
	}
	q.Check.Owner, q.Check.ResourcePolicy = ownAccount, nil
	if got, _ := waysOf(t, view, q); !slices.Equal(got, []string{"", "r"}) {
		t.Errorf("%q: the RCPs are those of the role too", got)
	}
}

// TestNobodyIsAskedTwice: every candidate is asked once, whatever the number of goroutines makes of them.
func TestNobodyIsAskedTwice(t *testing.T) {
	t.Parallel()
	for n := range 3*portion + 2 {
		w := &search{names: keyNames{}, all: make([]candidate, n)}
		if err := w.each(t.Context(), n/2, n, func(x *asker, i int) { w.all[i].length++; x.hops++ }); err != nil || w.hops != n-n/2 {
			t.Fatalf("%d: %v, %d asked", n, err, w.hops)
		}
		for i := range w.all {
			if want := int32(i-n/2) >= 0; (w.all[i].length == 1) != want || w.all[i].length > 1 {
				t.Fatalf("%d of %d was asked %d times", i, n, w.all[i].length)
			}
		}
	}
}
