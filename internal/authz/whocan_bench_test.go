package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// BenchmarkWhoCan asks about 10,000 users with five policies each, as in workload W4, who are known ("warm") or were all changed ("cold").
func BenchmarkWhoCan(b *testing.B) {
	const users = 10_000
	view := population(b, users, typical)
	q := Inquiry{
		Account: ownAccount, Session: "who-can", Max: 100,
		Check: Query{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket-05/web/2026/06/data-03.json", Owner: ownAccount, Context: benchmarkContext},
	}
	ask := func(b *testing.B, z *Authorizer, r state.Reader) {
		b.Helper()
		h, err := z.WhoCan(b.Context(), r, &q)
		if err != nil || h.Asked != users+1 || len(h.List) != q.Max || h.Total < users/20 || h.Total > users/2 {
			b.Fatalf("%+v %v", h, err)
		}
	}
	b.Run("warm", func(b *testing.B) {
		z := New(nil)
		ask(b, z, view)
		b.ReportAllocs()
		for b.Loop() {
			ask(b, z, view)
		}
	})
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ask(b, New(nil), view)
		}
	})
}
