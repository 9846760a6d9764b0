package authz

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// BenchmarkWhoCan asks about 10,000 users of whom nothing is remembered: with five policies of their own each, as in workload W4 ("own"), and with
// one of their own, two managed ones of 50 and those of two groups of 40 ("shared").
func BenchmarkWhoCan(b *testing.B) {
	const users = 10_000
	for _, w := range []struct {
		name string
		view func() *state.View
	}{
		{"own", func() *state.View { return population(b, users, typical) }},
		{"shared", func() *state.View { return sharing(b, users) }},
	} {
		view := w.view()
		q := Inquiry{
			Account: ownAccount, Session: "who-can", Max: 100,
			Check: Query{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket-05/web/2026/06/data-03.json", Owner: ownAccount, Context: benchmarkContext},
		}
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h, err := New(nil).WhoCan(b.Context(), view, &q)
				if err != nil || h.Asked != users+1 || len(h.List) != q.Max || h.Total < users/20 || h.Total > users*3/4 {
					b.Fatalf("%+v %v", h, err)
				}
			}
		})
	}
}

// sharing is an account of users who have most of their policies with others.
func sharing(b *testing.B, users int) *state.View {
	b.Helper()
	const groups, shared = 40, 50
	s := openStore(b)
	load := func(text string, kind policy.Kind) *policy.Policy {
		p, err := policy.Load(text, kind)
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	var records []state.Record
	attach := func(owner string, n int) {
		at := &state.Attachment{}
		at.Owner, at.Policy, at.Seq = owner, managedARN(n%shared), uint32(n)
		records = append(records, at)
	}
	for i := range shared {
		p, v := &state.ManagedPolicy{}, &state.PolicyVersion{Compiled: load(typical(-1 - i)[0], policy.Managed)}
		p.Id, p.Name, p.Path, p.DefaultVersion, p.LastVersion = fmt.Sprintf("ANPA%d", i), fmt.Sprintf("managed%d", i), "/", 1, 1
		v.Policy, v.Number, v.Document = p.Id, 1, v.Compiled.Text()
		records = append(records, p, v)
	}
	for i := range groups {
		g := &state.Group{}
		g.Id, g.Name, g.Path = fmt.Sprintf("AGPAGROUP%05d", i), fmt.Sprintf("group%05d", i), "/"
		records = append(records, g)
		attach(g.Id, i)
	}
	for i := range users {
		p := member((i * 7919) % users) // names are in another order than ids
		u := &state.User{}
		u.Id, u.Name, u.Path = p.ID, member(i).Name, p.Path
		records = append(records, u, record(u.Id, "own").WithDocument(load(typical(i)[0], policy.Identity)),
			state.NewMember(u.Id, fmt.Sprintf("AGPAGROUP%05d", i%groups)), state.NewMember(u.Id, fmt.Sprintf("AGPAGROUP%05d", (i*7+1)%groups)))
		attach(u.Id, i)
		attach(u.Id, i+17)
	}
	for list := range slices.Chunk(records, 90) { // a commit holds 100 operations
		put(b, s, func(tx *state.Tx) {
			for _, r := range list {
				tx.Put(state.AccountUnit(ownAccount), r)
			}
		})
	}
	return s.View()
}
