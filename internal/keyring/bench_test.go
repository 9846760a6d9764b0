package keyring

import (
	"testing"
	"time"
)

func BenchmarkAccountOpen(b *testing.B) {
	a, _ := NewAccountKeyset("acct/123456789012", time.Unix(1, 0))
	secret := []byte(SecretAccessKey().Reveal())
	sealed, _ := a.Seal("access-key", "AKIARZPUZDIKAAAAAAAA", secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Open("access-key", "AKIARZPUZDIKAAAAAAAA", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccountSeal(b *testing.B) {
	a, _ := NewAccountKeyset("acct/123456789012", time.Unix(1, 0))
	secret := []byte(SecretAccessKey().Reveal())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Seal("access-key", "AKIARZPUZDIKAAAAAAAA", secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenAccount(b *testing.B) {
	c, _ := NewCell("cell", time.Unix(1, 0))
	a, _ := NewAccountKeyset("acct/123456789012", time.Unix(1, 0))
	sealed, _ := a.Sealed(c)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := OpenAccount(c, "acct/123456789012", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewSeed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewSeed()
	}
}

func BenchmarkNewStream(b *testing.B) {
	seed := NewSeed()
	b.ReportAllocs()
	for b.Loop() {
		NewStream(seed)
	}
}

func BenchmarkUUID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		UUID()
	}
}

func BenchmarkAccessKeyID(b *testing.B) {
	s := NewStream(NewSeed())
	b.ReportAllocs()
	for b.Loop() {
		s.AccessKeyID("123456789012")
	}
}

func BenchmarkTemporaryAccessKeyID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		TemporaryAccessKeyID("123456789012")
	}
}

func BenchmarkStreamSecretAccessKey(b *testing.B) {
	s := NewStream(NewSeed())
	b.ReportAllocs()
	for b.Loop() {
		s.SecretAccessKey()
	}
}

func BenchmarkSecretAccessKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		SecretAccessKey()
	}
}

func BenchmarkVerify(b *testing.B) {
	h := NewHasher(1, 0)
	text, _ := h.Hash(b.Context(), NewSecret("correct horse"))
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), NewSecret("correct horse"), text); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
