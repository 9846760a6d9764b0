package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// FormatLevel is the level of the store that this version writes. A store of another level is refused.
const FormatLevel = 1

// Errors of Update beside those of the function it runs.
var (
	// ErrStale is what a function returns whose prepared values no longer fit the state; service.WritePrepared prepares again.
	ErrStale = errors.New("state: what was prepared no longer fits")
	// ErrBusy: too many updates wait for one unit. Nothing happened.
	ErrBusy = errors.New("state: too many writes are waiting")
	// ErrStopped: the store no longer follows its engine. Whether a waiting write happened is not known.
	ErrStopped = errors.New("state: stopped")
)

// Options are what a Store takes from outside. All are required but Logger.
type Options struct {
	Now      func() time.Time
	Seed     func() keyring.Seed     // random, never the same twice
	CommitID func() storage.CommitID // random, never the same twice
	Logger   *slog.Logger
}

// Store keeps the records of one engine in memory.
type Store struct {
	engine storage.Engine
	opts   Options
	view   atomic.Pointer[View]

	life context.Context // ends with Run
	stop context.CancelFunc

	mu      sync.Mutex
	lanes   map[string]*lane
	own     map[storage.CommitID]*flight // sent to the engine, not yet seen in its log
	waiters map[*waiter]struct{}
}

type waiter struct {
	until func(*View) bool
	ready chan struct{}
}

// Reader is what View and Tx have in common: the records, as one of them sees them.
type Reader interface {
	Rev() storage.Rev // the last revision that is read
	Cell() *Cell
	Directory() *Directory
	Account(id string) *Account // nil if there is no such account
	// Membership is the account's place in its organization, nil if it is in none. The account need not exist here.
	Membership(account string) *Membership
	Organization(id string) *Organization // nil if there is no such organization
}

// View is an immutable snapshot of all records at one revision.
type View struct {
	rev       storage.Rev
	cell      *Cell
	directory *Directory
	accounts  *index[Account]

	organizations *index[Organization]
}

// Rev is the last revision the view holds.
func (v *View) Rev() storage.Rev { return v.rev }

// Cell returns the cell's unit, never nil.
func (v *View) Cell() *Cell { return v.cell }

// Directory returns the directory's unit, never nil.
func (v *View) Directory() *Directory { return v.directory }

// Membership returns the account's place in its organization, or nil.
func (v *View) Membership(account string) *Membership {
	d := v.directory.membership(account)
	if d == nil {
		return nil
	}
	if v.organizations.len() == 1 { // saves most stores a hash
		if o := v.organizations.only(); o != nil && o.ID == d.Organization {
			return d.in(o)
		}
	}
	return d.in(v.organizations.get(d.Organization))
}

// Organization returns an organization, or nil.
func (v *View) Organization(id string) *Organization {
	o := v.organizations.get(id)
	if o == nil || o.Record() == nil {
		return nil
	}
	return o
}

// Account returns an account, or nil.
func (v *View) Account(id string) *Account {
	a := v.accounts.get(id)
	if a == nil || a.Record() == nil {
		return nil
	}
	return a
}

func (v *View) unit(name string) unit {
	switch {
	case name == CellUnit:
		return v.cell
	case name == DirectoryUnit:
		return v.directory
	}
	if id, ok := strings.CutPrefix(name, organizationPrefix); ok {
		if o := v.organizations.get(id); o != nil {
			return o
		}
		return nil
	}
	if a := v.accounts.get(strings.TrimPrefix(name, accountPrefix)); a != nil && a.unit == name {
		return a
	}
	return nil
}

func emptyView() *View {
	cell, _ := newUnit(CellUnit)
	directory, _ := newUnit(DirectoryUnit)
	return &View{cell: cell.(*Cell), directory: directory.(*Directory), accounts: newIndex(accountID), organizations: newIndex(organizationID)}
}

func accountID(a *Account) string           { return a.ID }
func organizationID(o *Organization) string { return o.ID }

// with returns a view in which the units stand in place of those of the same name. The units must not change afterwards.
func (v *View) with(rev storage.Rev, units []unit) *View {
	n := &View{rev: rev, cell: v.cell, directory: v.directory, accounts: v.accounts, organizations: v.organizations}
	for _, u := range units {
		switch u := u.(type) {
		case *Cell:
			n.cell = u
		case *Directory:
			n.directory = u
		case *Account:
			if n.accounts == v.accounts {
				n.accounts = v.accounts.fork()
			}
			n.accounts.put(u)
		case *Organization:
			if n.organizations == v.organizations {
				n.organizations = v.organizations.fork()
			}
			n.organizations.put(u)
		}
	}
	return n
}

// Open checks the store's format level and loads every unit. An unknown level, an undecodable record or a damaged engine is an error that
// says what to do. Run must be started before the first Update.
func Open(ctx context.Context, e storage.Engine, opts Options) (*Store, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if err := storage.CheckFormat(ctx, e, FormatLevel, opts.CommitID(), opts.Now()); err != nil {
		return nil, err
	}
	s := &Store{
		engine: e, opts: opts,
		lanes: map[string]*lane{}, own: map[storage.CommitID]*flight{}, waiters: map[*waiter]struct{}{},
	}
	var v *View
	err := storage.ErrCompacted
	for try := 0; try < 3 && errors.Is(err, storage.ErrCompacted); try++ { // a busy log can be cut while it is read slowly
		v, err = load(ctx, e)
	}
	if err != nil {
		return nil, err
	}
	s.life, s.stop = context.WithCancel(context.Background())
	s.view.Store(v)
	return s, nil
}

// View returns the current snapshot. It never waits.
func (s *Store) View() *View { return s.view.Load() }

// Need makes sure that the units can be read from View, and is the only step before a decision that may wait. All units are loaded at
// Open, so that today it only says whether the store still follows its engine.
func (s *Store) Need(context.Context, ...string) error {
	if s.life.Err() != nil {
		return ErrStopped
	}
	return nil
}

// Run follows the engine's log and applies it to memory until ctx ends (nil), or the store can be followed no longer: the engine was closed,
// is damaged or is another one than before, or the log holds what this version cannot read (the error). Interruptions are waited out. Run
// is called once; after it every Update is ErrStopped.
func (s *Store) Run(ctx context.Context) error {
	defer s.stop()
	for wait := time.Duration(0); ; wait = min(2*wait+10*time.Millisecond, time.Second) {
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		if ctx.Err() != nil {
			return nil
		}
		err := s.follow(ctx, func() { wait = 0 })
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errGap) || errors.Is(err, storage.ErrCompacted) {
			s.opts.Logger.Warn("the store is loaded anew", "rev", s.View().rev, "reason", err)
			err = s.reload(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, storage.ErrClosed), errors.Is(err, storage.ErrDamaged), errors.Is(err, storage.ErrInvalid), errors.Is(err, errFormat):
			return fmt.Errorf("state: %w", err)
		case err != nil:
			s.opts.Logger.Warn("the log of the store is interrupted, it is asked for again", "error", err)
		}
	}
}

// follow applies commits until the log ends with an error. progress is called after each.
func (s *Store) follow(ctx context.Context, progress func()) error {
	for c, err := range s.engine.Watch(ctx, s.View().rev) {
		if err == nil {
			err = s.apply(&c)
		}
		if err != nil {
			return err
		}
		progress()
	}
	return nil
}

var (
	// errGap: a commit does not follow what memory holds.
	errGap = errors.New("state: the log has a gap")
	// errFormat: the store's format level is no longer the one this version knows.
	errFormat = errors.New("state: the format level has changed")
)

// load reads a snapshot of the whole store.
func load(ctx context.Context, e storage.Engine) (*View, error) {
	rev, items := e.Snapshot(ctx, "", 0)
	v := emptyView()
	units := map[string]unit{CellUnit: v.cell, DirectoryUnit: v.directory}
	var current unit
	for item, err := range storage.Join(items) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(item.Key, usagePrefix) {
			continue
		}
		if name, ok := storage.SplitHead(item.Key); ok {
			u := units[name]
			if u == nil {
				if u, err = newUnit(name); err != nil {
					return nil, fmt.Errorf("%w: %w", storage.ErrDamaged, err)
				}
				units[name] = u
			}
			at, err := storage.DecodeHead(item.Value)
			if err != nil {
				return nil, err
			}
			*u.head() = head{item.Rev, at}
			if e := u.epoch(); e != nil {
				*e = item.Rev
			}
			switch u := u.(type) {
			case *Account:
				v.accounts.put(u)
			case *Organization:
				v.organizations.put(u)
			}
			current = u
			continue
		}
		if current == nil || !strings.HasPrefix(item.Key, current.name()+"/") {
			return nil, fmt.Errorf("%w: key %q stands outside any unit", storage.ErrDamaged, item.Key)
		}
		if item.Key == storage.FormatKey {
			if err := checkLevel(item.Value); err != nil {
				return nil, err
			}
			continue
		}
		table, key, err := place(current, item.Key)
		if err != nil {
			return nil, err
		}
		r, err := decode(current, table, key, item.Value)
		if err != nil {
			return nil, undecodable(item.Key, err)
		}
		current.table(table).putRecord(r)
	}
	for o := range v.organizations.all() {
		o.renewAll()
	}
	v.rev = rev
	return v, nil
}

// decode reads a record, which must say of itself that it belongs where it stands.
func decode(u unit, table, key string, value []byte) (Record, error) {
	r, err := u.table(table).decodeRecord(key, value)
	if err != nil {
		return nil, err
	}
	if _, k := r.place(); k != key {
		return nil, fmt.Errorf("it says that its key is %q", k)
	}
	return r, nil
}

func undecodable(key string, err error) error {
	return fmt.Errorf("%w: the record %s cannot be read: %w; restore the newest backup, or run the version that wrote it", storage.ErrDamaged, key, err)
}

// checkLevel refuses to follow a store whose level another node has raised.
func checkLevel(value []byte) error {
	if string(value) != strconv.Itoa(FormatLevel) {
		return fmt.Errorf("%w: it is %.20q, this version knows %d", errFormat, value, FormatLevel)
	}
	return nil
}

// place splits the storage key of a record.
func place(u unit, key string) (table, rest string, err error) {
	table, rest, ok := strings.Cut(strings.TrimPrefix(key, u.name()+"/"), "/")
	if !ok || u.table(table) == nil {
		return "", "", fmt.Errorf("%w: key %q belongs to no table this version knows", storage.ErrDamaged, key)
	}
	return table, rest, nil
}

// reload replaces the view by a new snapshot, when the log does not lead from one to the other.
func (s *Store) reload(ctx context.Context) error {
	v, err := load(ctx, s.engine)
	if err != nil {
		return err
	}
	if v.rev < s.View().rev {
		return fmt.Errorf("%w: the store is at revision %d, it was at %d", storage.ErrInvalid, v.rev, s.View().rev)
	}
	s.publish(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range s.own { // what was committed is in the snapshot, so nobody waits for a commit that Watch will not show
		if f.rev != 0 && f.rev <= v.rev {
			delete(s.own, id)
			close(f.applied)
		}
	}
	return nil
}

func (s *Store) publish(v *View) {
	s.view.Store(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.waiters {
		if w.until(v) {
			close(w.ready)
			delete(s.waiters, w)
		}
	}
}

// await returns once the view satisfies until, or ctx or the store ends.
func (s *Store) await(ctx context.Context, until func(*View) bool) error {
	w := &waiter{until, make(chan struct{})}
	s.mu.Lock()
	if until(s.View()) { // under the lock: publish stores the view before it looks for waiters
		s.mu.Unlock()
		return nil
	}
	s.waiters[w] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiters, w)
		s.mu.Unlock()
	}()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.life.Done():
		return ErrStopped
	}
}

// change is one written record, as the Tx built it or as it was decoded from a commit. record is nil for a deletion.
type change struct {
	unit, table, key string
	record, old      Record
}

// apply brings one commit into memory. Of an own commit it takes the records that the Tx built, of others it decodes them.
func (s *Store) apply(c *storage.Commit) error {
	v := s.View()
	units, err := v.forks(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	f := s.own[c.ID]
	if f != nil {
		delete(s.own, c.ID)
		if f.rev == 0 { // else commit has set it, and others read it already
			f.rev = c.Rev
		}
	}
	s.mu.Unlock()
	if f != nil {
		applyRecords(units, f.changes)
	} else if err := applyMutations(units, c.Mutations); err != nil {
		return err
	}
	for _, u := range units {
		if e := u.epoch(); e != nil && *e == 0 {
			*e = c.Rev
		}
	}
	s.publish(v.with(c.Rev, units))
	if f != nil {
		close(f.applied)
	}
	return nil
}

// forks gives the units that a commit writes, with its head. A commit that does not follow the view is errGap.
func (v *View) forks(c *storage.Commit) ([]unit, error) {
	if c.Rev <= v.rev {
		return nil, fmt.Errorf("%w: revision %d after %d", errGap, c.Rev, v.rev)
	}
	var units []unit
	for _, cond := range c.Units {
		if !cond.Write || strings.HasPrefix(cond.Unit, usagePrefix) {
			continue
		}
		u := v.unit(cond.Unit)
		if u == nil {
			var err error
			if u, err = newUnit(cond.Unit); err != nil {
				return nil, fmt.Errorf("%w: %w", storage.ErrDamaged, err)
			}
		} else {
			u = u.fork()
		}
		if at := u.head().rev; at != cond.Head {
			return nil, fmt.Errorf("%w: revision %d follows revision %d of unit %s, memory holds %d", errGap, c.Rev, cond.Head, cond.Unit, at)
		}
		*u.head() = head{c.Rev, c.Time}
		units = append(units, u)
	}
	return units, nil
}

func unitOf(units []unit, key string) unit {
	for _, u := range units {
		if n := u.name(); len(key) > len(n) && key[len(n)] == '/' && key[:len(n)] == n {
			return u
		}
	}
	return nil
}

func applyRecords(units []unit, changes []change) {
	for _, c := range changes {
		for _, u := range units {
			if u.name() == c.unit {
				setRecord(u, c.table, c.key, c.record)
			}
		}
	}
}

// setRecord puts the record, or removes the key if it is nil, and returns what stood there.
func setRecord(u unit, table, key string, r Record) (old Record) {
	t := u.own(table)
	if r == nil {
		old = t.removeKey(key)
	} else {
		old = t.putRecord(r)
	}
	u.touched(table, key, old, r)
	return old
}

func applyMutations(units []unit, mutations []storage.Mutation) error {
	joined, err := storage.JoinMutations(mutations)
	if err != nil {
		return err
	}
	for _, m := range joined {
		u := unitOf(units, m.Key)
		if u == nil {
			continue // a usage unit
		}
		if m.Key == storage.FormatKey {
			if err := checkLevel(m.New); err != nil {
				return err
			}
			continue
		}
		table, key, err := place(u, m.Key)
		if err != nil {
			return err
		}
		var r Record
		if m.New != nil {
			if r, err = decode(u, table, key, m.New); err != nil {
				return undecodable(m.Key, err)
			}
		}
		setRecord(u, table, key, r)
	}
	return nil
}
