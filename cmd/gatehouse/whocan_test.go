package main

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// peopled is a server whose account has users and roles that can read a bucket, each in another way.
func peopled(t *testing.T) (*world, *serving) {
	t.Helper()
	w := newWorld(t, chosen...)
	s := w.start(t, "dev")
	root := as(t, s.url, rootKey, rootSecret)
	call := func(action string, in ...string) {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(in); i += 2 {
			form.Set(in[i], in[i+1])
		}
		if _, err := root.iam(t.Context(), action, form); err != nil {
			t.Fatal(err)
		}
	}
	const arn = "arn:aws:iam::" + account + ":"
	allow := func(action string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"*"}}`
	}
	trust := func(principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Sid":"Who","Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"` + condition + `}}`
	}
	for _, name := range []string{"alice", "bob", "carol", "dave", "eve"} {
		call("CreateUser", "UserName", name)
	}
	call("PutUserPolicy", "UserName", "alice", "PolicyName", "own", "PolicyDocument", allow("s3:GetObject"))
	call("CreateGroup", "GroupName", "readers")
	call("AddUserToGroup", "GroupName", "readers", "UserName", "bob")
	call("CreatePolicy", "PolicyName", "read", "PolicyDocument", allow("s3:Get*"))
	call("AttachGroupPolicy", "GroupName", "readers", "PolicyArn", arn+"policy/read")
	call("CreateRole", "RoleName", "Reader", "AssumeRolePolicyDocument", trust(account, ""))
	call("AttachRolePolicy", "RoleName", "Reader", "PolicyArn", arn+"policy/read")
	call("CreateRole", "RoleName", "Step", "AssumeRolePolicyDocument", trust(arn+"user/carol", ""))
	call("PutRolePolicy", "RoleName", "Step", "PolicyName", "go", "PolicyDocument", allow("sts:AssumeRole"))
	call("CreateRole", "RoleName", "Late", "AssumeRolePolicyDocument", trust(arn+"user/eve", `,"Condition":{"StringEquals":{"sts:ExternalId":"x"}}`))
	call("AttachRolePolicy", "RoleName", "Late", "PolicyArn", arn+"policy/read")
	w.environ = append(w.environ, "AWS_ACCESS_KEY_ID="+rootKey, "AWS_SECRET_ACCESS_KEY="+rootSecret)
	return w, s
}

// TestWhoCan: who can read a bucket, as text and as JSON.
func TestWhoCan(t *testing.T) {
	t.Parallel()
	w, s := peopled(t)
	bucket := []string{"who-can", "--endpoint", s.url, "--action", "s3:GetObject", "--resource", "arn:aws:s3:::data/x", "--owner"}
	shared := writeFile(t, filepath.Join(w.dir, "bucket.json"), `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"s3:*","Resource":"*"}}`)
	ask := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := w.do(t, args...)
		if code != exitOK || stderr != "" {
			t.Fatalf("%q: %d %s", args, code, stderr)
		}
		return stdout
	}
	golden(t, "who-can.txt", ask(append(bucket, account)...))
	golden(t, "who-can-context.txt", ask(append(bucket, account, "--context", "sts:ExternalId=x")...))
	golden(t, "who-can-foreign.txt", ask(append(bucket, "999999999999", "--resource-policy", shared)...))
	golden(t, "who-can-nobody.txt", ask("who-can", "--endpoint", s.url, "--action", "s3:GetObject", "--resource", "arn:aws:s3:::data/x", "--owner", "999999999999"))
	golden(t, "who-can-role.txt", ask("who-can", "--endpoint", s.url, "--action", "sts:AssumeRole", "--resource", "arn:aws:iam::"+account+":role/Reader"))
	golden(t, "who-can.json", ask(append(bucket, account, "--output", "json")...))
	golden(t, "who-can-exempt.txt", ask("who-can", "--endpoint", s.url, "--action", "sts:GetCallerIdentity", "--resource", "*"))
}

// TestWhoCanPagesOfServer: pages are put together.
func TestWhoCanPagesOfServer(t *testing.T) {
	t.Parallel()
	w, s := peopled(t)
	f := whoCanFlags{action: "s3:GetObject", resource: "arn:aws:s3:::data/x", owner: account, output: "json"}
	question, err := f.question()
	if err != nil {
		t.Fatal(err)
	}
	c := as(t, s.url, rootKey, rootSecret)
	whole, err := c.whoCan(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	question["MaxItems"] = 2
	paged, err := c.whoCan(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(whole)
	two, _ := json.Marshal(paged)
	if string(one) != string(two) || len(whole.Principals) != 7 {
		t.Errorf("in pages %s\nat once %s", two, one)
	}
	code, _, stderr := w.do(t, "who-can", "--endpoint", s.url, "--action", "s3:GetObjekt", "--resource", "*")
	if code != exitError || !strings.Contains(stderr, "WhoCan: The service s3 has no action GetObjekt. The nearest name is s3:GetObject.") {
		t.Errorf("an action that is none: %d %s", code, stderr)
	}
}

func TestWhoCanUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "who can do what? Give --action"},
		{[]string{"--action", "s3:GetObject"}, "Give --resource"},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--output", "xml"}, `--output: "xml" is neither table nor json`},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--resource-policy", "/none/here"}, "--resource-policy: open /none/here"},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--context", "x"}, "has not the form KEY=VALUE"},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--context", "aws:a=x", "--context", "aws:a=y"}, "aws:a is there twice"},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--resource-tag", "x"}, `"x" has not the form KEY=VALUE`},
		{[]string{"--action", "s3:GetObject", "--resource", "*", "--resource-tag", "x=1", "--resource-tag", "x=2"}, "or is there twice"},
		{[]string{"--action", "s3:GetObject", "--resource", "*"}, "an access key is missing"},
		{[]string{"s3:GetObject"}, "takes no arguments"},
	} {
		code, stdout, stderr := newWorld(t).do(t, append([]string{"who-can"}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%q: %d %s, want %s", c.args, code, stderr, c.want)
		}
	}
}

// TestWhoCanQuestion: what flags become.
func TestWhoCanQuestion(t *testing.T) {
	t.Parallel()
	f := whoCanFlags{
		action: "s3:GetObject", resource: "*", session: "me", output: "table", tags: []string{"a=", "b=c=d"},
		context: []string{"aws:SourceIp=192.0.2.1", "x:list=[a,b]", "x:none=[]"},
	}
	got, err := f.question()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if want := `{"Action":"s3:GetObject","Context":{"aws:SourceIp":"192.0.2.1","x:list":["a","b"],"x:none":[]},"MaxItems":1000,"Resource":"*","ResourceTags":{"a":"","b":"c=d"},"SessionName":"me"}`; err != nil || string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// TestWhoCanText: what stands in an answer now and then.
func TestWhoCanText(t *testing.T) {
	t.Parallel()
	var found holders
	if err := json.Unmarshal([]byte(`{"Principals":[{"Arn":"a","Steps":[{"Principal":"a","Action":"s3:GetObject","Resource":"*","Grants":[
		{"Layer":"identity","Policy":{"Arn":"p"},"Statement":{"Index":0}},{"Layer":"ACL"}]}]}],
		"Total":1,"Asked":2,"Partial":true,"MissingContextKeys":["k\u001b"],"MissingContextKeysTruncated":true}`), &found); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (&app{stdout: &out}).tellHolders(&found, "table"); err != nil {
		t.Fatal(err)
	}
	golden(t, "who-can-rare.txt", out.String())
}
