package catalog

import (
	"regexp"
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	const a = "111111111111"
	for _, tt := range []struct {
		action, resource string
		want             Verdict
	}{
		// Object or bucket: the slash decides, and keys have any character.
		{"s3:GetObject", "arn:aws:s3:::b/k", Known},
		{"s3:GetObject", "arn:aws:s3:::b/a/b:c/d", Known},
		{"s3:GetObject", "arn:aws:s3:::b/", Known},
		{"s3:GetObject", "arn:aws:s3:::b", WrongResource},
		{"s3:ListBucket", "arn:aws:s3:::b", Known},
		{"s3:ListBucket", "arn:aws:s3:::b/k", WrongResource},
		{"s3:ListBucket", "arn:aws:s3:::b/a/k", WrongResource},
		{"s3:GetObject", "arn:aws:s3:us-east-1:" + a + ":accesspoint/p/object/a/b", Known},
		{"s3:GetObject", "arn:aws:s3:us-east-1:" + a + ":job/1", WrongResource},
		{"s3:GetObject", "arn:aws-cn:s3:::b/k", Known},
		{"s3:GetObject", "arn:aws:sqs:us-east-1:" + a + ":b/k", WrongResource},
		// Case: of actions it does not count, of resources it does.
		{"S3:GETOBJECT", "arn:aws:s3:::b/k", Known},
		{"iam:GetRole", "arn:aws:iam::" + a + ":Role/app", WrongResource},
		// Paths of IAM.
		{"iam:DeleteRole", "arn:aws:iam::" + a + ":role/app", Known},
		{"iam:DeleteRole", "arn:aws:iam::" + a + ":role/p/q/app", Known},
		{"iam:DeleteRole", "arn:aws:iam::" + a + ":group/g", WrongResource}, // docs/spec/evaluation.md 7, item 8
		{"iam:DeleteRole", "arn:aws:iam::" + a + ":role", WrongResource},
		{"iam:AttachUserPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess", WrongResource},
		{"iam:GetPolicy", "arn:aws:iam::aws:policy/aws-service-role/X", Known},
		{"sts:AssumeRole", "arn:aws:iam::" + a + ":role/p/app", Known},
		{"sts:AssumeRole", "arn:aws:sts::" + a + ":assumed-role/app/s", WrongResource},
		{"iam:PassRole", "arn:aws:iam::" + a + ":role/target", Known},
		// docs/spec/evaluation.md 7.2.
		{"iam:ListUsers", "arn:aws:iam::" + a + ":user/", Known},
		{"iam:ListUsers", "arn:aws:iam::" + a + ":user/division/", Known},
		{"iam:ListUsers", "arn:aws:iam::" + a + ":user/*", Known},
		{"iam:ListUsers", "*", Known},
		{"iam:ListUsers", "arn:aws:iam::" + a + ":role/", WrongResource},
		{"iam:GetUser", "arn:aws:iam::" + a + ":root", Known},
		{"iam:DeleteUser", "arn:aws:iam::" + a + ":root", WrongResource},
		{"iam:GetAccountSummary", "*", Known},
		{"iam:GetAccountSummary", "arn:aws:iam::" + a + ":root", NoResource},
		{"sts:TagSession", "arn:aws:sts::" + a + ":federated-user/n", Known},
		// Wildcards in a request are characters (docs/spec/evaluation.md 13 M01).
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1:" + a + ":instance/*", Known},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-1", Known},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1:" + a + ":vpc/vpc-1", WrongResource},
		{"ec2:DescribeInstances", "arn:aws:ec2:us-east-1:" + a + ":instance/i-1", NoResource},
		{"ec2:DescribeInstances", "*", Known},
		// Versions and aliases, resources below others, names with slashes where the form does not say so.
		{"lambda:InvokeFunction", "arn:aws:lambda:us-east-1:" + a + ":function:f", Known},
		{"lambda:InvokeFunction", "arn:aws:lambda:us-east-1:" + a + ":function:f:prod", Known},
		{"lambda:InvokeFunction", "arn:aws:lambda:us-east-1:" + a + ":layer:l", WrongResource},
		{"dynamodb:DeleteTable", "arn:aws:dynamodb:us-east-1:" + a + ":table/t", Known},
		{"dynamodb:DeleteTable", "arn:aws:dynamodb:us-east-1:" + a + ":table/t/index/i", WrongResource},
		{"dynamodb:Query", "arn:aws:dynamodb:us-east-1:" + a + ":table/t/index/i", Known},
		{"ssm:GetParameter", "arn:aws:ssm:us-east-1:" + a + ":parameter/a/b/c", Known},
		{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + a + ":log-group:/aws/lambda/f:log-stream:2026/01/[1]x", Known},
		{"logs:DescribeLogStreams", "arn:aws:logs:us-east-1:" + a + ":log-group:/aws/lambda/f:*", Known},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:" + a + ":secret:prod/db-AbCdEf", Known},
		{"execute-api:Invoke", "arn:aws:execute-api:us-east-1:" + a + ":api/prod/GET/", Known},
		{"lex:DeleteBot", "arn:aws:lex:us-east-1:" + a + ":bot/b", Known}, // two forms
		{"lex:DeleteBot", "arn:aws:lex:us-east-1:" + a + ":bot:b", Known},
		// What is no ARN.
		{"s3:GetObject", "", WrongResource},
		{"s3:GetObject", "b/k", WrongResource},
		{"s3:GetObject", "arn:aws:s3", WrongResource},
		{"s3:GetObject", "arn:aws:s3:::", WrongResource},
		{"s3:GetObject", "arn::s3:::b/k", WrongResource},
		{"s3:GetObject", "ARN:aws:s3:::b/k", WrongResource},
		{"s3:GetObject", "*/*", WrongResource},
		{"s3:ListAllMyBuckets", "", NoResource},
		// What nobody knows.
		{"s3:GetObjekt", "*", UnknownAction},
		{"s3:", "*", UnknownAction},
		{"s4:GetObject", "*", UnknownService},
		{"s3", "*", UnknownService},
		{"", "*", UnknownService},
		{":GetObject", "*", UnknownService},
		// Gatehouse's own.
		{"gatehouse:Authorize", "arn:aws:iam::" + a + ":user/p/alice", Known},
		{"gatehouse:Authorize", "arn:aws:iam::" + a + ":root", Known},
		{"gatehouse:Authorize", "arn:aws:sts::" + a + ":assumed-role/app/s", Known},
		{"gatehouse:Explain", "arn:aws:iam::" + a + ":role/app", Known},
		{"gatehouse:WhoCan", "*", Known},
		{"gatehouse:Authorize", "arn:aws:iam::" + a + ":group/g", WrongResource},
		{"apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/r1", Known},
		{"apigateway:GET", "arn:aws:apigateway:us-east-1::/apis", Known},
		{"apigateway:POST", "arn:aws:apigateway:us-east-1::/domainnames/d.example.com/apimappings", Known},
		{"ssm:SendCommand", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript", Known},
		{"ssm:SendCommand", "arn:aws:ssm:us-east-1:111122223333:document/Mine", Known},
	} {
		if got := Builtin().Verdict(tt.action, tt.resource); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.action, tt.resource, got, tt.want)
		}
		if got, want := Builtin().Action(tt.action) != nil, tt.want != UnknownAction && tt.want != UnknownService; got != want {
			t.Errorf("%s is known: %t, want %t", tt.action, got, want)
		}
	}
	if got := Verdict(9).String(); got != "Verdict(9)" {
		t.Errorf("an unknown verdict prints as %s", got)
	}
}

var variable = regexp.MustCompile(`\$\{[^}]*\}|\*`)

// samples are ARNs of a type: one for each form.
func samples(rt *ResourceType, value string) (list []string) {
	for one := range strings.SplitSeq(rt.ARN, separator) {
		list = append(list, variable.ReplaceAllStringFunc(one, func(v string) string {
			switch v {
			case "${Partition}":
				return "aws"
			case "${Region}":
				return "us-east-1"
			case "${Account}":
				return "111111111111"
			}
			return value
		}))
	}
	return list
}

// Whatever action is listed with a type acts on every ARN of the type's form, also where names have slashes.
func TestEveryActionActsOnItsTypes(t *testing.T) {
	t.Parallel()
	for _, s := range all(t) {
		for _, a := range s.Actions() {
			for _, r := range a.Resources {
				for _, resource := range samples(r.Type, "x-1") {
					if v := a.Verdict(resource); v != Known {
						t.Errorf("%s on %s, which is of its type %s: %s", a, resource, r.Type.Name, v)
					}
					if !r.Type.Match(resource) {
						t.Errorf("%s is not of the type %s, %s", resource, r.Type.Name, r.Type.ARN)
					}
				}
			}
		}
	}
}

// The matcher goes through a form once, from the left. A regular expression tries everything.
func TestMatchAgainstRegularExpressions(t *testing.T) {
	t.Parallel()
	compared, fitting := 0, 0
	for _, s := range all(t) {
		var resources []string
		for _, rt := range s.ResourceTypes() {
			for _, value := range []string{"x", "a/b", "a:b", "table", "*", "user/x:1"} {
				resources = append(resources, samples(rt, value)...)
			}
		}
		if len(resources) > 100 {
			resources = resources[:100]
		}
		for _, rt := range s.ResourceTypes() {
			for one := range strings.SplitSeq(rt.ARN, separator) {
				form, err := parseTemplate(one)
				if err != nil {
					t.Fatalf("%s: %v", one, err)
				}
				narrowly, widely := expression(one, narrow), expression(one, wide)
				for _, r := range resources {
					parts, ok := split(r)
					if !ok {
						continue
					}
					compared++
					if got, want := form.match(&parts, narrow), narrowly.MatchString(r); got != want {
						t.Errorf("%s, narrowly, and %s: %t, want %t by %s", one, r, got, want, narrowly)
					}
					if got, want := form.match(&parts, wide), widely.MatchString(r); got != want {
						t.Errorf("%s, widely, and %s: %t, want %t by %s", one, r, got, want, widely)
					} else if got {
						fitting++
					}
				}
			}
		}
	}
	if compared < 100_000 || fitting < 5_000 {
		t.Errorf("only %d pairs, of which %d fit", compared, fitting)
	}
}

func expression(form string, how reading) *regexp.Regexp {
	parts := strings.SplitN(form, ":", 6)
	for i, p := range parts[1:5] {
		switch {
		case p == "*":
			parts[i+1] = "[^:]*"
		case strings.HasPrefix(p, "${"):
			parts[i+1] = "[^:]+"
		}
	}
	rest, wider := parts[5], false
	var b strings.Builder
	for rest != "" {
		at := variable.FindStringIndex(rest)
		if at == nil {
			b.WriteString(regexp.QuoteMeta(rest))
			break
		}
		b.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		v := rest[at[0]:at[1]]
		rest = rest[at[1]:]
		free := v == "*" || strings.HasSuffix(v, "Path}") || v == "${ObjectName}"
		switch {
		case free:
			wider = true
			b.WriteString(`(?s:.*)`)
		case wider || how == wide:
			b.WriteString(`(?s:.+)`)
		case rest == "":
			b.WriteString(`[^/]+`)
		default:
			b.WriteString(`[^/:]+`)
		}
	}
	return regexp.MustCompile("^" + strings.Join(parts[:5], ":") + ":" + b.String() + "$")
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ action, resource, want string }{
		{"s3:GetObject", "arn:aws:s3:::b/k", "object"},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1:111111111111:subnet/s", "subnet"},
		{"s3:ListBucket", "arn:aws:s3:::b/k", ""},
		{"s3:ListBucket", "*", ""},
	} {
		got := ""
		if rt := Builtin().Action(tt.action).TypeOf(tt.resource); rt != nil {
			got = rt.Name
		}
		if got != tt.want {
			t.Errorf("%s on %s: type %q, want %q", tt.action, tt.resource, got, tt.want)
		}
	}
	s3 := Builtin().Service("s3")
	for resource, want := range map[string]bool{"arn:aws:s3:::b": true, "arn:aws:s3:::b/k": false, "*": false, "": false} {
		if got := s3.ResourceType("bucket").Match(resource); got != want {
			t.Errorf("%s is a bucket: %t", resource, got)
		}
	}
}

// docs/spec/evaluation.md 4.2 and 9: the key, not its alias; the role that is assumed, not the one that is read.
func TestNeedsResourcePolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action, resource string
		want             bool
	}{
		{"kms:Decrypt", "arn:aws:kms:us-east-1:111111111111:key/1", true},
		{"kms:CreateAlias", "arn:aws:kms:us-east-1:111111111111:alias/a", false},
		{"kms:ListKeys", "*", false},
		{"sts:AssumeRole", "arn:aws:iam::111111111111:role/p/app", true},
		{"sts:TagSession", "arn:aws:iam::111111111111:role/app", true},
		{"sts:TagSession", "arn:aws:sts::111111111111:federated-user/n", false},
		{"iam:GetRole", "arn:aws:iam::111111111111:role/app", false},
		{"s3:GetObject", "arn:aws:s3:::b/k", false},
	} {
		if got := Builtin().Action(tt.action).NeedsResourcePolicy(tt.resource); got != tt.want {
			t.Errorf("%s on %s: %t, want %t", tt.action, tt.resource, got, tt.want)
		}
	}
}

func TestVerdictAllocatesNothing(t *testing.T) {
	c, err := Builtin().With(readAll(t, `{"services":[{"prefix":"x","name":"X","actions":[{"name":"Do","level":"Write"}]}]}`)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range [][2]string{
		{"s3:GetObject", "arn:aws:s3:::b/a/b/c"}, {"S3:GetObject", "*"}, {"s3:ListBucket", "arn:aws:s3:::b/a/b/c"}, {"x:Do", "*"}, {"nobody:Knows", "*"},
	} {
		if n := testing.AllocsPerRun(100, func() { c.Verdict(q[0], q[1]) }); n != 0 {
			t.Errorf("%s on %s: %v allocations", q[0], q[1], n)
		}
	}
}

func BenchmarkVerdict(b *testing.B) {
	c := Builtin()
	for _, q := range [][3]string{
		{"object", "s3:GetObject", "arn:aws:s3:::bucket/a/b/c.txt"},
		{"role", "sts:AssumeRole", "arn:aws:iam::111111111111:role/p/app"},
		{"wrong", "s3:ListBucket", "arn:aws:s3:::bucket/a/b/c.txt"},
		{"ec2", "ec2:RunInstances", "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1"},
		{"none", "ec2:DescribeInstances", "*"},
	} {
		b.Run(q[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Verdict(q[1], q[2])
			}
		})
	}
}
