package robustness

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// noSpace is what a write answers that did not fit.
const noSpace = "503 ServiceUnavailable: The request was not carried out: the server has no space left to store it."

// disk is a place that gets full and gets space again.
type disk struct {
	t            *testing.T
	dir          string // for the data
	shrink, grow func()
	linger       time.Duration // how long the first full disk stays

	server *server
	there  map[string]bool // users that were acknowledged
	keys   map[string]credentials
}

// TestFullDisk fills the file system under a running server. It is a tmpfs in a mount namespace of its own, reached through the process
// that holds it.
func TestFullDisk(t *testing.T) {
	thorough(t)
	t.Parallel()
	mount := filepath.Join(t.TempDir(), "mount")
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"--mount"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	holder := exec.Command("unshare", append(args, "sh", "-c", `mount -t tmpfs -o size=6m tmpfs "$0" && echo mounted && cat >/dev/null`, mount)...)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said transcript
	holder.Stderr = &said
	if err := holder.Start(); err != nil {
		t.Skipf("SKIPPED, the server was not tested on a full file system (only with a file size limit): %v", err)
	}
	defer func() {
		in.Close() // ends the holder, and with it the file system
		_ = holder.Wait()
	}()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		t.Skipf("SKIPPED, the server was not tested on a full file system (only with a file size limit): a tmpfs cannot be mounted: %s", said.String())
	}
	inside := filepath.Join(fmt.Sprintf("/proc/%d/root", holder.Process.Pid), mount)
	filler := filepath.Join(inside, "filler")
	d := &disk{t: t, dir: filepath.Join(inside, "data"), linger: 32 * time.Second} // longer than the usage table waits for its writing
	d.shrink = func() {
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling the disk: %v", err)
		}
	}
	d.grow = func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	d.run()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestFileSizeLimit is TestFullDisk with a limit on the size of files, as ulimit -f sets it.
func TestFileSizeLimit(t *testing.T) {
	thorough(t)
	t.Parallel()
	d := &disk{t: t, dir: filepath.Join(t.TempDir(), "data")}
	limit := func(n uint64) {
		const resource = 1 // RLIMIT_FSIZE
		l := [2]uint64{n, ^uint64(0)}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(d.server.cmd.Process.Pid), resource, uintptr(unsafe.Pointer(&l)), 0, 0, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	d.shrink = func() {
		info, err := os.Stat(filepath.Join(d.dir, "gatehouse.db"))
		if err != nil {
			t.Fatal(err)
		}
		limit(uint64(info.Size()))
	}
	d.grow = func() { limit(^uint64(0)) }
	d.run()
}

func (d *disk) run() {
	t := d.t
	d.there, d.keys = map[string]bool{}, map[string]credentials{}
	d.server = start(t, d.dir, options{})
	c := newClient(d.server, root)
	for _, name := range []string{"reader", "stranger"} {
		c.must(t, nil, "CreateUser", "UserName", name)
		d.there[name] = true
		var out struct {
			ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
			Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
		}
		c.must(t, &out, "CreateAccessKey", "UserName", name)
		d.keys[name] = credentials{out.ID, out.Secret}
	}
	c.must(t, nil, "PutUserPolicy", "UserName", "reader", "PolicyName", "read", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}]}`)
	c.close()
	written, refused := 0, 0
	for round := range 3 {
		d.shrink()
		w, r := d.write(round)
		written, refused = written+w, refused+r
		d.readsGoOn(round)
		for end := time.Now().Add(d.linger); round == 0 && time.Now().Before(end) && !t.Failed(); time.Sleep(time.Second) {
			d.readsGoOn(round)
		}
		if round == 1 && d.linger > 0 { // a kill on the full disk; the limit of a process ends with it
			d.server.kill()
			d.server = start(t, d.dir, options{})
			d.readsGoOn(round)
		}
		d.grow()
		c := newClient(d.server, root)
		for i := range 20 {
			name := fmt.Sprintf("space-%d-%d", round, i)
			if err := c.ask(nil, "CreateUser", "UserName", name); err != nil {
				t.Fatalf("round %d: there is space again, but: %v\n%s", round, err, d.server.err.tail())
			}
			d.there[name] = true
		}
		c.close()
		d.readsGoOn(round)
	}
	// A stop on the full disk cannot write when keys were used; everything acknowledged is on the disk already.
	d.shrink()
	took, code, err := d.server.stop(12 * time.Second)
	if err != nil || d.server.panicked() || code != 0 && !strings.Contains(d.server.err.String(), "no space") {
		t.Errorf("a stop on the full disk: exit code %d after %s, %v\n%s", code, took, err, d.server.err.tail())
	}
	copied := filepath.Join(t.TempDir(), "copied")
	copyDir(t, copied, d.dir)
	d.server = start(t, copied, options{})
	d.readsGoOn(9)
	d.server.mustStop(t)
	t.Logf("%d calls acknowledged and %d refused on the full disk; a stop on it took %s, exit code %d", written, refused, took.Round(time.Millisecond), code)
}

// write lets 8 clients make users until the disk is full, and some more, and checks every refusal.
func (d *disk) write(round int) (written, refused int) {
	t := d.t
	t.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	gone := []string{}
	for i := range 8 {
		running.Go(func() {
			c := newClient(d.server, root)
			defer c.close()
			failures := 0
			for n := 0; failures < 10; n++ {
				name := fmt.Sprintf("full-%d-%d-%d", round, i, n)
				call := &intent{Op: "CreateUser", User: name, Tags: map[string]string{}}
				for k := range 20 {
					call.Tags[fmt.Sprintf("Tag%02d", k)] = strings.Repeat("x", 250)
				}
				a, err := c.iam(call.Op, call.parameters()...)
				mu.Lock()
				switch {
				case err != nil || n > 2000:
					t.Errorf("round %d: call %d: %v", round, n, err)
					failures = 10
				case a.code == "":
					d.there[name] = true
					written++
				case a.String() != noSpace || a.status != 503:
					t.Errorf("round %d: a write on the full disk was answered with %q, want %q", round, a, noSpace)
					failures = 10
				default:
					failures++
					refused++
					gone = append(gone, name)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	c := newClient(d.server, root)
	defer c.close()
	for _, name := range gone {
		if a, err := c.iam("GetUser", "UserName", name); err != nil || a.code != "NoSuchEntity" {
			t.Errorf("round %d: user %s was refused for want of space; GetUser: %s, %v", round, name, a, err)
		}
	}
	if t.Failed() {
		t.Fatalf("the server says:\n%s", d.server.err.tail())
	}
	return written, refused
}

// readsGoOn checks everything that does not write.
func (d *disk) readsGoOn(round int) {
	t := d.t
	t.Helper()
	c := newClient(d.server, d.keys["reader"])
	defer c.close()
	found := map[string]bool{}
	if err := c.pages("ListUsers", func(body []byte) error {
		var out struct {
			Names []string `xml:"ListUsersResult>Users>member>UserName"`
		}
		err := xml.Unmarshal(body, &out)
		for _, n := range out.Names {
			found[n] = true
		}
		return err
	}); err != nil {
		t.Fatalf("round %d: %v\n%s", round, err, d.server.err.tail())
	}
	for n := range d.there {
		if !found[n] {
			t.Errorf("round %d: user %s was acknowledged and is not there", round, n)
		}
	}
	if len(found) != len(d.there) {
		t.Errorf("round %d: %d users are there, %d were acknowledged", round, len(found), len(d.there))
	}
	c.must(t, nil, "GetUser", "UserName", "stranger")
	stranger := c.as(d.keys["stranger"])
	defer stranger.close()
	if a, err := stranger.iam("GetUser", "UserName", "reader"); err != nil || a.code != "AccessDenied" {
		t.Errorf("round %d: a user without a policy got %s, %v, want AccessDenied", round, a, err)
	}
	if who, err := stranger.caller(); err != nil || who != "arn:aws:iam::"+account+":user/stranger" {
		t.Errorf("round %d: GetCallerIdentity: %s, %v", round, who, err)
	}
	for _, page := range []string{"/healthz", "/readyz"} {
		if status, body, err := d.server.get(page); err != nil || status != 200 {
			t.Errorf("round %d: GET %s: %d %q, %v", round, page, status, body, err)
		}
	}
	if d.server.panicked() || t.Failed() {
		t.Fatalf("round %d: the server says:\n%s", round, d.server.err.tail())
	}
}
