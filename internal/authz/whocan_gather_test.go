package authz

import (
	"reflect"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestGathererIsGather: what an inquiry knows of each candidate is what decisions know of it.
func TestGathererIsGather(t *testing.T) {
	t.Parallel()
	const seeds = 40
	limited, keyed, broken := 0, 0, 0
	for seed := range uint64(seeds) {
		e := newEstate(t, seed, 12, 4, 8, seed%2 == 0)
		scp := policy.NewSet(&policy.Attached{Policy: e.load(document(`{"Effect":"Allow","Action":"*","Resource":"*"`+e.condition()+`}`), policy.SCP)})
		for _, member := range []*state.Membership{nil, {Organization: "o-1", Path: "o-1/r-1/", SCP: []*policy.Set{scp}}} {
			q := ordinary()
			if seed%4 == 1 {
				q.Check.Canonical = "canonical"
			}
			w, err := newSearch(New(nil), e.store.View(), q)
			if err != nil {
				t.Fatal(err)
			}
			w.member = member
			var g gatherer
			for range 2 { // as each level of chains does
				for i := range w.all {
					c := &w.all[i]
					got, want := g.of(w, c), w.remembered(t, c)
					if got.account != want.account || got.kind != want.kind || got.epoch != want.epoch || got.member != want.member || got.name != want.name || got.reads != want.reads ||
						!reflect.DeepEqual(got.sets.Caller, want.sets.Caller) || got.sets.Root != want.sets.Root || !reflect.DeepEqual(got.sets.SCP, want.sets.SCP) ||
						(got.of == nil) != (want.of == nil) || got.session != want.session || got.called != want.called {
						t.Fatalf("seed %d, %s: %+v; want %+v", seed, c.arn(), got, want)
					}
					if reading := w.readsWith(t, c, got); reading != w.readsWith(t, c, want) {
						t.Errorf("seed %d, %s reads %b; want %b", seed, c.arn(), reading, w.readsWith(t, c, want))
					}
					if got.late == nil || len(got.keys) > 0 {
						t.Fatalf("seed %d, %s has keys before anybody asks: %v", seed, c.arn(), got.keys)
					}
					if got.late(); !reflect.DeepEqual(got.keys, want.keys) || got.late != nil {
						t.Errorf("seed %d, %s: keys %v; want %v", seed, c.arn(), got.keys, want.keys)
					}
					for _, layer := range [][2]*policy.Set{{got.sets.Identity, want.sets.Identity}, {got.sets.Boundary, want.sets.Boundary}} {
						if (layer[0] == nil) != (layer[1] == nil) || !reflect.DeepEqual(layer[0].Policies(), layer[1].Policies()) && len(layer[1].Policies()) > 0 {
							t.Fatalf("seed %d, %s: %v; want %v", seed, c.arn(), layer[0].Policies(), layer[1].Policies())
						}
					}
					if got.sets.Boundary != nil {
						limited++
					}
					keyed += len(got.keys)
					for _, at := range got.sets.Identity.Policies() {
						if at.Policy == nil {
							broken++
						}
					}
				}
			}
		}
	}
	if limited < 50 || keyed < 1000 || broken < 5 {
		t.Errorf("%d boundaries, %d keys, %d policies that are not there: the accounts show too little", limited, keyed, broken)
	}
}

// remembered is the memo that decisions make of the candidate.
func (w *search) remembered(t *testing.T, c *candidate) *memo {
	t.Helper()
	id, kind := c.principal.ID, policy.RootCaller
	if c.user != nil {
		kind = policy.UserCaller
	}
	if c.role != nil {
		kind = policy.RoleCaller
	}
	m := gather(w.account, w.member, id, kind)
	if m == nil {
		t.Fatalf("there is no %s", c.arn())
	}
	if c.session == nil {
		return m
	}
	return m.under(w.account, &Query{Principal: &c.principal, Session: c.session}, madeBy{})
}

// readsWith is what the inquiry's check of the candidate reads, where m is known of it.
func (w *search) readsWith(t *testing.T, c *candidate, m *memo) reads {
	t.Helper()
	q := w.q.Check
	q.Principal, q.Session = &c.principal, c.session
	k := check{z: w.z, r: w.r, q: &q, caller: m, quiet: true}
	defer k.caught()
	if !k.who() || k.caller != m {
		t.Fatalf("%s is not who was gathered", c.arn())
	}
	return k.reads()
}

// TestInquiriesRememberWhoIsListed: of all who are asked about only those that the answer describes become known.
func TestInquiriesRememberWhoIsListed(t *testing.T) {
	t.Parallel()
	e := newEstate(t, 5, 60, 2, 9, false)
	q := ordinary()
	q.Max = 1
	z := New(nil)
	h, err := z.WhoCan(t.Context(), e.store.View(), q)
	if err != nil || h.Total < 20 {
		t.Fatal(h, err)
	}
	if memos, _, _ := held(&z.memos); memos > 2 {
		t.Errorf("%d memos of an answer that describes %s", memos, h.List[0].ARN)
	}
}
