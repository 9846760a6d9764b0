package authz

import (
	"cmp"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestReserved(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"aws:PrincipalArn": true, "AWS:principalORGid": true, "aws:PrincipalTag/x": true, "aws:PrincipalServiceName": true, "aws:PrincipalIsAWSService": true,
		"aws:username": true, "aws:UserId": true, "aws:TokenIssueTime": true, "aws:MultiFactorAuthPresent": true, "aws:multifactorauthage": true,
		"aws:SourceIdentity": true, "aws:FederatedProvider": true, "aws:AssumedRoot": true, "aws:ResourceTag/x": true, "aws:ResourceAccount": true,
		"aws:ResourceOrgPaths": true, "aws:Principal": true, "aws:Resource": true, "iam:ResourceTag/": true, "iam:ResourceTag/x": true, "IAM:resourcetag/X": true,
		"": false, "a": false, "aws:": false, "aws": false, "awsx:username": false, "aws:usernames": false, "aws:upperc": false, "aws:PrincipaX": false, "aws:Mulder": false, "aws:CurrentDate": false, "aws:ViaAwsServicx": false, "aws:xserid": false,
		"iam:ResourceTax/x": false, "sam:ResourceTag/x": false, "aws:SourceIp": false, "aws:SourceArn": false,
		"aws:RequestTag/x": false, "aws:TagKeys": false, "aws:CurrentTime": false, "aws:ViaAWSService": false, "s3:ResourceTag/x": false,
		"iam:ResourceTag": false, "iam:PolicyARN": false, "aws:RequestedRegion": false, "aws:u\u017fername": false, "saml:sub": false,
	} {
		if got := Reserved(key); got != want {
			t.Errorf("%q: %t; want %t", key, got, want)
		}
	}
}

// TestKeysOfQueries: which keys a decision for another program sees, by asking whether a statement that tests them applies. Keys are written
// key=value, key==value where it has no other one; !key is absent.
func TestKeysOfQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.organize()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const queue = "arn:aws:sqs:us-east-1:" + accountB + ":q"
	issued := &session.Session{Claims: session.Claims{AccessKeyID: "ASIA1", Issued: at.Add(-time.Minute), MFA: at.Add(-90 * time.Second), SourceIdentity: "carol",
		Tags: []session.Tag{{Key: "TEAM", Value: "green"}}}}
	other := *issued
	other.SourceIdentity = "dave"
	for _, c := range []struct {
		name  string
		query Query
		want  string
	}{
		{"a member", Query{Principal: alice(accountA)}, "aws:PrincipalArn=arn:aws:iam::111111111111:user/alice aws:PrincipalAccount=111111111111 aws:PrincipalType=User aws:userid=AIDAALICE aws:username=alice " +
			"aws:PrincipalTag/team=red aws:PrincipalOrgID=o-1 aws:PrincipalOrgPaths=o-1/r-1/ou-1/ aws:PrincipalIsAWSService=false !aws:TokenIssueTime !aws:MultiFactorAuthPresent"},
		{"the management account", Query{Principal: alice(accountM)}, "aws:PrincipalOrgID=o-1 aws:PrincipalOrgPaths=o-1/r-1/"},
		{"outside", Query{Principal: alice(accountX)}, "!aws:PrincipalOrgID !aws:PrincipalOrgPaths aws:ResourceOrgID=o-1 aws:ResourceOrgPaths==o-1/r-1/ aws:ResourceAccount=222222222222"},
		{"root", Query{Principal: rootOf(accountA)}, "aws:PrincipalArn=arn:aws:iam::111111111111:root aws:PrincipalType=Account aws:userid=111111111111 !aws:username !aws:AssumedRoot aws:PrincipalOrgID=o-1"},
		{"AssumeRoot", Query{Principal: rootOf(accountA), AssumedRoot: true, Session: &session.Session{}}, "aws:PrincipalArn=arn:aws:iam::111111111111:root aws:AssumedRoot=true"},
		{"a role", Query{Principal: app(accountA), Session: issued, Time: at}, "aws:PrincipalArn=arn:aws:iam::111111111111:role/p/app aws:userid=AROAAPP:s1 !aws:username aws:SourceIdentity=carol aws:PrincipalTag/team=green " +
			"aws:TokenIssueTime=2026-11-21T11:59:00Z aws:MultiFactorAuthPresent=true aws:MultiFactorAuthAge=90 !aws:FederatedProvider"},
		{"a role, with the same key and another session", Query{Principal: app(accountA), Session: &other}, "aws:SourceIdentity=dave"},
		{"a role of a provider", Query{Principal: app(accountA), Session: issued, FederatedProvider: "accounts.google.com"},
			"aws:FederatedProvider=accounts.google.com !aws:MultiFactorAuthPresent !aws:MultiFactorAuthAge aws:SourceIdentity=carol"},
		{"a role, when is not known", Query{Principal: app(accountA), Session: &session.Session{}}, "!aws:TokenIssueTime aws:MultiFactorAuthPresent=false"},
		{"a service", Query{Service: []string{"a.amazonaws.com", "b.amazonaws.com"}}, "!aws:PrincipalArn !aws:PrincipalAccount aws:PrincipalType=Service aws:userid=a.amazonaws.com aws:PrincipalIsAWSService=true " +
			"aws:PrincipalServiceName=a.amazonaws.com aws:PrincipalServiceNamesList=b.amazonaws.com !aws:PrincipalOrgID"},
		{"a service of one name", Query{Service: []string{"a.amazonaws.com"}}, "aws:PrincipalType=Service aws:PrincipalServiceName=a.amazonaws.com aws:PrincipalServiceNamesList=a.amazonaws.com"},
		{"a provider", Query{Provider: "accounts.google.com"}, "aws:FederatedProvider=accounts.google.com !aws:PrincipalType !aws:userid !aws:PrincipalIsAWSService"},
		{"anonymous", Query{Anonymous: true}, "!aws:PrincipalArn aws:PrincipalAccount=anonymous aws:PrincipalType=Anonymous aws:userid=anonymous !aws:PrincipalIsAWSService !aws:PrincipalOrgID"},
		{"the resource's tags", Query{Principal: alice(accountA), ResourceTags: []*statepb.Tag{{Key: "k", Value: "v"}}}, "aws:ResourceTag/k=v !iam:ResourceTag/k"},
		{"defaults", Query{Principal: alice(accountA), Time: at}, "aws:CurrentTime=2026-11-21T12:00:00Z aws:EpochTime=1795262400 aws:ViaAWSService=false !aws:SourceIp !aws:SecureTransport"},
		{"the asker's keys", Query{Principal: alice(accountA), Time: at, Context: []policy.Entry{
			single("aws:CurrentTime", "2030-01-01T00:00:00Z"), {Key: "aws:EpochTime"}, single("AWS:viaawsservice", "true"), single("aws:SourceIp", "203.0.113.1"), single("own:key", "x")}},
			"aws:CurrentTime=2030-01-01T00:00:00Z !aws:EpochTime aws:ViaAWSService=true aws:SourceIp=203.0.113.1 own:key=x"},
		{"keys that are not the asker's", Query{Principal: alice(accountA), Context: []policy.Entry{single("aws:userNAME", "root"), single("aws:PrincipalTag/team", "blue"), single("aws:PrincipalTag/other", "x"),
			single("aws:ResourceAccount", "1"), single("aws:ResourceTag/k", "v"), single("aws:MultiFactorAuthPresent", "true"), single("iam:ResourceTag/k", "v")}},
			"aws:username=alice aws:PrincipalTag/team=red !aws:PrincipalTag/other aws:ResourceAccount=222222222222 !aws:ResourceTag/k !aws:MultiFactorAuthPresent !iam:ResourceTag/k"},
		{"nobody knows whose", Query{Anonymous: true, Resource: "arn:aws:s3:::b"}, "!aws:ResourceAccount !aws:ResourceOrgID"},
		{"a role that is passed", Query{Principal: alice(accountA), Action: "iam:PassRole", Resource: "arn:aws:iam::" + accountB + ":role/x", ResourceTags: []*statepb.Tag{{Key: "k", Value: "v"}}},
			"!aws:ResourceTag/k !iam:ResourceTag/k aws:ResourceAccount=222222222222"},
	} {
		for want := range strings.FieldsSeq(c.want) {
			key, value, present := strings.Cut(want, "=")
			condition := `"ForAnyValue:StringEquals":{"` + key + `":"` + value + `"}`
			if only, ok := strings.CutPrefix(value, "="); ok {
				condition = `"ForAllValues:StringEquals":{"` + key + `":"` + only + `"},"Null":{"` + key + `":"false"}`
			} else if !present {
				condition = `"Null":{"` + key[1:] + `":"true"}`
			}
			q := c.query
			// A deny, so that nobody needs to be allowed anything.
			text := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{` + condition + `}}}`
			q.Action, q.Resource = cmp.Or(q.Action, "sqs:SendMessage"), cmp.Or(q.Resource, queue)
			if q.Action == "iam:PassRole" { // roles that are passed have no policy
				q.Endpoint = &policy.Attached{Policy: w.load(text, policy.Endpoint)}
			} else {
				q.ResourcePolicy = &policy.Attached{Policy: w.load(text, policy.Resource)}
			}
			for range 2 {
				if a := w.decide(&q); a.Decision.Effect != policy.DenyExplicit {
					t.Errorf("%s: not %s", c.name, want)
					break
				}
			}
		}
	}
}

// TestContextsAsTheyAre: where no policy reads what the store knows, the asker's context is used as it stands, with the same bounds.
func TestContextsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"own:key":"x"}}}}`)
	q := Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: []policy.Entry{single("own:key", "x")}}
	if a := w.decide(&q); a.Denial != nil {
		t.Error(a.Denial)
	}
	for range policy.MaxContext {
		q.Context = append(q.Context, single("aws:username", "x")) // not read, and counted all the same
	}
	if a := w.decide(&q); a.Denial == nil {
		t.Error("a context outside of the bounds is allowed")
	}
}

// TestDecisionsAreWhole: judge takes decisions field by field.
func TestDecisionsAreWhole(t *testing.T) {
	t.Parallel()
	if n := reflect.TypeFor[policy.Decision]().NumField(); n != 5 {
		t.Errorf("a decision has %d fields: see that (*check).judge takes all of them", n)
	}
}
