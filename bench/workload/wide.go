package workload

import (
	"fmt"
	"math/rand/v2"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

// Shape of the wide workload: principals like the one of W2.
const (
	WidePrincipals = 10_000
	widePolicies   = 5
	wideStatements = 4
	wideContexts   = 64
	wideTemplates  = 512 // different requests, but for who asks: what a server finds cold is the policies, not the request that it just read
)

var (
	wideSections = []string{"web", "data", "core", "infra", "ml"}
	wideTags     = []string{"prod", "test", "dev", "staging"}
	wideActions  = []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectTagging", "s3:PutObjectTagging"}
)

// Wide is the workload W4: principals that each have policies like those of W2, and requests of random principals, of which half are to
// be allowed. The answers that are expected come from package reference. All but the last tenth of the requests are timed.
func Wide(seed uint64, principals, requests int) (*Workload, error) {
	g := wide{rand.New(rand.NewPCG(seed, 4))}
	w := &Workload{Name: "W4-wide", Timed: requests - requests/10, Policies: make(map[string][]Policy, principals)}
	for i := range principals {
		name := WidePrincipal(i)
		var policies []Policy
		for p := range widePolicies {
			policies = append(policies, g.policy(name, p))
		}
		w.Policies[name] = policies
	}
	contexts := make([]*Context, wideContexts)
	for i := range contexts {
		contexts[i] = g.context(i)
	}
	templates := make([]Request, wideTemplates)
	for i := range templates {
		templates[i] = g.request(contexts)
	}
	oracle := oracle{w: w, read: map[string][]*policy.Document{}}
	for i := range requests {
		var r Request
		for range 100 { // draws until the answer is the one wanted; a principal for whom none is found keeps the last
			r = pick(g, templates)
			if i%2 == 0 {
				r.Principal = WidePrincipal(g.IntN(principals))
			} else {
				r.Principal = w.Requests[i-1].Principal
			}
			var err error
			if r.Expect, err = oracle.allows(&r); err != nil {
				return nil, err
			}
			if r.Expect == (i%2 == 0) {
				break
			}
		}
		w.Requests = append(w.Requests, r)
	}
	g.Shuffle(len(w.Requests), func(i, j int) { w.Requests[i], w.Requests[j] = w.Requests[j], w.Requests[i] })
	return w, nil
}

// WidePrincipal is the name of principal i.
func WidePrincipal(i int) string { return fmt.Sprintf("user-%05d", i) }

type wide struct{ *rand.Rand }

func pick[T any](g wide, list []T) T { return list[g.IntN(len(list))] }

func (g wide) policy(principal string, p int) Policy {
	var list []Statement
	for i := range wideStatements {
		list = append(list, g.statement(fmt.Sprintf("S%02dx%02d", p, i)))
	}
	return document(fmt.Sprintf("%s-p%02d", principal, p), list)
}

func (g wide) statement(sid string) Statement {
	s := Statement{Sid: sid, Effect: "Allow"}
	if g.IntN(10) < 3 {
		s.Effect = "Deny"
	}
	s.Action = pick(g, [][]string{{"s3:GetObject", "s3:PutObject"}, {"s3:Get*"}, {"s3:PutObject*"}, {"s3:*Tagging", "s3:DeleteObject"}})
	bucket, section := fmt.Sprintf("arn:aws:s3:::bucket-%02d", g.IntN(8)), pick(g, wideSections)
	switch g.IntN(10) {
	case 0, 1, 2, 3, 4:
		s.Resource = []string{bucket + "/" + section + "/*"}
	case 5, 6:
		s.Resource = []string{"arn:aws:s3:::bucket-*/" + section + "/*"}
	case 7, 8:
		s.Resource = []string{bucket + "/*/data-??.json", bucket + "/shared/*"}
	default:
		s.Resource = []string{bucket + "/*"}
	}
	if g.IntN(10) < 4 {
		tags := g.Perm(len(wideTags))
		s.Condition = map[string]map[string][]string{
			"IpAddress":    {"aws:SourceIp": {"10.0.0.0/8", "192.168.0.0/16"}},
			"StringEquals": {"s3:ExistingObjectTag/env": {wideTags[tags[0]], wideTags[tags[1]]}},
		}
	}
	return s
}

func (g wide) context(i int) *Context {
	address := fmt.Sprintf("10.%d.3.%d", i, i+1)
	if i%4 == 0 {
		address = fmt.Sprintf("203.0.113.%d", i)
	}
	return newContext(map[string]string{
		"aws:CurrentTime": "2026-06-15T12:30:00Z", "aws:SecureTransport": "true", "aws:SourceIp": address,
		"aws:UserAgent": "aws-sdk-go-v2/1.32.0", "aws:username": "user", "s3:ExistingObjectTag/env": pick(g, wideTags),
		"s3:ExistingObjectTag/team": pick(g, wideSections),
	})
}

func (g wide) request(contexts []*Context) Request {
	return Request{
		Action: pick(g, wideActions), Context: pick(g, contexts),
		Resource: fmt.Sprintf("arn:aws:s3:::bucket-%02d/%s/2026/%02d/data-%02d.json", g.IntN(8), pick(g, wideSections), 1+g.IntN(12), g.IntN(100)),
	}
}

// oracle answers by the second evaluator, which is written from the specification and shares no code with the first.
type oracle struct {
	w    *Workload
	read map[string][]*policy.Document
}

func (o *oracle) allows(r *Request) (bool, error) {
	documents, ok := o.read[r.Principal]
	if !ok {
		for _, p := range o.w.Policies[r.Principal] {
			d, err := policy.Parse(string(p.Document), policy.Identity)
			if err != nil {
				return false, err
			}
			documents = append(documents, d)
		}
		o.read[r.Principal] = documents
	}
	request := policy.Request{Action: r.Action, Resource: r.Resource}
	for _, p := range r.Context.Pairs {
		request.Context = append(request.Context, policy.Entry{Key: p.Key, Values: []string{p.Value}})
	}
	d, err := reference.Decide(reference.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: "111111111111", ID: "AIDAEXAMPLE", ARN: "arn:aws:iam::111111111111:user/" + r.Principal},
		Identity: documents,
	}, request)
	return d.Effect == policy.Allow, err
}
