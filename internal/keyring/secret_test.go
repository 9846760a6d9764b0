package keyring

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
)

// holder has the values where fmt cannot call their methods: in unexported fields.
type holder struct {
	value any
	inner struct {
		secret Secret
		seed   Seed
		stream Stream
		cell   Cell
		master Master
		ring   *Account
	}
	list []Secret
	by   map[string]Secret
}

// rawKey gives the bytes of a keyset's primary key.
func rawKey(t *testing.T, r *ring) string {
	t.Helper()
	e, err := r.handle.Primary()
	if err != nil {
		t.Fatal(err)
	}
	k, ok := e.Key().(*xchacha20poly1305.Key)
	if !ok {
		t.Fatalf("key of type %T", e.Key())
	}
	return string(k.KeyBytes().Data(insecuresecretdataaccess.Token{}))
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const plain = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	key := []byte("0123456789abcdefghijklmnopqrstuv")
	secret, seed := NewSecret(plain), SeedFromBytes([SeedBytes]byte(key))
	stream := NewStream(seed)
	master, err := MasterFromBytes(key)
	if err != nil {
		t.Fatal(err)
	}
	cell, account := testCell(t), testAccount(t, unit1)
	var h holder
	h.value, h.inner.secret, h.inner.seed, h.inner.stream = secret, secret, seed, *stream
	h.inner.cell, h.inner.ring, h.inner.master = *cell, account, master
	h.list, h.by = []Secret{secret}, map[string]Secret{"a": secret}

	// Every form in which a byte string shows itself.
	var forbidden []string
	for _, s := range []string{plain, string(key), rawKey(t, cell.r), rawKey(t, account.r)} {
		forbidden = append(forbidden, s, s[4:20], hex.EncodeToString([]byte(s[4:16])), strings.ToUpper(hex.EncodeToString([]byte(s[4:16]))),
			base64.StdEncoding.EncodeToString([]byte(s[6:18])), strings.Trim(fmt.Sprint([]byte(s[4:12])), "[]"),
			fmt.Sprintf("% x", s[4:12]), fmt.Sprintf("%#v", []byte(s[4:8]))[7:])
	}
	check := func(what, out string) {
		t.Helper()
		for _, f := range forbidden {
			if strings.Contains(out, f) {
				t.Errorf("%s shows a secret: %s", what, out)
			}
		}
	}
	// The check must find what it looks for: an unprotected secret in the same place.
	if out := fmt.Sprintf("%+v", struct{ s string }{plain}); !slices.ContainsFunc(forbidden, func(f string) bool { return strings.Contains(out, f) }) {
		t.Fatal("the check finds nothing in ", out)
	}

	values := map[string]any{
		"secret": secret, "*secret": &secret, "seed": seed, "*seed": &seed, "stream": *stream, "*stream": stream, "master": master,
		"cell": cell, "*cell": *cell, "account": account, "*account": *account, "holder": h, "*holder": &h,
		"slice": []Secret{secret}, "map": map[string]any{"x": secret, "y": seed}, "exported": struct{ S, T any }{secret, stream},
	}
	verbs := "vTtbcdoOqxXUeEfFgGsp"
	for name, v := range values {
		for _, verb := range verbs {
			for _, flag := range []string{"", "+", "#", " ", "0", "-", "10.3", "+#"} {
				format := "%" + flag + string(verb)
				check(name+" "+format, fmt.Sprintf(format, v))
			}
		}
		check(name+" Sprint", fmt.Sprint(v)+fmt.Sprintln(v))
		check(name+" error", fmt.Errorf("failed: %v %+v %#v", v, v, v).Error())
		if b, err := json.Marshal(v); err == nil {
			check(name+" JSON", string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			check(name+" XML", string(b))
		}
		for _, jsonLog := range []bool{true, false} {
			var buf bytes.Buffer
			var handler slog.Handler = slog.NewTextHandler(&buf, nil)
			if jsonLog {
				handler = slog.NewJSONHandler(&buf, nil)
			}
			slog.New(handler).LogAttrs(context.Background(), slog.LevelInfo, "m", slog.Any("v", v), slog.Group("g", slog.Any("w", v)))
			check(name+" slog", buf.String())
		}
	}
	for _, v := range []any{secret, seed, *stream} {
		if s := fmt.Sprintf("%v %s %q %d %#v", v, v, v, v, v); s != strings.Repeat(redacted+" ", 4)+redacted {
			t.Errorf("%T prints as %s", v, s)
		}
		if b, err := json.Marshal(map[string]any{"k": v}); err != nil || string(b) != `{"k":"[redacted]"}` {
			t.Errorf("%T in JSON: %s, %v", v, b, err)
		}
	}
	if s := fmt.Sprint(cell); !strings.HasPrefix(s, "cell keyset of cell (primary ") {
		t.Errorf("a cell prints as %s", s)
	}
	if s := fmt.Sprint(account); !strings.HasPrefix(s, "account keyset of "+unit1+" (primary ") {
		t.Errorf("an account prints as %s", s)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	var zero Secret
	a, b := NewSecret("same"), NewSecret(strings.Clone("same"))
	if a.Reveal() != "same" || zero.Reveal() != "" || a.Len() != 4 || zero.Len() != 0 {
		t.Errorf("Reveal, Len: %q, %q, %d, %d", a.Reveal(), zero.Reveal(), a.Len(), zero.Len())
	}
	if !a.Equal(b) || a.Equal(NewSecret("sama")) || a.Equal(zero) || !zero.Equal(NewSecret("")) {
		t.Error("Equal")
	}
	var s Secret
	if err := json.Unmarshal([]byte(`"x"`), &s); err == nil { //nolint:staticcheck // SA9005: that it cannot be read is the test
		t.Error("a Secret must not be read from JSON by accident: writing it back would store [redacted]")
	}
}
