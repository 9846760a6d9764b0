package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

// as gives a client of a server with a key.
func as(t *testing.T, endpoint, id, secret string) *client {
	t.Helper()
	c, err := newClient(endpoint, "", id, keyring.NewSecret(secret))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestInit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, chosen...)
	s := w.start(t, "dev")
	code, stdout, stderr := w.do(t, "init", "--admin", "alice", "--endpoint", s.url)
	if code != exitOK {
		t.Fatalf("init: %d %s", code, stderr)
	}
	id := regexp.MustCompile(`aws_access_key_id = (\w+)`).FindStringSubmatch(stdout)
	secret := regexp.MustCompile(`aws_secret_access_key = (\S+)`).FindStringSubmatch(stdout)
	if id == nil || secret == nil || !strings.Contains(stdout, "endpoint_url = "+s.url) || strings.Count(stdout, "aws --profile gatehouse ") != 3 {
		t.Fatalf("init prints %s", stdout)
	}
	alice := as(t, s.url, id[1], secret[1])
	if _, err := alice.iam(t.Context(), "CreateUser", url.Values{"UserName": {"app"}}); err != nil {
		t.Errorf("the administrator cannot work: %v", err)
	}

	code, stdout, stderr = w.do(t, "init", "--admin", "alice", "--endpoint", s.url)
	if code != exitError || !strings.Contains(stderr, "user alice exists already") || stdout != "" {
		t.Errorf("init of a user that exists: %d %s %s", code, stdout, stderr)
	}
	if _, err := alice.iam(t.Context(), "GetUser", nil); err != nil {
		t.Errorf("alice was changed: %v", err)
	}
	if code, _, stderr = w.do(t, "init", "--admin", "a b", "--endpoint", s.url); code != exitError || !strings.Contains(stderr, "ValidationError") {
		t.Errorf("init of a name that is none: %d %s", code, stderr)
	}
	wrong := newWorld(t, chosen[0], chosen[1], "GATEHOUSE_ROOT_SECRET_ACCESS_KEY=another-secret-of-the-root-user")
	if code, _, stderr = wrong.do(t, "init", "--admin", "bob", "--endpoint", s.url); code != exitError || !strings.Contains(stderr, "SignatureDoesNotMatch") {
		t.Errorf("init with a wrong secret: %d %s", code, stderr)
	}

	// Written to the files of the clients, which hold other things.
	config, credentials := filepath.Join(w.home, ".aws", "config"), filepath.Join(w.home, ".aws", "credentials")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, config, "[profile other]\nregion = eu-west-1")
	code, stdout, stderr = w.do(t, "init", "--admin", "bob", "--endpoint", s.url, "--write-profile", "gh")
	if code != exitOK || strings.Contains(stdout, "aws_secret") {
		t.Fatalf("init: %d %s %s", code, stdout, stderr)
	}
	text, _ := os.ReadFile(config)
	if want := "[profile other]\nregion = eu-west-1\n\n[profile gh]\nregion = us-east-1\nendpoint_url = " + s.url + "\n"; string(text) != want {
		t.Errorf("the config file is %q, want %q", text, want)
	}
	text, _ = os.ReadFile(credentials)
	id, secret = regexp.MustCompile(`\[gh\]\naws_access_key_id = (\w+)`).FindStringSubmatch(string(text)), regexp.MustCompile(`aws_secret_access_key = (\S+)`).FindStringSubmatch(string(text))
	if id == nil || secret == nil {
		t.Fatalf("the credentials file is %q", text)
	}
	if _, err := as(t, s.url, id[1], secret[1]).iam(t.Context(), "ListUsers", nil); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(credentials); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the credentials file has mode %v", info.Mode())
	}
	code, _, stderr = w.do(t, "init", "--admin", "carol", "--endpoint", s.url, "--write-profile", "gh")
	if code != exitError || !strings.Contains(stderr, "a profile gh already") {
		t.Errorf("init over a profile: %d %s", code, stderr)
	}
	if _, err := alice.iam(t.Context(), "GetUser", url.Values{"UserName": {"carol"}}); err == nil {
		t.Error("carol was made although her profile could not be written")
	}
	// What cannot be finished is undone: this user may have no policy.
	tight := newWorld(t, chosen...)
	s2 := tight.start(t, "dev", "--quota", "UserPolicySize=5")
	if code, _, stderr = tight.do(t, "init", "--admin", "dave", "--endpoint", s2.url); code != exitError || !strings.Contains(stderr, "LimitExceeded") {
		t.Errorf("init without room for a policy: %d %s", code, stderr)
	}
	if out, err := as(t, s2.url, rootKey, rootSecret).iam(t.Context(), "ListUsers", nil); err != nil || strings.Contains(string(out), "dave") {
		t.Errorf("dave is left behind: %s %v", out, err)
	}
}

// A whole life: first start with a bootstrap file, init from it, work on the stopped store, start again.
func TestServeAndAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data, bootstrap := filepath.Join(w.dir, "data"), filepath.Join(w.dir, "bootstrap.json")
	config := writeFile(t, filepath.Join(w.dir, "c.yaml"), "data-dir: "+data+"\n")
	s := w.start(t, "serve", "--config", config, "--bootstrap-file", bootstrap)
	var made struct {
		AccessKeyID     string `json:"access_key_id"`
		SecretAccessKey string `json:"secret_access_key"`
		Password        string `json:"password"`
	}
	read := func(file string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &made)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read(bootstrap)
	for _, secret := range []string{made.SecretAccessKey, made.Password} {
		if len(secret) < 20 || strings.Contains(s.out.String()+s.err.String(), secret) {
			t.Errorf("secret %q is short, or told on a standard stream", secret)
		}
	}
	if !strings.Contains(s.out.String(), "credentials are in "+bootstrap) {
		t.Errorf("the banner: %s", s.out)
	}
	if code, _, stderr := w.do(t, "init", "--admin", "alice", "--bootstrap-file", bootstrap, "--endpoint", s.url); code != exitOK {
		t.Fatalf("init: %s", stderr)
	}
	admin := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := w.do(t, append(append([]string{"admin"}, args...), "--config", config)...)
		if code != want {
			t.Fatalf("admin %v: code %d, want %d: %s", args, code, want, stderr)
		}
		return stdout + stderr
	}
	if out := admin(exitError, "rotate-keys"); !strings.Contains(out, "in use") {
		t.Errorf("admin beside a server: %s", out)
	}
	if code := s.stop(); code != exitOK {
		t.Fatalf("the server ended with %d: %s", code, s.err)
	}

	if out := admin(exitOK, "root-keys", "list"); !strings.Contains(out, made.AccessKeyID) || strings.Contains(out, made.SecretAccessKey) {
		t.Errorf("the list: %s", out)
	}
	if out := admin(exitUsage, "root-keys", "create"); !strings.Contains(out, "Nothing was changed") {
		t.Errorf("a key that cannot be told: %s", out)
	}
	first := made
	second := filepath.Join(w.dir, "second.json")
	admin(exitOK, "root-keys", "create", "--bootstrap-file", second)
	read(second)
	admin(exitError, "root-keys", "create", "--bootstrap-file", filepath.Join(w.dir, "third.json")) // two are the most
	admin(exitOK, "root-keys", "deactivate", first.AccessKeyID)
	admin(exitError, "root-keys", "delete", "AKIAIOSFODNN7EXAMPLE")
	admin(exitUsage, "reset-root-password")
	admin(exitError, "reset-root-password", "--bootstrap-file", second) // it is there
	admin(exitOK, "reset-root-password", "--bootstrap-file", filepath.Join(w.dir, "password.json"))
	w.environ = []string{"GATEHOUSE_ROOT_PASSWORD=a-chosen-password"}
	admin(exitOK, "reset-root-password")
	w.environ = nil
	w.terminal = true
	if out := admin(exitOK, "reset-root-password"); !regexp.MustCompile(`password  \S{24}\n`).MatchString(out) {
		t.Errorf("a password on a terminal: %s", out)
	}
	w.terminal = false
	admin(exitOK, "rotate-keys")
	admin(exitUsage, "rotate-master")
	newMaster := filepath.Join(w.dir, "new.key")
	admin(exitOK, "rotate-master", "--new-master-key-file", newMaster)
	if out := admin(exitError, "root-keys", "list"); !strings.Contains(out, "--master-key-file") {
		t.Errorf("with the master key before: %s", out)
	}

	w.environ = []string{"GATEHOUSE_MASTER_KEY_FILE=" + newMaster}
	s = w.start(t, "serve", "--config", config)
	if _, err := as(t, s.url, made.AccessKeyID, made.SecretAccessKey).iam(t.Context(), "GetUser", url.Values{"UserName": {"alice"}}); err != nil {
		t.Errorf("the second key: %v", err)
	}
	if _, err := as(t, s.url, first.AccessKeyID, first.SecretAccessKey).iam(t.Context(), "ListUsers", nil); err == nil {
		t.Error("the key that was switched off works")
	}
	if strings.Contains(s.out.String(), "credentials") {
		t.Errorf("a second start tells of credentials: %s", s.out)
	}
}
