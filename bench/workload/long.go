package workload

import (
	"fmt"
	"strings"
)

// Long is the workload W6 with n statements, of which the last one hits, made as the files of bench/testdata with 10 to 1,000 are. base
// is one of them: its requests are those of every length, with another bucket.
func Long(base *Workload, n int) *Workload {
	w := &Workload{Name: fmt.Sprintf("W6-n%d", n), Timed: base.Timed, Policies: map[string][]Policy{}}
	var policies []Policy
	for first := 0; first < n; first += 25 {
		var list []Statement
		for i := first; i < min(first+25, n); i++ {
			list = append(list, longStatement(i, n))
		}
		policies = append(policies, document(fmt.Sprintf("heavy-%03d", first/25), list))
	}
	from := base.Requests[0].Bucket()
	to := fmt.Sprintf("bucket-%05d", n-1)
	for _, r := range base.Requests {
		r.Resource = strings.Replace(r.Resource, from, to, 1)
		w.Requests = append(w.Requests, r)
	}
	w.Policies[base.Requests[0].Principal] = policies
	return w
}

func longStatement(i, n int) Statement {
	s := Statement{Sid: fmt.Sprintf("S%05d", i), Effect: "Allow", Resource: []string{fmt.Sprintf("arn:aws:s3:::bucket-%05d/data/*", i)}}
	s.Action = [][]string{{"s3:GetObject", "s3:PutObject"}, {"s3:Get*"}, {"s3:GetObject"}}[i%3]
	if i%10 == 3 {
		s.Effect = "Deny"
	}
	if i%5 == 0 || i == n-1 {
		s.Condition = map[string]map[string][]string{
			"IpAddress":    {"aws:SourceIp": {"10.0.0.0/8"}},
			"StringEquals": {"s3:ExistingObjectTag/env": {"prod"}},
		}
	}
	return s
}
