package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// hostileDocuments make documents of about n elements that would be slow to read if something were compared with everything before it.
// All stay below policy.MaxText.
var hostileDocuments = []struct {
	name string
	kind policy.Kind
	make func(n int) string
}{
	{"resources", policy.Managed, func(n int) string {
		return document(`"Effect":"Allow","Action":"*","Resource":` + list(n, func(i int) string { return fmt.Sprintf(`"%d"`, (i*7919)%n) }))
	}},
	{"equal-resources", policy.Managed, func(n int) string {
		return document(`"Effect":"Allow","Action":"*","Resource":` + list(n, func(int) string { return `"arn:x"` }))
	}},
	{"actions", policy.Managed, func(n int) string {
		return document(`"Effect":"Allow","Resource":"*","Action":` + list(n, func(int) string { return `"a:b"` }))
	}},
	{"keys", policy.Managed, func(n int) string {
		return document(good + `,"Condition":{"Bool":{` + members(n, `"k%d":0`) + `}}`)
	}},
	{"operators", policy.Managed, func(n int) string {
		return document(good + `,"Condition":{` + members(n, `"k%d":{}`) + `}`)
	}},
	{"members", policy.Managed, func(n int) string { return `{` + members(n, `"%d":0`) + `}` }},
	{"sids", policy.Managed, func(n int) string {
		return `{"Version":"2012-10-17","Statement":` + list(n/4+1, func(i int) string { return fmt.Sprintf(`{"Sid":"%d","Effect":"Deny"}`, i) }) + `}`
	}},
	{"dates", policy.Managed, func(n int) string {
		return document(good + `,"Condition":{"DateEquals":{"k":` + list(n, func(int) string { return `9` }) + `}}`)
	}},
	{"nesting", policy.Managed, func(n int) string { return strings.Repeat("[", n) }},
	{"escapes", policy.Managed, func(n int) string {
		return `{"Version":"2012-10-17","Id":"` + strings.Repeat(`\n`, n) + `","Statement":{` + good + `}}`
	}},
	{"trust-sids", policy.Trust, func(n int) string {
		return `{"Statement":` + list(n/8+1, func(i int) string {
			return fmt.Sprintf(`{"Sid":"%d","Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}`, i)
		}) + `}`
	}},
	{"trust-principals", policy.Trust, func(n int) string {
		return trust(`{"AWS":` + list(n/2+1, func(int) string { return `"111111111111"` }) + `}`)
	}},
	{"trust-actions", policy.Trust, func(n int) string {
		return document(`"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:` + strings.Repeat("*a", n) + `"`)
	}},
	{"trust-providers", policy.Trust, func(n int) string {
		return document(`"Effect":"Allow","Principal":{"Federated":` + list(n/16+1, func(int) string { return `"arn:aws:iam::111111111111:oidc-provider/gitlab.com"` }) +
			`},"Action":"sts:*","Condition":{"StringEquals":{` + members(n/8+1, `"k%d":0`) + `,"gitlab.com:sub":"x"}}`)
	}},
	{"resource-principals", policy.Resource, func(n int) string {
		return document(`"Effect":"Deny","NotPrincipal":{"AWS":` + list(n/2+1, func(int) string { return `"111111111111"` }) + `},"Action":"*"`)
	}},
}

func list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func members(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(items, ",")
}

// The figure to look at is ns/byte: it stays the same while the documents grow.
func BenchmarkParseHostile(b *testing.B) {
	for _, h := range hostileDocuments {
		for _, n := range []int{100, 1000, 10000} {
			text := h.make(n)
			b.Run(fmt.Sprintf("%s/%d", h.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := policy.Parse(text, h.kind)
					sink(err)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(text)), "ns/byte")
			})
		}
	}
}

//go:noinline
func sink(error) {}

// The same as a test with a wide margin: documents at the limit of the parameter take no quadratic time, which would be seconds.
func TestParseHostile(t *testing.T) {
	t.Parallel()
	for _, h := range hostileDocuments {
		n := 10000
		text := h.make(n)
		for len(text) < policy.MaxText/2 {
			n *= 2
			text = h.make(n)
		}
		if len(text) > policy.MaxText {
			text = h.make(n / 2)
		}
		if len(text) > policy.MaxText || len(text) < policy.MaxText/8 {
			t.Fatalf("%s: %d bytes", h.name, len(text))
		}
		best := time.Hour // of three, because the machine may be busy
		for try := 0; try < 3 && best > time.Second; try++ {
			start := time.Now()
			_, err := policy.Parse(text, h.kind)
			sink(err)
			best = min(best, time.Since(start))
		}
		if best > time.Second {
			t.Errorf("%s: %d bytes took %v", h.name, len(text), best)
		}
	}
}
