package server

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func devConfig(t testing.TB, seed string) *Config {
	t.Helper()
	cfg := nodeConfig()
	cfg.Dev = true
	if seed != "" {
		cfg.SeedFile = filepath.Join(t.TempDir(), "seed.json")
		writeFile(t, cfg.SeedFile, seed)
	}
	return cfg
}

const smallSeed = `{
  "account_alias": "acme",
  "users": [
    {"name": "alice", "path": "/staff/", "tags": {"team": "blue", "Level": "3"},
     "access_keys": [{"id": "SEEDKEYOFALICE00001", "secret": "secret-of-alice-0123456789", "status": "Active"},
                     {"id": "SEEDKEYOFALICE00002", "secret": "secret-of-alice-9876543210", "status": "Inactive"}],
     "policies": {"read": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}},
                  "text": "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"iam:ListAccessKeys\",\"Resource\":\"*\"}}"}},
    {"name": "bob"}
  ]
}`

var aliceSeeded = keyPair{"SEEDKEYOFALICE00001", "secret-of-alice-0123456789"}

// contents are all records that decide anything, with what they hold.
func contents(t *testing.T, c *cell) map[string]string {
	t.Helper()
	_, items := c.engine.Snapshot(t.Context(), "", 0)
	all := map[string]string{}
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(item.Key, "usage/") && !strings.HasPrefix(item.Key, state.CellUnit+"/node/") && !strings.HasSuffix(item.Key, "!head") {
			all[item.Key] = string(item.Value)
		}
	}
	return all
}

func reset(t testing.TB, r *node) {
	t.Helper()
	resp, err := http.Post(r.URL()+"/_dev/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("reset: %s: %s", resp.Status, text)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	for _, seed := range []string{"", smallSeed} {
		r := startNode(t, devConfig(t, seed))
		first := contents(t, r.api.cell.Load())
		for range 3 {
			r.iam(t, rootPair, "CreateUser", "UserName", "carol")
			r.iam(t, rootPair, "PutUserPolicy", "UserName", "carol", "PolicyName", "all", "PolicyDocument",
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
			carol := r.newKey(t, "carol")
			r.iam(t, carol, "CreateUser", "UserName", "dave")
			ofRoot := r.newKeyOfCaller(t, rootPair)
			reset(t, r)
			r.refused(t, carol, "InvalidClientTokenId", "ListUsers")
			r.refused(t, ofRoot, "InvalidClientTokenId", "ListUsers")
			r.refused(t, rootPair, "NoSuchEntity", "GetUser", "UserName", "carol")
			if now := contents(t, r.api.cell.Load()); !maps.Equal(now, first) {
				t.Errorf("the store is not as after the start:\n%q\n%q", now, first)
			}
			if seed != "" {
				r.iam(t, aliceSeeded, "ListUsers")
			}
		}
	}
}

// newKeyOfCaller makes the caller one more access key.
func (r *node) newKeyOfCaller(t *testing.T, k keyPair) keyPair {
	t.Helper()
	out := r.iam(t, k, "CreateAccessKey")
	return keyPair{between(out, "<AccessKeyId>", "</AccessKeyId>"), between(out, "<SecretAccessKey>", "</SecretAccessKey>")}
}

// Calls that are under way during a reset succeed, on the store before or the one after.
func TestResetUnderLoad(t *testing.T) {
	t.Parallel()
	r := startNode(t, devConfig(t, smallSeed))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := nodeCall(http.DefaultClient, r.URL(), aliceSeeded, "iam", "ListUsers"); err != nil {
					t.Errorf("a read during a reset: %v", err)
					return
				}
				if _, err := nodeCall(http.DefaultClient, r.URL(), rootPair, "iam", "CreateUser", "UserName", fmt.Sprintf("u%d-%d", i, n)); err != nil {
					t.Errorf("a write during a reset: %v", err)
					return
				}
			}
		})
	}
	for range 20 {
		reset(t, r)
	}
	close(stop)
	wg.Wait()
}

// manyUsers is a seed of 1,000 users, each with an access key and a policy, and the last one's key.
func manyUsers() (seed string, last keyPair) {
	var b strings.Builder
	b.WriteString(`{"users": [`)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		last = keyPair{fmt.Sprintf("SEEDKEY%013d", i), fmt.Sprintf("secret-%033d", i)}
		fmt.Fprintf(&b, `{"name":"user%04d","access_keys":[{"id":%q,"secret":%q}],
			"policies":{"p":{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}}}`, i, last.id, last.secret)
	}
	b.WriteString(`]}`)
	return b.String(), last
}

func TestResetToManyUsers(t *testing.T) {
	t.Parallel()
	seed, last := manyUsers()
	r := startNode(t, devConfig(t, seed))
	reset(t, r)
	r.iam(t, last, "ListUsers")
}

// BenchmarkReset is meant to take 50 ms at most.
func BenchmarkReset(b *testing.B) {
	seed, _ := manyUsers()
	r := startNode(b, devConfig(b, seed))
	for b.Loop() {
		reset(b, r)
	}
}

func TestResetWhoMay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, peer string
		header     [2]string
		remote     bool
		want       int
	}{
		{"this machine", "127.0.0.1:99", [2]string{}, false, 200},
		{"this machine, IPv6", "[::1]:99", [2]string{}, false, 200},
		{"this machine, IPv4 in IPv6", "[::ffff:127.0.0.1]:99", [2]string{}, false, 200},
		{"another machine", "192.0.2.7:99", [2]string{}, false, 403},
		{"another machine, allowed", "192.0.2.7:99", [2]string{}, true, 200},
		{"a web page", "127.0.0.1:99", [2]string{"Origin", "http://127.0.0.1:8400"}, true, 403},
		{"a web page without origin", "127.0.0.1:99", [2]string{"Sec-Fetch-Site", "cross-site"}, false, 403},
		{"nobody knows where", "pipe", [2]string{}, false, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := devConfig(t, "")
			cfg.RemoteReset = tt.remote
			r := startNode(t, cfg)
			before := r.api.cell.Load()
			req := plainRequest(t, "/_dev/reset")
			req.Method, req.RemoteAddr = http.MethodPost, tt.peer
			if tt.header[0] != "" {
				req.Header.Set(tt.header[0], tt.header[1])
			}
			w := newRecorder()
			r.handler().ServeHTTP(w, req)
			if w.Code != tt.want || (r.api.cell.Load() != before) != (tt.want == 200) {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
	t.Run("not in production", func(t *testing.T) {
		r := startNode(t, nodeConfig())
		resp, err := http.Post(r.URL()+"/_dev/reset", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("a server that is no dev server answers %s", resp.Status)
		}
	})
}

func TestSeed(t *testing.T) {
	t.Parallel()
	r := startNode(t, devConfig(t, smallSeed))
	if out := r.iam(t, rootPair, "ListAccountAliases"); !strings.Contains(out, "<member>acme</member>") {
		t.Errorf("the alias: %s", out)
	}
	out := r.iam(t, rootPair, "GetUser", "UserName", "alice")
	for _, want := range []string{"<Path>/staff/</Path>", "<Key>team</Key>", "<Value>blue</Value>", "<Key>Level</Key>"} {
		if !strings.Contains(out, want) {
			t.Errorf("alice has no %s: %s", want, out)
		}
	}
	r.iam(t, aliceSeeded, "ListUsers")
	r.refused(t, aliceSeeded, "AccessDenied", "CreateUser", "UserName", "eve")
	r.refused(t, aliceSeeded, "AccessDenied", "ListAccessKeys", "UserName", "alice") // the policy that was given as text
	r.refused(t, keyPair{"SEEDKEYOFALICE00002", "secret-of-alice-9876543210"}, "InvalidClientTokenId", "ListUsers")
}

func TestSeedErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, seed, want string }{
		{"no JSON", "{\n\"users\": nope}", "line 2"},
		{"not an object", `[]`, "the seed: an object is expected"},
		{"behind the end", `{} {}`, "after top-level value"},
		{"unknown at the top", `{"user": []}`, `the seed: member "user" is not known`},
		{"unknown in a user", `{"users": [{"name": "a"}, {"name": "b", "keys": []}]}`, `users[1]: member "keys" is not known`},
		{"unknown in a key", `{"users": [{"name": "a", "access_keys": [{"ID": "x"}]}]}`, `users[0].access_keys[0]: member "ID" is not known`},
		{"twice", `{"users": [{"name": "a", "name": "b"}]}`, `users[0]: "name" stands there twice`},
		{"wrong type", `{"users": [{"name": 7}]}`, `users[0].name: a string is expected`},
		{"null", `{"account_alias": null}`, `account_alias: a string is expected`},
		{"no name", `{"users": [{}]}`, `users[0]: a user needs a name`},
		{"tag", `{"users": [{"name": "a", "tags": {"x": 1}}]}`, `users[0].tags.x: a string is expected`},
		{"short secret", `{"users": [{"name": "a", "access_keys": [{"id": "AAAAAAAAAAAAAAAA", "secret": "short"}]}]}`, `users[0].access_keys[0]: a secret access key has 16 to 128`},
		{"bad id", `{"users": [{"name": "a", "access_keys": [{"id": "A-A", "secret": "0123456789abcdef"}]}]}`, `users[0].access_keys[0]: access key id "A-A"`},
		{"bad status", `{"users": [{"name": "a", "access_keys": [{"id": "AAAAAAAAAAAAAAAA", "secret": "0123456789abcdef", "status": "on"}]}]}`, `"on" is neither`},
		{"bad user name", `{"users": [{"name": "a b"}]}`, `users[0] "a b": `},
		{"user twice", `{"users": [{"name": "a"}, {"name": "A"}]}`, `users[1] "A": `},
		{"bad policy", `{"users": [{"name": "a", "policies": {"p": {"Statement": {"Effect": "Perhaps"}}}}]}`, `users[0] "a": policies.p: `},
		{"policy of no form", `{"users": [{"name": "a", "policies": {"p": 7}}]}`, `users[0] "a": policies.p: `},
		{"key twice", `{"users": [{"name": "a", "access_keys": [{"id": "AAAAAAAAAAAAAAAA", "secret": "0123456789abcdef"}]},
			{"name": "b", "access_keys": [{"id": "AAAAAAAAAAAAAAAA", "secret": "0123456789abcdef"}]}]}`, `users[1] "b": access_keys[0] AAAAAAAAAAAAAAAA: an access key with that id exists`},
		{"the root key", `{"users": [{"name": "a", "access_keys": [{"id": "` + nodeRootKey + `", "secret": "0123456789abcdef"}]}]}`, `exists already`},
		{"too many keys", `{"users": [{"name": "a", "access_keys": [{"id": "AAAAAAAAAAAAAAA1", "secret": "0123456789abcdef"},
			{"id": "AAAAAAAAAAAAAAA2", "secret": "0123456789abcdef"}, {"id": "AAAAAAAAAAAAAAA3", "secret": "0123456789abcdef"}]}]}`, `access_keys[2] AAAAAAAAAAAAAAA3: a user has at most 2`},
		{"bad alias", `{"account_alias": "A!"}`, `account_alias: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), devConfig(t, tt.seed), "v")
			if err == nil {
				s.Close()
				t.Fatalf("the seed is taken, want an error with %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "seed") {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzSeed(f *testing.F) {
	f.Add(smallSeed)
	f.Add(`{"users":[{"name":"a","policies":{"":""}}]}`)
	f.Add(`{"users":[null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSeed([]byte(text))
		if (s == nil) != (err != nil) {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// The first start on a terminal, in a file, chosen by the configuration, or not at all.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	chosen := nodeBootstrap()
	withPassword := chosen
	withPassword.RootPassword = keyring.NewSecret("a-chosen-password")
	tests := []struct {
		name                    string
		show, file              bool
		b                       Bootstrap
		refused                 bool
		keyMade, password, told bool // told: written to the file
	}{
		{name: "terminal", show: true, keyMade: true, password: true},
		{name: "terminal and file", show: true, file: true, keyMade: true, password: true},
		{name: "file", file: true, keyMade: true, password: true, told: true},
		{name: "nowhere", refused: true},
		{name: "key chosen, nowhere", b: chosen},
		{name: "key chosen, terminal", show: true, b: chosen, password: true},
		{name: "key chosen, file", file: true, b: chosen, password: true, told: true},
		{name: "all chosen", b: withPassword, password: true},
		{name: "all chosen, file", file: true, b: withPassword, password: true},
	}
	for _, tt := range tests {
		for _, dev := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dev %v", tt.name, dev), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				cfg := &Config{Listen: "127.0.0.1:0", Bootstrap: tt.b, Show: tt.show, Dev: dev}
				if !dev {
					cfg.DataDir = filepath.Join(dir, "data")
				}
				if tt.file {
					cfg.BootstrapFile = filepath.Join(dir, "bootstrap.json")
				}
				s, err := Open(t.Context(), cfg, "v")
				if tt.refused {
					if !errors.Is(err, ErrNowhereToTell) {
						t.Errorf("got %v, want a refusal", err)
					}
					if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
						t.Errorf("it left %v behind", left)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				m := s.Made()
				if m.KeyGenerated != tt.keyMade || (m.RootPassword.Len() > 0) != tt.password {
					t.Errorf("key made up: %v, password: %v, want %v, %v", m.KeyGenerated, m.RootPassword.Len() > 0, tt.keyMade, tt.password)
				}
				if (s.api.cell.Load().store.View().Account(m.AccountID).Record().RootPassword != "") != tt.password {
					t.Error("the password is not in the store, or should not be")
				}
				b, err := ReadBootstrapFile(filepath.Join(dir, "bootstrap.json"))
				if (err == nil) != tt.told {
					t.Fatalf("the file: %v, want it: %v", err, tt.told)
				}
				if tt.told && (!b.RootSecretAccessKey.Equal(m.RootSecretAccessKey) || !b.RootPassword.Equal(m.RootPassword) || b.AccountID != m.AccountID) {
					t.Error("the file holds something else than what was made")
				}
				if tt.told {
					checkMode(t, cfg.BootstrapFile, 0o600)
				}
			})
		}
	}
}

// TestServingAnEndedCell: a reset may retire a cell while Serve is about to start what serves it. Nothing is started then, and nothing fails.
func TestServingAnEndedCell(t *testing.T) {
	t.Parallel()
	for range 50 {
		var a activity
		a.begin()
		var begun sync.WaitGroup
		begun.Go(func() { a.run(func() { <-a.ctx.Done() }) })
		begun.Go(a.end)
		begun.Wait()
		a.run(func() { t.Error("something was started after the end") })
		a.end()
	}
}
