package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The time for each byte of text stays the same while the text grows: no pattern costs more than linear work.
func BenchmarkHostilePatterns(b *testing.B) {
	for _, h := range hostilePatterns {
		for n := 1 << 10; n <= 64<<10; n *= 4 {
			p, s := h.pattern(n)
			b.Run(fmt.Sprintf("%s/%dk", h.name, n>>10), func(b *testing.B) {
				for b.Loop() {
					policy.Glob(p, s)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(s)), "ns/byte")
			})
		}
	}
	for _, h := range hostileHeads {
		for n := 1 << 10; n <= policy.MaxResource; n *= 2 {
			p, s := h.pattern(n)
			s = s[:min(n, len(s))]
			d := policy.Document{Kind: policy.Identity, Statements: []policy.Statement{{Effect: "Allow", Actions: []string{"s3:*"}, Resources: []string{p}}}}
			compiled, err := policy.Compile(&d)
			if err != nil {
				b.Fatal(err)
			}
			sets := policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: compiled})}
			r := policy.Request{Action: "s3:GetObject", Resource: s}
			b.Run(fmt.Sprintf("%s/%dk", h.name, n>>10), func(b *testing.B) {
				for b.Loop() {
					policy.Decide(&sets, &r)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(s)), "ns/byte")
			})
		}
	}
	for _, p := range []string{strings.Repeat("*a", 3000) + "b", "*" + strings.Repeat("a", 200) + "b*", "*" + strings.Repeat("a?", 100) + "b*"} {
		b.Run("action/"+p[:4], func(b *testing.B) {
			s := strings.Repeat("a", policy.MaxAction-10)
			for b.Loop() {
				policy.GlobFold(p, s)
			}
		})
	}
}

// requestContext is what a server knows of a request by an IAM user.
func requestContext() []policy.Entry {
	context := []policy.Entry{
		single("aws:PrincipalArn", "arn:aws:iam::111111111111:user/alice"), single("aws:PrincipalAccount", "111111111111"),
		single("aws:PrincipalType", "User"), single("aws:userid", "AIDAALICE"), single("aws:username", "alice"),
		single("aws:CurrentTime", "2026-11-21T12:00:00Z"), single("aws:EpochTime", "1795262400"), single("aws:SecureTransport", "true"),
		single("aws:RequestedRegion", "us-east-1"), single("aws:UserAgent", "aws-cli/2.15.30 Python/3.11.8 Linux/5.10.205 exe/x86_64"),
		single("aws:ViaAWSService", "false"), single("aws:SourceIp", "203.0.113.10"), single("aws:ResourceAccount", "111111111111"),
		single("aws:PrincipalIsAWSService", "false"), single("aws:PrincipalOrgID", "o-1"),
		{Key: "aws:TagKeys", Values: []string{"team", "cost"}, Multi: true},
	}
	for _, tag := range []string{"team", "cost", "stage", "owner"} {
		context = append(context, single("aws:PrincipalTag/"+tag, tag+"-1"), single("aws:ResourceTag/"+tag, tag+"-1"))
	}
	return context
}

// five are five policies as an application's user has them.
func five(t testing.TB) *policy.Sets {
	sets := typical(t)
	for _, text := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query","dynamodb:PutItem"],
			"Resource":"arn:aws:dynamodb:*:111111111111:table/app-*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage"],"Resource":"arn:aws:sqs:*:*:app-*",
			"Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:ResourceTag/team}"}}}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",
			"Condition":{"Bool":{"aws:SecureTransport":"false"}}},{"Effect":"Deny","NotAction":"iam:*","Resource":"*",
			"Condition":{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}}]}`,
	} {
		sets.Identity = policy.NewSet(append(sets.Identity.Policies(), load(t, text))...)
	}
	return sets
}

// twenty is one statement with twenty conditions that all hold, variables among them.
func twenty(t testing.TB) *policy.Sets {
	return &policy.Sets{Identity: policy.NewSet(load(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*",
		"Resource":"arn:aws:s3:::app-data/home/${aws:username}/*","Condition":{
		"StringEquals":{"aws:PrincipalAccount":"111111111111","aws:RequestedRegion":["eu-west-1","us-east-1"],"aws:PrincipalTag/team":"${aws:ResourceTag/team}"},
		"StringNotEquals":{"aws:PrincipalTag/stage":["x","y"],"aws:username":"bob"},
		"StringLike":{"aws:UserAgent":"*aws-cli/*","aws:userid":["AROA*","AIDA*"],"aws:PrincipalTag/owner":"${aws:ResourceTag/owner}*"},
		"StringEqualsIgnoreCase":{"aws:PrincipalType":"user"},
		"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"},
		"NumericLessThan":{"aws:EpochTime":"2e9"},
		"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},
		"DateLessThan":{"aws:CurrentTime":"2030-01-01"},
		"Bool":{"aws:SecureTransport":true,"aws:ViaAWSService":"false"},
		"IpAddress":{"aws:SourceIp":["198.51.100.0/24","203.0.113.0/24"]},
		"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"},
		"Null":{"aws:TokenIssueTime":"true"},
		"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost","stage"]},
		"ForAnyValue:StringLike":{"aws:TagKeys":"co*"}}}]}`))}
}

func BenchmarkDecideConditions(b *testing.B) {
	r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::app-data/home/alice/report-000.csv", Context: requestContext()}
	for name, sets := range map[string]*policy.Sets{"five policies": five(b), "twenty conditions": twenty(b)} {
		if d := policy.Decide(sets, &r); d.Effect != policy.Allow {
			b.Fatalf("%s: %+v", name, d)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Decide(sets, &r)
			}
		})
	}
}

func TestConditionsAllocateNothing(t *testing.T) {
	r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::app-data/home/alice/report-000.csv", Context: requestContext()}
	inside := &policy.Sets{Identity: policy.NewSet(load(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*",
		"Resource":["arn:aws:s3:::*/${aws:username}/?${absent}","arn:*:s3::?:*/${aws:username}","arn:aws:s3:::*/${aws:username}/*.???"],"Condition":{
		"StringLike":{"aws:userid":"*${aws:username}?","aws:PrincipalArn":"*:user/${aws:username}"},
		"StringEqualsIgnoreCase":{"aws:username":"${aws:username}"},"Bool":{"aws:SecureTransport":"${aws:SecureTransport}"},
		"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:us?r/${aws:username}"},
		"StringNotLike":{"aws:userid":"?${absent}*"}}}]}`))}
	r.Context[3].Values = []string{"AIDA-alice-"} // aws:userid
	for name, sets := range map[string]*policy.Sets{"five policies": five(t), "twenty conditions": twenty(t), "variables inside": inside} {
		if d := policy.Decide(sets, &r); d.Effect != policy.Allow {
			t.Fatalf("%s: %+v", name, d)
		}
		if !sets.UsesContext() {
			t.Errorf("%s use the context", name)
		}
		if n := testing.AllocsPerRun(100, func() { policy.Decide(sets, &r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
