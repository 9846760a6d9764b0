package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const fullSCP, fullRCP = awspolicy.FullAccessSCP, awspolicy.FullAccessRCP

// TestMessages are the rows E01 to E18 of docs/spec/evaluation.md 13, and what 10.2 says besides.
func TestMessages(t *testing.T) {
	t.Parallel()
	var (
		allowAll  = document(statement("Allow", "*", "*"))
		getObject = document(statement("Allow", "s3:GetObject", "*"))
		denyGet   = document(statement("Allow", "*", "*"), statement("Deny", "s3:GetObject", "*"))
		denyAll   = document(statement("Deny", "*", "*"))
		silent    = document(statement("Allow", "ec2:*", "*"))
	)
	const (
		who     = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: "
		get     = who + `s3:GetObject on resource: "arn:aws:s3:::b/k"`
		no      = "because no "
		getting = " allows the s3:GetObject action"
		scpARN  = "arn:aws:organizations::000000000000:policy/o-1/service_control_policy/p-1"
		rcpARN  = "arn:aws:organizations::000000000000:policy/o-1/resource_control_policy/p-2"
		key     = "arn:aws:kms:us-east-1:111111111111:key/1"
		target  = "arn:aws:iam::111111111111:role/target"
	)
	scp := func(statements ...string) *state.OrganizationPolicy {
		return statetest.SCP(t, "p-1", "P1", document(statements...))
	}
	rcpDeny := statetest.RCP(t, "p-2", "P2", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`)
	for _, c := range []struct {
		name     string
		identity string
		prepare  func(w *world)
		query    func(w *world, q *Query)
		want     string
	}{
		{"E01", "", nil, nil, get + " " + no + "identity-based policy" + getting},
		{"E02", getObject, func(w *world) { w.attach(aliceID, "DenyX", denyGet, false) }, nil,
			get + " with an explicit deny in an identity-based policy: arn:aws:iam::111111111111:policy/DenyX"},
		{"E03", denyGet, nil, nil, get + " with an explicit deny in an identity-based policy"},
		{"E04", getObject, func(w *world) { w.attach(aliceID, "PB", silent, true) }, nil, get + " " + no + "permissions boundary" + getting},
		{"boundary explicit", getObject, func(w *world) { w.attach(aliceID, "PB", denyGet, true) }, nil,
			get + " with an explicit deny in a permissions boundary: arn:aws:iam::111111111111:policy/PB"},
		{"E05", getObject, nil, func(w *world, q *Query) { q.Principal, q.SessionPolicies = app(accountA), w.session(silent) },
			`User: arn:aws:sts::111111111111:assumed-role/app/s1 is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" ` + no + "session policy" + getting},
		{"session explicit", getObject, nil, func(w *world, q *Query) { q.SessionPolicies = w.session(denyGet) }, get + " with an explicit deny in a session policy"},
		{"E06", getObject, func(w *world) {
			w.org.Attached["ou-1"] = []string{"p-1", fullRCP}
			w.organize(scp(statement("Allow", "ec2:*", "*")))
		}, nil,
			get + " " + no + "service control policy" + getting},
		{"E07", getObject, func(w *world) { w.organize(scp(statement("Deny", "s3:*", "*"))) }, nil, get + " with an explicit deny in a service control policy: " + scpARN},
		{"RCP explicit", getObject, func(w *world) { w.organize(rcpDeny) }, nil, get + " with an explicit deny in a resource control policy: " + rcpARN},
		{"RCP explicit, in the organization", getObject, func(w *world) { w.organize(rcpDeny) }, func(_ *world, q *Query) { q.Owner = accountB },
			get + " with an explicit deny in a resource control policy: " + rcpARN},
		{"RCP explicit, anonymous", getObject, func(w *world) { w.organize(rcpDeny) }, func(_ *world, q *Query) { q.Principal, q.Anonymous = nil, true },
			`User: anonymous is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource control policy`},
		{"E08", getObject, nil, func(_ *world, q *Query) { q.Owner = accountB }, get + " " + no + "resource-based policy" + getting},
		{"E09", "", nil, func(w *world, q *Query) {
			q.Owner, q.ResourcePolicy = accountB, w.bucketPolicy(to("Allow", `{"AWS":"`+accountA+`"}`, "s3:GetObject"))
		}, get + " " + no + "resource-based policy" + getting},
		{"E10", "", nil, func(w *world, q *Query) {
			q.Owner, q.ResourcePolicy = accountB, w.bucketPolicy(to("Allow", `{"AWS":"arn:aws:iam::111111111111:user/alice"}`, "s3:GetObject"))
		}, get + " " + no + "identity-based policy" + getting},
		{"E11", denyGet, nil, func(w *world, q *Query) { q.ResourcePolicy = w.bucketPolicy(to("Deny", `"*"`, "s3:GetObject")) },
			get + " with an explicit deny in an identity-based policy"},
		{"resource explicit", getObject, nil, func(w *world, q *Query) { q.ResourcePolicy = w.bucketPolicy(to("Deny", `"*"`, "s3:GetObject")) },
			get + " with an explicit deny in a resource-based policy"},
		{"E12", denyGet, func(w *world) { w.organize(scp(statement("Deny", "s3:*", "*"))) }, nil, get + " with an explicit deny in a service control policy: " + scpARN},
		{"E13", getObject, nil, func(_ *world, q *Query) { q.Principal = alice(accountX) }, "Access Denied"},
		{"E13, of another service", denyGet, nil, func(_ *world, q *Query) {
			q.Principal, q.Action, q.Resource = alice(accountX), "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q"
		}, "User: arn:aws:iam::999999999999:user/alice is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:111111111111:q"},
		{"E14", getObject, nil, func(w *world, q *Query) {
			q.Endpoint = &policy.Attached{Policy: w.load(to("Allow", `"*"`, "s3:PutObject"), policy.Endpoint)}
		}, get + " " + no + "VPC endpoint policy" + getting},
		{"endpoint, in the organization", getObject, nil, func(w *world, q *Query) {
			q.Owner, q.Endpoint = accountB, &policy.Attached{Policy: w.load(to("Allow", `"*"`, "s3:PutObject"), policy.Endpoint)}
		}, get},
		{"E15", allowAll, nil, func(w *world, q *Query) {
			q.Action, q.Resource = "sts:AssumeRole", target
			q.ResourcePolicy = &policy.Attached{Policy: w.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"sts:AssumeRole"}}`, policy.Trust)}
		}, who + "sts:AssumeRole on resource: " + target + " because no role trust policy allows the sts:AssumeRole action"},
		{"no trust policy", allowAll, nil, func(_ *world, q *Query) { q.Action, q.Resource = "sts:AssumeRole", target },
			who + "sts:AssumeRole on resource: " + target + " because no role trust policy allows the sts:AssumeRole action"},
		{"E16", allowAll, nil, func(w *world, q *Query) {
			q.Action, q.Resource, q.ResourcePolicy = "kms:Decrypt", key, w.bucketPolicy(to("Allow", `{"AWS":"arn:aws:iam::111111111111:user/bob"}`, "kms:*"))
		}, who + "kms:Decrypt on resource: " + key + " because no resource-based policy allows the kms:Decrypt action"},
		{"KMS, another account", allowAll, nil, func(_ *world, q *Query) { q.Principal, q.Action, q.Resource = alice(accountB), "kms:Decrypt", key },
			"User: arn:aws:iam::222222222222:user/alice is not authorized to perform: kms:Decrypt on resource: " + key +
				" because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{"KMS, foreign", allowAll, nil, func(_ *world, q *Query) { q.Principal, q.Action, q.Resource = alice(accountX), "kms:Decrypt", key },
			"User: arn:aws:iam::999999999999:user/alice is not authorized to perform: kms:Decrypt on resource: " + key +
				" because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{"KMS, another account, by the caller's own policies", denyAll, nil, func(_ *world, q *Query) { q.Principal, q.Action, q.Resource = alice(accountB), "kms:Decrypt", key },
			"User: arn:aws:iam::222222222222:user/alice is not authorized to perform: kms:Decrypt on resource: " + key + " with an explicit deny in an identity-based policy"},
		{"endpoint of another service, in the organization", allowAll, nil, func(w *world, q *Query) {
			q.Action, q.Resource = "sqs:SendMessage", "arn:aws:sqs:us-east-1:222222222222:q"
			q.Owner, q.Endpoint = accountB, &policy.Attached{Policy: w.load(to("Allow", `"*"`, "s3:PutObject"), policy.Endpoint)}
		}, who + "sqs:SendMessage on resource: arn:aws:sqs:us-east-1:222222222222:q because no VPC endpoint policy allows the sqs:SendMessage action"},
		{"E17", "", nil, func(_ *world, q *Query) { q.Principal, q.Anonymous = nil, true },
			`User: anonymous is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`},
		{"service", "", nil, func(_ *world, q *Query) {
			q.Principal, q.Service = nil, []string{"cloudtrail.amazonaws.com", "cloudtrail.us-east-1.amazonaws.com"}
		}, `User: cloudtrail.amazonaws.com is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`},
		{"E18", "", nil, func(_ *world, q *Query) {
			q.Principal, q.Provider = nil, "arn:aws:iam::111111111111:oidc-provider/idp.example.com"
			q.Action, q.Resource = "sts:AssumeRoleWithWebIdentity", target
		}, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"E18, SAML", "", nil, func(_ *world, q *Query) {
			q.Principal, q.Provider = nil, "arn:aws:iam::111111111111:saml-provider/idp"
			q.Action, q.Resource = "sts:AssumeRoleWithSAML", target
		}, "Not authorized to perform sts:AssumeRoleWithSAML"},
		{"a provider, of something else", "", nil, func(_ *world, q *Query) { q.Principal, q.Provider = nil, "accounts.google.com" },
			`User: accounts.google.com is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`},
		{"no provider", allowAll, nil, func(_ *world, q *Query) {
			q.Principal, q.Action, q.Resource = app(accountA), "sts:AssumeRoleWithWebIdentity", target
		}, "User: arn:aws:sts::111111111111:assumed-role/app/s1 is not authorized to perform: sts:AssumeRoleWithWebIdentity on resource: " + target +
			" because no role trust policy allows the sts:AssumeRoleWithWebIdentity action"},
		{"a service of one name", "", nil, func(_ *world, q *Query) { q.Principal, q.Service = nil, []string{"x.amazonaws.com"} },
			`User: x.amazonaws.com is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`},
		{"no resource", "", nil, func(_ *world, q *Query) { q.Action, q.Resource = "s3:ListAllMyBuckets", "*" },
			who + "s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action"},
		{"root of AssumeRoot", "", nil, func(w *world, q *Query) {
			q.Principal, q.AssumedRoot, q.SessionPolicies = rootOf(accountA), true, w.session(silent)
		}, `User: arn:aws:sts::111111111111:assumed-root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no session policy allows the s3:GetObject action`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var identity []string
			if c.identity != "" {
				identity = append(identity, c.identity)
			}
			w := newWorld(t, identity...)
			if c.prepare != nil {
				c.prepare(w)
			}
			if _, organized := w.org.Attached["r-1"]; !organized {
				w.organize()
			}
			q := Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA}
			if c.query != nil {
				c.query(w, &q)
			}
			if a := w.decide(&q); a.Denial == nil || a.Denial.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", a.Denial, c.want)
			}
		})
	}
}
