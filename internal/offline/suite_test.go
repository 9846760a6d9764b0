package offline

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// inMemory are files by name.
func inMemory(files map[string]string) Files {
	return func(name string, most int64) (string, error) {
		text, ok := files[name]
		if !ok {
			return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		if int64(len(text)) > most {
			return "", errors.New(name + " is too large")
		}
		return text, nil
	}
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

const aCase = "- name: a\n  action: s3:ListAllMyBuckets\n  resource: '*'\n  expect: allow\n"

// What a suite says for all cases holds in a case that does not say otherwise, and a case's own word goes before it, layer by layer and key by key.
func TestSuiteInheritance(t *testing.T) {
	t.Parallel()
	suite, err := ReadSuite("dir/suite.yaml", `
name: inherit
caller: arn:aws:iam::111111111111:user/alice
owner: 111111111111
acl: [AllUsers]
policies:
  identity: [one.json, /two.json, {file: three.json, name: third}]
  boundary: {document: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "*", Resource: "*", Condition: {Bool: {"aws:SecureTransport": true}}}]}}
  scp: [FullAWSAccess, [FullAWSAccess, deny.json]]
  endpoint: endpoint.json
  gateway: true
context: {"aws:SourceIp": 10.0.0.1, "aws:TagKeys": [a, b], "aws:username": null}
cases:
- {name: plain, action: "s3:GetObject", resource: r, expect: deny}
- name: own
  caller: {who: "arn:aws:iam::222222222222:role/app as job", id: AROAX, canonical-id: cc}
  owner: 000000000012
  acl: []
  policies: {identity: [], scp: [], endpoint: other.json}
  context: {"AWS:sourceip": null, "s3:prefix": x}
  action: s3:GetObject
  resource: r
  expect: explicit-deny
  reason: scp 1
  statement: p#Sid
`)
	if err != nil {
		t.Fatal(err)
	}
	plain, own := suite.Cases[0], suite.Cases[1]
	if got := plain.Policies.Identity; len(got) != 3 || got[0].File != "dir/one.json" || got[0].Name != "one.json" || got[1].File != "/two.json" || got[2].File != "dir/three.json" || got[2].Name != "third" {
		t.Errorf("identity: %+v", got)
	}
	if got := plain.Policies.Boundary.Text; strings.ReplaceAll(got, "\n", "") != `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}}]}` {
		t.Errorf("boundary: %s", got)
	}
	if got := plain.Policies.SCP; len(got) != 2 || got[0][0].File != "FullAWSAccess" || got[1][1].File != "dir/deny.json" {
		t.Errorf("scp: %+v", got)
	}
	if plain.Caller != "arn:aws:iam::111111111111:user/alice" || plain.Owner != "111111111111" || plain.Grantees[0] != policy.AllUsers || !plain.Policies.Gateway {
		t.Errorf("plain: %+v", plain)
	}
	if len(plain.Context) != 3 || !plain.Context[1].Multi || len(plain.Context[1].Values) != 2 || plain.Context[2].Values != nil {
		t.Errorf("context: %+v", plain.Context)
	}
	if own.CallerID != "AROAX" || own.Canonical != "cc" || own.Owner != "000000000012" || len(own.Grantees) != 0 || len(own.Policies.Identity) != 0 || len(own.Policies.SCP) != 0 {
		t.Errorf("own: %+v", own)
	}
	if own.Policies.Gateway || own.Policies.Endpoint.File != "dir/other.json" || own.Policies.Boundary == nil {
		t.Errorf("own policies: %+v", own.Policies)
	}
	if len(own.Context) != 4 || own.Context[2].Name != "AWS:sourceip" || own.Context[2].Values != nil {
		t.Errorf("own context: %+v", own.Context)
	}
	if *own.Expect != (Expect{"explicit-deny", "scp 1", "p#Sid"}) || own.Place != "dir/suite.yaml:15" {
		t.Errorf("expect: %+v at %s", own.Expect, own.Place)
	}
}

func TestSuiteFaults(t *testing.T) {
	t.Parallel()
	one := func(members string) string {
		return "cases:\n- name: a\n  action: s3:GetObject\n  resource: r\n  expect: deny\n" + members
	}
	tests := []struct{ text, want string }{
		{"", "suite.yaml is empty"},
		{"# nothing\n", "suite.yaml is empty"},
		{"cases: [", "suite.yaml: line 1: did not find expected node content"},
		{"- a\n", "suite.yaml:1: members are expected, as name: value, not a list"},
		{"name: x\n", "suite.yaml:1: member cases is missing"},
		{"cases: []\n", "suite.yaml:1: there is no case"},
		{"cases: {}\n", "suite.yaml:1: a list of cases is expected, not a mapping"},
		{"cases:\n- a\n", `suite.yaml:2: members are expected, as name: value, not "a"`},
		{one("") + "---\nname: b\n", "suite.yaml: it holds more than one YAML document"},
		{one("  expects: deny\n"), `suite.yaml:6: there is no member "expects" here`},
		{one("  name: b\n"), "suite.yaml:6: member name stands there twice"},
		{one("") + "- name: a\n  action: x\n  resource: r\n  expect: deny\n", `suite.yaml:6: case "a" is also at line 2`},
		{"cases:\n- name: a\n  action: s3:GetObject\n  resource: r\n", "suite.yaml:2: member expect is missing"},
		{"cases:\n- action: s3:GetObject\n  resource: r\n  expect: deny\n", "suite.yaml:2: member name is missing"},
		{"cases:\n- name: ''\n", "suite.yaml:2: the text is empty"},
		{"cases:\n- name: [a]\n", "suite.yaml:2: a text is expected, not a list"},
		{"cases:\n- name: ~\n", "suite.yaml:2: a text is expected, not nothing"},
		{strings.Replace(one(""), "expect: deny", "expect: no", 1), `suite.yaml:2: expect: "no" is none of allow, deny`},
		{one("  reason: because\n"), `suite.yaml:2: reason: "because" is no reason`},
		{one("  reason: identity 1\n"), "suite.yaml:2: reason: \"identity 1\": a level"},
		{one("  reason: scp root\n"), "suite.yaml:2: reason: \"scp root\": a level"},
		{one("  statement: read\n"), `suite.yaml:2: statement "read" has not the form POLICY#INDEX`},
		{one("  owner: 1\n"), `suite.yaml:6: owner "1" is not the id of an account`},
		{one("  caller: alice\n"), `suite.yaml:6: caller "alice" is not a principal`},
		{one("  caller: {id: x}\n"), "suite.yaml:6: member who is missing"},
		{one("  caller: arn:aws:iam::111111111111:user/alice as job\n"), `only the ARN of a role goes with "as"`},
		{one("  exempt: maybe\n"), `suite.yaml:6: true or false is expected, not "maybe"`},
		{one("  context: [a]\n"), "suite.yaml:6: context keys are expected, as key: value, not a list"},
		{one("  context: {a: b, a: c}\n"), `suite.yaml:6: context key "a" stands there twice`},
		{one("  context: {a: {b: c}}\n"), "suite.yaml:6: a list of values is expected, not a mapping"},
		{one("  policies: x.json\n"), `suite.yaml:6: members are expected, as name: value, not "x.json"`},
		{one("  policies: {scp: x.json}\n"), `suite.yaml:6: a list of levels, the organization's root first is expected, not "x.json"`},
		{one("  policies: {identity: {name: x}}\n"), "suite.yaml:6: a policy has exactly one of file, text and document"},
		{one("  policies: {identity: {file: x, text: y}}\n"), "suite.yaml:6: a policy has exactly one of"},
		{one("  policies: {identity: {document: {Statement: ~}}}\n"), "suite.yaml:6: a value is expected, not nothing"},
		{one("  policies: {identities: x}\n"), `suite.yaml:6: there is no member "identities" here`},
	}
	for _, tt := range tests {
		if _, err := ReadSuite("suite.yaml", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

// Bad input that shows only when policies are read.
func TestAskFaults(t *testing.T) {
	t.Parallel()
	files := inMemory(map[string]string{
		"all.json": allowAll, "broken.json": "{\n  \"Statement\": [],\n}", "sid.json": `{"Version":"2012-10-17","Statement":{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}}`,
	})
	tests := []struct{ members, want string }{
		{"policies: {identity: none.json}", `s.yaml:2: case "a": open none.json: file does not exist`},
		{"policies: {identity: broken.json}", `s.yaml:2: case "a": broken.json:3:1: as a policy of the kind identity: Syntax errors in policy`},
		{"policies: {identity: sid.json}", "sid.json:1:37: as a policy of the kind identity: Statement IDs (SID) must be alpha-numeric"},
		{"policies: {identity: {name: x, text: '{'}}", "policy x (line 6 of the suite), as a policy of the kind identity: Syntax errors in policy"},
		{"policies: {resource: all.json}", "who asks? Policies with principals need a caller"},
		{"principal: arn:aws:iam::111111111111:user/alice", "a principal needs the dump of its account"},
		{"principal: arn:aws:iam::111111111111:user/alice\n  caller: anonymous", "a principal of the dump and a caller"},
		{"policies: {scp: [" + strings.TrimSuffix(strings.Repeat("all.json,", MaxLevels+1), ",") + "]}", "more than 16 levels"},
	}
	for _, tt := range tests {
		s, err := ReadSuite("s.yaml", "cases:\n"+aCase+"  "+tt.members+"\n")
		if err != nil {
			t.Fatal(err)
		}
		a := &Asker{Files: files}
		if err := a.Prepare(s.Cases); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.members, err, tt.want)
		}
	}
	s, err := ReadSuite("s.yaml", "unchecked: true\npolicies: {identity: sid.json}\ncases:\n"+aCase)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Asker{Files: files, Unchecked: s.Unchecked}).Prepare(s.Cases); err != nil {
		t.Errorf("unchecked: %v", err)
	}
}

// Every level of resource control policies has the policy that nobody can detach.
func TestFullRCP(t *testing.T) {
	t.Parallel()
	files := inMemory(map[string]string{
		"all.json":  allowAll,
		"deny.json": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}}`,
	})
	q := &Question{
		Caller: "arn:aws:iam::111111111111:user/alice", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		Policies: Policies{Identity: []PolicyRef{{File: "all.json"}}, RCP: [][]PolicyRef{{{File: "deny.json"}}}},
	}
	for unchecked, want := range map[bool]string{false: "identity", true: "rcp 0"} {
		answer, err := (&Asker{Files: files, Unchecked: unchecked}).Ask(q)
		if err != nil || reasonOf(&answer.Decision) != want {
			t.Errorf("unchecked %t: %v %v, want %s", unchecked, answer, err, want)
		}
	}
}

// The proposed changes are put into the policies, and what was denied is allowed.
func TestChangesAllow(t *testing.T) {
	t.Parallel()
	q := &Question{
		Caller: "arn:aws:iam::111111111111:user/alice", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		Policies: Policies{Identity: []PolicyRef{{Text: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}`, Name: "a"}}},
	}
	a := &Asker{}
	answer, err := a.Ask(q)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	r, err := NewReporter("json", &b)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Begin(""), r.Answer(answer), r.Close()); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Results []struct {
			Decision string
			Changes  []struct{ Add json.RawMessage }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &report); err != nil || len(report.Results) != 1 || report.Results[0].Decision != "Deny" || len(report.Results[0].Changes) != 1 {
		t.Fatalf("%v: %s", err, b.String())
	}
	q.Policies.Identity = append(q.Policies.Identity, PolicyRef{Name: "b", Text: `{"Version":"2012-10-17","Statement":` + string(report.Results[0].Changes[0].Add) + `}`})
	if answer, err = a.Ask(q); err != nil || answer.Decision.Effect != policy.Allow {
		t.Errorf("after the change: %v %v", answer.Decision, err)
	}
}

// What comes from files does not steer a terminal.
func TestTerminal(t *testing.T) {
	t.Parallel()
	s, err := ReadSuite("s.yaml", "name: \"n\\e[2J\"\ncases:\n- {name: \"x\\u202e\\r\", action: \"a\\e[2J:b\", resource: r, expect: allow}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"table", "junit"} {
		var b bytes.Buffer
		r, err := NewReporter(form, &b)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&Asker{}).Ask(s.Cases[0])
		if err := errors.Join(err, r.Begin(s.Name), r.Answer(answer), r.Close()); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\r\u202e") {
			t.Errorf("%s: %q", form, b.String())
		}
	}
}

func FuzzReadSuite(f *testing.F) {
	f.Add("name: x\ncaller: anonymous\npolicies: {identity: a.json, scp: [[b, {text: '{}'}]]}\ncontext: {a: [b], c: ~}\ncases:\n" + aCase)
	f.Add("cases: [{name: a, action: b, resource: c, expect: deny, reason: scp 1, statement: none}]")
	f.Add("cases: [{name: a, checks: [{action: 's3:GetObject', resource: [a, b], policies: {resource: a, rcp: []}, expect: deny}, {action: 'x:Y', resource: '*'}], per-item: true, expect: deny}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSuite("s.yaml", text)
		if err == nil && len(s.Cases) == 0 {
			t.Error("a suite without cases")
		}
		if err != nil {
			return
		}
		a := &Asker{Files: inMemory(map[string]string{"a.json": allowAll})}
		if a.Prepare(s.Cases) == nil {
			for _, q := range s.Cases {
				if _, err := a.Ask(q); err != nil {
					t.Errorf("prepared, and then: %v", err)
				}
			}
		}
	})
}
