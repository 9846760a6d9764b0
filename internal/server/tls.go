package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// How often certificate files are looked at, and how large they may be.
const (
	certificateCheck = time.Second
	maxCertificate   = 1 << 20
)

// reloadingTLS is a TLS 1.2+ configuration whose certificate is read again when its files change: at a handshake, at most once a second.
// A new pair that is broken, or half of which is still the old one, is logged and the old one stays.
func reloadingTLS(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, now: time.Now}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// certificate is a pair of PEM files and what they held when they last fitted together.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu        sync.Mutex
	pair      *tls.Certificate
	checked   time.Time
	cert, key []byte // as last read, whether or not they fitted
	unread    string // why they could not be read the last time
}

func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.checked) >= certificateCheck {
		if err := c.load(); err != nil {
			c.log.Error("the changed TLS certificate cannot be used, the one before stays", "error", err)
		}
	}
	return c.pair
}

// load reads the files and takes them if they differ from what was read before. A reason that stays the same is given once.
func (c *certificate) load() error {
	c.checked = c.now()
	cert, err := readLimited(c.certFile, maxCertificate)
	var key []byte
	if err == nil {
		key, err = readLimited(c.keyFile, maxCertificate)
	}
	if err != nil {
		if err.Error() == c.unread {
			return nil
		}
		c.unread = err.Error()
		return fmt.Errorf("TLS certificate: %w", err)
	}
	c.unread = ""
	if bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return nil
	}
	first := c.pair == nil
	c.cert, c.key = cert, key
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair = &pair
	if !first {
		c.log.Info("took a new TLS certificate", "file", c.certFile, "subject", pair.Leaf.Subject.String(), "not_after", pair.Leaf.NotAfter)
	}
	return nil
}

func readLimited(file string, max int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = fmt.Errorf("%s is larger than %d bytes", file, max)
	}
	return b, err
}
