package authz

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// BenchmarkAuthorize is a decision for a user with five policies, of which the last allows. What differs is whether they read the request's
// context, which is built only then.
func BenchmarkAuthorize(b *testing.B) {
	const condition = `,"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Bool":{"aws:SecureTransport":"true"}}`
	for _, c := range []struct{ name, condition string }{{"plain", ""}, {"conditions", condition}} {
		b.Run(c.name, func(b *testing.B) {
			var documents []string
			for _, actions := range []string{`"s3:Get*","s3:List*"`, `"ec2:Describe*"`, `"dynamodb:*"`, `"sqs:SendMessage"`, `"iam:Get*","iam:List*"`} {
				documents = append(documents, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[%s],"Resource":"*"%s}]}`, actions, c.condition))
			}
			z, view := New(nil), population(b, 1, func(int) []string { return documents })
			p := member(0)
			subject := Subject{Principal: &p, Environment: &Environment{
				Time: time.Unix(1795262400, 0), SourceIP: "203.0.113.10", UserAgent: "aws-cli/2", Region: "us-east-1", Secure: true,
			}}
			target := Target{ARN: "arn:aws:iam::111122223333:user/x"}
			b.ReportAllocs()
			for b.Loop() {
				if d := z.Authorize(view, &subject, "iam:GetUser", &target); d != nil {
					b.Fatal(d)
				}
			}
		})
	}
}

// population is an account of users, each with the inline policies that documents gives for it.
func population(t testing.TB, users int, documents func(user int) []string) *state.View {
	t.Helper()
	s := openStore(t)
	for base := 0; base < users; base += 10 { // a commit holds 100 operations
		put(t, s, func(tx *state.Tx) {
			for i := base; i < min(base+10, users); i++ {
				p := member(i)
				u := &state.User{}
				u.Id, u.Name, u.Path = p.ID, p.Name, p.Path
				tx.Put(state.AccountUnit(ownAccount), u)
				for n, text := range documents(i) {
					compiled, err := policy.Load(text, policy.Identity)
					if err != nil {
						t.Error(err)
						return
					}
					tx.Put(state.AccountUnit(ownAccount), record(p.ID, fmt.Sprintf("p%d", n)).WithDocument(compiled))
				}
			}
		})
	}
	return s.View()
}

func member(i int) state.Principal {
	return state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: fmt.Sprintf("AIDAMEMBER%011d", i), Path: "/", Name: fmt.Sprintf("member%05d", i)}
}

// one policy of three statements, as in workload W1.
const home = `{"Version":"2012-10-17","Statement":[
	{"Sid":"List","Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::app-data"]},
	{"Sid":"Home","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::app-data/home/alice/*"]},
	{"Sid":"NoDelete","Effect":"Deny","Action":["s3:DeleteObject"],"Resource":["arn:aws:s3:::app-data/*"]}]}`

// typical are five policies of four statements with wildcards, conditions and denials, as in workloads W2 and W4. Every user's differ.
func typical(user int) []string {
	r := rand.New(rand.NewPCG(1, uint64(user)))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var documents []string
	for range 5 {
		var statements []string
		for range 4 {
			s := fmt.Sprintf(`"Action":[%q],"Resource":["arn:aws:s3:::bucket-%02d/%s/*"]`, pick("s3:Get*", "s3:PutObject*", "s3:DeleteObject", "s3:*Tagging"), r.IntN(10), pick("web", "ml", "core", "*", "infra"))
			switch r.IntN(4) {
			case 0:
				s = `"Effect":"Deny",` + s + `,"Condition":{"StringEquals":{"s3:ExistingObjectTag/env":["secret"]}}`
			case 1:
				s = `"Effect":"Allow",` + s + `,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]},"StringEquals":{"s3:ExistingObjectTag/env":["prod","test"]}}`
			default:
				s = `"Effect":"Allow",` + s
			}
			statements = append(statements, "{"+s+"}")
		}
		documents = append(documents, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
	}
	return documents
}

var benchmarkContext = []policy.Entry{
	single("aws:CurrentTime", "2026-06-15T12:30:00Z"), single("aws:SecureTransport", "true"), single("aws:SourceIp", "10.0.3.1"),
	single("aws:UserAgent", "aws-sdk-go-v2/1.32.0"), single("aws:username", "alice"),
	single("s3:ExistingObjectTag/env", "prod"), single("s3:ExistingObjectTag/team", "core"),
}

// BenchmarkDecide is the same decision on two clocks: policy.Decide with the sets at hand ("sets"), and Decide from a principal and a view
// ("principal"). The difference is what gathering, finding and building cost.
func BenchmarkDecide(b *testing.B) {
	for _, w := range []struct {
		name      string
		users     int
		documents func(int) []string
		resource  string
	}{
		{"W1", 1, func(int) []string { return []string{home} }, "arn:aws:s3:::app-data/home/alice/report-000.csv"},
		{"W1keys", 1, func(int) []string { return []string{strings.ReplaceAll(home, "alice", "${aws:username}")} }, "arn:aws:s3:::app-data/home/member00000/report-000.csv"},
		{"W4", 10_000, typical, "arn:aws:s3:::bucket-05/web/2026/06/data-03.json"},
	} {
		view := population(b, w.users, w.documents)
		z := New(nil)
		principals := make([]state.Principal, w.users)
		sets := make([]*policy.Sets, w.users)
		want := make([]policy.Effect, w.users)
		query := Query{Action: "s3:GetObject", Resource: w.resource, Owner: ownAccount, Context: benchmarkContext}
		for i := range principals {
			principals[i] = member(i)
			query.Principal = &principals[i]
			want[i] = z.Decide(view, &query).Effect
			sets[i] = &z.callerOf(view, &query).sets
		}
		order := rand.New(rand.NewPCG(1, 2)).Perm(w.users)
		b.Run(w.name+"/sets", func(b *testing.B) {
			context := benchmarkContext
			if w.name == "W1keys" {
				context = append([]policy.Entry{single("aws:username", "member00000")}, context...)
			}
			request := policy.Request{Action: "s3:GetObject", Resource: w.resource, Owner: ownAccount, Context: context}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				i := order[n%len(order)]
				n++
				if d := policy.Decide(sets[i], &request); d.Effect != want[i] {
					b.Fatal(d)
				}
			}
		})
		b.Run(w.name+"/principal", func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				i := order[n%len(order)]
				n++
				query.Principal = &principals[i]
				if d := z.Decide(view, &query); d.Effect != want[i] {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkGather is what the first decision for a principal after a change does more than the next: here for a user with five policies.
func BenchmarkGather(b *testing.B) {
	account := population(b, 1, typical).Account(ownAccount)
	id := member(0).ID
	b.ReportAllocs()
	for b.Loop() {
		if m := gather(account, nil, id, policy.UserCaller); m == nil {
			b.Fatal("nobody")
		}
	}
}
