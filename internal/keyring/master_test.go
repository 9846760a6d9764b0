package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestLoadOrCreateMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	if _, err := LoadMaster(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("LoadMaster of nothing: %v", err)
	}
	m, created, err := LoadOrCreateMaster(path)
	if err != nil || !created {
		t.Fatalf("first start: created %v, %v", created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	content, _ := os.ReadFile(path)
	again, created, err := LoadOrCreateMaster(path)
	if err != nil || created || again.ID() != m.ID() {
		t.Errorf("second start: id %s created %v, %v; want %s", again.ID(), created, err, m.ID())
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(content, now) {
		t.Error("the file was written to again")
	}
	// What one wrapped the other opens.
	wrapped, err := m.Wrap(t.Context(), []byte("keyset"), []byte("ad"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(t.Context(), wrapped, []byte("ad")); err != nil || string(got) != "keyset" {
		t.Errorf("unwrap: %q, %v", got, err)
	}
	_, err = again.Unwrap(t.Context(), wrapped, []byte("other"))
	wantErr(t, "unwrap with other associated data", err, ErrOpen)

	parsed, err := ParseMaster(NewSecret(string(content)))
	if err != nil || parsed.ID() != m.ID() {
		t.Errorf("the file's text as a secret from elsewhere: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, _, err := LoadOrCreateMaster(filepath.Join(dir, "missing", "master.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

func TestMasterFileIsRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := t.TempDir()
	text, err := NewMasterText()
	if err != nil {
		t.Fatal(err)
	}
	good := text.Reveal()
	for _, tc := range []struct {
		name    string
		mode    fs.FileMode
		content string
		want    error
		says    string
	}{
		{"owner only", 0o600, good, nil, ""},
		{"read only", 0o400, good, nil, ""},
		{"group reads", 0o640, good, ErrUnsafeFile, "chmod 600 "},
		{"world reads", 0o604, good, ErrUnsafeFile, "chmod 600 "},
		{"group writes", 0o620, good, ErrUnsafeFile, "chmod 600 "},
		{"world", 0o666, good, ErrUnsafeFile, "mode 0666"},
		{"empty", 0o600, "", ErrFormat, "it holds no key"},
		{"comments only", 0o600, "# x\n\n", ErrFormat, "it holds no key"},
		{"cut off", 0o600, good[:len(good)-10], ErrFormat, ""},
		{"huge", 0o600, strings.Repeat("A", 1<<20), ErrLimit, "the limit is 4096"},
	} {
		path := filepath.Join(dir, tc.name)
		if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tc.mode); err != nil {
			t.Fatal(err)
		}
		_, created, err := LoadOrCreateMaster(path)
		if tc.want == nil && err == nil {
			continue
		}
		wantErr(t, tc.name, err, tc.want)
		if created || !strings.Contains(fmt.Sprint(err), tc.says) || !strings.Contains(fmt.Sprint(err), path) {
			t.Errorf("%s: created %v, error %v must say %q and name the file", tc.name, created, err, tc.says)
		}
		if now, _ := os.ReadFile(path); string(now) != tc.content {
			t.Errorf("%s: the file was changed", tc.name)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err = LoadOrCreateMaster(filepath.Join(dir, "d"))
	wantErr(t, "a directory", err, ErrUnsafeFile)
	if err := os.Symlink(filepath.Join(dir, "owner only"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, _, err = LoadOrCreateMaster(filepath.Join(dir, "link")); err != nil {
		t.Errorf("a link to a good file: %v", err)
	}
	if os.Geteuid() == 0 {
		path := filepath.Join(dir, "owner only")
		if err := os.Chown(path, 4711, -1); err != nil {
			t.Fatal(err)
		}
		_, err := LoadMaster(path)
		wantErr(t, "another user's file", err, ErrUnsafeFile)
	}
}

func TestConcurrentStartsShareOneMaster(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids, makers := map[string]int{}, 0
	for range 16 {
		wg.Go(func() {
			m, created, err := LoadOrCreateMaster(path)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[m.ID()]++
			if created {
				makers++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || makers != 1 {
		t.Errorf("ids %v, made by %d processes; want one of each", ids, makers)
	}
}

func TestParseMaster(t *testing.T) {
	t.Parallel()
	text, err := NewMasterText()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.Reveal()), "\n")
	line := lines[len(lines)-1]
	tag, id, key := strings.Split(line, ":")[0], strings.Split(line, ":")[1], strings.Split(line, ":")[2]
	swapped := []byte(key)
	swapped[3], swapped[4] = swapped[4]+1, swapped[3]
	for _, tc := range []struct {
		name, text string
		want       error
	}{
		{"whole", text.Reveal(), nil},
		{"one line", line, nil},
		{"spaces and Windows line ends", "# c\r\n  " + line + " \r\n", nil},
		{"bare base64", key + "\n", nil},
		{"line end inside", key[:20] + "\r" + key[20:], ErrFormat},
		{"two keys", line + "\n" + line, ErrFormat},
		{"other tag", "gatehouse-master-2:" + id + ":" + key, ErrFormat},
		{"no key", tag + ":" + id, ErrFormat},
		{"empty id", tag + "::" + key, ErrFormat},
		{"other id", tag + ":0011223344556677:" + key, ErrFormat},
		{"a character changed", tag + ":" + id + ":" + string(swapped), ErrFormat},
		{"short key", "AAAA", ErrFormat},
		{"all zero", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ErrFormat},
		{"hex", strings.Repeat("ab", 32), ErrFormat},
		{"password", "correct horse battery staple", ErrFormat},
	} {
		m, err := ParseMaster(NewSecret(tc.text))
		if tc.want == nil {
			if err != nil || m.ID() != id {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		wantErr(t, tc.name, err, tc.want)
		if m != nil {
			t.Errorf("%s: a master beside the error", tc.name)
		}
		for _, part := range []string{key, key[:12], "horse", "abab"} {
			if strings.Contains(fmt.Sprint(err), part) {
				t.Errorf("%s: the error quotes the secret: %v", tc.name, err)
			}
		}
	}
	for _, n := range []int{0, 16, 31, 33} {
		m, err := MasterFromBytes(bytes.Repeat([]byte{1, 2}, 32)[:n])
		wantErr(t, fmt.Sprint(n, " bytes"), err, ErrFormat)
		if m != nil {
			t.Error("a master beside the error")
		}
	}
}
