package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// A token opens until its life ends, however the cell's key is rotated meanwhile, and the key that sealed it goes after that.
func TestRotationKeepsTokens(t *testing.T) {
	t.Parallel()
	const every = 30 * 24 * time.Hour
	r := newRotating(t, every)
	r.run()
	sealing := r.cellKeys()[0].ID
	r.at = r.at.Add(every).Truncate(time.Second) // the next round replaces the key: no later token is sealed under it
	issue := func() session.Issued {
		t.Helper()
		i, err := r.sessions.Issue(r.store.View(), session.Claims{
			Kind: state.RootUser, Account: nodeAccount, ID: nodeAccount, IssuingKey: nodeRootKey, Issued: r.at, Expires: r.at.Add(keyring.MaxTokenLife),
		})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	opens := func(when string, i session.Issued, want error) {
		t.Helper()
		for what, k := range map[string]*session.Keeper{"remembered": r.sessions, "anew": session.New(r.vault.Cell)} {
			if _, err := k.Open(r.store.View(), i.AccessKeyID, i.Token); !errors.Is(err, want) {
				t.Errorf("%s, %s: %v, want %v", when, what, err, want)
			}
		}
	}
	last := issue()
	opens("before the rotation", last, nil)
	r.at = r.at.Add(time.Second)
	r.run()
	if now := r.cellKeys(); len(now) != 2 || now[0].ID != sealing || now[0].Primary {
		t.Fatalf("the cell's keys after their time: %+v", now)
	}
	opens("under the retired key", last, nil)
	next := issue()
	for r.at = r.at.Add(time.Hour); r.at.Before(last.Expires); r.at = r.at.Add(time.Hour) {
		r.run()
		opens(r.at.String(), last, nil)
	}
	r.at = last.Expires.Add(-time.Second)
	r.run()
	opens("in its last second", last, nil)
	r.at = last.Expires.Add(settle + time.Second)
	r.run()
	if now := r.cellKeys(); len(now) != 1 || now[0].ID == sealing {
		t.Fatalf("the cell's keys at the end: %+v", now)
	}
	opens("under the removed key", last, session.ErrUnknownKey)
	opens("under the new key", next, nil)
}

// sessionCall calls GetCallerIdentity with session credentials.
func sessionCall(t *testing.T, endpoint string, i session.Issued) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/?Action=GetCallerIdentity&Version=2011-06-15", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	k := sigv4.Credentials{AccessKeyID: i.AccessKeyID, SecretAccessKey: i.Secret.Reveal(), SessionToken: i.Token}
	if err := sigv4.Sign(r, nil, k, "eu-west-1", "sts", time.Now()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// Sessions are served, and their use counts for the role; temporary keys leave nothing in the usage table.
func TestSessionsAreServed(t *testing.T) {
	t.Parallel()
	const id = "AROATESTROLE"
	r := startNode(t, nodeConfig())
	c := r.api.cell.Load()
	trust, err := policy.Load(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+nodeAccount+`"},"Action":"sts:AssumeRole"}]}`, policy.Trust)
	if err != nil {
		t.Fatal(err)
	}
	role := &state.Role{}
	role.Id, role.Name, role.Path = id, "app", "/"
	role.SetTrust(trust)
	unit := state.AccountUnit(nodeAccount)
	change := func(fn func(tx *state.Tx)) {
		t.Helper()
		if err := c.store.Update(t.Context(), []string{unit}, func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx *state.Tx) { tx.Put(unit, role) })
	now := time.Now().Truncate(time.Second)
	claims := session.Claims{Kind: state.RoleSession, Account: nodeAccount, ID: id, Name: "s1", Issued: now, Expires: now.Add(time.Hour)}
	ofRole, err := c.sessions.Issue(c.store.View(), claims)
	if err != nil {
		t.Fatal(err)
	}
	claims.Kind, claims.ID, claims.Name = state.RootUser, nodeAccount, ""
	ofRoot, err := c.sessions.Issue(c.store.View(), claims)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, text := sessionCall(t, r.URL(), ofRole); status != 200 || !strings.Contains(text, "arn:aws:sts::"+nodeAccount+":assumed-role/app/s1") {
			t.Errorf("the role's session: %d %s", status, text)
		}
		if status, text := sessionCall(t, r.URL(), ofRoot); status != 200 || !strings.Contains(text, "arn:aws:iam::"+nodeAccount+":root") {
			t.Errorf("root's session: %d %s", status, text)
		}
	}
	if use, ok := c.usage.LastUse(id); !ok || use.Region != "eu-west-1" || use.Service != "sts" || use.At.Before(now) {
		t.Errorf("the last use of the role: %+v, %t", use, ok)
	}
	for _, key := range []string{ofRole.AccessKeyID, ofRoot.AccessKeyID} {
		if use, ok := c.usage.LastUse(key); ok {
			t.Errorf("the temporary key %s is in the usage table: %+v", key, use)
		}
	}
	change(func(tx *state.Tx) { tx.Delete(unit, role) })
	if status, text := sessionCall(t, r.URL(), ofRole); status != 403 || !strings.Contains(text, "<Code>InvalidClientTokenId</Code>") {
		t.Errorf("the session of a role that is gone: %d %s", status, text)
	}
}
