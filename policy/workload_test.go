package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// workload is one file of testdata/workloads, made ready: what the benchmarks of this package decide.
type workload struct {
	Name     string
	Timed    int
	Policies map[string][]struct {
		Name     string
		Document json.RawMessage
	}
	Requests []struct {
		Principal, Action, Resource string
		Context                     map[string]string
		Expect                      bool
	}

	sets  map[string]*policy.Sets
	cases []workCase
}

// workCase is one request of a workload with its answer.
type workCase struct {
	sets    *policy.Sets
	request policy.Request
	expect  bool
}

var workloadNames = []string{"W1-one", "W2-typical", "W3-heavy500", "W3b-wild500", "W5-cond20", "W6-n10", "W6-n100", "W6-n1000", "W6-n10000"}

func readWorkload(t testing.TB, name string) *workload {
	t.Helper()
	if name == "W6-n10000" { // 1.4 MB of text that the file with a tenth of it says as well
		return heavyWorkload(t, 10_000)
	}
	text, err := os.ReadFile(path.Join("testdata/workloads", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var w workload
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	w.prepare(t)
	return &w
}

func (w *workload) prepare(t testing.TB) {
	t.Helper()
	w.sets = make(map[string]*policy.Sets)
	for principal, list := range w.Policies {
		var attached []*policy.Attached
		for _, p := range list {
			a := load(t, string(p.Document))
			a.Name = p.Name
			attached = append(attached, a)
		}
		w.sets[principal] = identity(attached...)
	}
	for _, r := range w.Requests {
		w.cases = append(w.cases, workCase{w.sets[r.Principal], policy.Request{Action: r.Action, Resource: r.Resource, Context: entries(r.Context)}, r.Expect})
	}
}

func identity(attached ...*policy.Attached) *policy.Sets {
	return &policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: "111111111111"}, Identity: policy.NewSet(attached...)}
}

// entries are the context in the order of its keys.
func entries(context map[string]string) []policy.Entry {
	var out []policy.Entry
	for k, v := range context {
		out = append(out, single(k, v))
	}
	slices.SortFunc(out, func(a, b policy.Entry) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// heavyWorkload is W6 with n statements, 25 in each policy, and the requests of the file with 1000.
func heavyWorkload(t testing.TB, n int) *workload {
	t.Helper()
	w := readWorkload(t, "W6-n1000")
	var attached []*policy.Attached
	for at := 0; at < n; at += 25 {
		attached = append(attached, load(t, heavyPolicy(at, min(at+25, n), n, "data")))
	}
	sets := identity(attached...)
	w.Name = fmt.Sprintf("W6-n%d", n)
	for i := range w.cases {
		c := &w.cases[i]
		c.sets = sets
		c.request.Resource = strings.ReplaceAll(c.request.Resource, "bucket-00999", fmt.Sprintf("bucket-%05d", n-1))
	}
	return w
}

// heavyPolicy has the statements from..to of n; what, the second part of the resources.
func heavyPolicy(from, to, n int, what string) string {
	const condition = `,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8"]},"StringEquals":{"s3:ExistingObjectTag/env":["prod"]}}`
	actions := [...]string{`"s3:GetObject","s3:PutObject"`, `"s3:Get*"`, `"s3:GetObject"`}
	var statements []string
	for i := from; i < to; i++ {
		effect, more := "Allow", ""
		if i%10 == 3 {
			effect = "Deny"
		}
		if i%5 == 0 || i == n-1 {
			more = condition
		}
		statements = append(statements, fmt.Sprintf(`{"Sid":"S%05d","Effect":"%s","Action":[%s],"Resource":["arn:aws:s3:::bucket-%05d/%s/*"]%s}`, i, effect, actions[i%3], i, what, more))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// wideSource makes W4: policies of the shapes that W2 has, and requests near them.
type wideSource struct{ *rand.Rand }

func newWideSource(seed uint64) wideSource { return wideSource{rand.New(rand.NewPCG(seed, 4))} }

var (
	wideFolders  = []string{"core", "data", "infra", "ml", "shared", "web"}
	wideStages   = []string{"dev", "prod", "staging", "test"}
	wideActions  = []string{`"s3:Get*"`, `"s3:GetObject","s3:PutObject"`, `"s3:PutObject*"`, `"s3:*Tagging","s3:DeleteObject"`}
	wideRequests = []string{"s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:DeleteObject"}
)

func (s wideSource) pick(list []string) string { return list[s.IntN(len(list))] }

func (s wideSource) policy(slot int) string {
	var statements []string
	for i := range 4 {
		bucket := fmt.Sprintf("arn:aws:s3:::bucket-%02d", s.IntN(8))
		resource, effect, condition := "", "Allow", ""
		switch s.IntN(6) {
		case 0:
			resource = fmt.Sprintf(`"%s/*"`, bucket)
		case 1:
			resource = fmt.Sprintf(`"%s/*/data-??.json","%s/shared/*"`, bucket, bucket)
		case 2:
			resource = fmt.Sprintf(`"arn:aws:s3:::bucket-*/%s/*"`, s.pick(wideFolders))
		default:
			resource = fmt.Sprintf(`"%s/%s/*"`, bucket, s.pick(wideFolders))
		}
		if s.IntN(4) == 0 {
			effect = "Deny"
		}
		if s.IntN(3) == 0 {
			condition = fmt.Sprintf(`,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]},"StringEquals":{"s3:ExistingObjectTag/env":["%s","%s"]}}`,
				s.pick(wideStages), s.pick(wideStages))
		}
		statements = append(statements, fmt.Sprintf(`{"Sid":"S%02dx%02d","Effect":"%s","Action":[%s],"Resource":[%s]%s}`, slot, i, effect, s.pick(wideActions), resource, condition))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (s wideSource) request() policy.Request {
	address := fmt.Sprintf("10.%d.3.%d", s.IntN(200), s.IntN(250))
	if s.IntN(4) == 0 {
		address = fmt.Sprintf("203.0.113.%d", s.IntN(250))
	}
	return policy.Request{
		Action:   s.pick(wideRequests),
		Resource: fmt.Sprintf("arn:aws:s3:::bucket-%02d/%s/2026/06/data-%02d.json", s.IntN(8), s.pick(wideFolders), s.IntN(99)),
		Context: entries(map[string]string{
			"aws:CurrentTime": "2026-06-15T12:30:00Z", "aws:SecureTransport": "true", "aws:SourceIp": address,
			"aws:UserAgent": "aws-sdk-go-v2/1.32.0", "aws:username": "alice", "s3:ExistingObjectTag/env": s.pick(wideStages),
			"s3:ExistingObjectTag/team": s.pick(wideFolders),
		}),
	}
}

// plain is a loop over the statements as anybody would write it: what the benchmarks compare with, and a check of generated workloads.
// It knows the operators of W1 to W4 and W6.
type plain struct{ statements []policy.Statement }

func newPlain(sets *policy.Sets) *plain {
	var p plain
	for _, a := range sets.Identity.Policies() {
		p.statements = append(p.statements, a.Policy.Document().Statements...)
	}
	return &p
}

func (p *plain) allows(r *policy.Request) bool {
	allowed := false
	for i := range p.statements {
		s := &p.statements[i]
		if s.Effect == "Allow" && allowed || !plainAny(s.Actions, r.Action) || !plainAny(s.Resources, r.Resource) || !plainConditions(s.Conditions, r.Context) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func plainAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return plainMatch(p, s) })
}

func plainMatch(p, s string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}

func plainConditions(conditions []policy.Condition, context []policy.Entry) bool {
	for i := range conditions {
		c := &conditions[i]
		at := slices.IndexFunc(context, func(e policy.Entry) bool { return strings.EqualFold(e.Key, c.Key) })
		if at < 0 {
			return false
		}
		v := context[at].Values[0]
		ok := false
		switch c.Operator {
		case policy.StringEquals:
			ok = slices.Contains(c.Values, v)
		case policy.IPAddress:
			a, err := netip.ParseAddr(v)
			ok = err == nil && slices.ContainsFunc(c.Values, func(block string) bool { return netip.MustParsePrefix(block).Contains(a) })
		}
		if !ok {
			return false
		}
	}
	return true
}

func TestWorkloads(t *testing.T) {
	for _, name := range workloadNames {
		w := readWorkload(t, name)
		w.check(t)
		for i := range w.cases {
			c := &w.cases[i]
			if n := testing.AllocsPerRun(1, func() { policy.Decide(c.sets, &c.request) }); n != 0 {
				t.Errorf("%s: request %d allocates %v times", name, i, n)
			}
		}
	}
	wideWorkload(t, 50, 5).check(t)
}

// check asserts every answer: nothing wrong is worth timing.
func (w *workload) check(t testing.TB) {
	t.Helper()
	for i := range w.cases {
		c := &w.cases[i]
		if d := policy.Decide(c.sets, &c.request); (d.Effect == policy.Allow) != c.expect {
			t.Fatalf("%s: request %d, %s on %s: %+v, want allowed %v", w.Name, i, c.request.Action, c.request.Resource, d, c.expect)
		}
	}
}

// wideWorkload is W4 with so many principals; all its requests are timed.
func wideWorkload(t testing.TB, principals int, seed uint64) *workload {
	t.Helper()
	s := newWideSource(seed)
	w := &workload{Name: "W4-wide"}
	for range principals {
		var attached []*policy.Attached
		for i := range 5 {
			attached = append(attached, load(t, s.policy(i)))
		}
		sets := identity(attached...)
		loop := newPlain(sets)
		for range 2 {
			r := s.request()
			w.cases = append(w.cases, workCase{sets, r, loop.allows(&r)})
		}
	}
	s.Shuffle(len(w.cases), func(i, j int) { w.cases[i], w.cases[j] = w.cases[j], w.cases[i] })
	w.Timed = len(w.cases)
	return w
}
