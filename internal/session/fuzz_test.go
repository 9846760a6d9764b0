package session

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

const fuzzKey = "ASIAQNZGKIQY56JQ7WML"

// FuzzDecode feeds the decoder with bytes that no key protects: it must not panic or read without bound, and what it accepts are claims that
// could have been issued, and are written so that they read the same.
func FuzzDecode(f *testing.F) {
	for _, c := range []Claims{role(), large()} {
		c.Account, c.AccessKeyID, c.Secret = "029608264753", fuzzKey, keyring.NewSecret(strings.Repeat("abcd", 10))
		b, err := c.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append([]byte{version, plain}, c.appendBody(nil)...))
	}
	f.Add(deflate([]byte{version, deflated}, make([]byte, 1<<20), withDictionary)) // a bomb
	f.Add([]byte{version, plain, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decode(b, fuzzKey)
		if err != nil {
			return
		}
		if err := c.check(); err != nil {
			t.Fatalf("it was read and is not valid: %v", err)
		}
		again, err := c.encode()
		if err != nil {
			t.Fatalf("it was read and cannot be written: %v", err)
		}
		d, err := decode(again, fuzzKey)
		if err != nil {
			t.Fatalf("it was written and cannot be read: %v", err)
		}
		if !d.Secret.Equal(c.Secret) {
			t.Fatal("another secret")
		}
		c.Secret, d.Secret = keyring.Secret{}, keyring.Secret{}
		if !reflect.DeepEqual(c, d) {
			t.Fatalf("read %+v, after writing %+v", c, d)
		}
	})
}

// FuzzOpen changes valid tokens: none opens but what was issued, for the key it was issued for.
func FuzzOpen(f *testing.F) {
	x := newEnv(f)
	valid := []Issued{x.issue(role()), x.issue(large())}
	for _, i := range valid {
		f.Add(i.AccessKeyID, i.Token, uint16(3), byte(0))
		f.Add(i.AccessKeyID, i.Token, uint16(40), byte(1))
		f.Add(i.AccessKeyID, i.Token[:40], uint16(9), byte(7))
	}
	f.Add("", "", uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, id, token string, at uint16, flip byte) {
		sealed, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, tokenPrefix))
		if err == nil && len(sealed) > 0 { // a change behind the base64, which the fuzzer seldom finds
			changed := bytes.Clone(sealed)
			changed[int(at)%len(changed)] ^= flip
			token = tokenPrefix + base64.StdEncoding.EncodeToString(changed)
		}
		issued := false
		for _, i := range valid {
			issued = issued || i.AccessKeyID == id && i.Token == token
		}
		s, err := x.open(id, token)
		switch {
		case issued != (err == nil):
			t.Fatalf("key %q with token %q (issued: %t): %v", id, token, issued, err)
		case issued && s.AccessKeyID != id:
			t.Fatalf("opened to the session of %s", s.AccessKeyID)
		case !issued && !errors.Is(err, ErrToken) && !errors.Is(err, ErrUnknownKey):
			t.Fatalf("key %q with token %q: %v", id, token, err)
		}
	})
}

func TestInflateIsBounded(t *testing.T) {
	t.Parallel()
	fits := bytes.Repeat([]byte("a"), maxBody)
	if b, err := inflate(deflate(nil, fits, withDictionary)); err != nil || !bytes.Equal(b, fits) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	packed := deflate(nil, []byte("claims"), withDictionary)
	for what, b := range map[string][]byte{
		"too much":          deflate(nil, append(fits, 'a'), withDictionary),
		"far too much":      deflate(nil, make([]byte, 8<<20), withDictionary),
		"cut short":         packed[:len(packed)-1],
		"something behind":  append(bytes.Clone(packed), 0),
		"no deflate stream": []byte("\xff\xff\xff"),
		"empty":             nil,
	} {
		if out, err := inflate(b); !errors.Is(err, errForm) {
			t.Errorf("%s: %d bytes, %v", what, len(out), err)
		}
	}
}
