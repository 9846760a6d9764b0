package server

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// The kit of the API tests: a cell on the memory engine behind the real chain of handlers, called with signed requests. Every answer is
// checked for what all answers have in common, and a call that fails must not have written anything.

const (
	testAccount  = "111122223333"
	testAccount2 = "444455556666"
	testSecret   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" // of every root key
)

// apiTest is a server with nothing in it but the management account and its root user.
type apiTest struct {
	*testing.T
	cell    *cell
	handler http.Handler
	root    caller
	quiet   bool // other goroutines write: a failed call cannot be told from theirs
}

// caller is whose signature a call has.
type caller struct {
	sigv4.Credentials
	name string
}

// sharedMetrics: registering the collectors takes longer than everything else that a test needs.
var sharedMetrics = sync.OnceValue(func() *metrics { return newMetrics("test") })

func openAPI(t *testing.T, quotas ...iam.Quotas) *apiTest {
	t.Helper()
	x := newAPI(t, quotas...)
	x.T = t
	return x
}

// newAPI is openAPI for tests, benchmarks and fuzz targets. sub gives it the test that it reports to.
func newAPI(t testing.TB, quotas ...iam.Quotas) *apiTest {
	t.Helper()
	return newAPIOf(t, func(cfg *Config) {
		if len(quotas) > 0 {
			cfg.Quotas = quotas[0]
		}
	})
}

// newAPIOf is newAPI with another configuration.
func newAPIOf(t testing.TB, configure func(*Config)) *apiTest {
	t.Helper()
	key := rootKeyOf(testAccount)
	cfg := &Config{
		Logger: slog.New(slog.DiscardHandler),
		Bootstrap: Bootstrap{
			AccountID: testAccount, AccountName: "Test", RootEmail: "root@example.com",
			RootAccessKeyID: key.AccessKeyID, RootSecretAccessKey: keyring.NewSecret(key.SecretAccessKey),
		},
	}
	configure(cfg)
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	c, err := openCell(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	s := &Server{cfg: cfg, metrics: sharedMetrics()}
	s.api = makeAPI(cfg, s.metrics)
	s.api.cell.Store(c)
	return &apiTest{cell: c, handler: s.handler(), root: key}
}

// sub is x for a subtest.
func (x *apiTest) sub(t *testing.T) *apiTest {
	c := *x
	c.T = t
	return &c
}

// rootKeyOf is the root user's access key, under an id that does not say its account: it stands in the directory.
func rootKeyOf(account string) caller {
	return caller{sigv4.Credentials{AccessKeyID: "ROOTKEY" + account, SecretAccessKey: testSecret}, "root of " + account}
}

// addAccount makes a further account with a root user who has an access key.
func (x *apiTest) addAccount(account string) caller {
	x.Helper()
	key := rootKeyOf(account)
	unit := state.AccountUnit(account)
	now := time.Now()
	cell, err := x.cell.vault.Cell(x.cell.store.View())
	x.must(err)
	keyset, err := keyring.NewAccountKeyset(unit, now)
	x.must(err)
	sealedKeyset, err := keyset.Sealed(cell)
	x.must(err)
	sealed, err := keyset.Seal(authn.AccessKeyKind, key.AccessKeyID, []byte(key.SecretAccessKey))
	x.must(err)
	x.must(x.cell.store.Update(x.Context(), []string{state.DirectoryUnit, unit}, func(tx *state.Tx) error {
		entry := &state.DirectoryAccount{}
		entry.Id, entry.Name, entry.Email, entry.Created = account, "Member", account+"@example.com", tx.Now().UnixMicro()
		tx.Put(state.DirectoryUnit, entry)
		rec := &state.AccountRecord{}
		rec.Id, rec.Name, rec.Email, rec.Created, rec.Keyset = account, "Member", entry.Email, tx.Now().UnixMicro(), sealedKeyset
		tx.Put(unit, rec)
		k := &state.AccessKey{}
		k.Id, k.Owner, k.Secret, k.Status, k.Created = key.AccessKeyID, account, sealed, statepb.KeyStatus_KEY_STATUS_ACTIVE, tx.Now().UnixMicro()
		tx.Put(unit, k)
		tx.Put(state.DirectoryUnit, directoryName("key", key.AccessKeyID, account))
		return nil
	}))
	return key
}

func (x *apiTest) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// params are the parameters of a call, in pairs: ps("UserName", "bob", "Tags.member.1.Key", "k").
type params []string

func ps(pairs ...string) params { return pairs }

func (p params) form() url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(p); i += 2 {
		form.Add(p[i], p[i+1])
	}
	return form
}

func (p params) String() string {
	s := fmt.Sprintf("%.300q", []string(p))
	return s
}

// answer is an answer with its body taken apart.
type answer struct {
	status int
	header http.Header
	body   []byte
	xml    *element // nil if the body is not XML
}

// element is an XML element: a leaf has text, others have children.
type element struct {
	name, space, text string
	children          []*element
}

func parseXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*element
	var top *element
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if top == nil || len(stack) > 0 {
				return nil, errors.New("no whole element")
			}
			return top, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, space: t.Name.Space}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, e)
			} else if top != nil {
				return nil, errors.New("two top elements")
			} else {
				top = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			e := stack[len(stack)-1]
			if len(e.children) > 0 {
				e.text = ""
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
}

// String prints an element in one line: leaves as name=text, others as name(children), empty ones as name().
func (e *element) String() string {
	if len(e.children) > 0 {
		parts := make([]string, len(e.children))
		for i, c := range e.children {
			parts[i] = c.String()
		}
		return e.name + "(" + strings.Join(parts, " ") + ")"
	}
	if e.text == "" {
		return e.name + "()"
	}
	return e.name + "=" + e.text
}

// at walks down to a child; nil if there is none.
func (e *element) at(path ...string) *element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		var found *element
		for _, c := range e.children {
			if c.name == name {
				found = c
				break
			}
		}
		e = found
	}
	return e
}

// value is the text of a leaf, "" if there is none.
func (a *answer) value(path ...string) string {
	if e := a.xml.at(path...); e != nil {
		return e.text
	}
	return ""
}

// all are the texts of every element with that name, in order.
func (a *answer) all(name string) []string {
	var texts []string
	var walk func(*element)
	walk = func(e *element) {
		if e.name == name {
			texts = append(texts, e.text)
		}
		for _, c := range e.children {
			walk(c)
		}
	}
	walk(a.xml)
	return texts
}

// code is the error's code, "" for a success.
func (a *answer) code() string { return a.value("Error", "Code") }

// String is the result without its frame ("" for operations without one), or "status code message" for an error. Dates, ids that
// the server made and secrets are replaced, so that answers can be compared whole.
func (a *answer) String() string {
	var s string
	switch {
	case a.xml == nil:
		s = string(a.body)
	case a.xml.name == "ErrorResponse":
		s = strconv.Itoa(a.status) + " " + a.code()
		if m := a.xml.at("Error", "Message"); m != nil {
			s += " " + m.text
		}
	default:
		parts := []string{}
		for _, c := range a.xml.children {
			if c.name == "ResponseMetadata" {
				continue
			}
			for _, m := range c.children {
				parts = append(parts, m.String())
			}
			if len(c.children) == 0 {
				parts = append(parts, c.String())
			}
		}
		s = strings.Join(parts, " ")
	}
	for _, m := range masks {
		s = m.from.ReplaceAllString(s, m.to)
	}
	return s
}

var masks = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "DATE"},
	{regexp.MustCompile(`SecretAccessKey=[A-Za-z0-9+/]{40}( |\)|$)`), "SecretAccessKey=SECRET$1"},
	{regexp.MustCompile(`\bUserId=AIDA[A-Z2-7]{17}\b`), "UserId=AIDA"},
	{regexp.MustCompile(`\bGroupId=AGPA[A-Z2-7]{17}\b`), "GroupId=AGPA"},
	{regexp.MustCompile(`\bPolicyId=ANPA[A-Z2-7]{17}\b`), "PolicyId=ANPA"},
	{regexp.MustCompile(`\bAccessKeyId=(AKIA|ASIA)[A-Z2-7]{16}\b`), "AccessKeyId=$1"},
	{regexp.MustCompile(`\bSessionToken=[A-Za-z0-9+/=]+`), "SessionToken=TOKEN"},
	{regexp.MustCompile(`\bAROA[A-Z2-7]{17}\b`), "AROA"},
}

const (
	iamVersion = "2010-05-08"
	stsVersion = "2011-06-15"
)

func versionOf(service string) string {
	if service == "sts" {
		return stsVersion
	}
	return iamVersion
}

// serviceOf is the service that has the operation.
func serviceOf(op string) string {
	switch op {
	case "AssumeRole", "DecodeAuthorizationMessage", "GetAccessKeyInfo", "GetCallerIdentity", "GetFederationToken", "GetSessionToken":
		return "sts"
	}
	return "iam"
}

// request makes a POST request that is not signed.
func request(service, op string, p params) (*http.Request, []byte) {
	form := p.form()
	form.Set("Action", op)
	form.Set("Version", versionOf(service))
	body := []byte(form.Encode())
	return post(service, body), body
}

func post(service string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://"+service+".amazonaws.com/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// call sends a signed request and checks what every answer must have.
func (x *apiTest) call(by caller, op string, p params) *answer {
	x.Helper()
	service := serviceOf(op)
	r, body := request(service, op, p)
	x.must(sigv4.Sign(r, body, by.Credentials, "us-east-1", service, time.Now()))
	return x.send(r)
}

var decisionInBody = regexp.MustCompile(`"DecisionId":"|<DecisionId>`)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// send serves a request as it is.
func (x *apiTest) send(r *http.Request) *answer {
	x.Helper()
	before := x.cell.store.View().Rev()
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	a := &answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	if got := a.header["Content-Length"]; len(got) != 1 || got[0] != strconv.Itoa(len(a.body)) {
		x.Errorf("Content-Length %q for a body of %d bytes", got, len(a.body))
	}
	ids := a.header[requestIDHeader]
	if len(ids) != 1 || !uuidForm.MatchString(ids[0]) {
		x.Fatalf("x-amzn-RequestId %q\n%s", ids, a.body)
	}
	if id := a.header.Get("X-Gatehouse-Decision-Id"); id != "" && (id != ids[0] || a.status < 400) || a.status >= 400 && (id != "") != decisionInBody.Match(a.body) {
		x.Errorf("status %d of the request %s has the decision %q\n%s", a.status, ids[0], id, a.body)
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/xml") {
		if err := x.checkXML(a, ids[0]); err != nil {
			x.Fatalf("%v\n%s", err, a.body)
		}
	}
	if a.status >= 400 && !x.quiet {
		if after := x.cell.store.View().Rev(); after != before {
			x.Errorf("a failed call wrote: revision %d, before it %d\n%s", after, before, a)
		}
	}
	return a
}

// checkXML parses the answer and checks its frame: docs/spec/wire.md 1.3, 1.5.
func (x *apiTest) checkXML(a *answer, id string) (err error) {
	if a.xml, err = parseXML(a.body); err != nil {
		return err
	}
	if a.xml.name == "UnknownOperationException" {
		return nil
	}
	space := a.xml.space
	if a.xml.name == "ErrorResponse" {
		kind := "Sender"
		if a.status >= 500 {
			kind = "Receiver"
		}
		if a.status < 400 || a.value("RequestId") != id || a.value("Error", "Type") != kind || a.code() == "" {
			return fmt.Errorf("the frame of an error with status %d and request id %s is broken", a.status, id)
		}
		if a.code() == "InvalidAction" {
			if space != "http://webservices.amazon.com/AWSFault/2005-15-09" {
				return fmt.Errorf("namespace %s", space)
			}
			return nil
		}
	} else if a.status != http.StatusOK || a.value("ResponseMetadata", "RequestId") != id {
		return fmt.Errorf("the frame of an answer with status %d and request id %s is broken", a.status, id)
	}
	if space != "https://iam.amazonaws.com/doc/2010-05-08/" && space != "https://sts.amazonaws.com/doc/2011-06-15/" {
		return fmt.Errorf("namespace %s", space)
	}
	return nil
}

// want calls an operation and compares its whole answer: see answer.String.
func (x *apiTest) want(want string, by caller, op string, pairs ...string) *answer {
	x.Helper()
	a := x.call(by, op, pairs)
	if got := a.String(); got != want {
		x.Errorf("%s by %s %v\n got %s\nwant %s", op, by.name, params(pairs), got, want)
	}
	return a
}

// ok calls an operation that must succeed.
func (x *apiTest) ok(by caller, op string, pairs ...string) *answer {
	x.Helper()
	a := x.call(by, op, pairs)
	if a.status != http.StatusOK {
		x.Fatalf("%s by %s %v: %s", op, by.name, params(pairs), a)
	}
	return a
}

// user makes a user with an access key. name may have a path in front: /team/bob.
func (x *apiTest) user(by caller, name string) caller {
	x.Helper()
	path := "/"
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		path, name = name[:i+1], name[i+1:]
	}
	x.ok(by, "CreateUser", "UserName", name, "Path", path)
	return x.key(by, name)
}

// key makes an access key for a user.
func (x *apiTest) key(by caller, name string) caller {
	x.Helper()
	a := x.ok(by, "CreateAccessKey", "UserName", name)
	return caller{sigv4.Credentials{
		AccessKeyID:     a.value("CreateAccessKeyResult", "AccessKey", "AccessKeyId"),
		SecretAccessKey: a.value("CreateAccessKeyResult", "AccessKey", "SecretAccessKey"),
	}, name}
}

// policy puts an inline policy of statements "Allow action resource" or "Deny action resource".
func (x *apiTest) policy(by caller, user, name string, statements ...string) {
	x.Helper()
	x.ok(by, "PutUserPolicy", "UserName", user, "PolicyName", name, "PolicyDocument", document(statements...))
}

func document(statements ...string) string {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Statement":[`)
	for i, s := range statements {
		if i > 0 {
			b.WriteByte(',')
		}
		part := strings.SplitN(s, " ", 3)
		fmt.Fprintf(&b, `{"Effect":%q,"Action":%q,"Resource":%q}`, part[0], part[1], part[2])
	}
	b.WriteString("]}")
	return b.String()
}

// dump is everything an account shows of itself.
func (x *apiTest) dump(by caller) string {
	x.Helper()
	var b strings.Builder
	add := func(a *answer) string { fmt.Fprintln(&b, a); return a.String() }
	users := x.ok(by, "ListUsers", "MaxItems", "1000")
	add(users)
	for _, name := range users.all("UserName") {
		add(x.ok(by, "GetUser", "UserName", name))
		add(x.ok(by, "ListAccessKeys", "UserName", name))
		policies := x.ok(by, "ListUserPolicies", "UserName", name)
		for _, m := range policies.xml.at("ListUserPoliciesResult", "PolicyNames").children {
			add(x.ok(by, "GetUserPolicy", "UserName", name, "PolicyName", m.text))
		}
	}
	groups := x.ok(by, "ListGroups", "MaxItems", "1000")
	for _, name := range groups.all("GroupName") {
		add(x.ok(by, "GetGroup", "GroupName", name, "MaxItems", "1000"))
		policies := x.ok(by, "ListGroupPolicies", "GroupName", name)
		for _, m := range policies.xml.at("ListGroupPoliciesResult", "PolicyNames").children {
			add(x.ok(by, "GetGroupPolicy", "GroupName", name, "PolicyName", m.text))
		}
	}
	add(x.ok(by, "ListAccessKeys"))
	add(x.ok(by, "ListAccountAliases"))
	add(x.ok(by, "GetAccountSummary"))
	add(x.ok(by, "GetAccountAuthorizationDetails", "MaxItems", "1000"))
	return b.String()
}

// revision is where the store stands.
func (x *apiTest) revision() storage.Rev { return x.cell.store.View().Rev() }

// The spelling on the wire, which is not the canonical one of package http.
var requestIDHeader, errorTypeHeader = "x-amzn-RequestId", "x-amzn-ErrorType"
