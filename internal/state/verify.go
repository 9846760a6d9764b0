package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Verify compares the memory with the engine at one revision, record by record and head by head, and what units say of each other, and returns an
// error that lists the first differences. It may run beside everything else; it reads the whole store.
func (s *Store) Verify(ctx context.Context) error {
	return errors.Join(s.verifyStored(ctx), s.View().verifyMemberships())
}

// verifyStored compares the memory with the engine.
func (s *Store) verifyStored(ctx context.Context) error {
	for range 8 {
		v := s.View()
		if v.rev == 0 {
			return errors.New("state: nothing was loaded")
		}
		err := v.verify(ctx, s.engine)
		if errors.Is(err, storage.ErrCompacted) {
			continue // the log was trimmed past this view meanwhile
		}
		return err
	}
	return fmt.Errorf("state: %w", storage.ErrCompacted)
}

func (v *View) verify(ctx context.Context, e storage.Engine) error {
	d := &differences{}
	missing := map[string]int{} // records in memory by unit, minus those met
	unseen := map[string]unit{} // units in memory that were not met
	for u := range v.units() {
		if u.head().rev != 0 {
			unseen[u.name()] = u
		}
		for name, t := range u.eachTable() {
			missing[u.name()] += t.count()
			if err := t.check(); err != nil {
				d.add("table %s/%s: %w", u.name(), name, err)
			}
		}
	}
	var current unit
	_, items := e.Snapshot(ctx, "", v.rev)
	for item, err := range storage.Join(items) {
		switch {
		case err != nil:
			return err
		case d.enough():
			return d.join()
		case strings.HasPrefix(item.Key, usagePrefix) || item.Key == storage.FormatKey:
			continue
		}
		if name, ok := storage.SplitHead(item.Key); ok {
			current = v.unit(name)
			delete(unseen, name)
			d.head(name, current, item)
		} else if current != nil {
			met, err := d.record(current, item)
			if err != nil {
				return err
			}
			if met {
				missing[current.name()]--
			}
		}
	}
	for name := range unseen {
		d.add("unit %s is not in the engine", name)
	}
	for name, n := range missing {
		if n != 0 {
			d.add("unit %s: %d records of the memory are not in the engine", name, n)
		}
	}
	return d.join()
}

// verifyMemberships compares the directory's memberships with the places that the organizations' trees have for accounts: a commit that writes one
// writes the other. Whoever had the first only would be denied everything, and whoever had the second only would have no limits.
func (v *View) verifyMemberships() error {
	d := &differences{}
	for m := range at[DirectoryMembership](&v.directory.tables, 4).byKey.all() {
		if o := v.Organization(m.Organization); o == nil || o.Account(m.Account) == nil {
			d.add("account %s is in organization %s, which has no place for it", m.Account, m.Organization)
		}
	}
	for o := range v.organizations.all() {
		for a := range at[OrganizationAccount](&o.tables, organizationAccountTable).byKey.all() {
			if in := v.directory.OrganizationOf(a.Id); in != o.ID {
				d.add("account %s has a place in organization %s, the directory says that it is in %q", a.Id, o.ID, in)
			}
		}
	}
	if len(d.list) == 0 {
		return nil
	}
	return fmt.Errorf("state: the directory and the organizations differ: %w", errors.Join(d.list...))
}

// differences collects what Verify finds.
type differences struct{ list []error }

func (d *differences) add(format string, args ...any) {
	if !d.enough() {
		d.list = append(d.list, fmt.Errorf(format, args...))
	}
}

func (d *differences) enough() bool { return len(d.list) >= 10 }

func (d *differences) join() error {
	if len(d.list) == 0 {
		return nil
	}
	return fmt.Errorf("state: memory and engine differ: %w", errors.Join(d.list...))
}

func (d *differences) head(name string, u unit, item storage.Item) {
	at, err := storage.DecodeHead(item.Value)
	switch {
	case err != nil:
		d.add("unit %s: %w", name, err)
	case u == nil:
		d.add("unit %s is not in memory", name)
	case u.head().rev != item.Rev || !u.head().time.Equal(at):
		d.add("unit %s: head %d (%s) in memory, %d (%s) in the engine", name, u.head().rev, u.head().time, item.Rev, at)
	}
}

// record compares a record of the engine with the one in memory; met is false if there is none.
func (d *differences) record(u unit, item storage.Item) (met bool, err error) {
	table, key, err := place(u, item.Key)
	if err != nil {
		return false, err
	}
	r := u.table(table).getKey(key)
	if r == nil {
		d.add("%s is not in memory", item.Key)
		return false, nil
	}
	have, err := r.marshal()
	if err != nil || bytes.Equal(have, item.Value) {
		return true, err
	}
	again, err := decode(u, table, key, item.Value) // another version may have written the same in other bytes
	if err != nil {
		return true, undecodable(item.Key, err)
	}
	same, err := again.marshal()
	if err == nil && !bytes.Equal(same, have) {
		d.add("%s differs between memory and engine", item.Key)
	}
	return true, err
}

// units walks all units of the view.
func (v *View) units() iter.Seq[unit] {
	return func(yield func(unit) bool) {
		if !yield(v.cell) || !yield(v.directory) {
			return
		}
		for a := range v.accounts.all() {
			if !yield(a) {
				return
			}
		}
		for o := range v.organizations.all() {
			if !yield(o) {
				return
			}
		}
	}
}
