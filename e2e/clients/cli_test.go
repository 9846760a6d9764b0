package clients

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestCLI walks the README's tour with the aws CLI, and breaks it on purpose.
func TestCLI(t *testing.T) {
	t.Parallel()
	need(t, "aws", func() error { _, err := exec.LookPath("aws"); return err })
	s := start(t, "dev")
	rootEnv := s.environment(t, root)
	aws := func(env []string, args ...string) (string, string) {
		t.Helper()
		out, msg, _ := command(t, "", env, "aws", args...)
		return strings.TrimSpace(out), strings.TrimSpace(msg)
	}
	ok := func(env []string, args ...string) string {
		t.Helper()
		out, msg := aws(env, args...)
		if msg != "" {
			t.Fatalf("aws %s: %s", strings.Join(args, " "), msg)
		}
		return out
	}
	fails := func(env []string, want string, args ...string) {
		t.Helper()
		if _, msg := aws(env, args...); !strings.HasSuffix(msg, want) {
			t.Errorf("aws %s:\ngot  %s\nwant %s", strings.Join(args, " "), msg, want)
		}
	}
	ok(rootEnv, "iam", "create-user", "--user-name", "bob")
	var made struct {
		AccessKey struct{ AccessKeyId, SecretAccessKey string }
	}
	if err := json.Unmarshal([]byte(ok(rootEnv, "iam", "create-access-key", "--user-name", "bob")), &made); err != nil {
		t.Fatal(err)
	}
	bob := s.environment(t, keys{made.AccessKey.AccessKeyId, made.AccessKey.SecretAccessKey})
	arn := "arn:aws:iam::" + account + ":user/bob"
	if got := ok(bob, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"); got != arn {
		t.Errorf("bob is %s, want %s", got, arn)
	}
	denied := "An error occurred (AccessDenied) when calling the CreateUser operation: User: " + arn +
		" is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::" + account + ":user/carol "
	fails(bob, denied+"because no identity-based policy allows the iam:CreateUser action", "iam", "create-user", "--user-name", "carol")
	ok(rootEnv, "iam", "put-user-policy", "--user-name", "bob", "--policy-name", "admin", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`)
	ok(bob, "iam", "create-user", "--user-name", "carol")
	ok(rootEnv, "iam", "put-user-policy", "--user-name", "bob", "--policy-name", "no-more", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}`)
	fails(bob, strings.Replace(denied, "carol", "dave", 1)+"with an explicit deny in an identity-based policy", "iam", "create-user", "--user-name", "dave")
	fails(rootEnv, "This version of Gatehouse does not evaluate Condition (Bool on the key aws:SecureTransport), which statement 1 of the policy has.", "iam", "put-user-policy", "--user-name", "bob", "--policy-name", "later", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)
	ok(rootEnv, "iam", "update-access-key", "--user-name", "bob", "--access-key-id", made.AccessKey.AccessKeyId, "--status", "Inactive")
	fails(bob, "The security token included in the request is invalid.", "sts", "get-caller-identity")
	if got := ok(rootEnv, "iam", "list-users", "--query", "Users[].UserName", "--output", "text"); got != "bob\tcarol" {
		t.Errorf("users: %q", got)
	}
	ok(rootEnv, "iam", "create-account-alias", "--account-alias", "tour")
	if got := ok(rootEnv, "iam", "list-account-aliases", "--query", "AccountAliases[0]", "--output", "text"); got != "tour" {
		t.Errorf("alias: %q", got)
	}
	if got := ok(rootEnv, "iam", "get-account-summary", "--query", "SummaryMap.Users", "--output", "text"); got != "2" {
		t.Errorf("the summary counts %s users", got)
	}
}
