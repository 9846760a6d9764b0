package authn

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// credentials of a test: what a client has.
type held struct{ id, secret, token string }

// kit is an env with the role app, a key of bob and of root, and a session of each kind.
type kit struct {
	*env
	at   time.Time // of the requests
	held map[string]held
}

const (
	roleID  = "AROAX"
	rootKey = "FOREIGNROOTKEY01"
	bobKey  = "FOREIGNBOBKEY001"
)

func newKit(t testing.TB) *kit {
	t.Helper()
	k := &kit{env: open(t), at: time.Now().Truncate(time.Second), held: map[string]held{}}
	k.role(roleID, "app", "/")
	for id, owner := range map[string]string{bobKey: "AIDAX", rootKey: account} {
		k.key(id, owner, "secret of "+owner)
		n := &state.DirectoryName{Kind: "key", Name: id}
		n.Account = account
		k.update(state.DirectoryUnit, n)
	}
	k.held["user key"] = held{id: bobKey, secret: "secret of AIDAX"}
	k.held["root key"] = held{id: rootKey, secret: "secret of " + account}
	for name, c := range map[string]session.Claims{
		"user session":      {Kind: state.IAMUser, ID: "AIDAX"},
		"user MFA session":  {Kind: state.IAMUser, ID: "AIDAX", MFA: k.at},
		"root session":      {Kind: state.RootUser, ID: account},
		"role session":      {Kind: state.RoleSession, ID: roleID, Name: "s1"},
		"role MFA session":  {Kind: state.RoleSession, ID: roleID, Name: "s2", MFA: k.at},
		"federated by user": {Kind: state.FederatedUser, ID: "AIDAX", Name: "fed"},
		"federated by root": {Kind: state.FederatedUser, ID: account, Name: "fed"},
		"federated MFA":     {Kind: state.FederatedUser, ID: "AIDAX", Name: "fed", MFA: k.at},
	} {
		k.held[name] = k.issue(c)
	}
	return k
}

func (k *kit) role(id, name, path string) *state.Role {
	k.Helper()
	trust, err := policy.Load(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}]}`, policy.Trust)
	k.must(err)
	r := &state.Role{}
	r.Id, r.Name, r.Path = id, name, path
	r.SetTrust(trust)
	k.update(unit, r)
	return r
}

func (k *kit) remove(r state.Record) {
	k.Helper()
	k.must(k.store.Update(k.Context(), []string{unit}, func(tx *state.Tx) error { tx.Delete(unit, r); return nil }))
}

// issue gives out a session of an hour.
func (k *kit) issue(c session.Claims) held {
	k.Helper()
	c.Account, c.Issued, c.Expires, c.IssuingKey = account, k.at, k.at.Add(time.Hour), bobKey
	i, err := k.sessions.Issue(k.store.View(), c)
	k.must(err)
	return held{i.AccessKeyID, i.Secret.Reveal(), i.Token}
}

var services = []*wire.Service{iamapi.Service, stsapi.Service, orgapi.Service}

// request signs a call and reads it as the server does.
func (k *kit) request(h held, service, action string, presigned bool) (*wire.Request, sigv4.Claim, error) {
	k.Helper()
	url := "http://localhost/"
	if service != "organizations" {
		url += "?Action=" + action + "&Version=" + map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]
	}
	r, err := http.NewRequestWithContext(k.Context(), http.MethodGet, url, http.NoBody)
	k.must(err)
	if service == "organizations" {
		r.Method = http.MethodPost
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+action)
	}
	sign := sigv4.Credentials{AccessKeyID: h.id, SecretAccessKey: h.secret, SessionToken: h.token}
	if presigned {
		k.must(sigv4.Presign(r, nil, sign, "us-east-1", service, k.at, time.Minute))
	} else {
		k.must(sigv4.Sign(r, nil, sign, "us-east-1", service, k.at))
	}
	claim, claimErr := Claim(r)
	q, fault := wire.Identify(r, nil, services, service)
	if fault != nil {
		k.Fatal(fault)
	}
	return q, claim, claimErr
}

func (k *kit) calls(h held, service, action string) (Caller, *wire.Error) {
	k.Helper()
	q, claim, claimErr := k.request(h, service, action, false)
	return k.auth.Authenticate(k.store.View(), q, &claim, claimErr, k.at)
}

// is compares an answer of GetCallerIdentity's credentials with a code; "" = accepted.
func (k *kit) is(what string, h held, code string) {
	k.Helper()
	caller, fault := k.calls(h, "sts", "GetCallerIdentity")
	k.same(what, caller, fault, code)
}

func (k *kit) same(what string, caller Caller, fault *wire.Error, code string) {
	k.Helper()
	got := ""
	if fault != nil {
		got = fault.Fault.Code
	}
	if got != code || (caller != (Caller{})) != (code == "") {
		k.Errorf("%s: %v, caller %q; want %q", what, fault, caller.ARN(), code)
	}
}

const tokenText = "The security token included in the request is invalid."

func TestSessionsAreTheirPrincipals(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	user := state.Principal{Kind: state.IAMUser, Account: account, ID: "AIDAX", Path: "/team/", Name: "bob"}
	root := state.Principal{Kind: state.RootUser, Account: account, ID: account}
	role := state.Principal{Kind: state.RoleSession, Account: account, ID: roleID, Path: "/", Name: "app", Session: "s1"}
	federated := user
	federated.Kind, federated.Session = state.FederatedUser, "fed"
	byRoot := state.Principal{Kind: state.FederatedUser, Account: account, ID: account, Session: "fed"}
	check := func(name string, p state.Principal, usage string) {
		t.Helper()
		h := k.held[name]
		for _, presigned := range []bool{false, true} {
			q, claim, claimErr := k.request(h, "sts", "GetCallerIdentity", presigned)
			c, fault := k.auth.Authenticate(k.store.View(), q, &claim, claimErr, k.at)
			if fault != nil {
				t.Errorf("%s: %v", name, fault)
				continue
			}
			if c.Principal != p || c.AccessKeyID != h.id || c.Region != "us-east-1" || (c.Session != nil) != (h.token != "") {
				t.Errorf("%s:\n got %+v\nwant %+v", name, c, p)
			}
			if c.Session != nil && c.Session.AccessKeyID != h.id {
				t.Errorf("%s: the session is that of %s", name, c.Session.AccessKeyID)
			}
			if id := c.UsageID(); id != usage {
				t.Errorf("%s: its use counts for %q, want %q", name, id, usage)
			}
		}
	}
	check("user key", user, bobKey)
	check("root key", root, rootKey)
	check("user session", user, "")
	check("user MFA session", user, "")
	check("root session", root, "")
	check("role session", role, roleID)
	check("federated by user", federated, "")
	check("federated by root", byRoot, "")

	// The names are those of now.
	k.role(roleID, "renamed", "/moved/")
	role.Name, role.Path = "renamed", "/moved/"
	check("role session", role, roleID)
	u := k.account().User("AIDAX").Clone()
	u.Name, u.Path = "robert", "/"
	k.update(unit, u)
	user.Name, user.Path, federated.Name, federated.Path = "robert", "/", "robert", "/"
	check("user session", user, "")
	check("federated by user", federated, "")
}

// TestPairing: only the key, the secret and the token of one session go together, and a long-term key goes with no token.
func TestPairing(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	a, b, key := k.held["role session"], k.held["user MFA session"], k.held["user key"]
	stranger := newKit(t).held["role session"]
	ids := map[string]held{
		"a's": a, "b's": b, "long-term": key,
		"unknown long-term": {id: keyring.NewStream(keyring.NewSeed()).AccessKeyID(account), secret: "x"},
		"unknown temporary": {id: keyring.TemporaryAccessKeyID(account), secret: a.secret},
		"another cell's":    stranger,
		"no account's":      {id: "ASIAAAAAAAAAAAAAAAAA", secret: a.secret},
		"one of nonsense":   {id: "x", secret: a.secret},
	}
	tokens := map[string]string{
		"no": "", "a's": a.token, "b's": b.token, "another cell's": stranger.token, "a shorter": a.token[:len(a.token)-1], "a longer": a.token + "A",
		"a changed": strings.Replace(a.token, a.token[60:70], "AAAAAAAAAA", 1), "one of nonsense": "IQoJb3JpZ2luX2Vj", "a huge": a.token + strings.Repeat("A", 1<<16),
	}
	fits := map[string]string{"a's": "a's", "b's": "b's", "long-term": "no"}
	for range 2 { // the second time with what the first has left behind
		for id, h := range ids {
			for name, token := range tokens {
				h.token = token
				caller, fault := k.calls(h, "sts", "GetCallerIdentity")
				want := "InvalidClientTokenId"
				if fits[id] == name {
					want = ""
				}
				k.same(id+" key with "+name+" token", caller, fault, want)
				if fault != nil && fault.Message != tokenText {
					t.Errorf("%s key with %s token: %q", id, name, fault.Message)
				}
			}
		}
		k.is("a's key and token, b's secret", held{a.id, b.secret, a.token}, "SignatureDoesNotMatch")
		k.is("b's key and token, a's secret", held{b.id, a.secret, b.token}, "SignatureDoesNotMatch")
		k.is("a's key and token, another secret", held{a.id, "x", a.token}, "SignatureDoesNotMatch")
		k.is("a's key, b's token and secret", held{a.id, b.secret, b.token}, "InvalidClientTokenId")
	}
}

// TestTokensMustBeSigned: a token that was put in afterwards is not part of what was signed.
func TestTokensMustBeSigned(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	h := k.held["role session"]
	bare := held{h.id, h.secret, ""}
	q, _, _ := k.request(bare, "sts", "GetCallerIdentity", false)
	q.HTTP.Header.Set("X-Amz-Security-Token", h.token)
	claim, claimErr := Claim(q.HTTP)
	caller, fault := k.auth.Authenticate(k.store.View(), q, &claim, claimErr, k.at)
	k.same("a token beside the signature", caller, fault, "SignatureDoesNotMatch")
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	h, start := k.held["role session"], k.at
	for _, remembered := range []bool{false, true} {
		for _, tt := range []struct {
			after time.Duration
			want  string
		}{{0, ""}, {time.Hour - time.Second, ""}, {time.Hour, "ExpiredToken"}, {48 * time.Hour, "ExpiredToken"}} {
			k.at = start.Add(tt.after)
			k.is(fmt.Sprintf("after %v (remembered: %t)", tt.after, remembered), h, tt.want)
		}
	}
	k.at = start.Add(time.Hour)
	_, fault := k.calls(h, "sts", "GetCallerIdentity")
	if fault == nil || fault.Message != "The security token included in the request is expired" || fault.Fault.Status != 403 {
		t.Errorf("the answer is %+v", fault)
	}
	k.is("expired, and the signature is wrong", held{h.id, "x", h.token}, "ExpiredToken") // docs/spec/wire.md 1.8
	k.is("expired, and the token is another's", held{h.id, h.secret, k.held["user session"].token}, "InvalidClientTokenId")
	caller, fault := k.calls(k.held["federated by user"], "iam", "GetUser")
	k.same("expired, and not for IAM", caller, fault, "ExpiredToken")
}

// TestSessionsEndWithTheirPrincipal: by unique id, so that a new one of the old name inherits nothing.
func TestSessionsEndWithTheirPrincipal(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	all := func(want map[string]bool) {
		t.Helper()
		for name, h := range k.held {
			code := "InvalidClientTokenId"
			if want[name] {
				code = ""
			}
			k.is(name, h, code)
		}
	}
	living := map[string]bool{}
	for name := range k.held {
		living[name] = true
	}
	all(living)

	app := k.account().Role(roleID)
	k.remove(app)
	living["role session"], living["role MFA session"] = false, false
	all(living)
	k.role("AROAY", "app", "/")
	all(living)

	bob := k.account().User("AIDAX")
	k.remove(bob)
	for _, name := range []string{"user key", "user session", "user MFA session", "federated by user", "federated MFA"} {
		living[name] = false
	}
	all(living)
	again := bob.Clone()
	again.Id = "AIDAY"
	k.update(unit, again)
	all(living)

	k.is("a user's session with the id of root", k.issue(session.Claims{Kind: state.IAMUser, ID: account}), "InvalidClientTokenId")
	k.is("root's session with the id of a user", k.issue(session.Claims{Kind: state.RootUser, ID: "AIDAY"}), "InvalidClientTokenId")
	k.role(roleID, "app2", "/") // never happens, ids are not given twice; it shows that nothing but the id counts
	living["role session"], living["role MFA session"] = true, true
	all(living)
}

// TestSessionsOutliveTheirKey: as on AWS, where deleting or deactivating the key leaves what was made with it valid until it expires.
func TestSessionsOutliveTheirKey(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	key := k.account().AccessKey(bobKey).Clone()
	key.Status = statepb.KeyStatus_KEY_STATUS_INACTIVE
	k.update(unit, key)
	for _, gone := range []bool{false, true} {
		if gone {
			k.remove(key)
		}
		k.is("the key", k.held["user key"], "InvalidClientTokenId")
		for _, name := range []string{"user session", "user MFA session", "federated by user", "role session"} {
			k.is(name, k.held[name], "")
		}
	}
}

// TestDerivedKeysAreOfOneSession: a derived key that is remembered for a session never answers for another one under the same key id.
func TestDerivedKeysAreOfOneSession(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	id := k.held["role session"].id
	first := held{id, k.held["role session"].secret, k.held["role session"].token}
	second := k.issue(session.Claims{Kind: state.IAMUser, ID: "AIDAX", AccessKeyID: id, Secret: keyring.SecretAccessKey()})
	for range 3 {
		for _, tt := range []struct {
			h    held
			kind state.PrincipalKind
			code string
		}{
			{first, state.RoleSession, ""},
			{second, state.IAMUser, ""},
			{held{id, first.secret, second.token}, 0, "SignatureDoesNotMatch"},
			{held{id, second.secret, first.token}, 0, "SignatureDoesNotMatch"},
		} {
			caller, fault := k.calls(tt.h, "sts", "GetCallerIdentity")
			k.same(fmt.Sprintf("kind %d", tt.kind), caller, fault, tt.code)
			if caller.Kind != tt.kind {
				t.Errorf("kind %d, want %d", caller.Kind, tt.kind)
			}
		}
	}
}

// TestTokensThatCannotBeRead: sealed here but not claims is our fault and not the caller's, and the log does not show the token.
func TestTokensThatCannotBeRead(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	broken := session.New(func(state.Reader) (*keyring.Cell, error) { return nil, errors.New("no keyset") })
	auth := New(k.vault, broken, k.auth.log)
	h := k.held["role session"]
	q, claim, claimErr := k.request(h, "sts", "GetCallerIdentity", false)
	caller, fault := auth.Authenticate(k.store.View(), q, &claim, claimErr, k.at)
	k.same("without a keyset", caller, fault, "InternalFailure")
	if log := k.log.String(); !strings.Contains(log, h.id) || strings.Contains(log, h.token) || strings.Contains(log, h.secret) {
		t.Errorf("the log says %q", log)
	}
}
