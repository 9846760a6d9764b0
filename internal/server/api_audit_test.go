package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/audit"
	"github.com/gatehouse-iam/gatehouse/internal/audit/auditpb"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// events are the audit events in the log of an account after a revision.
func (x *apiTest) events(account string, after storage.Rev) []*auditpb.Event {
	x.Helper()
	var events []*auditpb.Event
	for c, err := range x.cell.engine.Log(x.Context(), state.AccountUnit(account), after+1, 0) {
		x.must(err)
		for _, b := range c.Events {
			e, err := audit.Decode(b)
			x.must(err)
			events = append(events, e)
		}
	}
	return events
}

// TestAuditEvents: every write leaves one event in its own commit, with who, what, on which resources and from where; every call that
// fails or changes nothing leaves none.
func TestAuditEvents(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	x.policy(x.root, "bob", "p", "Allow * *")
	id := x.ok(x.root, "GetUser", "UserName", "bob").value("GetUserResult", "User", "UserId")
	const arnEve = arnHere + "user/x/eve"
	user := ps("UserName", "EVE")
	with := func(p ...string) params { return append(append(params{}, user...), p...) }
	steps := []struct {
		op        string
		p         params
		resources []string // nil: no event
	}{
		{"CreateUser", ps("UserName", "eve", "Path", "/x/"), []string{arnEve}},
		{"CreateUser", ps("UserName", "Eve"), nil}, // taken
		{"CreateUser", nil, nil},                   // invalid
		{"GetUser", user, nil},                     // a read
		{"UpdateUser", with("NewUserName", "adam", "NewPath", "/y/"), []string{arnEve, arnHere + "user/y/adam"}},
		{"UpdateUser", ps("UserName", "adam", "NewUserName", "eve", "NewPath", "/x/"), []string{arnHere + "user/y/adam", arnEve}},
		{"UpdateUser", user, nil}, // without effect
		{"TagUser", with(tags("k", "v")...), []string{arnEve}},
		{"UntagUser", with(tagKeys("k")...), []string{arnEve}},
		{"UntagUser", with(tagKeys("k")...), nil},
		{"PutUserPolicy", with("PolicyName", "p", "PolicyDocument", document("Allow s3:Get *")), []string{arnEve}},
		{"PutUserPolicy", with("PolicyName", "p", "PolicyDocument", "{"), nil},
		{"DeleteUser", user, nil}, // conflict
		{"DeleteUserPolicy", with("PolicyName", "p"), []string{arnEve}},
		{"DeleteUserPolicy", with("PolicyName", "p"), nil},
		{"CreateAccessKey", user, []string{arnEve}},
		{"UpdateAccessKey", with("AccessKeyId", "EVESKEY", "Status", "Inactive"), []string{arnEve}},
		{"UpdateAccessKey", with("AccessKeyId", "EVESKEY", "Status", "Inactive"), nil},
		{"DeleteAccessKey", with("AccessKeyId", "EVESKEY"), []string{arnEve}},
		{"CreateAccessKey", nil, []string{arnHere + "user/team/bob"}},
		{"DeleteUserPermissionsBoundary", user, nil},
		{"DeleteUser", user, []string{arnEve}},
		{"CreateAccountAlias", ps("AccountAlias", "acme"), []string{"*"}},
		{"CreateAccountAlias", ps("AccountAlias", "acme"), nil},
		{"DeleteAccountAlias", ps("AccountAlias", "acme"), []string{"*"}},
		{"GetCallerIdentity", nil, nil},
	}
	key := ""
	for i, s := range steps {
		for j := range s.p {
			s.p[j] = strings.Replace(s.p[j], "EVESKEY", key, 1)
		}
		before, now := x.revision(), time.Now()
		r, body := request(serviceOf(s.op), s.op, s.p)
		r.Header.Set("User-Agent", fmt.Sprintf("agent %d \xff%s", i, strings.Repeat("x", 1000)))
		r.RemoteAddr = "192.0.2.7:4711"
		x.must(sigv4.Sign(r, body, bob.Credentials, "us-east-1", serviceOf(s.op), time.Now()))
		a := x.send(r)
		if s.op == "CreateAccessKey" && s.p != nil {
			key = a.value("CreateAccessKeyResult", "AccessKey", "AccessKeyId")
		}
		events := x.events(testAccount, before)
		if s.resources == nil {
			if len(events) != 0 || x.revision() != before {
				t.Errorf("%d %s (%s): %d events, revision %d after %d; want no trace", i, s.op, a, len(events), x.revision(), before)
			}
			continue
		}
		if a.status != 200 || len(events) != 1 {
			t.Errorf("%d %s: %d events after %s; want one", i, s.op, len(events), a)
			continue
		}
		e := events[0]
		if e.RequestId != a.header[requestIDHeader][0] || e.Action != "iam:"+s.op || e.Account != testAccount ||
			e.Principal != arnHere+"user/team/bob" || e.PrincipalId != id || e.AccessKeyId != bob.AccessKeyID || e.SourceIp != "192.0.2.7" ||
			strings.Join(e.Resources, " ") != strings.Join(s.resources, " ") {
			t.Errorf("%d %s on %q: %v", i, s.op, s.resources, e)
		}
		if at := time.UnixMicro(e.Time); at.Before(now.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%d %s: at %s", i, s.op, at)
		}
		if want := fmt.Sprintf("agent %d ?xxx", i); !strings.HasPrefix(e.UserAgent, want) || len(e.UserAgent) > 256 {
			t.Errorf("%d %s: user agent %q", i, s.op, e.UserAgent)
		}
		secret := a.value("CreateAccessKeyResult", "AccessKey", "SecretAccessKey")
		if text := e.String(); strings.Contains(text, "Signature=") || secret != "" && strings.Contains(text, secret) {
			t.Errorf("%d %s: a secret in %s", i, s.op, text)
		}
	}
	for _, e := range x.events(testAccount2, 0) {
		t.Errorf("an event in an account where nothing happened: %v", e)
	}
}

// TestSecretsAreNotStoredInTheClear: no commit holds a secret that an answer showed.
func TestSecretsAreNotStoredInTheClear(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	_, items := x.cell.engine.Snapshot(t.Context(), "", 0)
	n := 0
	for item, err := range items {
		x.must(err)
		n++
		for _, secret := range []string{bob.SecretAccessKey, x.root.SecretAccessKey} {
			if strings.Contains(string(item.Value), secret) || strings.Contains(item.Key, secret) {
				t.Errorf("%s holds a secret", item.Key)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d items were looked at", n)
	}
}
