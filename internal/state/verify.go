package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Verify compares the memory with the engine at one revision, record by record and head by head, and returns an error that lists the first
// differences. It may run beside everything else; it reads the whole store.
func (s *Store) Verify(ctx context.Context) error {
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
	const most = 10
	var differences []error
	differ := func(format string, args ...any) bool {
		differences = append(differences, fmt.Errorf(format, args...))
		return len(differences) < most
	}
	want := map[string]int{} // records by unit, minus those met
	for u := range v.units() {
		for _, t := range u.eachTable() {
			want[u.name()] += t.count()
		}
	}
	var current unit
	_, items := e.Snapshot(ctx, "", v.rev)
	for item, err := range storage.Join(items) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(item.Key, usagePrefix) {
			continue
		}
		if name, ok := storage.SplitHead(item.Key); ok {
			current = v.unit(name)
			at, err := storage.DecodeHead(item.Value)
			switch {
			case err != nil:
				return err
			case current == nil:
				if !differ("unit %s is not in memory", name) {
					return errors.Join(differences...)
				}
			case current.head().rev != item.Rev || !current.head().time.Equal(at):
				if !differ("unit %s: head %d (%s) in memory, %d (%s) in the engine", name, current.head().rev, current.head().time, item.Rev, at) {
					return errors.Join(differences...)
				}
			}
			continue
		}
		if current == nil {
			continue
		}
		table, key, err := place(current, item.Key)
		if err != nil {
			return err
		}
		if table == "" {
			continue
		}
		want[current.name()]--
		r := current.table(table).getKey(key)
		if r == nil {
			if !differ("%s is not in memory", item.Key) {
				break
			}
			continue
		}
		have, err := r.marshal()
		if err != nil {
			return err
		}
		if !bytes.Equal(have, item.Value) {
			again, err := decode(current, table, key, item.Value)
			if err != nil {
				return undecodable(item.Key, err)
			}
			if same, err := again.marshal(); err != nil || !bytes.Equal(same, have) {
				if !differ("%s differs between memory and engine", item.Key) {
					break
				}
			}
		}
	}
	if len(differences) == 0 {
		for name, n := range want {
			if n != 0 {
				differ("unit %s: %+d records in memory", name, n)
			}
		}
	}
	return errors.Join(differences...)
}

// units walks all units of the view.
func (v *View) units() func(func(unit) bool) {
	return func(yield func(unit) bool) {
		if !yield(v.cell) || !yield(v.directory) {
			return
		}
		for a := range v.accounts.all() {
			if !yield(a) {
				return
			}
		}
	}
}
