package session

import "testing"

func benchmarkOpen(b *testing.B, c Claims, cold bool) {
	x := newEnv(b)
	i := x.issue(c)
	v := x.store.View()
	b.ReportAllocs()
	for b.Loop() {
		if cold {
			if _, err := open(x.cell, i.AccessKeyID, i.Token); err != nil {
				b.Fatal(err)
			}
		} else if _, err := x.keeper.Open(v, i.AccessKeyID, i.Token); err != nil {
			b.Fatal(err)
		}
	}
}

func withPolicy() Claims {
	c := role()
	c.Policy = policyOf(2048)
	return c
}

func BenchmarkOpenCold(b *testing.B)           { benchmarkOpen(b, role(), true) }
func BenchmarkOpenColdWithPolicy(b *testing.B) { benchmarkOpen(b, withPolicy(), true) }
func BenchmarkOpenSeen(b *testing.B)           { benchmarkOpen(b, role(), false) }
func BenchmarkOpenSeenWithPolicy(b *testing.B) { benchmarkOpen(b, withPolicy(), false) }

func BenchmarkIssue(b *testing.B) {
	x := newEnv(b)
	v := x.store.View()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.keeper.Issue(v, role()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssueWithPolicy(b *testing.B) {
	x := newEnv(b)
	v, c := x.store.View(), withPolicy()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.keeper.Issue(v, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPackedSize(b *testing.B) {
	c := withPolicy()
	b.ReportAllocs()
	for b.Loop() {
		PackedSize(&c)
	}
}
