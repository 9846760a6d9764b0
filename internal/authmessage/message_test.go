package authmessage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func keyset(t testing.TB, account string) *keyring.Account {
	t.Helper()
	k, err := keyring.NewAccountKeyset("acct/"+account, time.Unix(1795262400, 0))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func load(t testing.TB, text string, kind policy.Kind) *policy.Attached {
	t.Helper()
	p, err := policy.Load(text, kind)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return &policy.Attached{Policy: p}
}

var bob = &state.Principal{Kind: state.IAMUser, Account: "111122223333", ID: "AIDABOB", Path: "/", Name: "Bob"}

const bobARN = "arn:aws:iam::111122223333:user/Bob"

// denialOf is one of bob's.
func denialOf(decision policy.Decision, context ...policy.Entry) *authz.Denial {
	return &authz.Denial{Principal: bobARN, Decision: decision, Record: &authz.Record{
		Principal: bob, Sets: policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: bob.Account, ID: bob.ID}},
		Request: policy.Request{Action: "ec2:StopInstances", Resource: "arn:aws:ec2:us-east-1:111122223333:instance/i-1", Context: context},
	}}
}

func explicit(a *policy.Attached) policy.Decision {
	return policy.Decision{Effect: policy.DenyExplicit, Layer: policy.LayerIdentity, Policy: a}
}

const (
	asked = `"context":{"principal":{"id":"AIDABOB","name":"Bob","arn":"` + bobARN + `"},"action":"ec2:StopInstances","resource":"arn:aws:ec2:us-east-1:111122223333:instance/i-1","conditions":{"items":[`
	front = `{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[{"statementId":"%s","effect":"DENY","principals":{"items":[%s]},"principalGroups":{"items":[]},` +
		`"actions":{"items":[%s]},"resources":{"items":[%s]},"conditions":{"items":[%s]}}]},"failures":{"items":[]},`
)

// TestMessages: docs/spec/evaluation.md 12 to the letter, opened as it was sealed.
func TestMessages(t *testing.T) {
	t.Parallel()
	k := keyset(t, bob.Account)
	session := denialOf(policy.Decision{})
	session.Principal = "arn:aws:sts::111122223333:assumed-role/r/s1"
	session.Record.Principal = &state.Principal{Kind: state.RoleSession, Account: bob.Account, ID: "AROAR", Name: "r", Session: "s1"}
	root := denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, policy.Identity)))
	root.Principal, root.Record.Principal = "arn:aws:iam::111122223333:root", &state.Principal{Kind: state.RootUser, Account: bob.Account, ID: bob.Account}
	root.Record.Sets.Caller.ID = ""
	anonymous := denialOf(policy.Decision{})
	anonymous.Principal, anonymous.Record.Principal = "anonymous", nil
	const about = `"action":"ec2:StopInstances","resource":"arn:aws:ec2:us-east-1:111122223333:instance/i-1","conditions":{"items":[]}}}`
	const silent = `{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"failures":{"items":[]},`
	for _, c := range []struct {
		name   string
		denial *authz.Denial
		want   string
	}{
		{"implicit", denialOf(policy.Decision{Layer: policy.LayerIdentity}, policy.Entry{Key: "ec2:Tenancy", Values: []string{"default"}}),
			silent + asked + `{"key":"ec2:Tenancy","values":{"items":[{"value":"default"}]}}]}}}`},
		{"the keys of the context", denialOf(policy.Decision{},
			policy.Entry{Key: "aws:TagKeys", Values: []string{"a", "<&>"}}, policy.Entry{Key: "AWS:tagkeys", Values: []string{"b"}}, policy.Entry{Key: "aws:absent"},
			policy.Entry{Key: "aws:RequestTag/a", Values: []string{"1"}}, policy.Entry{Key: "aws:RequestTag/A", Values: []string{"2"}}),
			silent + asked + `{"key":"aws:TagKeys","values":{"items":[{"value":"a"},{"value":"<&>"}]}},{"key":"aws:RequestTag/a","values":{"items":[{"value":"1"}]}},` +
				`{"key":"aws:RequestTag/A","values":{"items":[{"value":"2"}]}}]}}}`},
		{"explicit", denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Sid":"No","Effect":"Deny","Action":["ec2:*","ec2:Stop*"],"Resource":"*",
			"Condition":{"StringEquals":{"ec2:Tenancy":["default","x"]},"Bool":{"aws:SecureTransport":"true"}}}}`, policy.Identity))),
			fmt.Sprintf(front, "No", `{"value":"AIDABOB"}`, `{"value":"ec2:*"},{"value":"ec2:Stop*"}`, `{"value":"*"}`,
				`{"key":"ec2:Tenancy","values":{"items":[{"value":"default"},{"value":"x"}]}},{"key":"aws:SecureTransport","values":{"items":[{"value":"true"}]}}`) + asked + `]}}}`},
		{"explicit, by what it does not name", denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"NotAction":"s3:*","NotResource":"*"}}`, policy.Resource))),
			fmt.Sprintf(front, "", "", "", "", "") + asked + `]}}}`},
		{"explicit, of a resource", denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":["111122223333","222233334444"]},"Action":"ec2:*","Resource":"*"}}`, policy.Resource))),
			fmt.Sprintf(front, "", `{"value":"111122223333"},{"value":"222233334444"}`, `{"value":"ec2:*"}`, `{"value":"*"}`, "") + asked + `]}}}`},
		{"explicit, of everybody", denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"ec2:*","Resource":"*"}}`, policy.Resource))),
			fmt.Sprintf(front, "", `{"value":"*"}`, `{"value":"ec2:*"}`, `{"value":"*"}`, "") + asked + `]}}}`},
		{"a session", session, silent + `"context":{"principal":{"id":"AROAR:s1","arn":"arn:aws:sts::111122223333:assumed-role/r/s1"},` + about},
		{"root", root, fmt.Sprintf(front, "", `{"value":"111122223333"}`, `{"value":"*"}`, `{"value":"*"}`, "") +
			`"context":{"principal":{"id":"111122223333","arn":"arn:aws:iam::111122223333:root"},` + about},
		{"anonymous", anonymous, silent + `"context":{"principal":{"id":"anonymous"},` + about},
	} {
		text, err := Seal(k, c.denial)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Open(k, text)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
	}
}

// TestOnlyTheAccountOpens: nobody else, nothing changed, and nothing that was sealed as something else.
func TestOnlyTheAccountOpens(t *testing.T) {
	t.Parallel()
	k := keyset(t, bob.Account)
	text, err := Seal(k, denialOf(policy.Decision{}))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Seal(k, denialOf(policy.Decision{})); err != nil || again == text {
		t.Errorf("sealed twice it is the same: %v", err)
	}
	other, err := k.Seal("access-key", "", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]string{
		"empty": "", "the prefix": prefix, "no prefix": text[len(prefix):], "another version": "GatehouseAM2" + text[len(prefix):], "cut": text[:len(text)-1], "longer": text + "A",
		"a line end": text[:40] + "\n" + text[40:], "another byte": text[:60] + string(text[60]^1) + text[61:], "padding": text + "=", "too long": text + strings.Repeat("A", MaxMessage),
		"another kind": prefix + encoding.EncodeToString(other),
	} {
		if got, err := Open(k, bad); !errors.Is(err, ErrInvalid) || got != "" {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for _, stranger := range []*keyring.Account{keyset(t, bob.Account), keyset(t, "444455556666")} {
		if got, err := Open(stranger, text); !errors.Is(err, ErrInvalid) || got != "" {
			t.Errorf("with another keyset: %q, %v", got, err)
		}
	}
	next, id, err := k.AddKey(time.Unix(1795262500, 0))
	if err == nil {
		next, err = next.Promote(id, time.Unix(1795262600, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(next, text); err != nil {
		t.Errorf("after the key was replaced: %v", err)
	}
}

// TestMessagesHaveRoom: whatever a denial is made of, its message is no longer than it may be, and what is left out goes in order.
func TestMessagesHaveRoom(t *testing.T) {
	t.Parallel()
	k := keyset(t, bob.Account)
	long := func(n int) string { return strings.Repeat("x", n) }
	statement := func(actions, resources, conditions int) policy.Decision {
		return explicit(load(t, `{"Version":"2012-10-17","Statement":{"Sid":"No","Effect":"Deny","Action":"ec2:`+long(actions)+`","Resource":"arn:aws:s3:::`+long(resources)+
			`","Condition":{"StringEquals":{"aws:UserAgent":"`+long(conditions)+`"}}}}`, policy.Identity))
	}
	many := func(n, each int) (list []policy.Entry) {
		for i := range n {
			list = append(list, policy.Entry{Key: fmt.Sprint("k", i), Values: []string{long(each)}})
		}
		return list
	}
	for _, c := range []struct {
		name string
		d    *authz.Denial
		want string // Sid, how many principals, actions, resources, conditions of the statement; keys of the context
	}{
		{"all has room", denialOf(statement(100, 100, 100), many(10, 100)...), "No 1 1 1 1 10"},
		{"conditions go first", denialOf(statement(100, 100, 8000), many(10, 100)...), "No 1 1 1 0 10"},
		{"then resources", denialOf(statement(100, 7500, 8000), many(10, 100)...), "No 1 1 0 0 10"},
		{"then actions", denialOf(statement(7500, 7500, 8000), many(10, 100)...), "No 1 0 0 0 10"},
		{"then the rest of the statement, and keys", denialOf(statement(7500, 7500, 8000), many(100, 1000)...), " 0 0 0 0 6"},
		{"keys alone", denialOf(policy.Decision{}, many(512, 300)...), "- 21"},
		{"a key that is too long", denialOf(policy.Decision{}, policy.Entry{Key: "k", Values: []string{long(100_000)}}), "- 0"},
	} {
		text, err := Seal(k, c.d)
		if err != nil || len(text) > MaxMessage {
			t.Errorf("%s: %d characters, %v", c.name, len(text), err)
			continue
		}
		opened, err := Open(k, text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var m message
		if err := json.Unmarshal([]byte(opened), &m); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := "-"
		for _, s := range m.MatchedStatements.Items {
			got = fmt.Sprint(s.StatementID, " ", len(s.Principals.Items), " ", len(s.Actions.Items), " ", len(s.Resources.Items), " ", len(s.Conditions.Items))
		}
		if got += fmt.Sprint(" ", len(m.Context.Conditions.Items)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if !json.Valid([]byte(opened)) || strings.Contains(opened, ":null") {
			t.Errorf("%s: %s", c.name, opened)
		}
	}
}

// TestLongestTexts: texts of every kind at their limits, whose JSON is six times as long, still make a message.
func TestLongestTexts(t *testing.T) {
	t.Parallel()
	k := keyset(t, bob.Account)
	for _, unit := range []string{"x", "\x01", "é", "\U0001F600", "\xff", "\"", "<"} {
		d := denialOf(explicit(load(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, policy.Identity)))
		r := &d.Record.Request
		r.Action, r.Resource = strings.Repeat(unit, policy.MaxAction/len(unit)), strings.Repeat(unit, policy.MaxResource/len(unit))
		d.Principal, d.Record.Principal = strings.Repeat(unit, 2048/len(unit)), nil
		text, err := Seal(k, d)
		if err != nil || len(text) > MaxMessage {
			t.Errorf("%q: %d characters, %v", unit, len(text), err)
			continue
		}
		if opened, err := Open(k, text); err != nil || !json.Valid([]byte(opened)) || strings.Contains(opened, "\ufffd") && unit != "\xff" {
			t.Errorf("%q: %v\n%.500s", unit, err, opened)
		}
	}
}

// TestEveryLength: messages up to the bound, byte by byte.
func TestEveryLength(t *testing.T) {
	t.Parallel()
	k := keyset(t, bob.Account)
	base := len(messageOf(denialOf(policy.Decision{})).json())
	for n := maxText - base - 60; n < maxText-base+5; n++ {
		d := denialOf(policy.Decision{}, policy.Entry{Key: "k", Values: []string{strings.Repeat("x", n)}})
		text, err := Seal(k, d)
		if err != nil || len(text) > MaxMessage {
			t.Errorf("%d: %d characters, %v", n, len(text), err)
		}
		full := messageOf(d).json()
		opened, err := Open(k, text)
		if err != nil || (len(full) <= maxText) != (opened == string(full)) {
			t.Errorf("%d bytes of %d: %v, %d bytes", len(full), maxText, err, len(opened))
		}
	}
}

// FuzzOpen: no text makes the opener fail otherwise than with ErrInvalid; what it opens is what was sealed.
func FuzzOpen(f *testing.F) {
	k := keyset(f, bob.Account)
	d := denialOf(policy.Decision{})
	text, err := Seal(k, d)
	if err != nil {
		f.Fatal(err)
	}
	want := messageOf(d).json()
	f.Add(text)
	f.Add(text[:len(text)-4])
	f.Add(prefix)
	f.Add(prefix + "AQ")
	f.Add(strings.Repeat("A", MaxMessage+1))
	f.Fuzz(func(t *testing.T, in string) {
		got, err := Open(k, in)
		switch {
		case err == nil && (in != text || got != string(want)):
			t.Errorf("%q opens: %q", in, got)
		case err != nil && (!errors.Is(err, ErrInvalid) || got != ""):
			t.Errorf("%q: %q, %v", in, got, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k := keyset(b, bob.Account)
	var list []policy.Entry
	for i := range 40 {
		list = append(list, policy.Entry{Key: fmt.Sprint("aws:Key", i), Values: []string{"value"}})
	}
	d := denialOf(policy.Decision{}, list...)
	b.ReportAllocs()
	for b.Loop() {
		text, err := Seal(k, d)
		if err != nil || bytes.Contains([]byte(text), []byte("=")) {
			b.Fatal(err)
		}
	}
}
