package clients

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ofDenials are what is different in each denial.
var ofDenials = regexp.MustCompile(`,"DecisionId":"[0-9a-f-]{36}","EncodedAuthorizationMessage":"[\w-]+"`)

// TestCurl walks the README's tour of authorize with curl, which signs by itself, and breaks it on purpose.
func TestCurl(t *testing.T) {
	t.Parallel()
	need(t, "curl", func() error { // curl signs from version 7.75 on
		out, err := exec.Command("curl", "--help", "all").Output()
		if err == nil && !strings.Contains(string(out), "--aws-sigv4") {
			return exec.ErrNotFound
		}
		return err
	})
	services := filepath.Join(t.TempDir(), "shop.json")
	if err := os.WriteFile(services, []byte(`{"services": [{"prefix": "shop", "name": "Shop", "resourceTypes": [{"name": "invoice", "arn": "arn:${Partition}:shop:::invoice/${Number}"}],
		"actions": [{"name": "CreateInvoice", "level": "Write", "resources": [{"type": "invoice"}]}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "dev", "--catalog", services)
	env := s.environment(t, root)
	curl := func(k keys, service, path, body string) string {
		t.Helper()
		out, msg, err := command(t, "", env, "curl", "-sS", s.url+path, "--aws-sigv4", "aws:amz:us-east-1:"+service,
			"--user", k.id+":"+k.secret, "--data", body)
		if err != nil {
			t.Fatalf("curl: %v\n%s", err, msg)
		}
		return strings.TrimSpace(out)
	}
	ask := func(k keys, body string) string {
		t.Helper()
		return curl(k, "gatehouse", "/gatehouse/v1/authorize", body)
	}
	curl(root, "iam", "/", "Action=CreateUser&Version=2010-05-08&UserName=alice")
	curl(root, "iam", "/", "Action=PutUserPolicy&Version=2010-05-08&UserName=alice&PolicyName=shop&PolicyDocument="+url.QueryEscape(
		`{"Version":"2012-10-17","Statement":{"Sid":"Small","Effect":"Allow","Action":"shop:CreateInvoice","Resource":"*","Condition":{"NumericLessThan":{"shop:Amount":"100"}}}}`))
	const alice = `{"Principal":{"Arn":"arn:aws:iam::` + account + `:user/alice"},"Action":"shop:CreateInvoice","Resource":"*","Context":{"shop:Amount":"42"}}`
	const question = `{"Principal":{"Arn":"arn:aws:iam::` + account + `:root"},"Action":"shop:CreateInvoice","Resource":"arn:aws:shop:::invoice/42","ResourceAccount":"` + account + `"}`
	for _, c := range []struct{ question, want string }{
		{alice, `{"Decision":"Allow","Explicit":false,"Layer":"identity","Policy":{"Name":"shop","Owner":"arn:aws:iam::` + account + `:user/alice"},"Statement":{"Index":0,"Sid":"Small"}}`},
		{strings.Replace(alice, "42", "4200", 1), `{"Decision":"Deny","Explicit":false,"Layer":"identity","Message":"User: arn:aws:iam::` + account +
			`:user/alice is not authorized to perform: shop:CreateInvoice because no identity-based policy allows the shop:CreateInvoice action"}`},
		{question, `{"Decision":"Allow","Explicit":false,"Layer":"identity"}`},
		{strings.Replace(question, ":root", ":user/nobody", 1), `{"message":"The user arn:aws:iam::` + account + `:user/nobody cannot be found."}`},
		{strings.Replace(question, `"Arn":"arn:aws:iam::`+account+`:root"`, `"Anonymous":true`, 1), `{"Decision":"Deny","Explicit":false,"Layer":"resource","Message":` +
			`"User: anonymous is not authorized to perform: shop:CreateInvoice on resource: arn:aws:shop:::invoice/42 because no resource-based policy allows the shop:CreateInvoice action"}`},
		{strings.Replace(alice, "CreateInvoice", "CreateInvoce", 1), `{"Decision":"Deny","Explicit":false,"Layer":"identity","Message":"User: arn:aws:iam::` + account +
			`:user/alice is not authorized to perform: shop:CreateInvoce because no identity-based policy allows the shop:CreateInvoce action","Catalog":{"Verdict":"UnknownAction"}}`},
	} {
		if got := ofDenials.ReplaceAllString(ask(root, c.question), ""); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.question, got, c.want)
		}
	}
	wrong := root
	wrong.secret += "x"
	if got := ask(wrong, question); !strings.Contains(got, "The request signature we calculated does not match the signature you provided.") {
		t.Errorf("with a wrong secret: %s", got)
	}
}
