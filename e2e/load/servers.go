package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const (
	rootKey    = "ROOTKEYEXAMPLE000001"
	rootSecret = "root/secret/for/tests/only/0000000000000"
	account    = "111122223333"
)

var root = credentials{rootKey, rootSecret}

// process is a server under load.
type process struct {
	addr  string
	cmd   *exec.Cmd
	ready time.Duration // from its start to its first answer to /readyz
	log   bytes.Buffer
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	return l.Addr().String()
}

// launch starts a server and waits until it answers.
func launch(binary string, args ...string) *process {
	p := &process{addr: freeAddr()}
	p.cmd = exec.Command(binary, append(args, "--listen", p.addr)...)
	p.cmd.Env = append(os.Environ(), "GATEHOUSE_ACCOUNT_ID="+account, "GATEHOUSE_ROOT_ACCESS_KEY_ID="+rootKey,
		"GATEHOUSE_ROOT_SECRET_ACCESS_KEY="+rootSecret, "GATEHOUSE_ROOT_PASSWORD=root-password-for-tests")
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	begin := time.Now()
	check(p.cmd.Start())
	for {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			fmt.Fprintf(c, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			answer, _ := io.ReadAll(c)
			c.Close()
			if bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
				p.ready = time.Since(begin)
				return p
			}
		}
		if time.Since(begin) > 60*time.Second {
			panic(fmt.Sprintf("%v was not ready within 60 s: %s", args, p.log.String()))
		}
		time.Sleep(500 * time.Microsecond)
	}
}

func (p *process) stop() {
	check(p.cmd.Process.Signal(syscall.SIGTERM))
	_ = p.cmd.Wait()
}

// cpu is the processor time that the process has used, user and system.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	check(err)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		check(err)
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// resident is the process's resident memory in bytes.
func (p *process) resident() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	check(err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			check(err)
			return n << 10
		}
	}
	panic("no VmRSS")
}

// metric reads a gauge from the server's /metrics.
func (p *process) metric(name string) float64 {
	r, err := http.Get("http://" + p.addr + "/metrics")
	check(err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	check(err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			check(err)
			return v
		}
	}
	panic("no metric " + name)
}

// fixed is what the echo answers: a GetUser response of usual size.
var fixed = []byte(`<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <GetUserResult>
    <User>
      <Path>/</Path>
      <UserName>reader</UserName>
      <UserId>AIDARTSPTPDJ2LMNOPQRS</UserId>
      <Arn>arn:aws:iam::111122223333:user/reader</Arn>
      <CreateDate>2026-01-01T00:00:00Z</CreateDate>
    </User>
  </GetUserResult>
  <ResponseMetadata>
    <RequestId>7a62c49f-347e-4fc4-9331-6e8e3b1c1e6c</RequestId>
  </ResponseMetadata>
</GetUserResponse>
`)

// echo is the bare server: it parses the form and answers fixed XML; with verify set it checks the signature too.
func echo(addr string, verify bool) {
	expect := &sigv4.Expect{AnyRegion: true, Service: "iam"}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if verify {
			body, err := io.ReadAll(r.Body)
			check(err)
			claim, err := sigv4.Parse(r)
			check(err)
			check(claim.CheckScope(expect, time.Now()))
			key := sigv4.DeriveKey(rootSecret, claim.Scope)
			check(claim.Verify(r, body, &key, expect))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		if err := r.ParseForm(); err != nil || r.Form.Get("Action") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Content-Length", strconv.Itoa(len(fixed)))
		_, _ = w.Write(fixed)
	})
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	check(http.ListenAndServe(addr, mux))
}
