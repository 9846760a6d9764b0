package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 1 << 20
)

// client calls the APIs of a server.
type client struct {
	endpoint    string
	http        *http.Client
	credentials sigv4.Credentials
}

// fault is an error that the server answered.
type fault struct {
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
	action  string
}

func (f *fault) Error() string { return fmt.Sprintf("%s: %s: %s", f.action, f.Code, f.Message) }

func newClient(endpoint, caFile, id string, secret keyring.Secret) (*client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, fmt.Errorf("endpoint %q is not of the form http://host:port or https://host:port", endpoint)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if caFile != "" {
		pem, err := readAtMost(caFile, 1<<20)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", caFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &client{
		endpoint: strings.TrimSuffix(endpoint, "/") + "/",
		http: &http.Client{
			Transport: transport, Timeout: callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the server answers with a redirect") },
		},
		credentials: sigv4.Credentials{AccessKeyID: id, SecretAccessKey: secret.Reveal()},
	}, nil
}

// iam calls an operation and returns the body of its answer.
func (c *client) iam(ctx context.Context, action string, in url.Values) ([]byte, error) {
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	maps.Copy(form, in)
	status, text, err := c.post(ctx, action, "", "iam", "application/x-www-form-urlencoded", []byte(form.Encode()), maxAnswer)
	if err != nil || status == http.StatusOK {
		return text, err
	}
	f := &fault{action: action}
	if err := xml.Unmarshal(text, f); err != nil || f.Code == "" {
		return nil, c.nobody(action, status)
	}
	return nil, f
}

// gatehouse calls an operation of Gatehouse's own API and returns the body of its answer.
func (c *client) gatehouse(ctx context.Context, action, path string, question []byte) ([]byte, error) {
	status, text, err := c.post(ctx, action, path, "gatehouse", "application/json", question, maxExplanation)
	if err != nil || status == http.StatusOK {
		return text, err
	}
	var e struct{ Message string } // whatever its case
	if err := json.Unmarshal(text, &e); err != nil || e.Message == "" {
		return nil, c.nobody(action, status)
	}
	return nil, fmt.Errorf("%s: %s", action, e.Message)
}

func (c *client) nobody(action string, status int) error {
	return fmt.Errorf("%s: HTTP %d: what answers at %s is no Gatehouse server", action, status, c.endpoint)
}

// post sends a signed request and returns the answer, of which it reads so many bytes.
func (c *client) post(ctx context.Context, action, path, service, contentType string, body []byte, most int64) (status int, text []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.endpoint, "/")+"/"+strings.TrimPrefix(path, "/"), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "gatehouse-command")
	if err := sigv4.Sign(r, body, c.credentials, "us-east-1", service, time.Now()); err != nil {
		return 0, nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w (is the server running, and is --endpoint right?)", action, err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, most)); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", action, err)
	}
	return answer.StatusCode, text, nil
}
