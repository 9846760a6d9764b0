package server

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
		t.Errorf("%s has mode %o, want %o", path, got, want)
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	secret := keyring.NewSecret("0123456789abcdef")
	tests := []struct {
		name string
		c    Config
		want string // "" = fine
	}{
		{name: "zero", c: Config{}},
		{name: "no port", c: Config{Listen: "127.0.0.1"}, want: "listen address"},
		{name: "localhost", c: Config{Listen: "localhost:0"}},
		{name: "IPv6 loopback", c: Config{Listen: "[::1]:0"}},
		{name: "all addresses", c: Config{Listen: ":8400"}, want: "--insecure-http"},
		{name: "another address", c: Config{Listen: "192.0.2.1:8400"}, want: "--insecure-http"},
		{name: "another address, plain", c: Config{Listen: "192.0.2.1:8400", InsecureHTTP: true}},
		{name: "another address, TLS", c: Config{Listen: "192.0.2.1:8400", TLSCert: "c", TLSKey: "k"}},
		{name: "half of TLS", c: Config{TLSCert: "c"}, want: "go together"},
		{name: "the other half", c: Config{TLSKey: "k"}, want: "go together"},
		{name: "two master keys", c: Config{MasterKey: secret, MasterKeyFile: "f"}, want: "choose one"},
		{name: "bootstrap file in the data directory", c: Config{DataDir: "d", BootstrapFile: "d/sub/../b"}, want: "in the data directory"},
		{name: "bootstrap file beside it", c: Config{DataDir: "d", BootstrapFile: "d/../b"}},
		{name: "a name that begins alike", c: Config{DataDir: "d", BootstrapFile: "dd/b"}},
		{name: "retention", c: Config{Retention: time.Minute}, want: "retention"},
		{name: "rotation", c: Config{RotateKeys: time.Hour}, want: "24h"},
		{name: "seed in production", c: Config{SeedFile: "s"}, want: "dev servers"},
		{name: "account id", c: Config{Bootstrap: Bootstrap{AccountID: "12345"}}, want: "12 digits"},
		{name: "e-mail", c: Config{Bootstrap: Bootstrap{RootEmail: "nobody"}}, want: "e-mail"},
		{name: "long e-mail", c: Config{Bootstrap: Bootstrap{RootEmail: strings.Repeat("a", 60) + "@b.example"}}, want: "e-mail"},
		{name: "account name", c: Config{Bootstrap: Bootstrap{AccountName: strings.Repeat("ä", 51)}}, want: "50 characters"},
		{name: "account name of 50", c: Config{Bootstrap: Bootstrap{AccountName: strings.Repeat("ä", 50)}}},
		{name: "account name of control characters", c: Config{Bootstrap: Bootstrap{AccountName: "a\nb"}}, want: "control"},
		{name: "key without secret", c: Config{Bootstrap: Bootstrap{RootAccessKeyID: nodeRootKey}}, want: "go together"},
		{name: "secret without key", c: Config{Bootstrap: Bootstrap{RootSecretAccessKey: secret}}, want: "go together"},
		{name: "key id", c: Config{Bootstrap: Bootstrap{RootAccessKeyID: "short", RootSecretAccessKey: secret}}, want: "16 to 128"},
		{name: "secret", c: Config{Bootstrap: Bootstrap{RootAccessKeyID: nodeRootKey, RootSecretAccessKey: keyring.NewSecret("short")}}, want: "16 to 128"},
		{name: "password", c: Config{Bootstrap: Bootstrap{RootPassword: keyring.NewSecret("short")}}, want: "8 to 128"},
		{name: "several", c: Config{TLSCert: "c", Retention: time.Minute}, want: "retention"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.c.Check()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "short") && tt.name == "secret" || strings.Contains(err.Error(), "abcdef")) {
				t.Errorf("the error quotes a secret: %v", err)
			}
		})
	}
}

// What stands in the way of a start says so, and is still there afterwards.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	serve := func(t *testing.T, dir string, change func(*Config)) error {
		t.Helper()
		cfg := nodeConfig()
		cfg.DataDir = filepath.Join(dir, "data")
		if change != nil {
			change(cfg)
		}
		s, err := Open(t.Context(), cfg, "v")
		if err == nil {
			err = s.Close()
		}
		return err
	}
	tests := []struct {
		name   string
		first  bool                               // on a store that is there
		before func(t *testing.T, dir string)     // what happened meanwhile
		change func(dir string) func(cfg *Config) // how it is started
		want   string
	}{
		{name: "again", first: true},
		{name: "another account", first: true, change: func(string) func(*Config) {
			return func(c *Config) { c.Bootstrap.AccountID = "444455556666" }
		}, want: "belongs to management account " + nodeAccount},
		{name: "another master key", first: true, change: func(string) func(*Config) {
			text, _ := keyring.NewMasterText()
			return func(c *Config) { c.MasterKey = text }
		}, want: "--master-key-file"},
		{name: "lost master key", first: true, before: func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "data", "master.key")); err != nil {
				t.Fatal(err)
			}
		}, want: "put the file back"},
		{name: "master key for everybody", first: true, before: func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Chmod(filepath.Join(dir, "data", "master.key"), 0o644); err != nil { // to see it refused
				t.Fatal(err)
			}
		}, want: "chmod 600"},
		{name: "damaged store", first: true, before: func(t *testing.T, dir string) {
			t.Helper()
			writeFile(t, filepath.Join(dir, "data", StoreFile), "this is no store")
		}, want: "restore the newest backup"},
		{name: "bootstrap file is there", before: func(t *testing.T, dir string) {
			t.Helper()
			writeFile(t, filepath.Join(dir, "b.json"), "mine")
		}, change: func(dir string) func(*Config) {
			return func(c *Config) { c.Bootstrap, c.BootstrapFile = Bootstrap{}, filepath.Join(dir, "b.json") }
		}, want: "never overwritten"},
		{name: "bootstrap file nowhere", change: func(dir string) func(*Config) {
			return func(c *Config) { c.Bootstrap, c.BootstrapFile = Bootstrap{}, filepath.Join(dir, "none", "b.json") }
		}, want: "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.first {
				if err := serve(t, dir, nil); err != nil {
					t.Fatal(err)
				}
			}
			if tt.before != nil {
				tt.before(t, dir)
			}
			var change func(*Config)
			if tt.change != nil {
				change = tt.change(dir)
			}
			err := serve(t, dir, change)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if !tt.first {
				if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
					t.Error("a data directory was made")
				}
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	r := startNode(t, nodeConfig())
	cfg := nodeConfig()
	cfg.Listen = strings.TrimPrefix(r.URL(), "http://")
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	if _, err := Open(t.Context(), cfg, "v"); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(cfg.DataDir); err == nil {
		t.Error("a data directory was made")
	}
}

// A store that two processes want, and one of a later version.
func TestStoreIsTaken(t *testing.T) {
	t.Parallel()
	cfg := nodeConfig()
	cfg.DataDir = t.TempDir()
	s, err := Open(t.Context(), cfg, "v")
	if err != nil {
		t.Fatal(err)
	}
	second := nodeConfig()
	second.DataDir = cfg.DataDir
	if _, err := Open(t.Context(), second, "v"); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on the store: %v", err)
	}
	third := nodeConfig()
	third.DataDir = cfg.DataDir
	if _, err := OpenStopped(t.Context(), third); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("admin on the store of a running server: %v", err)
	}
	c := s.api.cell.Load()
	_, items := c.engine.Snapshot(t.Context(), storage.FormatKey, 0)
	var head storage.Rev
	_, heads := c.engine.Snapshot(t.Context(), "cell/"+storage.HeadName, 0)
	for h := range heads {
		head = h.Rev
	}
	for range items {
		_, err = c.engine.Commit(t.Context(), storage.Batch{
			ID: commitID(), Time: time.Now().UTC().Truncate(time.Second), Units: []storage.Condition{{Unit: "cell", Head: head, Write: true}},
			Ops: []storage.Op{{Kind: storage.Put, Key: storage.FormatKey, Value: []byte("999")}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), second, "v"); err == nil || !strings.Contains(err.Error(), "run the version that wrote it") {
		t.Errorf("a store of level 999: %v", err)
	}
}

// A dev server that is started again with the bootstrap file of the time before has the same keys.
func TestDevTakesItsBootstrapFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "b.json")
	var first *Made
	for i := range 2 {
		s, err := Open(t.Context(), &Config{Listen: "127.0.0.1:0", Dev: true, BootstrapFile: file}, "v")
		if err != nil {
			t.Fatal(err)
		}
		m := s.Made()
		if i == 0 {
			first = m
		} else if m.AccountID != first.AccountID || m.RootAccessKeyID != first.RootAccessKeyID || !m.RootSecretAccessKey.Equal(first.RootSecretAccessKey) {
			t.Errorf("the second start made %s %s, the first %s %s", m.AccountID, m.RootAccessKeyID, first.AccountID, first.RootAccessKeyID)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, file, "something else")
	if _, err := Open(t.Context(), &Config{Listen: "127.0.0.1:0", Dev: true, BootstrapFile: file}, "v"); err == nil || !strings.Contains(err.Error(), "not written by Gatehouse") {
		t.Errorf("a file of another kind: %v", err)
	}
}
