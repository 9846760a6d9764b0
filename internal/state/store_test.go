package state

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	acme   = "111111111111"
	globex = "222222222222"
	hooli  = "333333333333"
)

var ids atomic.Uint64

func testID() (id storage.CommitID) {
	binary.BigEndian.PutUint64(id[:], ids.Add(1))
	return id
}

func testSeed() keyring.Seed {
	var b [keyring.SeedBytes]byte
	binary.BigEndian.PutUint64(b[:], ids.Add(1))
	return keyring.SeedFromBytes(b)
}

func testOptions() Options { return Options{Now: time.Now, Seed: testSeed, CommitID: testID} }

// following is a store whose Run is under way.
type following struct {
	*Store
	stopRun context.CancelFunc
	ended   chan error // what Run returned
}

func openStore(t testing.TB, e storage.Engine) *following {
	t.Helper()
	return openWith(t, e, testOptions())
}

func openWith(t testing.TB, e storage.Engine, o Options) *following {
	t.Helper()
	s, err := Open(t.Context(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &following{s, cancel, make(chan error, 1)}
	go func() { f.ended <- s.Run(ctx) }()
	t.Cleanup(f.stopRun)
	return f
}

// update is Update, which must succeed.
func (f *following) update(t testing.TB, fn func(*Tx) error, units ...string) {
	t.Helper()
	if err := f.Update(t.Context(), units, fn); err != nil {
		t.Fatalf("Update of %v: %v", units, err)
	}
}

// account makes an account.
func (f *following) account(t testing.TB, id string) {
	t.Helper()
	f.update(t, func(tx *Tx) error { newAccount(tx, id); return nil }, AccountUnit(id), DirectoryUnit)
}

func newAccount(tx *Tx, id string) {
	a := &AccountRecord{}
	a.Id, a.Name, a.Created = id, "account "+id, tx.Now().UnixMicro()
	tx.Put(AccountUnit(id), a)
	d := &DirectoryAccount{}
	d.Id, d.Name = id, a.Name
	tx.Put(DirectoryUnit, d)
}

// at waits for the view to reach a revision.
func (f *following) at(t testing.TB, rev storage.Rev) *View {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := f.await(ctx, func(v *View) bool { return v.rev >= rev }); err != nil {
		t.Fatalf("waiting for revision %d at %d: %v", rev, f.View().rev, err)
	}
	return f.View()
}

var errExists = errors.New("exists already")

// createUser is what iam.CreateUser does with the state.
func createUser(account, name string) func(*Tx) error {
	return func(tx *Tx) error {
		a := tx.Account(account)
		if a == nil {
			return errors.New("no such account")
		}
		if a.UserByName(name) != nil {
			return errExists
		}
		u := &User{}
		u.Id, u.Name, u.Path, u.Created = tx.IDs().UniqueID(keyring.UserPrefix, account), name, "/", tx.Now().UnixMicro()
		tx.Put(a.Unit(), u)
		return nil
	}
}

func policyText(n int) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::111111111111:user/u%d"}}`, n)
}

func userPolicy(tb testing.TB, user, name string, n int) *InlinePolicy {
	compiled, err := policy.Load(policyText(n), policy.Identity)
	if err != nil {
		tb.Fatal(err)
	}
	p := &InlinePolicy{}
	p.Owner, p.Name = user, name
	return p.WithDocument(compiled)
}

// scripted is an engine whose calls a test can hold up, refuse or answer in its own way.
type scripted struct {
	storage.Engine
	mu       sync.Mutex
	onCommit func(context.Context, storage.Batch) (storage.Rev, error) // nil = the engine's own
	onWatch  func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error]
	onSnap   func(context.Context, string, storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error])
	onLog    func(context.Context, string, storage.Rev, storage.Rev) iter.Seq2[storage.Commit, error]
	batches  []storage.Batch // as they came
}

func newScripted() *scripted { return &scripted{Engine: memory.New(memory.Options{})} }

func (e *scripted) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

// blockCommits holds commits up until the returned function is called.
func (e *scripted) blockCommits() (release func()) {
	gate := make(chan struct{})
	e.set(func() {
		e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
			select {
			case <-gate:
				return e.Engine.Commit(ctx, b)
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	})
	return func() { close(gate) }
}

// failCommits answers the next commits of unit with errs, in order; effect says which of them take place all the same.
func (e *scripted) failCommits(effect bool, errs ...error) {
	e.set(func() {
		e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
			var err error
			e.set(func() {
				if len(errs) > 0 {
					err, errs = errs[0], errs[1:]
				}
			})
			if err == nil || effect {
				rev, commitErr := e.Engine.Commit(ctx, b)
				if err == nil || commitErr != nil {
					return rev, commitErr
				}
			}
			return 0, err
		}
	})
}

func (e *scripted) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.batches)
}

func (e *scripted) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	e.mu.Lock()
	e.batches = append(e.batches, b)
	on := e.onCommit
	e.mu.Unlock()
	if on != nil {
		return on(ctx, b)
	}
	return e.Engine.Commit(ctx, b)
}

func (e *scripted) Watch(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
	e.mu.Lock()
	on := e.onWatch
	e.mu.Unlock()
	if on != nil {
		return on(ctx, after)
	}
	return e.Engine.Watch(ctx, after)
}

func (e *scripted) Snapshot(ctx context.Context, prefix string, at storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	e.mu.Lock()
	on := e.onSnap
	e.mu.Unlock()
	if on != nil {
		return on(ctx, prefix, at)
	}
	return e.Engine.Snapshot(ctx, prefix, at)
}

func (e *scripted) Log(ctx context.Context, unit string, from, to storage.Rev) iter.Seq2[storage.Commit, error] {
	e.mu.Lock()
	on := e.onLog
	e.mu.Unlock()
	if on != nil {
		return on(ctx, unit, from, to)
	}
	return e.Engine.Log(ctx, unit, from, to)
}

// foreign writes a record through the engine itself, as another node would.
func foreign(t testing.TB, e storage.Engine, unit string, ops ...storage.Op) storage.Rev {
	t.Helper()
	for {
		rev, err := e.Commit(t.Context(), storage.Batch{
			ID: testID(), Time: time.Now().UTC().Truncate(time.Microsecond), Ops: ops,
			Units: []storage.Condition{{Unit: unit, Head: headOf(t, e, unit), Write: true}},
		})
		if err == nil {
			return rev
		}
		if !errors.Is(err, storage.ErrConflict) {
			t.Fatal(err)
		}
	}
}

func headOf(t testing.TB, e storage.Engine, unit string) (head storage.Rev) {
	_, items := e.Snapshot(t.Context(), unit+"/"+storage.HeadName, 0)
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		head = item.Rev
	}
	return head
}

func putOp(t testing.TB, unit string, r Record) storage.Op {
	value, err := r.marshal()
	if err != nil {
		t.Fatal(err)
	}
	table, key := r.place()
	return storage.Op{Kind: storage.Put, Key: unit + "/" + table + "/" + key, Value: value}
}

// dump is everything a view holds, as text by place: heads, records, the order of tables and the text of compiled policies.
func dump(v *View, epochs bool) map[string]string {
	d := map[string]string{"": fmt.Sprint("revision ", v.rev)}
	for u := range v.units() {
		if u.head().rev == 0 {
			continue
		}
		d[u.name()] = fmt.Sprint(u.head().rev, u.head().time.UnixMicro())
		switch u := u.(type) {
		case *Account:
			if epochs {
				d[u.name()+" epoch"] = fmt.Sprint(u.Epoch)
			}
			dumpTable(d, u.name(), at[AccountRecord](&u.tables, 0))
			dumpTable(d, u.name(), at[User](&u.tables, 1))
			dumpTable(d, u.name(), at[AccessKey](&u.tables, 2))
			dumpTable(d, u.name(), at[InlinePolicy](&u.tables, inlinePolicyTable))
			dumpTable(d, u.name(), at[Group](&u.tables, groupTable))
			dumpTable(d, u.name(), at[Member](&u.tables, memberTable))
			dumpTable(d, u.name(), at[Role](&u.tables, roleTable))
			dumpTable(d, u.name(), at[ManagedPolicy](&u.tables, managedPolicyTable))
			dumpTable(d, u.name(), at[PolicyVersion](&u.tables, policyVersionTable))
			dumpTable(d, u.name(), at[Attachment](&u.tables, attachmentTable))
		case *Directory:
			dumpTable(d, u.name(), at[DirectoryAccount](&u.tables, 0))
			for i := range 3 {
				dumpTable(d, u.name(), at[DirectoryName](&u.tables, i+1))
			}
			dumpTable(d, u.name(), at[DirectoryMembership](&u.tables, 4))
		case *Organization:
			if epochs {
				d[u.name()+" epoch"] = fmt.Sprint(u.Epoch)
			}
			dumpTable(d, u.name(), at[OrganizationRecord](&u.tables, organizationTable))
			dumpTable(d, u.name(), at[OrganizationalUnit](&u.tables, organizationalUnitTable))
			dumpTable(d, u.name(), at[OrganizationAccount](&u.tables, organizationAccountTable))
			dumpTable(d, u.name(), at[OrganizationPolicy](&u.tables, organizationPolicyTable))
			dumpTable(d, u.name(), at[OrganizationAttachment](&u.tables, organizationAttachmentTable))
			dumpMemberships(d, v, u)
		case *Cell:
			dumpTable(d, u.name(), at[Keyset](&u.tables, 0))
			dumpTable(d, u.name(), at[Node](&u.tables, 1))
		default:
			panic(fmt.Sprintf("a %T", u))
		}
	}
	return d
}

func dumpTable[T any](d map[string]string, unit string, t *table[T]) {
	if err := t.check(); err != nil {
		d[unit+"/"+t.name] = err.Error()
	}
	for r := range t.byKey.all() {
		value, err := record(r).marshal()
		if err != nil {
			panic(err)
		}
		s := string(value)
		if p, ok := any(r).(*InlinePolicy); ok {
			s += " compiled " + p.Compiled.Text()
		}
		d[unit+"/"+t.name+"/"+t.key(r)] = s
	}
	if t.ordered != nil {
		var order []string
		for r := range t.from(nil) {
			order = append(order, t.key(r))
		}
		d[unit+"/"+t.name+" order"] = strings.Join(order, " ")
	}
}

func wantSame(t testing.TB, what string, a, b map[string]string) {
	t.Helper()
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	shown := 0
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if a[k] != b[k] && shown < 5 {
			shown++
			t.Errorf("%s: %q: %.300q against %.300q", what, k, a[k], b[k])
		}
	}
	if shown > 0 {
		t.FailNow()
	}
}
