package offline

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// within runs f and fails where it takes more than the given memory (allocated in all, not only at once). How long it took is logged: that hostile
// texts end at all is what go test's own limit holds.
func within(t *testing.T, name string, mebibytes uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
	if allocated > mebibytes {
		t.Errorf("%s: %d MiB allocated, at most %d", name, allocated, mebibytes)
	}
	t.Logf("%-24s %8s %4d MiB", name, took.Round(time.Millisecond), allocated)
}

// fill repeats a text up to a size.
func fill(text string, size int) string { return strings.Repeat(text, size/len(text)) }

// Not parallel, as are the tests below: what they measure is the whole process.
func TestHostileDumps(t *testing.T) {
	const large, size = 50 << 20, 2 << 20 // what is passed at one place for all is tried at its full size once
	const user = "arn:aws:iam::111111111111:user/alice"
	begin := `{"UserDetailList":[{"Arn":"` + user + `"`
	end := `}]}`
	var honest strings.Builder
	honest.WriteString(`{"UserDetailList":[`)
	for i := 0; honest.Len() < large; i++ {
		fmt.Fprintf(&honest, `{"UserName":"u%d","Arn":"arn:aws:iam::111111111111:user/u%d","UserPolicyList":[{"PolicyName":"p","PolicyDocument":%s}]},`, i, i,
			`{"Version":"2012-10-17","Statement":[`+strings.TrimSuffix(strings.Repeat(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"},`, 20), ",")+`]}`)
	}
	honest.WriteString(`{"Arn":"` + user + `","UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}]}]}`)
	tests := []struct{ name, text, want string }{
		{"honest", honest.String(), ""},
		{"deep lists", fill("[", size), "an object is expected"},
		{"deep member", `{"UserDetailList":[],"x":` + fill("[", size), "nested deeper than 32 levels"},
		{"deep objects", `{"UserDetailList":[],"x":` + fill(`{"a":`, size), "nested deeper than 32 levels"},
		{"entries without end", `{"UserDetailList":[` + fill(`{"Arn":"x"},`, size), "x is in UserDetailList twice"},
		{"many entries", `{"UserDetailList":[` + numbered(`{"Arn":"a%d"},`, 150_000) + `{"Arn":"x"}]}`, "UserDetailList has more than 100000 entries"},
		{"empty entries", `{"UserDetailList":[` + fill(`{},`, size), "an entry of UserDetailList without Arn"},
		{"unknown members", begin + fill(`,"x":0`, size) + end, ""},
		{"known member again", begin + fill(`,"Tags":[]`, size) + end, "member Tags stands there twice"},
		{"giant unknown string", begin + `,"x":"` + fill("x", large) + `"` + end, ""},
		{"giant escapes", begin + `,"x":"` + fill(`\u0041`, size) + `"` + end, ""},
		{"giant ARN", `{"UserDetailList":[{"Arn":"` + fill("x", size) + `"}]}`, "has no user or role " + user},
		{"giant ARN twice", `{"UserDetailList":[{"Arn":"` + fill("x", size/2) + `"},{"Arn":"` + fill("x", size/2) + `"}]}`, "xxx… is in UserDetailList twice"},
		{"string without end", begin + `,"x":"` + fill("x", size), "a string without end"},
		{"giant number", begin + `,"x":` + fill("9", size) + end, "a value is expected"},
		{"white space", begin + fill(" ", size) + end, ""},
		{"giant document", begin + `,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":[` + fill(`{"Effect":"Allow","Action":"*","Resource":"*"},`, size) + `{}]}}]` + end, "MalformedPolicyDocument"},
		{"giant encoded document", begin + `,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":"%7B` + fill("%20", size) + `%7D"}]` + end, "MalformedPolicyDocument"},
		{"many policies", begin + `,"UserPolicyList":[` + strings.TrimSuffix(fill(`{"PolicyName":"p","PolicyDocument":{}},`, size), ",") + `]` + end, "more than 1000 inline policies"},
		{"many groups", begin + `,"GroupList":[` + strings.TrimSuffix(fill(`"g",`, size), ",") + `]` + end, "more than 1000 groups"},
		{"many tags", begin + `,"Tags":[` + strings.TrimSuffix(fill(`{"Key":"k"},`, size), ",") + `]` + end, "more than 1000 tags"},
		{"no UTF-8", begin + fill(" ", size) + "\xff" + end, "not UTF-8"},
	}
	for _, tt := range tests {
		within(t, tt.name, 150, func() {
			d, err := ReadDump("dump.json", tt.text)
			if err == nil {
				_, err = d.Principal(user)
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("%s: an error of %d bytes", tt.name, len(err.Error()))
			}
		})
	}
}

// numbered repeats a text with a number in it.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestHostileSuites(t *testing.T) {
	const size = MaxSuite - 1000
	begin := "cases:\n- name: a\n  action: s3:GetObject\n  resource: '*'\n  expect: deny\n"
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	tests := []struct{ name, text, want string }{
		{"deep lists", fill("[", size), "suite.yaml"},
		{"deep mappings", fill("{a: ", size), "suite.yaml"},
		{"deep document", begin + "policies: {identity: {document: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}}\n", "nested deeper than 32 levels"},
		{"deep indentation", strings.TrimSuffix(fill("- ", size), " "), "suite.yaml"},
		{"aliases of aliases", laughs + begin, "there is no member"},
		{"alias", "name: &n x\ncaller: *n\n" + begin, "suite.yaml:2: aliases are not taken"},
		{"merge", "<<: {a: b}\n" + begin, `there is no member "<<"`},
		{"many cases", "cases:\n" + numbered("- {name: a%d, action: 'a:b', resource: r, expect: deny}\n", MaxCases+1), "more than 10000 cases"},
		{"many nothings", "cases: [" + fill("~,", size/10) + "]", "members are expected"},
		{"many levels", begin + "policies: {scp: [" + strings.TrimSuffix(fill("x,", size/10), ",") + "]}\n", ""},
		{"giant text", begin + "name: " + fill("x", size) + "\n", ""},
		{"many members", begin + numbered("a%d: b\n", 30_000), `there is no member "a0"`},
		{"many keys", begin + "context:\n" + numbered("  aws:k%d: b\n", 30_000), ""},
		{"too large", fill(" ", MaxSuite+1), "larger than"},
	}
	for _, tt := range tests {
		within(t, tt.name, 700, func() {
			s, err := ReadSuite("suite.yaml", tt.text)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("%s: an error of %d bytes", tt.name, len(err.Error()))
			}
			if err != nil {
				return
			}
			a := &Asker{Files: func(string, int64) (string, error) { return "", errors.New("no such file") }}
			if err := a.Prepare(s.Cases); tt.name == "many levels" && (err == nil || !strings.Contains(err.Error(), "policies: at most 1000")) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
}

// Policies as long as a policy may be, made to be expensive.
func TestHostilePolicies(t *testing.T) {
	const room = policy.MaxText - 500
	statement := func(actions, resources, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + strings.TrimSuffix(actions, ",") + `],"Resource":[` +
			strings.TrimSuffix(resources, ",") + `]` + condition + `}}`
	}
	tests := []struct{ name, text string }{
		{"unknown actions", statement(numbered(`"s3:GetObjct%d",`, room/18), `"*"`, "")},
		{"unknown services", statement(numbered(`"s%d:GetObject",`, room/19), `"*"`, "")},
		{"patterns of services", statement(numbered(`"*s%d:G*",`, room/14), `"*"`, "")},
		{"patterns of stars", statement(`"s3:`+strings.Repeat("*?", room/2)+`"`, `"*"`, "")},
		{"every service", statement(fill(`"*:*",`, room), `"*"`, "")},
		{"every action, many resources", statement(`"s3:*","ec2:*","iam:*"`, numbered(`"arn:aws:x:::%d*a*b*c*d",`, room/30), "")},
		{"one long resource", statement(`"s3:*"`, `"arn:aws:x:::`+strings.Repeat("*a", room/2)+`"`, "")},
		{"unknown keys", statement(`"s3:GetObject"`, `"*"`, `,"Condition":{"StringEquals":{`+strings.TrimSuffix(numbered(`"aws:SourceIpp%d":"x",`, room/25), ",")+`}}`)},
		{"unknown variables", statement(`"s3:GetObject"`, `"arn:aws:s3:::`+numbered("${aws:nam%d}", room/16)+`"`, "")},
		{"statements", `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(fill(`{"Effect":"Allow","Action":"s3:GetObjct","Resource":"*"},`, room), ",") + `]}`},
		{"deep", fill("[", room)},
		{"lines", fill("\n", room)},
	}
	for _, tt := range tests {
		within(t, tt.name, 700, func() {
			if c := Validate("p.json", tt.text, 0, nil); len(c.Findings) > MaxFindings+1 {
				t.Errorf("%s: %d findings", tt.name, len(c.Findings))
			}
		})
	}
}
