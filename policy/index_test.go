package policy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// patternSource makes patterns of every shape over few names, so that many of them meet the same requests.
type patternSource struct {
	*rand.Rand
	names int
}

func (s patternSource) name() string {
	return [...]string{"team-%02d", "a%d", "bucket-%03d-logs", "%d"}[s.IntN(4)]
}

func (s patternSource) word() string { return fmt.Sprintf(s.name(), s.IntN(s.names)) }

// resource is one that patterns of this source may match.
func (s patternSource) resource() string {
	switch s.IntN(12) {
	case 0:
		return "*"
	case 1:
		return "arn:aws:sqs:us-east-1:111111111111:" + s.word()
	case 2:
		return "arn:aws:s3:::" + strings.Repeat(s.word()+"/", 1+s.IntN(30))
	case 3:
		return s.word()
	}
	out := "arn:aws:s3:::" + s.word()
	for range s.IntN(4) {
		out += "/" + s.word()
	}
	return out
}

func (s patternSource) pattern() string {
	b := []byte(s.resource())
	switch s.IntN(10) {
	case 0: // as it is
	case 1, 2, 3:
		b = append(b[:len(b)-s.IntN(min(len(b), 12))], '*')
	case 4:
		return "arn:aws:s3:::*/" + s.word() + "/*"
	case 5:
		return "arn:aws:s3:::*" + s.word() + "/${aws:username}*"
	case 6:
		return "arn:aws:s3:::" + s.word() + "/${aws:username}/*"
	case 7:
		if s.IntN(4) == 0 {
			return "*"
		}
		return "arn:aws:s3*"
	case 8:
		return "arn:*:s3:::" + s.word() + "*"
	default:
		for range 1 + s.IntN(3) {
			at := s.IntN(len(b))
			if s.IntN(2) == 0 {
				b[at] = '?'
			} else {
				b = append(append(b[:at:at], '*'), b[at+s.IntN(len(b)-at):]...)
			}
		}
	}
	return string(b)
}

func (s patternSource) statement(deny int) policy.Statement {
	st := policy.Statement{Effect: "Allow"}
	if s.IntN(deny) == 0 {
		st.Effect = "Deny"
	}
	for range 1 + s.IntN(3) {
		st.Actions = append(st.Actions, []string{"s3:GetObject", "S3:getobject", "s3:Get*", "s3:Pu?Object", "s3:*", "sqs:*", "s?:PutObject", "s3:PutObject", "s3:ge*T", "*"}[s.IntN(10)])
	}
	st.NotAction = s.IntN(20) == 0
	for range 1 + s.IntN(3) {
		st.Resources = append(st.Resources, s.pattern())
	}
	if s.IntN(40) == 0 { // a statement of many resources
		for range 60 {
			st.Resources = append(st.Resources, s.pattern())
		}
	}
	st.NotResource = s.IntN(40) == 0
	if s.IntN(3) == 0 {
		st.Conditions = []policy.Condition{{Name: "StringEquals", Key: "aws:username", Values: []string{s.word(), "team-01"}}}
	}
	return st
}

// set has so many statements in some policies.
func (s patternSource) set(t testing.TB, kind policy.Kind, statements, deny int) *policy.Set {
	t.Helper()
	var attached []*policy.Attached
	for statements > 0 {
		n := min(statements, 1+s.IntN(60))
		statements -= n
		d := policy.Document{Kind: kind, Version: policy.Version2012}
		for range n {
			d.Statements = append(d.Statements, s.statement(deny))
		}
		p, err := policy.Compile(&d)
		if err != nil {
			t.Fatal(err)
		}
		attached = append(attached, &policy.Attached{Policy: p, Name: fmt.Sprint(len(attached))})
	}
	return policy.NewSet(attached...)
}

func (s patternSource) request() policy.Request {
	return policy.Request{
		Action:   []string{"s3:GetObject", "s3:PutObject", "S3:GETOBJECT", "s3:ge", "sqs:SendMessage", "s3:GetObjectAcl"}[s.IntN(6)],
		Resource: s.resource(), Context: []policy.Entry{single("aws:username", s.word())},
	}
}

// With its index or without, a set gives the same answer for the same reason.
func TestIndexChangesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 14))
	forms, outcomes := make(map[string]int), make(map[string]int)
	for round := range 120 {
		s := patternSource{rng, []int{3, 30, 300}[round%3]}
		statements := []int{4, 30, 120, 700}[rng.IntN(4)]
		deny := []int{2, 10, 1000}[rng.IntN(3)]
		sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: "1"}, Identity: s.set(t, policy.Identity, statements, deny)}
		if round%4 == 0 {
			for range 3 {
				sets.SCP = append(sets.SCP, s.set(t, policy.SCP, 100, []int{8, 200}[round%8/4]))
			}
			sets.Boundary = s.set(t, policy.Boundary, 100, 1000)
		}
		plain := sets
		plain.Identity, plain.Boundary, plain.SCP = sets.Identity.Unindexed(), sets.Boundary.Unindexed(), nil
		for _, level := range sets.SCP {
			plain.SCP = append(plain.SCP, level.Unindexed())
		}
		forms[policy.IndexForm(sets.Identity)]++
		if form := policy.IndexForm(plain.Identity); form != "" {
			t.Fatalf("the index is still there: %s", form)
		}
		for range 400 {
			r := s.request()
			got, want := policy.Decide(&sets, &r), policy.Decide(&plain, &r)
			if got != want {
				t.Fatalf("round %d, %s on %s, context %v: with an index %+v, without %+v; a policy is\n%.20000s", round, r.Action, r.Resource, r.Context, got, want, policyText(want, got))
			}
			outcomes[got.Effect.String()+" "+got.Layer.String()]++
		}
	}
	for _, form := range []string{"list", "hash and windows"} {
		if forms[form] < 10 {
			t.Errorf("%q came up %d times", form, forms[form])
		}
	}
	for _, outcome := range []string{"ALLOW identity", "DENY-E identity", "DENY-I identity", "DENY-E SCP"} {
		if outcomes[outcome] < 200 {
			t.Errorf("%s came up %d times: the generator has become useless: %v", outcome, outcomes[outcome], outcomes)
		}
	}
}

func policyText(decisions ...policy.Decision) string {
	for _, d := range decisions {
		if d.Policy != nil {
			return fmt.Sprintf("%s (statement %d)", d.Policy.Policy.Text(), d.Statement)
		}
	}
	return "none"
}

// Whoever makes one request find everything, many times over, gets the work of the loop, and its answer.
func TestIndexHostile(t *testing.T) {
	t.Parallel()
	statement := func(effect string, resources ...string) string {
		return fmt.Sprintf(`{"Effect":"%s","Action":"s3:Get*","Resource":["%s"],"Condition":{"StringEquals":{"aws:username":"nobody"}}}`, effect, strings.Join(resources, `","`))
	}
	long := strings.Repeat("a", policy.MaxResource-20)
	var lengths, same, windows, nested []string
	for i := range 1000 {
		lengths = append(lengths, statement("Allow", "arn:aws:s3:::"+long[:i]+"*"))
		same = append(same, statement("Allow", "arn:aws:s3:::"+long[:100]+"*"))
		windows = append(windows, statement("Allow", "arn:aws:s3:::*b*"+[]string{long[:8], fmt.Sprintf("%08d", i)}[i%2]+"*"))
	}
	letters := make([]byte, 680)
	for i := range letters {
		letters[i] = byte('a' + i*i*i%23)
	}
	for i := range 40 {
		resources := []string{fmt.Sprintf("arn:aws:s3:::*%08d*", i)}
		for j := range 60 {
			resources = append(resources, fmt.Sprintf("arn:aws:s3:::*%s*z", letters[i+j*6:i+j*6+8]))
		}
		nested = append(nested, statement("Allow", resources...))
	}
	for _, c := range []struct {
		name       string
		statements []string
		resource   string
		exhausted  bool
	}{
		{"a thousand lengths", lengths, "arn:aws:s3:::" + long, false},
		{"one beginning", same, "arn:aws:s3:::" + long, false},
		{"one window", windows, "arn:aws:s3:::b" + long, true},
		{"many windows each", nested, "arn:aws:s3:::" + string(letters) + "aaaaaaaaaaaa", true},
	} {
		var attached []*policy.Attached
		for at := 0; at < len(c.statements); at += 20 {
			attached = append(attached, load(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(c.statements[at:min(at+20, len(c.statements))], ",")+`]}`))
		}
		last := load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::*aaaaaaaaaaaa"}}`)
		set := policy.NewSet(append(attached, last)...)
		r := policy.Request{Action: "s3:GetObject", Resource: c.resource, Context: []policy.Entry{single("aws:username", "alice")}}
		if d := policy.Decide(&policy.Sets{Identity: set}, &r); d.Effect != policy.DenyExplicit || d.Policy != last {
			t.Errorf("%s: %+v", c.name, d)
		}
		fuel, used, ok := policy.IndexUse(set, &r)
		if ok == c.exhausted {
			t.Errorf("%s: used %d of %d, finished %v", c.name, used, fuel, ok)
		}
		if used > 2*fuel {
			t.Errorf("%s: used %d of %d", c.name, used, fuel)
		}
	}
}

// Few statements are asked where few can apply: the index is worth its name.
func TestIndexAsksFew(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"W3-heavy500", "W3b-wild500", "W6-n1000", "W6-n10000"} {
		w := readWorkload(t, name)
		for i := range w.cases[:w.Timed] {
			c := &w.cases[i]
			if fuel, used, ok := policy.IndexUse(c.sets.Identity, &c.request); !ok || used > 100 {
				t.Errorf("%s: %s used %d of %d, finished %v", name, c.request.Resource, used, fuel, ok)
			}
		}
	}
}

// An index takes the memory that is promised, at the sizes where its tables have just grown too.
func TestIndexMemory(t *testing.T) {
	t.Parallel()
	const small, large = 32, 76 // bytes for each pattern
	rng := rand.New(rand.NewPCG(5, 9))
	forms := make(map[string]int)
	for _, statements := range []int{4, 40, 63, 64, 127, 128, 255, 256, 300, 511, 512, 513} {
		for round := range 4 {
			set := patternSource{rng, []int{3, 30, 300}[round%3]}.set(t, policy.Identity, statements, 3)
			form := policy.IndexForm(set)
			forms[form]++
			bound := large
			if form == "list" {
				bound = small
			}
			if entries, bytes := policy.IndexMemory(set); entries < statements || bytes > bound*entries {
				t.Errorf("%d statements: a %s of %d entries in %d bytes, %d for each", statements, form, entries, bytes, bytes/entries)
			}
		}
	}
	if forms["list"] == 0 || forms["hash and windows"] == 0 {
		t.Errorf("not every form came up: %v", forms)
	}
}
