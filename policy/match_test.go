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
	const rounds = 40_000
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

// words are all texts over the alphabet with up to limit bytes.
func words(alphabet string, limit int) []string {
	out := []string{""}
	for i := 0; i < len(out); i++ {
		for _, c := range alphabet {
			if w := out[i] + string(c); len(w) <= limit {
				out = append(out, w)
			}
		}
	}
	return out
}

// Every short pattern against every short text over the characters that matter, with the colons that make five segments.
func TestMatchResourceExhaustively(t *testing.T) {
	t.Parallel()
	texts := words("ab:", 4)
	for _, pattern := range words("a:*?", 5) {
		for _, text := range texts {
			for _, frame := range []string{"", "::::", ":::::"} {
				p, r := frame+pattern, frame+text
				if r == "" || len(pattern) == 5 && frame == ":::::" { // the tail has no rule that needs so many characters
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

// The matcher for hostile patterns says the same as the fast ones and the slow one, on every pattern and text over few characters.
func TestBitsExhaustively(t *testing.T) {
	t.Parallel()
	texts := words("aé:", 4)
	for _, pattern := range words("aé*?", 4) {
		for _, text := range texts {
			want := reference.MatchResource(":::::"+pattern, ":::::"+text, false) // the tail has no rule about colons
			if got := policy.Bits(pattern, 0, text, false); got != want {
				t.Fatalf("pattern %q, text %q: %v, want %v", pattern, text, got, want)
			}
			if got := policy.Glob(pattern, text); got != want {
				t.Fatalf("Glob: pattern %q, text %q: %v, want %v", pattern, text, got, want)
			}
		}
	}
	for _, pattern := range words("a:*?", 5) {
		pattern += ":::::"
		tail := 0 // after the fifth colon
		for range 5 {
			tail += strings.IndexByte(pattern[tail:], ':') + 1
		}
		for _, text := range texts {
			text += ":::::"
			if got, want := policy.Bits(pattern, tail, text, false), reference.MatchResource(pattern, text, false); got != want {
				t.Fatalf("pattern %q, text %q: %v, want %v", pattern, text, got, want)
			}
		}
	}
}

// Patterns longer than a word, near texts that they match: the words hand on their state.
func TestBitsOverWords(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	matched := 0
	const rounds = 3000
	for range rounds {
		var pattern, text strings.Builder
		for range 40 + rng.IntN(200) {
			switch c := []string{"a", "b", "B", "é", "日", ":"}[rng.IntN(6)]; rng.IntN(8) {
			case 0:
				pattern.WriteByte('?')
				text.WriteString(c)
			case 1:
				pattern.WriteByte('*')
				text.WriteString(strings.Repeat(c, rng.IntN(4)))
			default:
				pattern.WriteString(c)
				text.WriteString(c)
			}
		}
		p, s := pattern.String(), text.String()
		if rng.IntN(3) == 0 {
			i := rng.IntN(len(s))
			s = strings.ToValidUTF8(s[:i]+s[i+1:], "b")
		}
		want := reference.MatchResource(":::::"+p, ":::::"+s, false)
		if want {
			matched++
		}
		if got := policy.Bits(p, 0, s, false); got != want {
			t.Fatalf("pattern %q, text %q: %v, want %v", p, s, got, want)
		}
		if want && !policy.Bits(p, 0, strings.ToUpper(s), true) && !strings.ContainsAny(s, "é日") {
			t.Fatalf("pattern %q does not match %q without case", p, strings.ToUpper(s))
		}
	}
	if matched < rounds/3 || matched == rounds {
		t.Errorf("%d of %d pairs match: the generator has become useless", matched, rounds)
	}
}

// hostilePatterns are made to cost as much as they can, for a text of about n characters. None matches.
var hostilePatterns = []struct {
	name    string
	pattern func(n int) (pattern, text string)
}{
	{"stars", func(n int) (string, string) { return strings.Repeat("*a", n/2) + "*b", strings.Repeat("a", n) }},
	{"stars and questions", func(n int) (string, string) { return strings.Repeat("*a?", n/3) + "b", strings.Repeat("a", n) }},
	{"long block", func(n int) (string, string) { return "*" + strings.Repeat("a", n/2) + "b*", strings.Repeat("a", n) }},
	{"block with question", func(n int) (string, string) {
		return "*" + strings.Repeat("a", 30) + "?" + strings.Repeat("a", 30) + "b*", strings.Repeat("a", n)
	}},
	{"long block of questions", func(n int) (string, string) {
		return "*" + strings.Repeat("a?", 500) + "b*", strings.Repeat("a", n)
	}},
	{"questions", func(n int) (string, string) { return "*" + strings.Repeat("?", n/2) + "b*", strings.Repeat("a", n) }},
	{"wide questions", func(n int) (string, string) {
		return "*é?" + strings.Repeat("?é", 30) + "b*", strings.Repeat("é", n/2)
	}},
}

// hostileHeads are the same for a Resource whose wildcards stand before the fifth colon.
var hostileHeads = []struct {
	name    string
	pattern func(n int) (pattern, text string)
}{
	{"open pieces", func(n int) (string, string) {
		return "*:*:*:*:" + strings.Repeat("*a", 400) + "b:*", strings.Repeat("a", n/2) + strings.Repeat(":", n/2)
	}},
	{"closed pieces", func(n int) (string, string) {
		return "*:" + strings.Repeat("*a", 200) + "b:" + strings.Repeat("*a", 200) + "b:c:d:e", strings.Repeat(strings.Repeat("a", 19)+":", n/20)
	}},
	{"tail after colons", func(n int) (string, string) {
		return "*:*:*:*:*:" + strings.Repeat("?", 900) + "b", strings.Repeat(":", n)
	}},
	{"long pieces", func(n int) (string, string) {
		return "*:" + strings.Repeat("a", 900) + ":*:*:b:c", strings.Repeat("aa:", n/3)
	}},
}

// No pattern makes a decision slow. The limit is some hundred times what a match takes; a matcher whose work is the product of both
// lengths takes longer than that.
func TestHostilePatterns(t *testing.T) {
	const n = 64 << 10
	for _, h := range hostilePatterns {
		p, s := h.pattern(n)
		start := time.Now()
		if policy.Glob(p, s) {
			t.Errorf("%s: matches, which the test does not expect", h.name)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: one match took %v", h.name, took)
		}
	}
	for _, h := range hostileHeads {
		p, s := h.pattern(policy.MaxResource)
		start := time.Now()
		if policy.MatchResource(p, s[:min(len(s), policy.MaxResource)], false) {
			t.Errorf("%s: matches, which the test does not expect", h.name)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: one match took %v", h.name, took)
		}
	}
}
