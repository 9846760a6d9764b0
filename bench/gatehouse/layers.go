package gatehouse

import (
	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// The policies of the other layers: each has to be asked, and none changes an answer of W2.
const (
	full  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	guard = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Action":["iam:*","organizations:LeaveOrganization"],"Resource":"*"},
		{"Effect":"Deny","Action":"s3:DeleteBucket*","Resource":"arn:aws:s3:::bucket-*"},
		{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	fullRCP  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
	guardRCP = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::forbidden-*/*"}]}`
	boundary = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::*bucket-*","arn:aws:s3:::*bucket-*/*"]},
		{"Effect":"Allow","Action":["sqs:*","sns:*"],"Resource":"*"}]}`
	session = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:Get*","s3:Put*","s3:Delete*","s3:List*"],"Resource":"*"},
		{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}]}`
	resource = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/reader"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
)

// Layers decides the requests of w, whose answers it does not change, with every layer present.
func Layers(w *workload.Workload) (engine.Decide, error) {
	var failed error
	attached := func(text string, kind policy.Kind) *policy.Attached {
		var p *policy.Policy
		d, err := policy.Decode(text, kind) // without the check of a write, which AWS's own RCP would not pass
		if err == nil {
			p, err = policy.Compile(d)
		}
		if err != nil && failed == nil {
			failed = err
		}
		return &policy.Attached{Policy: p, Name: kind.String()}
	}
	principal := w.Requests[0].Principal
	sets, err := Sets(principal, w.Policies[principal])
	if err != nil {
		return nil, err
	}
	sets.Boundary = policy.NewSet(attached(boundary, policy.Boundary))
	sets.Session = policy.NewSet(attached(session, policy.Session))
	var rcp []*policy.Set
	for range 3 {
		sets.SCP = append(sets.SCP, policy.NewSet(attached(full, policy.SCP), attached(guard, policy.SCP)))
		rcp = append(rcp, policy.NewSet(attached(fullRCP, policy.RCP), attached(guardRCP, policy.RCP)))
	}
	bucket := attached(resource, policy.Resource)
	if failed != nil {
		return nil, failed
	}
	requests := Requests(w.Requests)
	for i := range requests {
		requests[i].ResourcePolicy, requests[i].RCP = bucket, rcp
	}
	return func(i int) (bool, error) { return policy.Decide(sets, &requests[i]).Effect == policy.Allow, nil }, nil
}

// Change makes what is made when policy i changes: its compiled form from the text, and the set of all.
func Change(principal string, policies []workload.Policy) (engine.Decide, error) {
	sets, err := Sets(principal, policies)
	if err != nil {
		return nil, err
	}
	return func(i int) (bool, error) {
		changed := append([]*policy.Attached{}, sets.Identity.Policies()...)
		compiled, err := policy.Load(string(policies[i].Document), policy.Identity)
		if err != nil {
			return false, err
		}
		changed[i] = &policy.Attached{Policy: compiled, Name: policies[i].Name}
		again := policy.Sets{Caller: sets.Caller, Identity: policy.NewSet(changed...)}
		return len(again.Identity.Policies()) == len(policies), nil
	}, nil
}
