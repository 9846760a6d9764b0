package robustness

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHostileConnections holds connections open in all the ways that cost a server, while others want to be served.
func TestHostileConnections(t *testing.T) {
	thorough(t)
	t.Parallel()
	s := start(t, filepath.Join(workDir(t), "data"), options{})
	c := newClient(s, root)
	c.must(t, nil, "CreateUser", "UserName", "somebody")
	c.close()
	files, resident := s.files(t), s.status(t, "VmRSS")

	var stop atomic.Bool
	var served atomic.Int64
	var slowest atomic.Int64
	var others sync.WaitGroup
	for i := range 4 { // the others
		others.Go(func() {
			c := newClient(s, root)
			defer c.close()
			for n := 0; !stop.Load(); n++ {
				begin := time.Now()
				var err error
				if n%10 == 0 {
					err = c.ask(nil, "CreateUser", "UserName", fmt.Sprintf("made-%d-%d", i, n))
				} else {
					err = c.ask(nil, "GetUser", "UserName", "somebody")
				}
				if err != nil {
					t.Errorf("another client was not served: %v", err)
					return
				}
				for took := int64(time.Since(begin)); ; {
					old := slowest.Load()
					if took <= old || slowest.CompareAndSwap(old, took) {
						break
					}
				}
				served.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}

	var attackers sync.WaitGroup
	cutAfter := func(what string, lower, upper time.Duration, conn net.Conn, begin time.Time) {
		// What the server says before it cuts is its own affair; that it cuts is not.
		conn.SetReadDeadline(begin.Add(upper))
		if _, err := io.Copy(io.Discard, conn); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection was not cut within %s", what, upper)
		} else if took := time.Since(begin); took < lower {
			t.Errorf("%s: the connection was cut after %s, before its time of %s", what, took, lower)
		}
	}
	dial := func() net.Conn {
		conn, err := net.DialTimeout("tcp", s.addr, 10*time.Second)
		if err != nil {
			t.Errorf("a connection was refused: %v", err)
			return nil
		}
		return conn
	}
	for range 200 { // headers, a byte a second
		attackers.Go(func() {
			conn := dial()
			if conn == nil {
				return
			}
			defer conn.Close()
			begin := time.Now()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for _, b := range []byte("POST / HTTP/1.1\r\nHost: gatehouse\r\nX-Long: " + strings.Repeat("x", 100)) {
					if _, err := conn.Write([]byte{b}); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
			cutAfter("a header of a byte a second", 8*time.Second, 16*time.Second, conn, begin)
			conn.Close()
			<-done
		})
	}
	const body = 4 << 20
	for i := range 100 { // bodies that do not go on; some announce as much as is allowed
		attackers.Go(func() {
			conn := dial()
			if conn == nil {
				return
			}
			defer conn.Close()
			begin := time.Now()
			length := []int{100, body}[i%2]
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: gatehouse\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\nAction=", length)
			cutAfter("half a body", 0, 45*time.Second, conn, begin)
		})
	}
	for range 20 { // bodies without an end
		attackers.Go(func() {
			conn := dial()
			if conn == nil {
				return
			}
			defer conn.Close()
			begin := time.Now()
			conn.SetWriteDeadline(begin.Add(40 * time.Second))
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: gatehouse\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n")
			chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("a", 64<<10))
			sent := 0
			for {
				n, err := conn.Write([]byte(chunk))
				if sent += n; err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error("a body without an end was not cut within 40 s")
					}
					break
				}
			}
			if sent > 16*body {
				t.Errorf("a body without an end was taken to %d bytes", sent)
			}
		})
	}
	for range 4 { // connections that come and go, in all stages
		attackers.Go(func() {
			for n := range 250 {
				conn := dial()
				if conn == nil {
					return
				}
				whole := "POST / HTTP/1.1\r\nHost: gatehouse\r\nContent-Length: 40\r\n\r\nAction=GetUser&Version=2010-05-08&UserNa="
				io.WriteString(conn, whole[:n%len(whole)])
				if n%2 == 0 {
					conn.(*net.TCPConn).SetLinger(0) // a reset
				}
				conn.Close()
			}
		})
	}
	attackers.Go(func() { // a header that is too large, and one that never ends its line
		conn := dial()
		if conn == nil {
			return
		}
		defer conn.Close()
		begin := time.Now()
		go io.Copy(conn, io.LimitReader(repeat("GET / HTTP/1.1\r\nX: "), 8<<20))
		cutAfter("a header of 8 MiB", 0, 20*time.Second, conn, begin)
	})
	var most int64
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for !stop.Load() {
			most = max(most, s.status(t, "VmRSS"))
			time.Sleep(50 * time.Millisecond)
		}
	}()
	attackers.Wait()
	stop.Store(true)
	others.Wait()
	<-watched
	if t.Failed() {
		t.Logf("the server says:\n%s", s.err.tail())
	}
	// 20 bodies of 4 MiB and 50 that stopped, 200 connections and their buffers; the rest is the collector's slack.
	if limit := resident + 200<<20; most > limit {
		t.Errorf("the server grew from %d to %d MiB, want at most %d", resident>>20, most>>20, limit>>20)
	}
	if took := time.Duration(slowest.Load()); took > 5*time.Second || served.Load() < 1000 {
		t.Errorf("other clients were served %d times, the slowest answer took %s", served.Load(), took)
	}
	if s.panicked() {
		t.Errorf("the server panicked:\n%s", s.err.tail())
	}
	left := s.files(t)
	for deadline := time.Now().Add(5 * time.Second); left > files+5 && time.Now().Before(deadline); left = s.files(t) {
		time.Sleep(50 * time.Millisecond)
	}
	if left > files+5 {
		t.Errorf("%d files are open after the attack, before it %d were", left, files)
	}
	t.Logf("%d calls of other clients were served, the slowest in %s; resident memory went from %d to %d MiB at most", served.Load(),
		time.Duration(slowest.Load()).Round(time.Millisecond), resident>>20, most>>20)
	s.mustStop(t)
}

// repeat reads the text, and then x without an end.
func repeat(text string) io.Reader { return io.MultiReader(strings.NewReader(text), exes{}) }

type exes struct{}

func (exes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestHeldBodies sends nearly whole bodies without credentials and holds them there until they are cut. The server keeps at most about twice
// what it was sent. It sets no limit to the sum over all connections.
func TestHeldBodies(t *testing.T) {
	thorough(t)
	t.Parallel()
	s := start(t, filepath.Join(workDir(t), "data"), options{})
	resident := s.status(t, "VmRSS")
	const connections, body = 40, 4 << 20
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	part := slices.Repeat([]byte("a"), body-1)
	var sent int
	for range connections {
		conn, err := net.DialTimeout("tcp", s.addr, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: gatehouse\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", body)
		n, err := conn.Write(part)
		sent += n
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
	}
	c := newClient(s, root)
	defer c.close()
	c.must(t, nil, "ListUsers")
	most := s.status(t, "VmHWM")
	t.Logf("%d connections without credentials hold %d MiB of bodies; resident memory went from %d to %d MiB", connections, sent>>20, resident>>20, most>>20)
	if limit := resident + 200<<20; most > limit { // a budget of 64 MiB for large bodies, and what a collector leaves for a while
		t.Errorf("the server grew from %d to %d MiB", resident>>20, most>>20)
	}
}
