package gatehouse

import (
	"fmt"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const account = "111111111111"

// Engine is policy.Decide.
var Engine = engine.Engine{Name: "Gatehouse", Forms: []engine.Form{engine.Strings}, Load: load}

type loaded map[string]*policy.Sets

func load(w *workload.Workload) (engine.Loaded, error) {
	l := make(loaded, len(w.Policies))
	for principal, policies := range w.Policies {
		sets, err := Sets(principal, policies)
		if err != nil {
			return nil, err
		}
		l[principal] = sets
	}
	return l, nil
}

// Sets are what policy.Decide takes for a user with these identity policies.
func Sets(principal string, policies []workload.Policy) (*policy.Sets, error) {
	attached := make([]*policy.Attached, 0, len(policies))
	for _, p := range policies {
		compiled, err := policy.Load(string(p.Document), policy.Identity)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		attached = append(attached, &policy.Attached{Policy: compiled, Name: p.Name})
	}
	return &policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: account, ID: "AIDAEXAMPLE", ARN: "arn:aws:iam::" + account + ":user/" + principal},
		Identity: policy.NewSet(attached...),
	}, nil
}

// Requests are the requests as policy.Decide takes them.
func Requests(requests []workload.Request) []policy.Request {
	contexts := workload.Contexts(requests, func(c *workload.Context) []policy.Entry {
		var list []policy.Entry
		for _, p := range c.Pairs {
			list = append(list, policy.Entry{Key: p.Key, Values: []string{p.Value}})
		}
		return list
	})
	list := make([]policy.Request, len(requests))
	for i, r := range requests {
		list[i] = policy.Request{Action: r.Action, Resource: r.Resource, Context: contexts[i]}
	}
	return list
}

// shared are the requests, those that differ in nothing but who asks being one.
func shared(requests []workload.Request) []*policy.Request {
	type key struct {
		action, resource string
		context          *workload.Context
	}
	seen := map[key]*policy.Request{}
	list := Requests(requests)
	pointers := make([]*policy.Request, len(list))
	for i, r := range requests {
		k := key{r.Action, r.Resource, r.Context}
		if seen[k] == nil {
			seen[k] = &list[i]
		}
		pointers[i] = seen[k]
	}
	return pointers
}

func (l loaded) Prepare(_ engine.Form, requests []workload.Request) (engine.Decide, error) {
	list := shared(requests)
	if len(l) == 1 {
		sets := l[requests[0].Principal]
		return func(i int) (bool, error) { return policy.Decide(sets, list[i]).Effect == policy.Allow, nil }, nil
	}
	return func(i int) (bool, error) {
		return policy.Decide(l[requests[i].Principal], list[i]).Effect == policy.Allow, nil
	}, nil
}
