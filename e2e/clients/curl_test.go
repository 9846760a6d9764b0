package clients

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

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
	s := start(t, "dev")
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
	curl(root, "iam", "/", "Action=PutUserPolicy&Version=2010-05-08&UserName=alice&PolicyName=bill&PolicyDocument="+url.QueryEscape(
		`{"Version":"2012-10-17","Statement":{"Sid":"Small","Effect":"Allow","Action":"billing:CreateInvoice","Resource":"*","Condition":{"NumericLessThan":{"billing:Amount":"100"}}}}`))
	const alice = `{"Principal":{"Arn":"arn:aws:iam::` + account + `:user/alice"},"Action":"billing:CreateInvoice","Resource":"*","Context":{"billing:Amount":"42"}}`
	const question = `{"Principal":{"Arn":"arn:aws:iam::` + account + `:root"},"Action":"billing:CreateInvoice","Resource":"arn:aws:billing:::invoice/42","ResourceAccount":"` + account + `"}`
	for _, c := range []struct{ question, want string }{
		{alice, `{"Decision":"Allow","Explicit":false,"Layer":"identity","Policy":{"Name":"bill","Owner":"arn:aws:iam::` + account + `:user/alice"},"Statement":{"Index":0,"Sid":"Small"}}`},
		{strings.Replace(alice, "42", "4200", 1), `{"Decision":"Deny","Explicit":false,"Layer":"identity","Message":"User: arn:aws:iam::` + account +
			`:user/alice is not authorized to perform: billing:CreateInvoice because no identity-based policy allows the billing:CreateInvoice action"}`},
		{question, `{"Decision":"Allow","Explicit":false,"Layer":"identity"}`},
		{strings.Replace(question, ":root", ":user/nobody", 1), `{"message":"The user arn:aws:iam::` + account + `:user/nobody cannot be found."}`},
		{strings.Replace(question, `"Arn":"arn:aws:iam::`+account+`:root"`, `"Anonymous":true`, 1), `{"Decision":"Deny","Explicit":false,"Layer":"resource","Message":` +
			`"User: anonymous is not authorized to perform: billing:CreateInvoice on resource: arn:aws:billing:::invoice/42 because no resource-based policy allows the billing:CreateInvoice action"}`},
	} {
		if got := ask(root, c.question); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.question, got, c.want)
		}
	}
	wrong := root
	wrong.secret += "x"
	if got := ask(wrong, question); !strings.Contains(got, "The request signature we calculated does not match the signature you provided.") {
		t.Errorf("with a wrong secret: %s", got)
	}
}
