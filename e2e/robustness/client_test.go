package robustness

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// credentials are an access key.
type credentials struct{ id, secret string }

// Why a call has no answer.
var (
	errRefused = errors.New("no connection: the call was not sent")
	errCut     = errors.New("the connection ended before the whole answer: whether the call was carried out is not known")
)

// answer is what the server said.
type answer struct {
	status int
	code   string // of the error; "" for a success
	text   string // of the error
	body   []byte
}

// String is the answer for messages.
func (a answer) String() string {
	if a.code != "" {
		return fmt.Sprintf("%d %s: %s", a.status, a.code, a.text)
	}
	return fmt.Sprint(a.status)
}

// client calls the server over one keep-alive connection at a time. It sends a call once: nothing is repeated.
type client struct {
	addr string
	keys credentials
	conn net.Conn
	r    *bufio.Reader
	used int // answers that came over conn
	wait time.Duration
}

func newClient(s *server, k credentials) *client {
	return &client{addr: s.addr, keys: k, wait: 30 * time.Second}
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// iam calls an IAM operation with parameters in pairs.
func (c *client) iam(action string, parameters ...string) (answer, error) {
	return c.call("iam", action, parameters...)
}

func (c *client) call(service, action string, parameters ...string) (answer, error) {
	req, err := request(c.addr, service, c.keys, action, parameters...)
	if err != nil {
		return answer{}, err
	}
	return c.send(req)
}

// request gives the bytes of a signed call.
func request(addr, service string, k credentials, action string, parameters ...string) ([]byte, error) {
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	body := []byte(form.Encode())
	r, err := http.NewRequest("POST", "http://"+addr+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if err := sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, "us-east-1", service, time.Now()); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// send returns errRefused if there was no connection to send the call on, and errCut if the answer did not come.
func (c *client) send(req []byte) (answer, error) {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, c.wait)
		if err != nil {
			return answer{}, fmt.Errorf("%w: %v", errRefused, err)
		}
		c.conn, c.r, c.used = conn, bufio.NewReader(conn), 0
	}
	a, closing, err := c.exchange(req)
	if err != nil {
		c.close()
		return answer{}, fmt.Errorf("%w: %v", errCut, err)
	}
	c.used++
	if closing {
		c.close()
	}
	return a, nil
}

func (c *client) exchange(req []byte) (a answer, closing bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.wait)); err != nil {
		return a, false, err
	}
	if _, err := c.conn.Write(req); err != nil {
		return a, false, err
	}
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return a, false, err
	}
	defer r.Body.Close()
	if a.body, err = io.ReadAll(r.Body); err != nil {
		return a, false, err
	}
	if a.status = r.StatusCode; a.status != http.StatusOK {
		var e struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		if err := xml.Unmarshal(a.body, &e); err != nil || e.Code == "" {
			return a, false, fmt.Errorf("an error with status %d and body %.200q", a.status, a.body)
		}
		a.code, a.text = e.Code, e.Message
	}
	return a, r.Close, nil
}

// must is a call that has to succeed; out, if not nil, takes the answer's XML.
func (c *client) must(t testing.TB, out any, action string, parameters ...string) {
	t.Helper()
	if err := c.ask(out, action, parameters...); err != nil {
		t.Fatal(err)
	}
}

// ask is must without a test.
func (c *client) ask(out any, action string, parameters ...string) error {
	a, err := c.iam(action, parameters...)
	if err != nil {
		return fmt.Errorf("%s %.200q: %w", action, parameters, err)
	}
	if a.code != "" {
		return fmt.Errorf("%s %.200q: %s", action, parameters, a)
	}
	if out == nil {
		return nil
	}
	if err := xml.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%s %.200q: %w", action, parameters, err)
	}
	return nil
}

// caller is what GetCallerIdentity says of the keys: the ARN, or the code of the refusal.
func (c *client) caller() (string, error) {
	a, err := c.call("sts", "GetCallerIdentity")
	if err != nil || a.code != "" {
		return a.code, err
	}
	var out struct {
		Arn string `xml:"GetCallerIdentityResult>Arn"`
	}
	err = xml.Unmarshal(a.body, &out)
	return out.Arn, err
}

// as is a client with other keys on the same server.
func (c *client) as(k credentials) *client {
	return &client{addr: c.addr, keys: k, wait: c.wait}
}

// pages calls a list operation until it is not truncated, and gives each page to take.
func (c *client) pages(action string, take func(body []byte) error, parameters ...string) error {
	marker := ""
	for {
		p := append([]string{"MaxItems", "1000"}, parameters...)
		if marker != "" {
			p = append(p, "Marker", marker)
		}
		a, err := c.iam(action, p...)
		if err != nil {
			return fmt.Errorf("%s %.200q: %w", action, p, err)
		}
		if a.code != "" {
			return fmt.Errorf("%s %.200q: %s", action, p, a)
		}
		var next struct {
			Result struct {
				Marker string
			} `xml:",any"`
		}
		if err := xml.Unmarshal(a.body, &next); err != nil {
			return err
		}
		if err := take(a.body); err != nil {
			return err
		}
		if marker = next.Result.Marker; marker == "" {
			return nil
		}
	}
}
