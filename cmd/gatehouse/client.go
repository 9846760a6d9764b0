package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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

// client calls the IAM API of a server.
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
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "gatehouse-init")
	if err := sigv4.Sign(r, []byte(body), c.credentials, "us-east-1", "iam", time.Now()); err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (is the server running, and is --endpoint right?)", action, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	if answer.StatusCode == http.StatusOK {
		return text, nil
	}
	f := &fault{action: action}
	if err := xml.Unmarshal(text, f); err != nil || f.Code == "" {
		return nil, fmt.Errorf("%s: HTTP %s: what answers at %s is no Gatehouse server", action, answer.Status, c.endpoint)
	}
	return nil, f
}
