package keyring

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

var idVectors = []struct {
	id, account string
	ok          bool
}{
	{"ASIAQNZGKIQY56JQ7WML", "029608264753", true}, // published, docs/spec/wire.md 5.2
	{"AKIARZPUZDIKAAAAAAAA", "123456789012", true},
	{"AKIARZPUZDIKP7777777", "123456789012", true},
	{"AKIAQAAAAAAAAAAAAAAA", "000000000000", true},
	{"ASIAQAAAAAAAP7777777", "000000000000", true},
	{"AKIAIOSFODNN7EXAMPLE", "", false}, // an old key: no account inside
	{"AKIAJAAAAAAAAAAAAAAA", "", false},
	{"AKIA77777777AAAAAAAA", "", false}, // 40 bits over 999999999999
	{"ASIAQNZGKIQY56JQ7WM", "", false},
	{"ASIAQNZGKIQY56JQ7WMLA", "", false},
	{"AIDAQNZGKIQY56JQ7WML", "", false},
	{"akiarzpuzdikaaaaaaaa", "", false},
	{"AKIARZPUZDIKAAAAAAA1", "", false},
	{"AKIARZPUZDIKAAAAAA A", "", false},
	{"AKIA", "", false},
	{"", "", false},
}

func TestAccountOfAccessKeyID(t *testing.T) {
	t.Parallel()
	for _, v := range idVectors {
		if account, ok := AccountOfAccessKeyID(v.id); account != v.account || ok != v.ok {
			t.Errorf("AccountOfAccessKeyID(%q) = %q, %v; want %q, %v", v.id, account, ok, v.account, v.ok)
		}
	}
	s := NewStream(NewSeed())
	if a, b := s.AccessKeyID("123456789012"), s.TemporaryAccessKeyID("000000000000"); !strings.HasPrefix(a, "AKIARZPUZDIK") || !strings.HasPrefix(b, "ASIAQAAAAAAA") {
		t.Errorf("packed: %s, %s", a, b)
	}
	// The packing of the vector itself, bit for bit.
	raw := [rawID]byte{5: 0x6f, 6: 0x93, 7: 0x0f, 8: 0xd9, 9: 0x8b}
	if id := packID(TemporaryAccessKeyPrefix, 29608264753, &raw); id[:13] != "ASIAQNZGKIQY5" {
		t.Errorf("packID = %s", id)
	}
}

func TestUniqueIDs(t *testing.T) {
	t.Parallel()
	prefixes := []Prefix{UserPrefix, RolePrefix, GroupPrefix, PolicyPrefix, PolicyVersionPrefix, InstanceProfilePrefix, ServerCertificatePrefix,
		ServiceCredentialPrefix, PublicKeyPrefix, AccessKeyPrefix, TemporaryAccessKeyPrefix}
	s := NewStream(NewSeed())
	seen := map[string]bool{}
	check := func(p Prefix, id, account string) {
		t.Helper()
		length := 21
		if p == AccessKeyPrefix || p == TemporaryAccessKeyPrefix || p == PublicKeyPrefix {
			length = 20
		}
		if len(id) != length || !regexp.MustCompile(`^`+string(p)+`[Q-Z2-7][A-Z2-7]+$`).MatchString(id) {
			t.Errorf("%s for %s: bad form", id, account)
		}
		if got, ok := AccountOfUniqueID(id); !ok || got != account {
			t.Errorf("AccountOfUniqueID(%s) = %s, %v; want %s", id, got, ok, account)
		}
		if got, ok := AccountOfAccessKeyID(id); ok != (p == AccessKeyPrefix || p == TemporaryAccessKeyPrefix) || ok && got != account {
			t.Errorf("AccountOfAccessKeyID(%s) = %s, %v", id, got, ok)
		}
		if seen[id] {
			t.Errorf("%s made twice", id)
		}
		seen[id] = true
	}
	for range 500 {
		account := s.AccountID()
		for _, p := range prefixes {
			check(p, s.UniqueID(p, account), account)
		}
		check(TemporaryAccessKeyPrefix, TemporaryAccessKeyID(account), account)
	}
	for _, account := range []string{"000000000000", "000000000001", "999999999999"} {
		check(UserPrefix, s.UniqueID(UserPrefix, account), account)
	}
	for _, id := range []string{"AIDAQNZGKIQY56JQ7WML", "AKIAQNZGKIQY56JQ7WMLA", "XXXXQNZGKIQY56JQ7WMLA", "AIDAIOSFODNN7EXAMPLEA", "AIDAQNZGKIQY56JQ7WML1", ""} {
		if account, ok := AccountOfUniqueID(id); ok {
			t.Errorf("AccountOfUniqueID(%q) = %s", id, account)
		}
	}
	for _, account := range []string{"", "12345678901", "1234567890123", "12345678901x", "-12345678901", "１２３４"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("account %q: no panic", account)
				}
			}()
			s.AccessKeyID(account)
		}()
	}
}

// All free bits of an id must vary: a stuck bit would halve the number of keys an account can have.
func TestFreeBitsVary(t *testing.T) {
	t.Parallel()
	s := NewStream(NewSeed())
	const n = 4000
	var positions [21]map[byte]int
	for i := range positions {
		positions[i] = map[byte]int{}
	}
	for range n {
		id := s.UniqueID(UserPrefix, "123456789012")
		for i := range len(id) {
			positions[i][id[i]]++
		}
	}
	// 4 of prefix, 8 fixed by the account, one half fixed (4 free bits: 41st bit is the account's), then free.
	for i, want := range []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16, 32, 32, 32, 32, 32, 32, 32, 32} {
		if len(positions[i]) != want {
			t.Errorf("character %d takes %d values, want %d", i, len(positions[i]), want)
		}
		for c, count := range positions[i] {
			if mean := float64(n) / float64(want); math.Abs(float64(count)-mean) > 6*math.Sqrt(mean) {
				t.Errorf("character %d is %c %d times in %d, want about %.0f", i, c, count, n, mean)
			}
		}
	}
}

func drawAll(s *Stream) string {
	return fmt.Sprint(s.UniqueID(UserPrefix, "123456789012"), s.AccessKeyID("123456789012"), s.TemporaryAccessKeyID("123456789012"), s.UUID(),
		s.AccountID(), s.Text(32, Upper), s.Secret(24, Mixed).Reveal(), s.SecretAccessKey().Reveal(), s.ServicePassword().Reveal(), s.SecretBytes(20), s.UUID())
}

func TestStreamIsDeterministic(t *testing.T) {
	t.Parallel()
	seed := NewSeed()
	a, b := drawAll(NewStream(seed)), drawAll(NewStream(seed))
	if a != b {
		t.Errorf("the same seed gives\n%s\n%s", a, b)
	}
	if c := drawAll(NewStream(NewSeed())); c == a {
		t.Error("two seeds give the same")
	}
	// Held fixed: a replayed transaction of an older version must make the same ids.
	s := NewStream(SeedFromBytes([SeedBytes]byte([]byte("0123456789abcdef0123456789abcdef"))))
	const want = "AIDARZPUZDIKCQZTKVC6YAKIARZPUZDIKPMWJ5II5ASIARZPUZDIKGYKWADEI76d04f7d-0469-4d12-8539-2079658d44a8" +
		"900982444561WJ8XPDBIZCOI9Z98V1RL1F9M5JNRMO2LuZUFbBSHe3ygNf5TVzHW1YSaBw/6R/o0V0DtZvFdEO9u9nxZH9Nj6si5CsvbY65E" +
		"gPych6o0qs82uHmb4liN0oEInngZZ3FhqYK7BE1sTwc=[235 46 255 157 119 241 159 234 180 185 39 88 163 3 107 149 201 67 230 54]" +
		"b7533e51-04bb-47e1-a3ba-53da183fcbd6"
	if got := drawAll(s); got != want {
		t.Errorf("stream of the fixed seed:\n%s\nwant\n%s", got, want)
	}
	// Secrets and ids are numbered apart.
	x, y := NewStream(seed), NewStream(seed)
	x.UUID()
	if !x.SecretAccessKey().Equal(y.SecretAccessKey()) {
		t.Error("drawing an id moved the secrets")
	}
	if x.SecretAccessKey().Equal(y.SecretAccessKey()) != true || x.SecretAccessKey().Equal(x.SecretAccessKey()) {
		t.Error("secrets of one stream: the n-th must be equal, the next one other")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the zero Seed yields a stream")
			}
		}()
		NewStream(Seed{})
	}()
}

func TestFormsOfSecretsAndIDs(t *testing.T) {
	t.Parallel()
	s := NewStream(NewSeed())
	seen := map[string]bool{}
	for _, tc := range []struct {
		name, form string
		make       func() string
	}{
		{"UUID", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, UUID},
		{"stream UUID", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, s.UUID},
		{"secret access key", `^[A-Za-z0-9+/]{40}$`, func() string { return SecretAccessKey().Reveal() }},
		{"stream secret access key", `^[A-Za-z0-9+/]{40}$`, func() string { return s.SecretAccessKey().Reveal() }},
		{"service password", `^[A-Za-z0-9+/]{43}=$`, func() string { return s.ServicePassword().Reveal() }},
		{"account id", `^[1-9][0-9]{11}$`, s.AccountID},
		{"certificate id", `^[A-Z0-9]{32}$`, func() string { return s.Text(32, Upper) }},
		{"organization", `^[a-z0-9]{10}$`, func() string { return s.Text(10, Lower) }},
		{"random secret", `^[A-Za-z0-9]{64}$`, func() string { return RandomSecret(64, Mixed).Reveal() }},
		{"stream secret", `^[A-Z2-7]{64}$`, func() string { return s.Secret(64, base32).Reveal() }},
		{"password", `^[A-Za-z2-9!@#%^*_+=-]{24}$`, func() string {
			p := Password().Reveal()
			for _, class := range []string{"A-Z", "a-z", "0-9", "!@#%^*_+=-"} {
				if !regexp.MustCompile("[" + class + "]").MatchString(p) {
					t.Errorf("password %s has none of %s", p, class)
				}
			}
			return p
		}},
		{"commit id", `^[0-9a-f]{32}$`, func() string { return fmt.Sprintf("%x", CommitID()) }},
	} {
		form := regexp.MustCompile(tc.form)
		for range 300 {
			v := tc.make()
			if !form.MatchString(v) || seen[v] {
				t.Errorf("%s: %q, made before: %v", tc.name, v, seen[v])
			}
			seen[v] = true
		}
	}
	if s.Text(0, Upper) != "" || len(s.Text(maxText, Upper)) != maxText || len(s.Secret(maxText, "ab").Reveal()) != maxText {
		t.Error("the ends of what Text takes")
	}
	counts := map[rune]int{}
	for _, c := range s.Text(maxText, "abc") + s.Text(maxText, "abc") {
		counts[c]++
	}
	for c, n := range counts {
		if n < 2500 || n > 2960 {
			t.Errorf("%c: %d of %d", c, n, 2*maxText)
		}
	}
	for name, f := range map[string]func(){
		"too long": func() { s.Text(maxText+1, Upper) }, "negative": func() { s.Text(-1, Upper) }, "one letter": func() { s.Text(1, "a") },
		"prefix": func() { s.UniqueID("AID", "123456789012") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestUniform(t *testing.T) {
	t.Parallel()
	draws := []uint64{math.MaxUint64, math.MaxUint64 - 1, 23}
	got := uniform(10, func() uint64 { v := draws[0]; draws = draws[1:]; return v })
	// 2^64-1 ends in 5: the five largest values would make 0 to 4 likelier and are drawn again.
	if got != 3 || len(draws) != 0 {
		t.Errorf("uniform = %d with %d draws left", got, len(draws))
	}
}
