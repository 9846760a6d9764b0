package session

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
)

const account = "111122223333"

var issued = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// env is a store with a cell keyset, and a keeper.
type env struct {
	testing.TB
	store  *state.Store
	master keyring.Master
	cell   *keyring.Cell
	keeper *Keeper
}

func newEnv(t testing.TB) *env {
	t.Helper()
	x := &env{TB: t, store: statetest.Open(t)}
	text, err := keyring.NewMasterText()
	x.must(err)
	x.master, err = keyring.ParseMaster(text)
	x.must(err)
	cell, err := keyring.NewCell(state.CellUnit, issued)
	x.must(err)
	x.put(cell)
	x.keeper = New(x.keys)
	return x
}

// keys opens the stored keyset, once for each that was stored.
func (x *env) keys(r state.Reader) (*keyring.Cell, error) {
	if r.Cell().Keyset() == nil {
		return nil, errors.New("no keyset")
	}
	return x.cell, nil
}

// put stores a keyset and opens it from there.
func (x *env) put(c *keyring.Cell) {
	x.Helper()
	wrapped, err := c.Wrap(x.Context(), x.master)
	x.must(err)
	k := &state.Keyset{}
	k.Wrapped = wrapped
	x.must(x.store.Update(x.Context(), []string{state.CellUnit}, func(tx *state.Tx) error { tx.Put(state.CellUnit, k); return nil }))
	x.cell, err = keyring.OpenCell(x.Context(), state.CellUnit, x.store.View().Cell().Keyset().Wrapped, x.master)
	x.must(err)
}

func (x *env) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *env) issue(c Claims) Issued {
	x.Helper()
	i, err := x.keeper.Issue(x.store.View(), c)
	x.must(err)
	return i
}

func (x *env) open(id, token string) (*Session, error) {
	return x.keeper.Open(x.store.View(), id, token)
}

const smallPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

func role() Claims {
	return Claims{
		Kind: state.RoleSession, Account: account, ID: "AROAQAAAAAAAAAAAAAAAA", Name: "session-1",
		IssuingKey: "AKIAQAAAAAAAAAAAAAAA", Issued: issued, Expires: issued.Add(time.Hour),
	}
}

// large has everything a session can have.
func large() Claims {
	c := role()
	c.MFA, c.SourceIdentity, c.Chained = issued.Add(-10*time.Minute), "alice@example.com", true
	c.Policy = policyOf(2048)
	c.PolicyARNs = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::" + account + ":policy/team/p", "arn:aws:iam::999900001111:policy/x"}
	c.Tags = []Tag{{"Team", "blue", true}, {"Kosten", "Prüfung", false}, {"empty", "", true}}
	return c
}

// policyOf makes a session policy of about n characters.
func policyOf(n int) string {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Statement":[`)
	for i := 0; ; i++ {
		s := fmt.Sprintf(`{"Sid":"Part%d","Effect":"Allow","Action":["s3:GetObject","dynamodb:Query","ec2:Describe%x*"],"Resource":["arn:aws:s3:::bucket-%x/%d/*","arn:aws:dynamodb:us-east-1:%d:table/t%d"]}`,
			i, i*977, i*7919+1234567, i*31, 100000000000+i*12345677, i*13)
		if i > 0 {
			if b.Len()+len(s)+3 > n {
				return b.String() + "]}"
			}
			b.WriteString(",")
		}
		b.WriteString(s)
	}
}

func TestWhatIsIssuedOpens(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	user, root, federated, foreign := role(), role(), role(), role()
	user.Kind, user.Name, user.ID, user.MFA, user.Expires = state.IAMUser, "", "AIDAQAAAAAAAAAAAAAAAA", issued, issued.Add(keyring.MaxTokenLife)
	root.Kind, root.Name, root.ID, root.Expires = state.RootUser, "", account, issued.Add(time.Second)
	federated.Kind, federated.Policy = state.FederatedUser, smallPolicy
	foreign.ID, foreign.IssuingKey = "an id from elsewhere", ""
	small := role()
	small.Tags = []Tag{{"a", "b", true}, {"i", "", false}, {"İ", "another letter, though its lower case is i", false}}
	for name, c := range map[string]Claims{
		"role": role(), "user": user, "root": root, "federated user": federated, "id from elsewhere": foreign, "large": large(), "tags": small,
	} {
		i := x.issue(c)
		switch {
		case !strings.HasPrefix(i.AccessKeyID, "ASIA") || len(i.AccessKeyID) != 20:
			t.Errorf("%s: the key id is %q", name, i.AccessKeyID)
		case i.Secret.Len() != 40:
			t.Errorf("%s: a secret of %d characters", name, i.Secret.Len())
		case !strings.HasPrefix(i.Token, "GatehouseST1") || len(i.Token) > MaxToken:
			t.Errorf("%s: a token of %d characters: %.20s…", name, len(i.Token), i.Token)
		case !i.Expires.Equal(c.Expires):
			t.Errorf("%s: expires %v", name, i.Expires)
		case strings.Contains(i.Token, i.Secret.Reveal()):
			t.Errorf("%s: the token shows the secret", name)
		}
		if of, ok := keyring.AccountOfAccessKeyID(i.AccessKeyID); !ok || of != account {
			t.Errorf("%s: the key id is of account %q", name, of)
		}
		if _, err := base64.StdEncoding.DecodeString(i.Token); err != nil {
			t.Errorf("%s: the token is not base64: %v", name, err)
		}
		s, err := x.open(i.AccessKeyID, i.Token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !s.Secret.Equal(i.Secret) {
			t.Errorf("%s: another secret came out", name)
		}
		if (s.Inline != nil) != (c.Policy != "") || s.Inline != nil && s.Inline.Text() != c.Policy {
			t.Errorf("%s: the session policy came out as %v", name, s.Inline)
		}
		got := s.Claims
		c.AccessKeyID, c.Secret, got.Secret = i.AccessKeyID, i.Secret, i.Secret
		if !reflect.DeepEqual(got, c) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c)
		}
		if again, err := x.open(i.AccessKeyID, i.Token); err != nil || again != s {
			t.Errorf("%s: opened anew: %v", name, err)
		}
		t.Logf("%s: %d characters, %d%%", name, len(i.Token), PackedSize(&c))
	}
}

func TestGivenCredentials(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	c := role()
	c.AccessKeyID, c.Secret = "ASIAQNZGKIQY56JQ7WML", keyring.SecretAccessKey() // docs/spec/wire.md 5.2
	c.Account = "029608264753"
	i := x.issue(c)
	if i.AccessKeyID != c.AccessKeyID || !i.Secret.Equal(c.Secret) {
		t.Errorf("%+v", i)
	}
	if s, err := x.open(c.AccessKeyID, i.Token); err != nil || !s.Secret.Equal(c.Secret) {
		t.Error(err)
	}
}

func TestWhatIsNotIssued(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	many := make([]Tag, maxTags+1)
	for i := range many {
		many[i] = Tag{Key: fmt.Sprint(i)}
	}
	noise := make([]Tag, 50) // 50 tags of the greatest length, which nothing compresses
	for i := range noise {
		noise[i] = Tag{Key: fmt.Sprint(i), Value: keyring.RandomSecret(256, keyring.Mixed).Reveal()}
	}
	tests := []struct {
		what   string
		change func(c *Claims)
		want   error // nil = any
	}{
		{"no account", func(c *Claims) { c.Account = "" }, nil},
		{"short account", func(c *Claims) { c.Account = "12345678901" }, nil},
		{"letters for an account", func(c *Claims) { c.Account = "12345678901x" }, nil},
		{"no kind", func(c *Claims) { c.Kind = 0 }, nil},
		{"unknown kind", func(c *Claims) { c.Kind = 9 }, nil},
		{"no principal", func(c *Claims) { c.ID = "" }, nil},
		{"role session without a name", func(c *Claims) { c.Name = "" }, nil},
		{"federated user without a name", func(c *Claims) { c.Kind, c.Name = state.FederatedUser, "" }, nil},
		{"user with a name", func(c *Claims) { c.Kind = state.IAMUser }, nil},
		{"no times", func(c *Claims) { c.Issued, c.Expires = time.Time{}, time.Time{} }, nil},
		{"no life", func(c *Claims) { c.Expires = c.Issued }, nil},
		{"backwards", func(c *Claims) { c.Expires = c.Issued.Add(-time.Second) }, nil},
		{"longer than keys are kept", func(c *Claims) { c.Expires = c.Issued.Add(keyring.MaxTokenLife + time.Second) }, nil},
		{"part of a second", func(c *Claims) { c.Issued = c.Issued.Add(time.Millisecond) }, nil},
		{"before 1970", func(c *Claims) { c.Issued = time.Unix(-5, 0); c.Expires = time.Unix(5, 0) }, nil},
		{"far away", func(c *Claims) { c.Issued = time.Unix(1<<40, 0); c.Expires = c.Issued.Add(time.Hour) }, nil},
		{"MFA later than the session", func(c *Claims) { c.MFA = c.Issued.Add(time.Second) }, nil},
		{"key id without a secret", func(c *Claims) { c.AccessKeyID = "ASIAQNZGKIQY56JQ7WML" }, nil},
		{"secret without a key id", func(c *Claims) { c.Secret = keyring.SecretAccessKey() }, nil},
		{"key id of another account", func(c *Claims) { c.AccessKeyID, c.Secret = "ASIAQNZGKIQY56JQ7WML", keyring.SecretAccessKey() }, nil},
		{"long-term key id", func(c *Claims) {
			c.Account, c.AccessKeyID, c.Secret = "029608264753", "AKIAQNZGKIQY56JQ7WML", keyring.SecretAccessKey()
		}, nil},
		{"short secret", func(c *Claims) {
			c.Account, c.AccessKeyID, c.Secret = "029608264753", "ASIAQNZGKIQY56JQ7WML", keyring.NewSecret("abcd")
		}, nil},
		{"a secret that is not base64", func(c *Claims) {
			c.Account, c.AccessKeyID, c.Secret = "029608264753", "ASIAQNZGKIQY56JQ7WML", keyring.NewSecret(strings.Repeat("!", 40))
		}, nil},
		{"a policy that is none", func(c *Claims) { c.Policy = "{" }, nil},
		{"a policy with a principal", func(c *Claims) {
			c.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
		}, nil},
		{"an empty ARN", func(c *Claims) { c.PolicyARNs = []string{""} }, nil},
		{"a tag twice", func(c *Claims) { c.Tags = []Tag{{Key: "Team"}, {Key: "team"}} }, nil},
		{"long id", func(c *Claims) { c.ID = strings.Repeat("x", maxID+1) }, ErrTooLarge},
		{"long name", func(c *Claims) { c.Name = strings.Repeat("x", maxName+1) }, ErrTooLarge},
		{"long source identity", func(c *Claims) { c.SourceIdentity = strings.Repeat("x", maxName+1) }, ErrTooLarge},
		{"long key", func(c *Claims) { c.IssuingKey = strings.Repeat("x", maxID+1) }, ErrTooLarge},
		{"long policy", func(c *Claims) { c.Policy = policyOf(maxPolicy) + strings.Repeat(" ", 500) }, ErrTooLarge},
		{"many ARNs", func(c *Claims) { c.PolicyARNs = make([]string, maxARNs+1) }, ErrTooLarge},
		{"long ARN", func(c *Claims) { c.PolicyARNs = []string{strings.Repeat("x", maxARN+1)} }, ErrTooLarge},
		{"many tags", func(c *Claims) { c.Tags = many }, ErrTooLarge},
		{"long tag key", func(c *Claims) { c.Tags = []Tag{{Key: strings.Repeat("x", maxKey+1)}} }, ErrTooLarge},
		{"long tag value", func(c *Claims) { c.Tags = []Tag{{Key: "k", Value: strings.Repeat("x", maxValue+1)}} }, ErrTooLarge},
		{"noise", func(c *Claims) { c.Tags = noise }, ErrTooLarge},
	}
	for _, tt := range tests {
		c := role()
		tt.change(&c)
		i, err := x.keeper.Issue(x.store.View(), c)
		if err == nil || i.Token != "" || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, a token of %d characters", tt.what, err, len(i.Token))
		}
	}
}

// What PackedSize lets pass fits into a token, whatever it is made of.
func TestWhatPacksFits(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	longest := 0
	for _, alphabet := range []string{keyring.Mixed, "ab", keyring.Upper} {
		for n := range 60 {
			c := large()
			c.Name, c.SourceIdentity = strings.Repeat("n", 64), strings.Repeat("s", 64)
			c.Policy = policyOf(200 + 30*n)
			for i := range n {
				c.Tags = append(c.Tags, Tag{Key: fmt.Sprint("key", i), Value: keyring.RandomSecret(4*n, alphabet).Reveal()})
			}
			if PackedSize(&c) > 100 {
				break
			}
			longest = max(longest, len(x.issue(c).Token))
		}
	}
	c := role()
	for i := 0; PackedSize(&c) <= 100 && i < maxTags; i++ {
		longest = max(longest, len(x.issue(c).Token))
		c.Tags = append(c.Tags, Tag{Key: fmt.Sprint(i), Value: strings.Repeat("ü", 256)})
	}
	if len(c.Tags) < 50 {
		t.Errorf("%d long tags that pack well are too many", len(c.Tags))
	}
	t.Logf("the longest token has %d characters", longest)
}

func TestForeignTokensDoNotOpen(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	i, other := x.issue(large()), x.issue(role())
	stranger := newEnv(t).issue(role())
	recoded := func(change func(sealed []byte) []byte) string {
		sealed, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(i.Token, tokenPrefix))
		x.must(err)
		return tokenPrefix + base64.StdEncoding.EncodeToString(change(sealed))
	}
	padded := x.issue(role())
	for name := "s"; !strings.HasSuffix(padded.Token, "="); name += "s" { // whose last bits carry nothing
		c := role()
		c.Name = name
		padded = x.issue(c)
	}
	bits := strings.TrimRight(padded.Token, "=")
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	otherBits := bits[:len(bits)-1] + string(digits[strings.IndexByte(digits, bits[len(bits)-1])|1]) + padded.Token[len(bits):]
	long, err := x.cell.Seal("access-key", i.AccessKeyID, []byte{version, plain})
	x.must(err)
	tests := []struct {
		what, id, token string
		want            error
	}{
		{"no token", i.AccessKeyID, "", ErrToken},
		{"the prefix alone", i.AccessKeyID, tokenPrefix, ErrToken},
		{"without its prefix", i.AccessKeyID, i.Token[len(tokenPrefix):], ErrToken},
		{"another session's token", i.AccessKeyID, other.Token, ErrToken},
		{"another session's key", other.AccessKeyID, i.Token, ErrToken},
		{"another cell's", stranger.AccessKeyID, stranger.Token, ErrUnknownKey},
		{"a long-term key id", "AKIA" + i.AccessKeyID[4:], i.Token, ErrToken},
		{"no key id", "", i.Token, ErrToken},
		{"a long key id", i.AccessKeyID + strings.Repeat("A", 5000), i.Token, ErrToken},
		{"in lower case", strings.ToLower(i.AccessKeyID), i.Token, ErrToken},
		{"a line end inside", i.AccessKeyID, i.Token[:100] + "\n" + i.Token[100:], ErrToken},
		{"a line end behind", i.AccessKeyID, i.Token + "\r\n", ErrToken},
		{"white space behind", i.AccessKeyID, i.Token + " ", ErrToken},
		{"with bits that carry nothing", padded.AccessKeyID, otherBits, ErrToken},
		{"without its padding", padded.AccessKeyID, bits, ErrToken},
		{"cut short", i.AccessKeyID, i.Token[:len(i.Token)-4], ErrToken},
		{"longer", i.AccessKeyID, i.Token + "AAAA", ErrToken},
		{"far too long", i.AccessKeyID, i.Token + strings.Repeat("A", MaxToken), ErrToken},
		{"a bit of it changed", i.AccessKeyID, recoded(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), ErrToken},
		{"another key's id in front", i.AccessKeyID, recoded(func(b []byte) []byte { b[2] ^= 1; return b }), ErrUnknownKey},
		{"something else that is sealed", i.AccessKeyID, tokenPrefix + base64.StdEncoding.EncodeToString(long), ErrToken},
	}
	for _, warm := range []bool{false, true} {
		if warm {
			for _, k := range []Issued{i, other} {
				_, err := x.open(k.AccessKeyID, k.Token)
				x.must(err)
			}
		}
		for _, tt := range tests {
			if s, err := x.open(tt.id, tt.token); s != nil || !errors.Is(err, tt.want) {
				t.Errorf("%s (others remembered: %t): %v, %v, want %v", tt.what, warm, s, err, tt.want)
			}
		}
	}
	if s, err := x.open(i.AccessKeyID, i.Token); err != nil || s.Name != "session-1" {
		t.Errorf("after all that the right one: %v", err)
	}
}

// What was sealed here and cannot be read is our fault, not the client's.
func TestSealedButUnreadable(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	i := x.issue(role())
	c := role()
	c.AccessKeyID, c.Secret = i.AccessKeyID, i.Secret
	right, err := c.encode()
	x.must(err)
	changed := func(at int, to byte) []byte { b := bytes.Clone(right); b[at] = to; return b }
	if _, err := decode(right, i.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	for what, claims := range map[string][]byte{
		"something behind": append(bytes.Clone(right), 0), "an unknown flag": changed(3, 0x80), "an unknown kind": changed(2, 9),
		"another account": changed(8, right[8]+1), "nothing": nil, "a later version": {version + 1, plain, 0}, "a later form": {version, 9}, "no claims": {version, plain, 1, 2, 3},
	} {
		sealed, err := x.cell.Seal(sealKind, i.AccessKeyID, claims)
		x.must(err)
		s, err := x.open(i.AccessKeyID, tokenPrefix+base64.StdEncoding.EncodeToString(sealed))
		if s != nil || err == nil || errors.Is(err, ErrToken) || errors.Is(err, ErrUnknownKey) {
			t.Errorf("%s: %v, %v", what, s, err)
		}
	}
}

// A token opens as long as the key it is sealed under is in the keyset, and no longer, remembered or not.
func TestTokensFollowTheKeyset(t *testing.T) {
	t.Parallel()
	x := newEnv(t)
	first := x.cell.Keys()[0].ID
	i := x.issue(role())
	_, err := x.open(i.AccessKeyID, i.Token)
	x.must(err)
	next, id, err := x.cell.AddKey(issued)
	x.must(err)
	x.put(next)
	next, err = x.cell.Promote(id, issued)
	x.must(err)
	x.put(next)
	if _, err := x.open(i.AccessKeyID, i.Token); err != nil {
		t.Errorf("sealed under a retired key: %v", err)
	}
	later := x.issue(role())
	next, err = x.cell.RemoveKey(first)
	x.must(err)
	x.put(next)
	if s, err := x.open(i.AccessKeyID, i.Token); s != nil || !errors.Is(err, ErrUnknownKey) {
		t.Errorf("sealed under a removed key: %v, %v", s, err)
	}
	if _, err := x.open(later.AccessKeyID, later.Token); err != nil {
		t.Error(err)
	}
	broken := New(func(state.Reader) (*keyring.Cell, error) { return nil, errors.New("no keyset here") })
	if _, err := broken.Open(x.store.View(), later.AccessKeyID, later.Token); err == nil || errors.Is(err, ErrToken) {
		t.Errorf("without a keyset: %v", err)
	}
	if _, err := broken.Issue(x.store.View(), role()); err == nil {
		t.Error("issued without a keyset")
	}
}
