package policy_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The accounts and callers of these tests.
const (
	own     = "111111111111"
	other   = "222222222222"
	aliceID = "arn:aws:iam::111111111111:user/alice"
	appRole = "arn:aws:iam::111111111111:role/app"
	appS1   = "arn:aws:sts::111111111111:assumed-role/app/s1"
)

var (
	alice = policy.Caller{Kind: policy.UserCaller, Account: own, ID: "AIDAALICE", ARN: aliceID}
	app   = policy.Caller{Kind: policy.RoleCaller, Account: own, ID: "AROAAPP", ARN: appRole, Session: appS1}
)

// statement is a document of one statement.
func statement(text string) string { return `{"Version":"2012-10-17","Statement":` + text + `}` }

// explainOne explains a request to a bucket whose policy is the one statement.
func explainOne(t *testing.T, text string, r policy.Request) *policy.StatementVerdict {
	t.Helper()
	r.ResourcePolicy = loadKind(t, policy.Resource, text)
	e := policy.Explain(&policy.Sets{Caller: alice}, &r)
	l := e.Layers[len(e.Layers)-1]
	if l.Layer != policy.LayerResource || len(l.Statements) != 1 || l.Statements[0].Policy != r.ResourcePolicy {
		t.Fatalf("%s: %+v", text, e.Layers)
	}
	return &l.Statements[0]
}

func TestExplainNamesTheFirstElementThatFails(t *testing.T) {
	t.Parallel()
	const (
		principal = `"Principal":{"AWS":"111111111111"},`
		condition = `,"Condition":{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"a:b":"c"}}`
	)
	tests := []struct {
		text   string
		failed policy.Element
		reach  policy.Reach
		key    string
	}{
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"Action":"s3:Put*","Resource":"arn:x"` + condition + `}`, policy.ElementAction, 0, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"NotAction":"s3:G*","Resource":"arn:x"` + condition + `}`, policy.ElementAction, 0, ""},
		{`{"Effect":"Deny","Principal":{"AWS":"x"},"Action":"sqs:Get*","Resource":"arn:x"}`, policy.ElementAction, 0, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"Action":"s3:Get*","Resource":"arn:x"` + condition + `}`, policy.ElementResource, 0, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"NotAction":"s3:P*","NotResource":"arn:aws:s3:::b/*"` + condition + `}`, policy.ElementResource, 0, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"` + condition + `}`, policy.ElementPrincipal, 0, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"x"},"Action":"s3:Get*"` + condition + `}`, policy.ElementPrincipal, 0, ""},
		{`{"Effect":"Deny","NotPrincipal":{"AWS":["111111111111","` + aliceID + `"]},"Action":"s3:Get*","Resource":"*"` + condition + `}`, policy.ElementPrincipal, 0, ""},
		{`{"Effect":"Allow",` + principal + `"Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"` + condition + `}`, policy.ElementCondition, 0, "a:b"},
		{`{"Effect":"Allow",` + principal + `"Action":"s3:Get*","NotResource":"arn:x","Condition":{"Null":{"aws:SecureTransport":"true"},"StringEquals":{"a:b":"c"}}}`,
			policy.ElementCondition, 0, "aws:SecureTransport"},
		{`{"Effect":"Allow",` + principal + `"Action":"s3:Get*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, policy.ElementNone, policy.ReachAccount, ""},
		{`{"Effect":"Allow","Principal":{"AWS":"` + aliceID + `"},"Action":"*"}`, policy.ElementNone, policy.ReachDirect, ""},
		{`{"Effect":"Deny","Principal":"*","Action":"*"}`, policy.ElementNone, policy.ReachDirect, ""},
		{`{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"*"}`, policy.ElementNone, policy.ReachDirect, ""},
	}
	for _, tt := range tests {
		v := explainOne(t, statement(tt.text), policy.Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: []policy.Entry{single("AWS:secureTransport", "TRUE"), single("a:b", "C")},
		})
		key := ""
		if v.Condition != nil {
			key = v.Condition.Key
		}
		if v.Failed != tt.failed || v.Applies != (tt.failed == policy.ElementNone) || v.Reach != tt.reach || key != tt.key ||
			v.Denies != strings.Contains(tt.text, "Deny") {
			t.Errorf("%s\n%+v %q", tt.text, v, key)
		}
	}
	v := explainOneOf(t, app, `{"Effect":"Allow","Principal":{"AWS":"`+appRole+`"},"Action":"*","Resource":"*"}`)
	if v.Reach != policy.ReachIssuer {
		t.Errorf("a role that is named reaches its session as %s", v.Reach)
	}
}

func explainOneOf(t *testing.T, c policy.Caller, text string) *policy.StatementVerdict {
	t.Helper()
	e := policy.Explain(&policy.Sets{Caller: c}, &policy.Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourcePolicy: loadKind(t, policy.Resource, statement(text)),
	})
	return &e.Layers[1].Statements[0]
}

func TestExplainShowsConditions(t *testing.T) {
	t.Parallel()
	context := []policy.Entry{
		single("aws:username", "al*ice"), single("aws:PrincipalArn", aliceID), single("s3:prefix", ""), single("n:n", "7"),
		{Key: "aws:TagKeys", Values: []string{"a", "b"}, Multi: true}, {Key: "x:none", Multi: true},
	}
	tests := []struct {
		condition, operator, key string
		expected, seen           []string
		missing                  []string
	}{
		{`{"StringEquals":{"aws:UserName":["bob","x"]}}`, "StringEquals", "aws:UserName", []string{"bob", "x"}, []string{"al*ice"}, nil},
		{`{"stringlikeifexists":{"aws:username":"b*"}}`, "stringlikeifexists", "aws:username", []string{"b*"}, []string{"al*ice"}, nil},
		{`{"ForAllValues:StringEquals":{"aws:tagkeys":["a"]}}`, "ForAllValues:StringEquals", "aws:tagkeys", []string{"a"}, []string{"a", "b"}, nil},
		{`{"StringEquals":{"a:b":[]}}`, "StringEquals", "a:b", []string{}, nil, []string{"a:b"}},
		{`{"StringEquals":{"x:none":"c"}}`, "StringEquals", "x:none", []string{"c"}, nil, []string{"x:none"}},
		{`{"StringEquals":{"s3:prefix":"c"}}`, "StringEquals", "s3:prefix", []string{"c"}, []string{""}, nil},
		{`{"Null":{"aws:username":true}}`, "Null", "aws:username", []string{"true"}, []string{"al*ice"}, nil},
		{`{"Null":{"a:b":[false]}}`, "Null", "a:b", []string{"false"}, nil, []string{"a:b"}},
		{`{"NumericLessThan":{"n:n":["5","bad","${n:n}"]}}`, "NumericLessThan", "n:n", []string{"5", "bad", "${n:n}"}, []string{"7"}, nil},
		{`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:userid}"}}`, "", "", nil, nil, []string{"aws:userid"}},
		{`{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::1:user/${aws:username}","${*}:${?}${$}"]}}`, "ArnEquals", "aws:PrincipalArn",
			[]string{"arn:aws:iam::1:user/al*ice", "${*}:${?}${$}"}, []string{aliceID}, nil},
		{`{"StringEquals":{"a:b":["${aws:username}-${*}${?}${$}","${A:c}","${a:C, 'it'}","${aws:TagKeys}","${ }","${s3:prefix}","$${x","}{"]}}`, "StringEquals", "a:b",
			[]string{"al*ice-*?$", "${A:c}", "it", "${aws:TagKeys}", "${ }", "${s3:prefix}", "$${x", "}{"}, nil, []string{"a:b", "A:c"}},
		{`{"StringLike":{"a:b":"${*}${aws:username}*"}}`, "StringLike", "a:b", []string{"${*}al*ice*"}, nil, []string{"a:b"}},
		{`{"StringNotEqualsIgnoreCase":{"aws:username":"AL${*}ICE"}}`, "StringNotEqualsIgnoreCase", "aws:username", []string{"AL*ICE"}, []string{"al*ice"}, nil},
		{`{"Bool":{"s3:prefix":"${z:z}"}}`, "Bool", "s3:prefix", []string{"${z:z}"}, []string{""}, []string{"z:z"}},
		{`{"BinaryEquals":{"aws:username":"${n:n}"}}`, "BinaryEquals", "aws:username", []string{"${n:n}"}, []string{"al*ice"}, nil},
		{`{"IpAddress":{"aws:username":["::/0","10.0.0.0/8"]}}`, "IpAddress", "aws:username", []string{"::/0", "10.0.0.0/8"}, []string{"al*ice"}, nil},
		{`{"DateLessThan":{"n:n":"2020-01-01"},"StringEquals":{"n:n":["8","${y:y}"]}}`, "StringEquals", "n:n", []string{"8", "${y:y}"}, []string{"7"}, []string{"y:y"}},
	}
	for _, version := range []string{policy.Version2012, policy.Version2008} {
		for _, tt := range tests {
			text := `{"Version":"` + version + `","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":` + tt.condition + `}}`
			if version == policy.Version2008 && strings.Contains(text, "${") {
				continue
			}
			v := explainOne(t, text, policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: context})
			got := v.Condition
			if tt.operator == "" {
				if got != nil {
					t.Errorf("%s: %+v", tt.condition, got)
				}
			} else if got == nil || got.Operator != tt.operator || got.Key != tt.key || got.Cut ||
				!reflect.DeepEqual(got.Expected, tt.expected) || !reflect.DeepEqual(got.Seen, tt.seen) {
				t.Errorf("%s: %+v", tt.condition, got)
			}
			if !slices.Equal(v.Missing, tt.missing) {
				t.Errorf("%s: missing %q, want %q", tt.condition, v.Missing, tt.missing)
			}
		}
	}
	v := explainOne(t, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"${aws:username}${a:b}"}}}}`,
		policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: context})
	if got := v.Condition; !slices.Equal(got.Expected, []string{"${aws:username}${a:b}"}) || v.Missing != nil {
		t.Errorf("in a document without variables: %+v, missing %q", got, v.Missing)
	}
}

// The keys are listed once, as they are first spelled, in the order of the layers; of a statement those of its resources come first.
func TestExplainListsMissingKeys(t *testing.T) {
	t.Parallel()
	sets := policy.Sets{Caller: alice, Identity: policy.NewSet(load(t, statement(`[
		{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"other:action":"x"}}},
		{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::${b:b}/${here:now}","arn:aws:s3:::x/${*}${c:c, 'd'}${ }${a b}${}"],
			"Condition":{"StringEquals":{"A:A":["${d:d}","plain"],"here:now":"x","aws:ResourceTag/":"x"},"StringNotLike":{"a:a":"${B:B}"}}},
		{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${b:b}/*/${z:z}"},
		{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::x","Condition":{"ArnLike":{"e:e":["arn:aws:iam::1:user/${f:f}","arn:aws:${g:g}:*:*:*"]}}}]`)))}
	r := policy.Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: []policy.Entry{single("here:now", "x")},
		ResourcePolicy: loadKind(t, policy.Resource, statement(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"Bool":{"F:F":"true","here:now":"x","h:h":"x"}}}`)),
		PolicyContext:  []policy.Entry{single("h:h", "x")},
	}
	e := policy.Explain(&sets, &r)
	if want := []string{"b:b", "c:c", "A:A", "d:d", "z:z", "e:e", "f:f", "g:g", "here:now"}; !slices.Equal(e.Missing, want) {
		t.Errorf("missing %q, want %q", e.Missing, want)
	}
	for i, want := range [][]string{nil, {"b:b", "c:c", "A:A", "d:d"}, {"b:b", "z:z"}, {"e:e", "f:f", "g:g"}} {
		if got := e.Layers[0].Statements[i].Missing; !slices.Equal(got, want) {
			t.Errorf("statement %d: missing %q, want %q", i, got, want)
		}
	}
	if got := e.Layers[1].Statements[0].Missing; !slices.Equal(got, []string{"F:F", "here:now"}) {
		t.Errorf("the resource's policy: missing %q", got)
	}
}

// Many keys are told apart as few are.
func TestExplainListsManyMissingKeys(t *testing.T) {
	t.Parallel()
	one := load(t, statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k:k":"x"}}}`))
	if got := policy.Explain(&policy.Sets{Identity: policy.NewSet(one)}, &policy.Request{Action: "s3:Get", Resource: "*"}).Missing; !slices.Equal(got, []string{"k:k"}) {
		t.Errorf("one key: %q", got)
	}
	for _, n := range []int{15, 16, 17, 18, 300} {
		var members, want []string
		for i := range n {
			want = append(want, fmt.Sprintf("Key:K%d", i))
			members = append(members, fmt.Sprintf(`"Key:K%d":"x"`, i))
		}
		again := strings.ToLower(strings.Join(members, ","))
		s := fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{%s},"StringLike":{%s}}}`, strings.Join(members, ","), again)
		e := policy.Explain(&policy.Sets{Identity: policy.NewSet(load(t, statement(`[`+s+`,`+s+`]`)))}, &policy.Request{Action: "s3:Get", Resource: "*"})
		if !slices.Equal(e.Missing, want) || !slices.Equal(e.Layers[0].Statements[1].Missing, want) {
			t.Errorf("%d keys: %q", n, e.Missing)
		}
	}
}
