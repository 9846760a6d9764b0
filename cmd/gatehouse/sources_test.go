package main

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// resolved runs the sources for a command line of serve.
func resolved(t *testing.T, w *world, args ...string) (*options, error) {
	t.Helper()
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	cmd := &cobra.Command{}
	addFlags(cmd, names...)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	o := &options{}
	return o, w.resolve(cmd, o, names)
}

// Flag before variable before file before default, for each form of setting.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	type source struct{ flag, env, file []string }
	tests := []struct {
		name   string
		source source
		get    func(*options) any
		flag   any // what each gives
		env    any
		file   any
		preset any
	}{
		{
			name:   "one value",
			source: source{[]string{"--listen", "127.0.0.1:1"}, []string{"GATEHOUSE_LISTEN=127.0.0.1:2"}, []string{"listen: 127.0.0.1:3"}},
			get:    func(o *options) any { return o.Listen },
			flag:   "127.0.0.1:1", env: "127.0.0.1:2", file: "127.0.0.1:3", preset: "",
		},
		{
			name:   "toggle",
			source: source{[]string{"--insecure-http=false"}, []string{"GATEHOUSE_INSECURE_HTTP=true"}, []string{"insecure-http: true"}},
			get:    func(o *options) any { return o.InsecureHTTP },
			flag:   false, env: true, file: true, preset: false,
		},
		{
			name: "list",
			source: source{
				[]string{"--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "fd00::/8,192.0.2.1"}, []string{"GATEHOUSE_TRUSTED_PROXIES=10.1.2.3/16, ::ffff:10.2.0.0/112"},
				[]string{"trusted-proxies:", "  - 10.3.0.0/16"},
			},
			get:  func(o *options) any { return o.TrustedProxies },
			flag: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("192.0.2.1/32")},
			env:  []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.0.0/16")},
			file: []netip.Prefix{netip.MustParsePrefix("10.3.0.0/16")}, preset: []netip.Prefix(nil),
		},
		{
			name: "quota",
			source: source{
				[]string{"--quota", "UsersPerAccount=1"}, []string{"GATEHOUSE_QUOTA=UsersPerAccount=2,AccessKeysPerUser=3"}, []string{"quota:", "  UsersPerAccount: 4"},
			},
			get:  func(o *options) any { return [2]int{o.Quotas.UsersPerAccount, o.Quotas.AccessKeysPerUser} },
			flag: [2]int{1, 2}, env: [2]int{2, 3}, file: [2]int{4, 2}, preset: [2]int{},
		},
		{
			name:   "duration",
			source: source{[]string{"--retention", "36h"}, []string{"GATEHOUSE_RETENTION=2d"}, []string{"retention: 90m"}},
			get:    func(o *options) any { return o.Retention },
			flag:   36 * time.Hour, env: 48 * time.Hour, file: 90 * time.Minute, preset: time.Duration(0),
		},
		{
			name:   "log level",
			source: source{[]string{"--log-level", "debug"}, []string{"GATEHOUSE_LOG_LEVEL=warn"}, []string{"log-level: error"}},
			get:    func(o *options) any { return o.logLevel },
			flag:   slog.LevelDebug, env: slog.LevelWarn, file: slog.LevelError, preset: slog.LevelInfo,
		},
		{
			name:   "without a flag",
			source: source{nil, []string{"GATEHOUSE_ACCOUNT_ID=111122223333"}, []string{`account-id: "000011112222"`}},
			get:    func(o *options) any { return o.Bootstrap.AccountID },
			env:    "111122223333", file: "000011112222", preset: "",
		},
		{
			name:   "secret",
			source: source{nil, []string{"GATEHOUSE_ROOT_PASSWORD=of the variable"}, []string{"root-password-file: FILE"}},
			get:    func(o *options) any { return o.Bootstrap.RootPassword.Reveal() },
			env:    "of the variable", file: "of the file", preset: "",
		},
		{
			name:   "secret by a file",
			source: source{nil, []string{"GATEHOUSE_ROOT_PASSWORD_FILE=FILE"}, nil},
			get:    func(o *options) any { return o.Bootstrap.RootPassword.Reveal() },
			env:    "of the file", preset: "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			secretFile := writeFile(t, filepath.Join(dir, "secret"), "of the file\r\n")
			config := ""
			if tt.source.file != nil {
				config = writeFile(t, filepath.Join(dir, "c.yaml"), strings.ReplaceAll(strings.Join(tt.source.file, "\n")+"\n", "FILE", secretFile))
			}
			for mask := range 8 {
				var args, env []string
				want := tt.preset
				if mask&4 != 0 && tt.source.file != nil {
					want = tt.file
					if mask&2 != 0 {
						args = append(args, "--config", config)
					} else {
						env = append(env, "GATEHOUSE_CONFIG="+config)
					}
				}
				if mask&2 != 0 {
					want = tt.env
					for _, e := range tt.source.env {
						env = append(env, strings.ReplaceAll(e, "FILE=FILE", "FILE="+secretFile))
					}
				}
				if mask&1 != 0 && tt.source.flag != nil {
					want = tt.flag
					args = append(args, tt.source.flag...)
				}
				o, err := resolved(t, newWorld(t, env...), args...)
				if err != nil {
					t.Fatalf("%v %v: %v", args, env, err)
				}
				if got := tt.get(o); !reflect.DeepEqual(got, want) {
					t.Errorf("%v %v: got %v, want %v", args, env, got, want)
				}
			}
		})
	}
}

func TestConfigurationFile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comments", "# nothing\n", ""},
		{"settings of other commands", "endpoint: https://x\nseed: s.json\n", ""},
		{"number", "account-id: 111122223333\n", ""},
		{"unknown", "listen: a:1\nlisten-on: b\n", "c.yaml:2: listen-on: there is no such setting"},
		{"two unknown", "a: 1\nb: 2\n", "c.yaml:2: b"},
		{"twice", "listen: a:1\nlisten: b:1\n", "twice"},
		{"secret", "root-password: abc\n", "c.yaml:1: root-password: secrets do not stand"},
		{"master key", "master-key: abc\n", "name a file with master-key-file"},
		{"no mapping", "- listen\n", "c.yaml:1: settings are expected"},
		{"no YAML", "listen: [\n", "line"},
		{"two documents", "listen: a:1\n---\nlisten: b:1\n", "more than one document"},
		{"list for one", "listen: [a, b]\n", "one value is expected"},
		{"mapping for a list", "trusted-proxies: {a: b}\n", "a list is expected"},
		{"nothing", "listen:\n", "one value is expected"},
		{"list in a list", "quota:\n  - [a]\n", "line 2: a plain value"},
		{"value", "log-level: loud\n", `c.yaml:1: log-level: "loud"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := resolved(t, w, "--config", writeFile(t, filepath.Join(w.dir, "c.yaml"), tt.text))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("listen: a\nquota: {a: 1}\ntrusted-proxies: [a, b]\n")
	f.Add("? [a]\n: b\n")
	f.Add("a: &x [*x]\n<<: {listen: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parseConfig("c.yaml", []byte(text))
		for key, e := range file {
			if err == nil && (settingNamed(key) == nil && !strings.HasSuffix(key, "-file") || e.place == "") {
				t.Errorf("%q is taken", key)
			}
		}
	})
}
