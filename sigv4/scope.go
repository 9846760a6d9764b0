package sigv4

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expect says which signatures a service accepts. It must not be changed while claims are checked with it. The zero value of every
// option is what IAM and STS do.
type Expect struct {
	// Service is the signing name in the credential scope: iam, sts, organizations.
	Service string
	// Regions are the accepted regions of the credential scope; when it is empty and AnyRegion is false, none is.
	Regions []string
	// AnyRegion accepts every region that is not empty.
	AnyRegion bool
	// Window is how far the signing time may be from now, both ways, in whole minutes; 0 means 15 minutes. JSON services
	// of AWS use 5.
	Window time.Duration
	// SingleEncodePath is the rule of S3: the path is percent-encoded once and not normalised. All others encode the normalised
	// path as sent once more.
	SingleEncodePath bool
	// HonourExpires is the rule of S3: a presigned request needs X-Amz-Expires, 1 to 604800 seconds, and is good for so long after
	// its signing time. All others ignore X-Amz-Expires and apply Window.
	HonourExpires bool
	// AllowUnsignedPayload is the rule of S3: the signature may leave out the body. That is so when X-Amz-Content-Sha256 (header, or
	// parameter of a presigned URL) is UNSIGNED-PAYLOAD, and for presigned requests that do not send it.
	AllowUnsignedPayload bool
}

const defaultWindow = 15 * time.Minute

// maxExpires is what S3 allows, in seconds.
const maxExpires = 604800

// CheckScope compares the claim with what the service accepts: host is signed, the clock, then the credential scope
// (docs/spec/wire.md 1.8 steps 2 to 4, texts of 4.2). now is the server's time. The error is an [*Error] of kind
// SignatureDoesNotMatch, or with [Expect.HonourExpires] also IncompleteSignature, InvalidExpires or RequestExpired.
func (c *Claim) CheckScope(e *Expect, now time.Time) error {
	c.accepted = nil
	if known := c.headers; (known == nil || known.text != c.SignedHeaders || !known.host) && !signsHost(c.SignedHeaders) {
		return errHostNotSigned
	}
	if err := c.checkClock(e, now); err != nil {
		return err
	}
	if c.Scope.Date == string(c.date[:8]) && c.Scope.Service == e.Service && c.Terminator == terminator && e.acceptsRegion(c.Scope.Region) {
		c.accepted = e
		return nil
	}
	return c.scopeFaults(e)
}

func (e *Expect) acceptsRegion(region string) bool {
	return e.AnyRegion && region != "" || slices.Contains(e.Regions, region)
}

func signsHost(list string) bool {
	for len(list) > 0 {
		var name string
		name, list, _ = strings.Cut(list, ";")
		if strings.EqualFold(name, "host") || name == ":authority" {
			return true
		}
	}
	return false
}

// scopeFaults names every fault, in the order date, region, service, terminator. AWS ends some of the sentences with a space and
// some not; two sentences always have one between them.
func (c *Claim) scopeFaults(e *Expect) error {
	var b strings.Builder
	add := func(text string) {
		if s := b.String(); s != "" && !strings.HasSuffix(s, " ") {
			b.WriteByte(' ')
		}
		b.WriteString(text)
	}
	if date := string(c.date[:8]); c.Scope.Date != date {
		add("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			c.Scope.Date + "' != '" + date + "', from '" + string(c.date[:]) + "'.")
	}
	if !e.acceptsRegion(c.Scope.Region) {
		add("Credential should be scoped to a valid region. ")
	}
	if c.Scope.Service != e.Service {
		add("Credential should be scoped to correct service: '" + e.Service + "'. ")
	}
	if c.Terminator != terminator {
		add("Credential should be scoped with a valid terminator: '" + terminator + "', not '" + c.Terminator + "'.")
	}
	return &Error{Kind: SignatureDoesNotMatch, Message: b.String()}
}

func (c *Claim) checkClock(e *Expect, now time.Time) error {
	window := e.Window
	if window == 0 {
		window = defaultWindow
	}
	// Whole seconds on both sides: the texts show no more, and would contradict themselves.
	nowSeconds, signed, seconds := now.Unix(), c.Time.Unix(), int64(window/time.Second)
	honour := c.Presigned && e.HonourExpires
	if !honour && signed <= nowSeconds+seconds && signed >= nowSeconds-seconds {
		return nil
	}
	now = time.Unix(nowSeconds, 0).UTC()
	text := func(t time.Time) string { return t.Format(basicISO) }
	minutes := func() string { return strconv.Itoa(int(window/time.Minute)) + " min.)" }
	if latest := now.Add(time.Duration(seconds) * time.Second); c.Time.After(latest) {
		return &Error{Kind: SignatureDoesNotMatch, Message: "Signature not yet current: " + text(c.Time) + " is still later than " +
			text(latest) + " (" + text(now) + " + " + minutes()}
	}
	if honour {
		seconds, err := parseExpires(c.Expires)
		if err != nil {
			return err
		}
		if now.After(c.Time.Add(time.Duration(seconds) * time.Second)) {
			return errRequestExpired
		}
		return nil
	}
	return &Error{Kind: SignatureDoesNotMatch, Message: "Signature expired: " + text(c.Time) + " is now earlier than " +
		text(now.Add(-window)) + " (" + text(now) + " - " + minutes()}
}

func parseExpires(s string) (int64, error) {
	if s == "" {
		return 0, queryIncomplete([]string{paramExpires})
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil && n == math.MaxInt64:
		return 0, errExpiresHuge
	case err != nil && n == math.MinInt64:
		return 0, errExpiresNegative
	case err != nil || s[0] == '+':
		return 0, errExpiresNumber
	case n < 1:
		return 0, errExpiresNegative
	case n > maxExpires:
		return 0, errExpiresHuge
	}
	return n, nil
}
