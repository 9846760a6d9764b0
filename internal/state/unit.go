package state

import (
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// CellUnit and DirectoryUnit are the units that exist once in a store.
const (
	CellUnit      = "cell"
	DirectoryUnit = "directory"
)

const (
	accountPrefix = "acct/"
	usagePrefix   = "usage/" // kept by package usage; state passes over it
)

// AccountUnit is the unit of an account.
func AccountUnit(account string) string { return accountPrefix + account }

// unit is one unit in memory: its head and its tables. Units reachable from a View never change; a fork may be changed until it is
// published.
type unit interface {
	name() string
	head() *head
	fork() unit
	table(name string) anyTable // nil if there is no such table; for reading
	own(name string) anyTable   // the same table, made this fork's own; for writing
	eachTable() iter.Seq2[string, anyTable]
	touched(table, key string, old, now Record) // called after a write to that table; what it replaced, nil for nothing, and what stands there now
	epoch() *storage.Rev                        // nil if the kind of unit has none; 0 once a write in this fork could change a decision
}

type head struct {
	rev  storage.Rev
	time time.Time
}

// tables implements the table part of unit for a fixed list of tables.
type tables struct {
	unit    string
	at      head
	forking *sync.Mutex // shared by all forks: forking a table writes its source's owner mark
	list    []namedTable
	owned   uint32 // bit i: list[i] belongs to this fork alone
}

type namedTable struct {
	name string
	t    anyTable
	fork func(anyTable) anyTable
}

func named[T any](s *schema[T]) namedTable {
	return namedTable{s.name, newTable(s), func(t anyTable) anyTable { return t.(*table[T]).fork() }}
}

func newTables(unit string, list ...namedTable) tables {
	return tables{unit: unit, forking: new(sync.Mutex), list: list, owned: 1<<len(list) - 1}
}

func (t *tables) name() string { return t.unit }
func (t *tables) head() *head  { return &t.at }

func (t *tables) forkTables() tables {
	c := *t
	c.list = append([]namedTable(nil), t.list...)
	c.owned = 0
	return c
}

func (t *tables) table(name string) anyTable {
	for i := range t.list {
		if t.list[i].name == name {
			return t.list[i].t
		}
	}
	return nil
}

func (t *tables) own(name string) anyTable {
	for i := range t.list {
		n := &t.list[i]
		if n.name != name {
			continue
		}
		if t.owned&(1<<i) == 0 {
			t.forking.Lock()
			n.t = n.fork(n.t)
			t.forking.Unlock()
			t.owned |= 1 << i
		}
		return n.t
	}
	return nil
}

func (t *tables) eachTable() iter.Seq2[string, anyTable] {
	return func(yield func(string, anyTable) bool) {
		for _, n := range t.list {
			if !yield(n.name, n.t) {
				return
			}
		}
	}
}

func at[T any](t *tables, i int) *table[T] { return t.list[i].t.(*table[T]) }

// newUnit makes an empty unit of the kind that its name says.
func newUnit(name string) (unit, error) {
	switch {
	case name == CellUnit:
		return &Cell{newTables(name, named(keysetSchema), named(nodeSchema))}, nil
	case name == DirectoryUnit:
		return &Directory{newTables(name, named(directoryAccountSchema), named(aliasSchema), named(foreignKeySchema), named(emailSchema),
			named(directoryMembershipSchema))}, nil
	case strings.HasPrefix(name, accountPrefix) && isAccountID(name[len(accountPrefix):]):
		return &Account{
			tables: newTables(name, named(accountSchema), named(userSchema), named(accessKeySchema), named(inlinePolicySchema), named(groupSchema),
				named(memberSchema), named(roleSchema), named(managedPolicySchema), named(policyVersionSchema), named(attachmentSchema)),
			ID: name[len(accountPrefix):],
		}, nil
	case strings.HasPrefix(name, organizationPrefix) && isOrganizationID(name[len(organizationPrefix):]):
		return newOrganization(name), nil
	}
	return nil, fmt.Errorf("state: a unit %q of a kind this version does not know", name)
}

// isAccountID reports whether an account of that id can exist at all. It keeps what clients put in an account's place from becoming the
// name of a unit.
func isAccountID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '-')
	})
}

// Cell is the unit of what all accounts share: the cell keyset and the running nodes.
type Cell struct{ tables }

func (c *Cell) fork() unit                             { return &Cell{c.forkTables()} }
func (c *Cell) touched(string, string, Record, Record) {}
func (c *Cell) epoch() *storage.Rev                    { return nil }

// Keyset returns the cell keyset, or nil before the first start has made it.
func (c *Cell) Keyset() *Keyset { return at[Keyset](&c.tables, 0).byKey.only() }

// Nodes walks the nodes in order of id.
func (c *Cell) Nodes() iter.Seq[*Node] { return at[Node](&c.tables, 1).from(nil) }

// Directory is the unit that knows all accounts and the names that are unique over them.
type Directory struct{ tables }

func (d *Directory) fork() unit                             { return &Directory{d.forkTables()} }
func (d *Directory) touched(string, string, Record, Record) {}
func (d *Directory) epoch() *storage.Rev                    { return nil }

// Account returns the entry of an account, or nil.
func (d *Directory) Account(id string) *DirectoryAccount {
	return at[DirectoryAccount](&d.tables, 0).get(id)
}

// Accounts walks the accounts in order of id.
func (d *Directory) Accounts() iter.Seq[*DirectoryAccount] {
	return at[DirectoryAccount](&d.tables, 0).from(nil)
}

// Management returns the management account's entry, or nil before the first start has made it.
func (d *Directory) Management() *DirectoryAccount {
	for a := range d.Accounts() {
		if a.Management {
			return a
		}
	}
	return nil
}

// AccountOfAlias returns the account that has the alias, "" if none.
func (d *Directory) AccountOfAlias(alias string) string { return d.accountOf(1, alias) }

// AccountOfKey returns the account of an access key whose id does not say so itself, "" if it is not such a key.
func (d *Directory) AccountOfKey(id string) string { return d.accountOf(2, id) }

// AccountOfEmail returns the account whose root user has that lower-case e-mail address, "" if none.
func (d *Directory) AccountOfEmail(email string) string { return d.accountOf(3, email) }

func (d *Directory) accountOf(table int, name string) string {
	if n := at[DirectoryName](&d.tables, table).get(name); n != nil {
		return n.Account
	}
	return ""
}

// Account is the unit of one account. What it says of users, groups and so on stands beside those records.
type Account struct {
	tables
	ID string
	// Epoch is the revision of the last commit that changed what a principal of the account may do; 0 in a Tx with such changes of its
	// own, where nothing remembered about an earlier state holds.
	Epoch storage.Rev
}

// The tables of an account, by their place in newUnit's list.
const (
	accountTable = iota
	userTable
	accessKeyTable
	inlinePolicyTable
	groupTable
	memberTable
	roleTable
	managedPolicyTable
	policyVersionTable
	attachmentTable
)

func (a *Account) fork() unit { return &Account{tables: a.forkTables(), ID: a.ID, Epoch: a.Epoch} }

func (a *Account) epoch() *storage.Rev { return &a.Epoch }

func (a *Account) touched(table, _ string, old, _ Record) {
	switch table {
	case accountSchema.name, accessKeySchema.name:
	case userSchema.name, groupSchema.name, roleSchema.name, managedPolicySchema.name:
		if old != nil { // a new one applies to nobody yet
			a.Epoch = 0
		}
	default:
		a.Epoch = 0
	}
}

// Unit is the account's unit name.
func (a *Account) Unit() string { return a.unit }

// Record returns the account's own record.
func (a *Account) Record() *AccountRecord {
	return at[AccountRecord](&a.tables, accountTable).byKey.only()
}

// AccessKey returns the access key with that id, or nil.
func (a *Account) AccessKey(id string) *AccessKey {
	return at[AccessKey](&a.tables, accessKeyTable).get(id)
}

// AccessKeys walks the access keys of an owner (a user's unique id, or the account id for the root user) in order of creation; of all
// owners if owner is "".
func (a *Account) AccessKeys(owner string) iter.Seq[*AccessKey] {
	t := at[AccessKey](&a.tables, accessKeyTable)
	if owner == "" {
		return t.from(nil)
	}
	pivot := &AccessKey{}
	pivot.Owner = owner
	return func(yield func(*AccessKey) bool) {
		for k := range t.from(pivot) {
			if k.Owner != owner || !yield(k) {
				return
			}
		}
	}
}
