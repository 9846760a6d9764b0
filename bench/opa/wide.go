package opa

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

const wideModule = head + `
permit if {
	some s in data.principals[input.principal].Allow[input.bucket]
	applies(s)
}

permit if {
	some s in data.principals[input.principal].Allow["*"]
	applies(s)
}

forbid if {
	some s in data.principals[input.principal].Deny[input.bucket]
	applies(s)
}

forbid if {
	some s in data.principals[input.principal].Deny["*"]
	applies(s)
}

applies(s) if {
	s.actions[input.action]
	startswith(input.object, s.prefix)
	holds(s)
}

applies(s) if {
	s.actions[input.action]
	glob.match(s.pattern, null, input.resource)
	holds(s)
}

holds(s) if not s.networks

holds(s) if {
	s.tags[input.context["s3:ExistingObjectTag/env"]]
	some network in s.networks
	net.cidr_contains(network, input.context["aws:SourceIp"])
}
`

// tables are the statements as data. It knows the conditions that the wide workload has.
func tables(w *workload.Workload) (string, map[string]any, error) {
	principals := map[string]any{}
	for principal, policies := range w.Policies {
		statements, err := workload.Statements(policies)
		if err != nil {
			return "", nil, err
		}
		byEffect := map[string]map[string][]any{"Allow": {}, "Deny": {}}
		for i := range statements {
			s := &statements[i]
			for _, resource := range s.Resource {
				bucket, record := row(s, resource)
				byEffect[s.Effect][bucket] = append(byEffect[s.Effect][bucket], record)
			}
		}
		effects := map[string]any{}
		for effect, buckets := range byEffect {
			m := map[string]any{}
			for bucket, list := range buckets {
				m[bucket] = list
			}
			effects[effect] = m
		}
		principals[principal] = effects
	}
	return wideModule, map[string]any{"principals": principals}, nil
}

func row(s *workload.Statement, resource string) (bucket string, record map[string]any) {
	actions := map[string]any{}
	for _, known := range workload.Actions {
		for _, a := range s.Action {
			if workload.Match(a, known) {
				actions[known] = true
			}
		}
	}
	record = map[string]any{"actions": actions}
	bucket, object, _ := strings.Cut(strings.TrimPrefix(resource, "arn:aws:s3:::"), "/")
	prefix, ok := strings.CutSuffix(object, "*")
	switch {
	case strings.Contains(bucket, "*"):
		bucket = "*"
		record["pattern"] = resource
	case ok && !strings.ContainsAny(prefix, "*?"):
		record["prefix"] = prefix
	default:
		record["pattern"] = resource
	}
	if s.Condition != nil {
		record["networks"] = list(s.Condition["IpAddress"]["aws:SourceIp"])
		tags := map[string]any{}
		for _, v := range s.Condition["StringEquals"]["s3:ExistingObjectTag/env"] {
			tags[v] = true
		}
		record["tags"] = tags
	}
	return bucket, record
}

func list(values []string) []any {
	l := make([]any, len(values))
	for i, v := range values {
		l[i] = v
	}
	return l
}
