package policy_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

// The compiled matcher and the slow one agree on random patterns near random resources.
func TestMatchResourceAgainstReference(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	matched := 0
	const rounds = 60_000
	for range rounds {
		pattern, resource := policytest.GenerateResource(rng)
		for _, variables := range []bool{false, true} {
			if variables && policy.HasVariable(pattern) {
				continue
			}
			want := reference.MatchResource(pattern, resource, variables) && resource != ""
			if want {
				matched++
			}
			if got := policy.MatchResource(pattern, resource, variables); got != want {
				t.Fatalf("pattern %q, resource %q, variables %v: compiled %v, reference %v", pattern, resource, variables, got, want)
			}
		}
	}
	if matched < rounds/10 {
		t.Errorf("only %d of %d pairs match: the generator has become useless", matched, 2*rounds)
	}
}

// Every short pattern against every short text over the characters that matter, with the colons that make five segments.
func TestMatchResourceExhaustively(t *testing.T) {
	t.Parallel()
	words := func(alphabet string, limit int) []string {
		out := []string{""}
		for i := 0; i < len(out); i++ {
			if len(out[i]) < limit {
				for _, c := range alphabet {
					out = append(out, out[i]+string(c))
				}
			}
		}
		return out
	}
	texts := words("ab:", 4)
	for _, pattern := range words("a:*?", 5) {
		for _, text := range texts {
			for _, frame := range []string{"", "::::", ":::::"} {
				p, r := frame+pattern, frame+text
				if r == "" {
					continue
				}
				if got, want := policy.MatchResource(p, r, false), reference.MatchResource(p, r, false); got != want {
					t.Fatalf("pattern %q, resource %q: compiled %v, reference %v", p, r, got, want)
				}
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("arn:aws:dynamodb:*:table/prod-*", "arn:aws:dynamodb:us-east-1:1:table/prod-x", "s?:*t*", "s3:GetObject", false)
	f.Add("arn:aws:x:u*2:1:f/*", "arn:aws:x:us-east-2:9:s:1:f/d", "*", "a:b", true)
	f.Add("a:*:b?:*c:d*:${*}?*é", "a:::b:::c:d:*éé", "é*:?", "é:é", true)
	f.Fuzz(func(t *testing.T, pattern, resource, actionPattern, action string, variables bool) {
		if len(pattern) > 200 || len(resource) > 200 || len(actionPattern) > 100 || len(action) > 100 ||
			!utf8.ValidString(pattern) || !utf8.ValidString(actionPattern) {
			return
		}
		if resource != "" && utf8.ValidString(resource) && (!variables || !policy.HasVariable(pattern)) {
			if got, want := policy.MatchResource(pattern, resource, variables), reference.MatchResource(pattern, resource, variables); got != want {
				t.Fatalf("pattern %q, resource %q, variables %v: compiled %v, reference %v", pattern, resource, variables, got, want)
			}
		}
		prefix, name, _ := strings.Cut(action, ":")
		if utf8.ValidString(action) && prefix != "" && name != "" {
			if got, want := policy.MatchAction(actionPattern, action), reference.MatchAction(actionPattern, action); got != want && !strings.Contains(name, ":") {
				t.Fatalf("action pattern %q, action %q: compiled %v, reference %v", actionPattern, action, got, want)
			}
		}
	})
}

var hostileResources = []struct{ name, pattern, resource string }{
	{"stars", "arn:aws:s3:::" + strings.Repeat("*a", 3000) + "*b", "arn:aws:s3:::" + strings.Repeat("a", 4000)},
	{"stars and questions", "arn:aws:s3:::" + strings.Repeat("*a?", 2000) + "b", "arn:aws:s3:::" + strings.Repeat("a", 4000)},
	{"long block", "arn:aws:s3:::*" + strings.Repeat("a", 2000) + "b*", "arn:aws:s3:::" + strings.Repeat("a", 4000)},
	{"long block of questions", "arn:aws:s3:::*" + strings.Repeat("a?", 1000) + "b*", "arn:aws:s3:::" + strings.Repeat("a", 4000)},
	{"questions", "arn:aws:s3:::*" + strings.Repeat("?", 2000) + "b*", "arn:aws:s3:::" + strings.Repeat("a", 4000)},
	{"head", "*:*:*:*:" + strings.Repeat("*a", 3000) + "b:*", strings.Repeat("a", 2000) + strings.Repeat(":", 2000)},
	{"closed head", "*:" + strings.Repeat("*a", 600) + "b:" + strings.Repeat("*a", 600) + "b:c:d:e", strings.Repeat(strings.Repeat("a", 19)+":", 200)},
	{"tail after colons", "*:*:*:*:*:" + strings.Repeat("?", 1900) + "b", strings.Repeat(":", 4000)},
}

// No pattern makes a decision slow: the work is bounded by the product of both lengths, with small factors.
func TestHostilePatterns(t *testing.T) {
	for _, h := range hostileResources {
		start := time.Now()
		if policy.MatchResource(h.pattern, h.resource, false) {
			t.Errorf("%s: matches, which the test does not expect", h.name)
		}
		if took := time.Since(start); took > time.Second { // at most some 10 million steps; a matcher that is not bounded by the product needs minutes
			t.Errorf("%s: one match took %v", h.name, took)
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, h := range hostileResources {
		d := policy.Document{Kind: policy.Identity, Statements: []policy.Statement{{Effect: "Allow", Actions: []string{"s3:*"}, Resources: []string{h.pattern}}}}
		p, err := policy.Compile(&d)
		if err != nil {
			b.Fatal(err)
		}
		sets := policy.Sets{Identity: []*policy.Attached{{Policy: p}}}
		r := policy.Request{Action: "s3:GetObject", Resource: h.resource}
		b.Run(h.name, func(b *testing.B) {
			for b.Loop() {
				policy.Decide(&sets, &r)
			}
		})
	}
}
