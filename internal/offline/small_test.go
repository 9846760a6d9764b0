package offline

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		values []string
		multi  bool
		fault  string
	}{
		{text: "aws:SourceIp=10.0.0.1", values: []string{"10.0.0.1"}},
		{text: "aws:x=a=b", values: []string{"a=b"}},
		{text: "aws:x=", values: []string{""}},
		{text: "aws:x=a]", values: []string{"a]"}},
		{text: "aws:TagKeys=[a, b c ,]", values: []string{"a", "b c", ""}, multi: true},
		{text: "aws:TagKeys=[a]", values: []string{"a"}, multi: true},
		{text: "aws:TagKeys=[ ]", multi: true},
		{text: "aws:x", fault: "has not the form KEY=VALUE"},
		{text: "=x", fault: "has not the form KEY=VALUE"},
		{text: "x=y", fault: "has no prefix"},
		{text: "aws:x=[a", fault: "no \"]\" at its end"},
	}
	for _, tt := range tests {
		k, err := ParseKey(tt.text)
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.fault)
			}
			continue
		}
		if err != nil || strings.Join(k.Values, "|") != strings.Join(tt.values, "|") || len(k.Values) != len(tt.values) || k.Multi != tt.multi {
			t.Errorf("%s: %+v %v", tt.text, k, err)
		}
	}
}

func TestParseCaller(t *testing.T) {
	t.Parallel()
	const account = "111111111111"
	tests := []struct {
		text  string
		want  policy.Caller
		root  bool
		fault string
	}{
		{text: "arn:aws:iam::111111111111:user/p/alice", want: policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "arn:aws:iam::111111111111:user/p/alice"}},
		{text: "arn:aws:iam::111111111111:root", root: true, want: policy.Caller{Kind: policy.RootCaller, Account: account, ARN: "arn:aws:iam::111111111111:root"}},
		{text: "arn:aws:iam::111111111111:role/p/app as job", want: policy.Caller{Kind: policy.RoleCaller, Account: account, ARN: "arn:aws:iam::111111111111:role/p/app", Session: "arn:aws:sts::111111111111:assumed-role/app/job"}},
		{text: "arn:aws:iam::111111111111:role/app", want: policy.Caller{Kind: policy.RoleCaller, Account: account, ARN: "arn:aws:iam::111111111111:role/app", Session: "arn:aws:sts::111111111111:assumed-role/app/session"}},
		{text: "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/app", want: policy.Caller{Kind: policy.RoleCaller, Account: account, ServiceLinked: true, ARN: "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/app", Session: "arn:aws:sts::111111111111:assumed-role/app/session"}},
		{text: "arn:aws:sts::111111111111:assumed-role/app/job", want: policy.Caller{Kind: policy.RoleCaller, Account: account, ARN: "arn:aws:iam::111111111111:role/app", Session: "arn:aws:sts::111111111111:assumed-role/app/job"}},
		{text: "arn:aws:sts::111111111111:federated-user/bob by arn:aws:iam::111111111111:user/alice", want: policy.Caller{Kind: policy.FederatedCaller, Account: account, ARN: "arn:aws:iam::111111111111:user/alice", Session: "arn:aws:sts::111111111111:federated-user/bob"}},
		{text: "arn:aws:sts::111111111111:federated-user/bob by arn:aws:iam::111111111111:root", root: true, want: policy.Caller{Kind: policy.FederatedCaller, Account: account, Session: "arn:aws:sts::111111111111:federated-user/bob"}},
		{text: "ec2.amazonaws.com", want: policy.Caller{Kind: policy.ServiceCaller, Names: []string{"ec2.amazonaws.com"}}},
		{text: "service a b", want: policy.Caller{Kind: policy.ServiceCaller, Names: []string{"a", "b"}}},
		{text: "provider idp", want: policy.Caller{Kind: policy.ProviderCaller, Names: []string{"idp"}}},
		{text: "anonymous", want: policy.Caller{Kind: policy.AnonymousCaller}},
		{text: "", fault: "the caller is empty"},
		{text: "alice", fault: "is not a principal"},
		{text: "arn:aws:iam::111111111111:group/g", fault: "is not a principal"},
		{text: "arn:aws:iam::111111111111:user/alice as job", fault: `only the ARN of a role goes with "as"`},
		{text: "arn:aws:sts::111111111111:assumed-role/app/job as job", fault: `only the ARN of a role goes with "as"`},
		{text: "arn:aws:iam::111111111111:role/app as a/b", fault: "is no name of a session"},
		{text: "arn:aws:iam::111111111111:role/app of job", fault: `"as" or "by" is expected, not "of"`},
		{text: "arn:aws:iam::111111111111:role/app as", fault: "one of the forms"},
		{text: "arn:aws:sts::111111111111:federated-user/bob", fault: "who issued the session?"},
		{text: "arn:aws:sts::111111111111:federated-user/bob by arn:aws:iam::222222222222:root", fault: "only a user or the root user of the same account"},
		{text: "arn:aws:sts::111111111111:federated-user/bob by alice", fault: "is not a principal"},
		{text: "arn:aws:iam::111111111111:user/alice by arn:aws:iam::111111111111:root", fault: `only the ARN of a federated user goes with "by"`},
		{text: "service", fault: "is not a principal"},
		{text: "provider a b", fault: "is not a principal"},
	}
	for _, tt := range tests {
		c, err := ParseCaller(tt.text)
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%q: %v, want %s", tt.text, err, tt.fault)
			}
			continue
		}
		names := strings.Join(c.Names, " ") + "|" + strings.Join(tt.want.Names, " ")
		c.Names, tt.want.Names = nil, nil
		same := c.Kind == tt.want.Kind && c.Account == tt.want.Account && c.ARN == tt.want.ARN && c.Session == tt.want.Session && c.ServiceLinked == tt.want.ServiceLinked
		if err != nil || !same || c.Root != tt.root || names[:len(names)/2] != names[len(names)/2+1:] {
			t.Errorf("%q: %+v (%s) %v, want %+v", tt.text, c, names, err, tt.want)
		}
	}
}

func TestExpect(t *testing.T) {
	t.Parallel()
	load := func(text string) *policy.Attached {
		p, err := policy.Load(text, policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		return &policy.Attached{Policy: p, Name: "a#b", ARN: "arn:aws:iam::aws:policy/x"}
	}
	a := load(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"S","Effect":"Deny","Action":"*","Resource":"*"}]}`)
	scp := policy.Decision{Effect: policy.DenyExplicit, Layer: policy.LayerSCP, Level: 2, Policy: a, Statement: 1}
	nothing := policy.Decision{Effect: policy.DenyImplicit, Layer: policy.LayerIdentity}
	tests := []struct {
		expect Expect
		d      policy.Decision
		want   string
	}{
		{Expect{Effect: "deny"}, scp, ""},
		{Expect{Effect: "explicit-deny"}, scp, ""},
		{Expect{Effect: "implicit-deny"}, scp, "expected implicit-deny, got explicit-deny"},
		{Expect{Effect: "deny"}, nothing, ""},
		{Expect{Effect: "implicit-deny"}, nothing, ""},
		{Expect{Effect: "explicit-deny"}, nothing, "expected explicit-deny, got implicit-deny"},
		{Expect{Effect: "allow"}, nothing, "expected allow, got implicit-deny"},
		{Expect{Effect: "deny", Reason: "scp"}, scp, ""},
		{Expect{Effect: "deny", Reason: "scp 2"}, scp, ""},
		{Expect{Effect: "deny", Reason: "scp 1"}, scp, "expected the reason scp 1, got scp 2"},
		{Expect{Effect: "deny", Reason: "rcp 2"}, scp, "expected the reason rcp 2, got scp 2"},
		{Expect{Effect: "deny", Statement: "a#b#S"}, scp, ""},
		{Expect{Effect: "deny", Statement: "a#b#1"}, scp, ""},
		{Expect{Effect: "deny", Statement: "arn:aws:iam::aws:policy/x#1"}, scp, ""},
		{Expect{Effect: "deny", Statement: "a#b#0"}, scp, "expected the statement a#b#0, got a#b#1"},
		{Expect{Effect: "deny", Statement: "b#1"}, scp, "expected the statement b#1, got a#b#1"},
		{Expect{Effect: "deny", Statement: "none"}, scp, "expected the statement none, got a#b#1"},
		{Expect{Effect: "deny", Statement: "none"}, nothing, ""},
		{Expect{Effect: "allow", Reason: "trust", Statement: "a#1"}, nothing, "expected allow, got implicit-deny; expected the reason trust, got identity; expected the statement a#1, got none"},
	}
	for _, tt := range tests {
		if got := tt.expect.difference(&Answer{Decision: tt.d}); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.expect, got, tt.want)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		search Search
		has    string // a line of the answer that is there
		not    string
		fault  string
	}{
		{Search{Of: "actions", Pattern: "s3:getobj*"}, "s3:GetObject ", "s3:PutObject ", ""},
		{Search{Of: "actions", Pattern: "GetObject"}, "s3:GetObject ", "s3:GetObjectAcl", ""},
		{Search{Of: "actions", Pattern: "assumerole"}, "sts:AssumeRole", "s3:", ""},
		{Search{Of: "actions", Service: "SQS", Level: "write"}, "sqs:SendMessage ", "sqs:ListQueues", ""},
		{Search{Of: "actions", Service: "dynamodb", Type: "stream"}, "dynamodb:GetRecords ", "dynamodb:PutItem", ""},
		{Search{Of: "actions", Service: "dynamodb", Type: "dynamodb:stream"}, "dynamodb:GetRecords ", "dynamodb:PutItem", ""},
		{Search{Of: "actions", Service: "s3", Key: "s3:prefix"}, "s3:ListBucket ", "s3:GetObject ", ""},
		{Search{Of: "keys", Pattern: "aws:SourceI*"}, "aws:SourceIp ", "aws:SourceVpc", ""},
		{Search{Of: "keys", Service: "s3", Pattern: "prefix"}, "s3:prefix ", "aws:SourceIp", ""},
		{Search{Of: "resource-types", Service: "s3", Pattern: "buck*"}, "  ARN   arn:${Partition}:s3:::${BucketName}", "object", ""},
		{Search{Of: "resource-types", Service: "s3"}, "s3:object ", "", ""},
		{Search{Of: "services", Pattern: "iam"}, "iam     AWS Identity and Access Management", "s3", ""},
		{Search{Of: "actions", Pattern: "nothing:*"}, "", "nothing", ""},
		{Search{Of: "things"}, "", "", `"things" is none of`},
		{Search{Of: "actions", Service: "s4"}, "", "", `there is no service "s4"`},
		{Search{Of: "actions", Level: "admin"}, "", "", `"admin" is no level`},
		{Search{Of: "actions", Key: "s3:prefixx"}, "", "", "did you mean s3:prefix?"},
	}
	for _, tt := range tests {
		found, err := tt.search.Run()
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%+v: %v, want %s", tt.search, err, tt.fault)
			}
			continue
		}
		var b bytes.Buffer
		if err == nil {
			err = found.Text(&b)
		}
		if err != nil || !strings.Contains(b.String(), tt.has) || tt.not != "" && strings.Contains(b.String(), tt.not) {
			t.Errorf("%+v: %v, want %q and not %q in\n%s", tt.search, err, tt.has, tt.not, b.String())
		}
	}
}

// What meet finds is matched by both, and it finds something where there is something.
func TestMeet(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, form, want string }{
		{"b/*", "${Bucket}/${Object}", "b/x"},
		{"b*", "${Bucket}/${Object}", "b/x"},
		{"*", "${Bucket}/${Object}", "x/x"},
		{"*", "${Bucket}", "x"},
		{"?b?", "${Bucket}", "xbx"},
		{"log-group:/aws/*", "log-group:${Group}:log-stream:${Stream}", "log-group:/aws/:log-stream:x"},
		{"table/*/index/*", "table/${Table}/index/${Index}", "table/x/index/x"},
		{"b", "${Bucket}/${Object}", ""},
		{"b*c", "${Bucket}/d", ""},
		{"a*", "b${Name}", ""},
	}
	for _, tt := range tests {
		got, ok := (&validator{}).meet(tt.pattern, formOf(tt.form))
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s and %s: %q %t, want %q", tt.pattern, tt.form, got, ok, tt.want)
		}
		if ok && !catalog.Match(tt.pattern, got) {
			t.Errorf("%s does not match %s", tt.pattern, got)
		}
	}
}
