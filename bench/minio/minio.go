package minio

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/minio/pkg/v3/policy"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Engine is MinIO's policy package.
var Engine = engine.Engine{Name: "minio/pkg", Forms: []engine.Form{engine.Strings}, Load: load}

type loaded map[string]*policy.Policy

func load(w *workload.Workload) (engine.Loaded, error) {
	l := make(loaded, len(w.Policies))
	for principal, policies := range w.Policies {
		var list []policy.Policy
		for _, p := range policies {
			var one policy.Policy
			if err := json.Unmarshal(p.Document, &one); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			list = append(list, one)
		}
		merged := list[0]
		if len(list) > 1 {
			merged = policy.MergePolicies(list...)
		}
		l[principal] = &merged
	}
	return l, nil
}

func (l loaded) Prepare(_ engine.Form, requests []workload.Request) (engine.Decide, error) {
	contexts := workload.Contexts(requests, func(c *workload.Context) map[string][]string {
		m := map[string][]string{}
		for _, p := range c.Pairs {
			_, name, _ := strings.Cut(p.Key, ":")
			m[name] = []string{p.Value}
		}
		return m
	})
	args := make([]policy.Args, len(requests))
	for i := range requests {
		r := &requests[i]
		args[i] = policy.Args{
			AccountName: r.Principal, Action: policy.Action(r.Action), BucketName: r.Bucket(), ObjectName: r.Object(), ConditionValues: contexts[i],
		}
	}
	if len(l) == 1 {
		p := l[requests[0].Principal]
		return func(i int) (bool, error) { return p.IsAllowed(args[i]), nil }, nil
	}
	return func(i int) (bool, error) { return l[requests[i].Principal].IsAllowed(args[i]), nil }, nil
}
