package state

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// The record kinds. Each embeds its protobuf message and adds what is derived from it. A record must not change after it was given to
// Tx.Put; Clone gives one that may.

// Keyset is the cell's keyset. It stands in unit "cell".
type Keyset struct{ statepb.Keyset }

// Node is a running node of the cell.
type Node struct{ statepb.Node }

// DirectoryAccount is the directory's entry of an account.
type DirectoryAccount struct{ statepb.DirectoryAccount }

// DirectoryName says which account a name belongs to that is unique over all accounts. Kind is the table: "alias", "key" or "email".
type DirectoryName struct {
	statepb.DirectoryName
	Kind, Name string
}

// AccountRecord is what an account's unit says of the account itself.
type AccountRecord struct{ statepb.Account }

// User is an IAM user.
type User struct{ statepb.User }

// AccessKey is a long-term access key of a user or of the root user.
type AccessKey struct{ statepb.AccessKey }

// Active reports whether the key may sign.
func (k *AccessKey) Active() bool { return k.Status == statepb.KeyStatus_KEY_STATUS_ACTIVE }

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (u *User) Clone() *User {
	c := &User{}
	proto.Merge(&c.User, &u.User)
	return c
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (k *AccessKey) Clone() *AccessKey {
	c := &AccessKey{}
	proto.Merge(&c.AccessKey, &k.AccessKey)
	return c
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (a *AccountRecord) Clone() *AccountRecord {
	c := &AccountRecord{}
	proto.Merge(&c.Account, &a.Account)
	return c
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (k *Keyset) Clone() *Keyset {
	c := &Keyset{}
	proto.Merge(&c.Keyset, &k.Keyset)
	return c
}

const self = "self" // the key of tables with one record

func (k *Keyset) place() (string, string)           { return "keyset", self }
func (n *Node) place() (string, string)             { return "node", n.Id }
func (a *DirectoryAccount) place() (string, string) { return "account", a.Id }
func (n *DirectoryName) place() (string, string)    { return n.Kind, n.Name }
func (a *AccountRecord) place() (string, string)    { return "account", self }
func (u *User) place() (string, string)             { return "user", u.Id }
func (k *AccessKey) place() (string, string)        { return "key", k.Id }

func (k *Keyset) marshal() ([]byte, error)           { return marshal(&k.Keyset) }
func (n *Node) marshal() ([]byte, error)             { return marshal(&n.Node) }
func (a *DirectoryAccount) marshal() ([]byte, error) { return marshal(&a.DirectoryAccount) }
func (n *DirectoryName) marshal() ([]byte, error)    { return marshal(&n.DirectoryName) }
func (a *AccountRecord) marshal() ([]byte, error)    { return marshal(&a.Account) }
func (u *User) marshal() ([]byte, error)             { return marshal(&u.User) }
func (k *AccessKey) marshal() ([]byte, error)        { return marshal(&k.AccessKey) }

func (k *Keyset) size() int           { return proto.Size(&k.Keyset) }
func (n *Node) size() int             { return proto.Size(&n.Node) }
func (a *DirectoryAccount) size() int { return proto.Size(&a.DirectoryAccount) }
func (n *DirectoryName) size() int    { return proto.Size(&n.DirectoryName) }
func (a *AccountRecord) size() int    { return proto.Size(&a.Account) }
func (u *User) size() int             { return proto.Size(&u.User) }
func (k *AccessKey) size() int        { return proto.Size(&k.AccessKey) }

// marshal is deterministic, so that equal records have equal bytes on every node of one version.
func marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

var (
	keysetSchema = &schema[Keyset]{
		name:   "keyset",
		key:    func(*Keyset) string { return self },
		decode: func(_ string, v []byte) (*Keyset, error) { r := &Keyset{}; return r, proto.Unmarshal(v, &r.Keyset) },
	}
	nodeSchema = &schema[Node]{
		name:   "node",
		key:    func(n *Node) string { return n.Id },
		less:   func(a, b *Node) bool { return a.Id < b.Id },
		decode: func(_ string, v []byte) (*Node, error) { r := &Node{}; return r, proto.Unmarshal(v, &r.Node) },
	}
	directoryAccountSchema = &schema[DirectoryAccount]{
		name: "account",
		key:  func(a *DirectoryAccount) string { return a.Id },
		less: func(a, b *DirectoryAccount) bool { return a.Id < b.Id },
		decode: func(_ string, v []byte) (*DirectoryAccount, error) {
			r := &DirectoryAccount{}
			return r, proto.Unmarshal(v, &r.DirectoryAccount)
		},
	}
	directoryNameSchema = func(kind string) *schema[DirectoryName] {
		return &schema[DirectoryName]{
			name: kind,
			key:  func(n *DirectoryName) string { return n.Name },
			decode: func(key string, v []byte) (*DirectoryName, error) {
				r := &DirectoryName{Kind: kind, Name: key}
				return r, proto.Unmarshal(v, &r.DirectoryName)
			},
		}
	}
	aliasSchema, foreignKeySchema, emailSchema = directoryNameSchema("alias"), directoryNameSchema("key"), directoryNameSchema("email")

	accountSchema = &schema[AccountRecord]{
		name: "account",
		key:  func(*AccountRecord) string { return self },
		decode: func(_ string, v []byte) (*AccountRecord, error) {
			r := &AccountRecord{}
			return r, proto.Unmarshal(v, &r.Account)
		},
	}
	userSchema = &schema[User]{
		name:   "user",
		key:    func(u *User) string { return u.Id },
		less:   func(a, b *User) bool { return lessNamed(a.Name, a.Id, b.Name, b.Id) },
		decode: func(_ string, v []byte) (*User, error) { r := &User{}; return r, proto.Unmarshal(v, &r.User) },
	}
	accessKeySchema = &schema[AccessKey]{
		name: "key",
		key:  func(k *AccessKey) string { return k.Id },
		less: func(a, b *AccessKey) bool {
			if c := strings.Compare(a.Owner, b.Owner); c != 0 {
				return c < 0
			}
			if a.Seq != b.Seq {
				return a.Seq < b.Seq
			}
			return a.Id < b.Id
		},
		decode: func(_ string, v []byte) (*AccessKey, error) {
			r := &AccessKey{}
			return r, proto.Unmarshal(v, &r.AccessKey)
		},
	}
)

// compareFold orders names without regard to ASCII case, as names are unique and listed (docs/spec/wire.md 5.5, 6).
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x |= 0x20
		}
		if 'A' <= y && y <= 'Z' {
			y |= 0x20
		}
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
