package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// credentials sign the requests of a run.
type credentials struct{ id, secret string }

// request gives the bytes of a signed POST as an SDK sends it.
func request(addr, service string, c credentials, form url.Values) []byte {
	body := []byte(form.Encode())
	r, err := http.NewRequest("POST", "http://"+addr+"/", bytes.NewReader(body))
	check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("User-Agent", "aws-sdk-go-v2/1.30.0 ua/2.1 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/iam#1.40.0")
	r.Header.Set("Amz-Sdk-Invocation-Id", "3b8b1c1e-6c33-4f0e-8a5e-0f3f0a7f6d11")
	r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	r.Header.Set("Accept-Encoding", "identity")
	check(sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: c.id, SecretAccessKey: c.secret}, "us-east-1", service, time.Now()))
	var b bytes.Buffer
	check(r.Write(&b))
	return b.Bytes()
}

func action(service, name string, more ...string) url.Values {
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]
	f := url.Values{"Action": {name}, "Version": {version}}
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

// conn is one keep-alive connection. The client is lean: it writes prepared bytes and reads a whole answer, so that what is measured is the
// server.
type conn struct {
	c net.Conn
	r *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

// do sends a request and returns the status and the body, which is good until the next call.
func (c *conn) do(req []byte, body *[]byte) (int, error) {
	if err := c.c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := c.c.Write(req); err != nil {
		return 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("status line %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, err
	}
	length := -1
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 16 && line[0]|0x20 == 'c' && bytes.EqualFold(line[:15], []byte("Content-Length:")) {
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[15:]))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	if cap(*body) < length {
		*body = make([]byte, length)
	}
	*body = (*body)[:length]
	_, err = io.ReadFull(c.r, *body)
	return status, err
}

// round is what a number of clients did in a time.
type round struct {
	requests int64
	seconds  float64
}

func (r round) perSecond() float64 { return float64(r.requests) / r.seconds }

// drive lets clients send requests for d, each on its own connection. next gives a client's nth request; every answer must be 200.
func drive(addr string, clients int, d time.Duration, next func(client, n int) []byte) round {
	var done atomic.Int64
	var failed atomic.Pointer[string]
	var stop atomic.Bool
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range clients {
		wg.Go(func() {
			fail := func(format string, args ...any) {
				text := fmt.Sprintf(format, args...)
				failed.CompareAndSwap(nil, &text)
				stop.Store(true)
			}
			c, err := dial(addr)
			if err != nil {
				fail("dial: %v", err)
				return
			}
			defer c.c.Close()
			var body []byte
			for n := 0; !stop.Load(); n++ {
				status, err := c.do(next(i, n), &body)
				if err != nil || status != http.StatusOK {
					fail("request: status %d, %v: %s", status, err, body)
					return
				}
				done.Add(1)
			}
		})
	}
	time.Sleep(d)
	stop.Store(true)
	wg.Wait()
	seconds := time.Since(begin).Seconds()
	if text := failed.Load(); text != nil {
		panic(*text)
	}
	return round{done.Load(), seconds}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
