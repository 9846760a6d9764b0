package clients

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// awsCLI gives two ways to call the aws CLI: for calls that must succeed, whose answer is returned, and for calls whose message must end so.
func awsCLI(t *testing.T) (ok func(env []string, args ...string) string, fails func(env []string, want string, args ...string)) {
	aws := func(env []string, args ...string) (string, string) {
		out, msg, _ := command(t, "", env, "aws", args...)
		return strings.TrimSpace(out), strings.TrimSpace(msg)
	}
	ok = func(env []string, args ...string) string {
		t.Helper()
		out, msg := aws(env, args...)
		if msg != "" {
			t.Fatalf("aws %s: %s", strings.Join(args, " "), msg)
		}
		return out
	}
	fails = func(env []string, want string, args ...string) {
		t.Helper()
		if _, msg := aws(env, args...); !strings.HasSuffix(msg, want) {
			t.Errorf("aws %s:\ngot  %s\nwant %s", strings.Join(args, " "), msg, want)
		}
	}
	return ok, fails
}

// TestCLI walks the README's tour with the aws CLI, and breaks it on purpose.
func TestCLI(t *testing.T) {
	t.Parallel()
	need(t, "aws", func() error { _, err := exec.LookPath("aws"); return err })
	s := start(t, "dev")
	rootEnv := s.environment(t, root)
	ok, fails := awsCLI(t)
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
	ok(rootEnv, "iam", "put-user-policy", "--user-name", "bob", "--policy-name", "no-more", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)
	fails(bob, "with an explicit deny in an identity-based policy", "iam", "get-user") // over plain HTTP
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

// TestCLISessions is the second tour of README: a role is assumed, used, and denied by its trust policy, its boundary and its session policy.
func TestCLISessions(t *testing.T) {
	t.Parallel()
	need(t, "aws", func() error { _, err := exec.LookPath("aws"); return err })
	s := start(t, "dev")
	rootEnv := s.environment(t, root)
	here := "arn:aws:iam::" + account + ":"
	ok, fails := awsCLI(t)
	ok(rootEnv, "iam", "create-user", "--user-name", "alice")
	key := strings.Fields(ok(rootEnv, "iam", "create-access-key", "--user-name", "alice", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"))
	alice := s.environment(t, keys{key[0], key[1]})
	ok(rootEnv, "iam", "create-policy", "--policy-name", "limit", "--policy-document",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}}`)
	ok(rootEnv, "iam", "create-role", "--role-name", "auditor", "--permissions-boundary", here+"policy/limit", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+here+`user/alice"},"Action":"sts:AssumeRole",
		  "Condition":{"StringEquals":{"sts:ExternalId":"42"}}}}`)
	ok(rootEnv, "iam", "attach-role-policy", "--role-name", "auditor", "--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess")
	assume := []string{"sts", "assume-role", "--role-arn", here + "role/auditor", "--role-session-name", "one"}
	fails(alice, "is not authorized to perform: sts:AssumeRole on resource: "+here+"role/auditor because no role trust policy allows the sts:AssumeRole action", assume...)
	session := func(more ...string) []string {
		t.Helper()
		args := append(append(slices.Clip(assume), "--external-id", "42", "--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]", "--output", "text"), more...)
		c := strings.Fields(ok(alice, args...))
		return append(s.environment(t, keys{c[0], c[1]}), "AWS_SESSION_TOKEN="+c[2])
	}
	me := "arn:aws:sts::" + account + ":assumed-role/auditor/one"
	auditor := session()
	if got := ok(auditor, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"); got != me {
		t.Errorf("the session is %s, want %s", got, me)
	}
	if got := ok(auditor, "iam", "list-roles", "--query", "Roles[].RoleName", "--output", "text"); got != "auditor" {
		t.Errorf("roles: %q", got)
	}
	denied := "User: " + me + " is not authorized to perform: "
	fails(auditor, denied+"iam:CreateUser on resource: "+here+"user/mallory because no permissions boundary allows the iam:CreateUser action",
		"iam", "create-user", "--user-name", "mallory")
	narrow := session("--policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`)
	if got := ok(narrow, "iam", "list-users", "--query", "Users[].UserName", "--output", "text"); got != "alice" {
		t.Errorf("users: %q", got)
	}
	fails(narrow, denied+"iam:ListRoles on resource: "+here+"role/ because no session policy allows the iam:ListRoles action", "iam", "list-roles")
	ok(rootEnv, "iam", "delete-role-permissions-boundary", "--role-name", "auditor")
	ok(auditor, "iam", "create-user", "--user-name", "carol") // with the session it has: nothing is frozen
}
