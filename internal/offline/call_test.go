package offline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// letters are the effects of the call and of its checks: A for allow, E for an explicit and I for an implicit denial.
func (a *Answer) letters() string {
	letter := map[policy.Effect]string{policy.Allow: "A", policy.DenyExplicit: "E", policy.DenyImplicit: "I"}
	out := letter[a.Decision.Effect] + " "
	for _, c := range a.Checks {
		out += letter[c.Decision.Effect]
	}
	return out
}

// What a call says holds for those of its checks that it is about, and what a check says goes before.
func TestCallOfSuite(t *testing.T) {
	t.Parallel()
	files := inMemory(map[string]string{
		"all.json": allowAll,
		"bucket.json": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":["s3:DeleteObject","s3:ListBucket","sqs:*"],"Resource":"*"},
			{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject","sqs:*"],"Resource":"*"}]}`,
		"deny.json":   `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`,
		"keys.json":   `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}`,
		"trust.json":  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:*"}}`,
		"nobody.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:*"}}`,
		"admin.json":  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":"a*"}}}}`,
		"org.json":    `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","sqs:*"],"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}}`,
		"noput.json":  `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}}`,
		"mine.json":   `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}}}`,
	})
	tests := []struct{ name, members, want string }{
		{"a bucket's policy", `policies: {resource: bucket.json}
  checks:
  - {action: "s3:GetObject", resource: ["arn:aws:s3:::b/k", "arn:aws:s3:::b/l"]}
  - {action: "S3:PutObject", resource: "arn:aws:s3:::b/k"}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q"}`, "I AAAI"},
		{"another resource's own", `policies: {identity: all.json, resource: bucket.json}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111111111111:key/k"}
  - {action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111111111111:key/k", policies: {resource: keys.json}}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::c/k", policies: {resource: deny.json}}`, "E AIAE"},
		{"a denial in the bucket's policy", `policies: {identity: all.json, resource: bucket.json}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:ListBucket", resource: "arn:aws:s3:::b"}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q"}`, "E AEA"},
		{"whose resources they are", `policies: {identity: all.json}
  owner: 222222222222
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:ListBucket", resource: "arn:aws:s3:::b"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::c/k", owner: 111111111111}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q"}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q", owner: 333333333333}`, "I IIAAI"},
		{"ACLs", `policies: {identity: all.json}
  caller: anonymous
  owner: 222222222222
  acl: [AllUsers]
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", acl: []}
  - {action: "s3:GetObjectAcl", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObjectAcl", resource: "arn:aws:s3:::b/k", acl: [AllUsers]}`, "I AIIA"},
		{"trust policies", `policies: {identity: all.json, trust: trust.json}
  checks:
  - {action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r"}
  - {action: "sts:TagSession", resource: "arn:aws:iam::111111111111:role/r"}
  - {action: "sts:TagSession", resource: "arn:aws:iam::111111111111:role/s", policies: {trust: nobody.json}}`, "I AAI"},
		{"a trust policy of a check", `policies: {identity: all.json}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r", policies: {trust: trust.json}}
  - {action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r"}`, "I AAI"},
		{"a trust policy for the operation's service alone", `policies: {identity: all.json, trust: trust.json}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r"}`, "I AI"},
		{"RCPs of all", `policies: {identity: all.json, rcp: [noput.json]}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::c/k"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::c/k", policies: {rcp: []}}`, "E AEA"},
		{"keys that the caller implies", `policies: {identity: admin.json}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {"aws:username": bob}}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {"AWS:UserName": null}}`, "I AII"},
		{"and those of the call in their place", `policies: {identity: admin.json}
  context: {"aws:username": bob}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {"aws:username": alice}}`, "I IA"},
		{"keys of some actions", `policies: {identity: mine.json}
  context: {"s3:prefix": x}
  checks:
  - {action: "s3:ListBucket", resource: "arn:aws:s3:::b"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {"s3:prefix": x}}`, "I AIA"},
		{"keys of the resource's policy", `policies: {resource: org.json}
  context: {"aws:PrincipalOrgID": o-2}
  policy-context: {"aws:PrincipalOrgID": o-1}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", policy-context: {"aws:PrincipalOrgID": o-3}}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q", policies: {resource: org.json}}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q", policies: {resource: org.json}, policy-context: {"aws:PrincipalOrgID": o-1}}`, "I AIIA"},
		{"keys of a check, which the resource's policy reads too", `policies: {resource: org.json}
  context: {"aws:PrincipalOrgID": o-2}
  policy-context: {"aws:SourceVpc": vpc-1}
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: {"aws:PrincipalOrgID": o-1}}
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}`, "I AI"},
		{"calls without permission", `exempt: true
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::c/k"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::c/k", exempt: true}`, "I AIA"},
		{"resources that their policy opens", `policies: {identity: all.json}
  needs-resource-policy: true
  checks:
  - {action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}
  - {action: "s3:PutObject", resource: "arn:aws:s3:::b/k"}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q"}
  - {action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111111111111:q", needs-resource-policy: true}`, "I IIAI"},
		{"items", `policies: {identity: all.json}
  per-item: true
  checks:
  - {action: "s3:DeleteObject", resource: "arn:aws:s3:::b/k", policies: {resource: bucket.json}}`, "A E"},
	}
	for _, tt := range tests {
		s, err := ReadSuite("s.yaml", "caller: arn:aws:iam::111111111111:user/alice\ncases:\n- name: a\n  expect: deny\n  "+tt.members+"\n")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		a := &Asker{Files: files}
		if err := a.Prepare(s.Cases); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		answer, err := a.Ask(s.Cases[0])
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := answer.letters(); got != tt.want {
			var b strings.Builder
			answer.full(&printer{w: &b}, "")
			t.Errorf("%s: %s, want %s\n%s", tt.name, got, tt.want, b.String())
		}
	}
}

// The roles of a dump have their own trust policies.
func TestCallOfDump(t *testing.T) {
	t.Parallel()
	d, err := ReadDump("dump.json", account)
	if err != nil {
		t.Fatal(err)
	}
	q := &Question{Principal: "arn:aws:iam::111111111111:user/alice", Checks: []*Question{
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, {Action: "sts:AssumeRole", Resource: "arn:aws:iam::111111111111:role/p/app"},
	}}
	answer, err := (&Asker{Dump: d, Unchecked: true}).Ask(q)
	if err != nil {
		t.Fatal(err)
	}
	if reason := reasonOf(&answer.Checks[1].Decision); answer.letters() != "I II" || reason != "trust" {
		t.Errorf("%s by %s", answer.letters(), reason)
	}
}

// The catalogue adds nothing to a call, but says what else one may need: not what was asked, and not of what is denied.
func TestDependent(t *testing.T) {
	t.Parallel()
	check := func(action, resource string) *Question { return &Question{Action: action, Resource: resource} }
	role, make := "arn:aws:iam::111111111111:role/r", check("iam:AddRoleToInstanceProfile", "arn:aws:iam::111111111111:instance-profile/p")
	allow := Policies{Identity: []PolicyRef{{Text: allowAll, Name: "all"}}}
	tests := []struct {
		name string
		q    Question
		want string
	}{
		{"a question", Question{Action: "sts:AssumeRoleWithSAML", Resource: role, Exempt: true}, "sts:TagSession sts:SetSourceIdentity"},
		{"that is denied", Question{Action: make.Action, Resource: make.Resource}, ""},
		{"without any", Question{Action: "s3:ListAllMyBuckets", Resource: "*", Policies: allow}, ""},
		{"about what nobody knows", Question{Action: "x:Y", Resource: "*", Policies: allow}, ""},
		{"a call", Question{Checks: []*Question{make}, Policies: allow}, "iam:PassRole"},
		{"a call with it", Question{Checks: []*Question{make, check("IAM:passrole", role)}, Policies: allow}, ""},
		{"a call that is denied", Question{Checks: []*Question{make, check("x:Y", "*")}, Policies: allow}, ""},
	}
	for _, tt := range tests {
		if tt.q.Caller = "arn:aws:iam::111111111111:user/alice"; tt.q.Exempt {
			tt.q.Caller = "anonymous"
		}
		answer, err := (&Asker{}).Ask(&tt.q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var names []string
		for _, d := range answer.Dependent {
			names = append(names, d.Action)
			if d.When == "" {
				t.Errorf("%s: when is %s needed?", tt.name, d.Action)
			}
		}
		for _, c := range answer.Checks {
			if c.Dependent != nil {
				t.Errorf("%s: a check tells %v", tt.name, c.Dependent)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A call has no action and no layers of its own in JSON, but those of its checks. Nothing decides one that is allowed and denied all its items.
func TestCallJSON(t *testing.T) {
	t.Parallel()
	object := &Question{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/k"}
	put := &Question{Action: "s3:PutReplicationConfiguration", Resource: "arn:aws:s3:::b"}
	allow := Policies{Identity: []PolicyRef{{Text: strings.Replace(allowAll, `"Action":"*"`, `"Action":"s3:Put*"`, 1), Name: "put"}}}
	tests := []struct {
		q    Question
		want string
	}{
		{Question{Checks: []*Question{object, object}, PerItem: true}, `Allow "" by - [s3:DeleteObject Deny 1][s3:DeleteObject Deny 1] 2 of its items are denied, which does not fail the call [{s3:BypassGovernanceRetention the call bypasses governance mode}]`},
		{Question{Checks: []*Question{put, object}}, `Deny "" by 1 [s3:PutReplicationConfiguration Allow 1][s3:DeleteObject Deny 1] check 2 denies it: because no identity-based policy allows the s3:DeleteObject action []`},
		{Question{Checks: []*Question{put}}, `Allow "" by 0 [s3:PutReplicationConfiguration Allow 1] every check allows it [{iam:PassRole the call names a role}]`},
	}
	for _, tt := range tests {
		tt.q.Caller, tt.q.Policies = "arn:aws:iam::111111111111:user/alice", allow
		answer, err := (&Asker{}).Ask(&tt.q)
		var b bytes.Buffer
		r := &jsonReporter{p: printer{w: &b}}
		if err == nil {
			err = errors.Join(r.Begin(""), r.Answer(answer), r.Close())
		}
		var report struct{ Results []answerJSON }
		if err == nil {
			err = json.Unmarshal(b.Bytes(), &report)
		}
		if err != nil || len(report.Results) != 1 {
			t.Fatalf("%v: %s", err, b.String())
		}
		one := &report.Results[0]
		got := fmt.Sprintf("%s %q by ", one.Decision, one.Action+one.Resource+one.Owner)
		if one.Decides == nil {
			got += "- "
		} else {
			got += fmt.Sprintf("%d ", *one.Decides)
		}
		for _, c := range one.Checks {
			got += fmt.Sprintf("[%s %s %d]", c.Action, c.Decision, len(c.Layers))
		}
		if got += fmt.Sprintf(" %s %v", one.Why, one.DependentActions); got != tt.want || one.Layers != nil {
			t.Errorf("%s\nwant %s\n%s", got, tt.want, b.String())
		}
	}
}

// Bad input is told before the first answer.
func TestCallFaults(t *testing.T) {
	t.Parallel()
	get := &Question{Action: "s3:GetObject", Resource: "*"}
	many := make([]*Question, 1001)
	for i := range many {
		many[i] = get
	}
	tests := []struct {
		q    Question
		want string
	}{
		{Question{Action: "s3:GetObject", Checks: []*Question{get}}, "a call has checks in the place of an action and a resource"},
		{Question{Checks: []*Question{}}, "a call has one check at least"},
		{Question{Checks: many}, "a call with 1001 checks: at most 1000"},
		{Question{Checks: []*Question{get, {Action: "s3:PutObject"}}}, "check 2: an action and a resource are needed"},
		{Question{Checks: []*Question{get, {Action: "s3:PutObject", Resource: "*", Policies: Policies{Resource: &PolicyRef{Text: "{}", Name: "p"}}}}}, "check 2: "},
		{Question{Checks: []*Question{{Action: "ec2:RunInstances", Resource: "arn:aws:ec2:eu-west-1:111111111111:instance/*"}}}, "a call of ec2:RunInstances has a resource of the type image"},
		{Question{Place: "s.yaml:7", Name: "a", Checks: []*Question{}}, `s.yaml:7: case "a": a call has one check at least`},
	}
	for _, tt := range tests {
		tt.q.Caller = "arn:aws:iam::111111111111:user/alice"
		a := &Asker{}
		err := a.Prepare([]*Question{&tt.q})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
		if _, again := a.Ask(&tt.q); fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("asked: %v, prepared: %v", again, err)
		}
	}
	// All checks of all calls count.
	long := strings.Replace(allowAll, "{", "{"+strings.Repeat(" ", policy.MaxText-len(allowAll)), 1)
	q := &Question{Checks: many[:1000], Policies: Policies{Identity: []PolicyRef{{Text: long, Name: "long"}}}}
	if err := (&Asker{Unchecked: true}).Prepare([]*Question{q, q, q, q, q, q, q, q, q}); err == nil || !strings.HasPrefix(err.Error(), "the questions are too many") {
		t.Errorf("9,000 checks with a policy of %d bytes: %v", len(long), err)
	}
}

func TestCallFaultsOfSuite(t *testing.T) {
	t.Parallel()
	const check = "{action: 's3:GetObject', resource: '*'}"
	tests := []struct{ members, want string }{
		{"checks: []", "s.yaml:4: there is no check"},
		{"checks: {}", "s.yaml:4: a list of checks is expected, not a mapping"},
		{"checks: [a]", `s.yaml:4: members are expected, as name: value, not "a"`},
		{"checks: [" + check + "]\n  action: x", "s.yaml:2: checks stand in the place of action and resource"},
		{"checks: [" + check + "]\n  resource: x", "s.yaml:2: checks stand in the place of action and resource"},
		{"action: x\n  resource: x\n  per-item: true", "s.yaml:2: per-item goes with checks"},
		{"checks: [{action: x}]", "s.yaml:4: member resource is missing"},
		{"checks: [{action: x, resource: []}]", "s.yaml:4: member resource is missing"},
		{"checks: [{action: x, resource: [a, '']}]", "s.yaml:4: the text is empty"},
		{"checks: [{resource: x}]", "s.yaml:4: member action is missing"},
		{"checks: [{action: x, resource: x, reason: scp}]", "s.yaml:4: member expect is missing"},
		{"checks: [{action: x, resource: x, expect: no}]", `s.yaml:4: expect: "no" is none of allow, deny`},
		{"checks: [{action: x, resource: x, caller: anonymous}]", `s.yaml:4: there is no member "caller" here`},
		{"checks: [{action: x, resource: x, principal: x}]", `s.yaml:4: there is no member "principal" here`},
		{"checks: [{action: x, resource: x, policies: {identity: x}}]", `s.yaml:4: there is no member "identity" here`},
		{"checks: [{action: x, resource: [" + strings.Repeat("a,", 600) + "a]}, {action: x, resource: [" + strings.Repeat("a,", 600) + "a]}]", "s.yaml:4: more than 1000 checks of one call"},
		{"checks: [{action: x, resource: [" + strings.Repeat("a,", 1000) + "a]}]", "s.yaml:4: more than 1000 checks of one call"},
	}
	for _, tt := range tests {
		_, err := ReadSuite("s.yaml", "cases:\n- name: a\n  expect: deny\n  "+tt.members+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.80s: %v, want %s", tt.members, err, tt.want)
		}
	}
	var b strings.Builder
	b.WriteString("cases:\n")
	for i := range 101 {
		fmt.Fprintf(&b, "- {name: %d, expect: deny, checks: [{action: x, resource: [%sa]}]}\n", i, strings.Repeat("a,", 999))
	}
	if _, err := ReadSuite("s.yaml", b.String()); err == nil || err.Error() != "s.yaml:102: more than 100000 checks of all calls" {
		t.Errorf("101,000 checks: %v", err)
	}
}
