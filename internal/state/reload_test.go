package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// TestInterruptedLog breaks the log off in every way. What can be mended is, what cannot ends Run with the reason.
func TestInterruptedLog(t *testing.T) {
	t.Parallel()
	fail := func(err error) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
		return func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				if err != nil {
					yield(storage.Commit{}, err)
				}
			}
		}
	}
	gap := func(e *scripted) func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
		first := true
		return func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				for c, err := range e.Engine.Watch(ctx, after) {
					if first {
						first = false
						continue
					}
					if !yield(c, err) {
						return
					}
				}
			}
		}
	}
	twice := func(e *scripted) func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
		return func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				for c, err := range e.Engine.Watch(ctx, after) {
					if !yield(c, err) || err == nil && !yield(c, err) {
						return
					}
				}
			}
		}
	}
	for _, c := range []struct {
		name  string
		watch func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error]
		ends  error // Run's error; nil: it goes on once the log is there again
	}{
		{"an error of the engine's own", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(errors.New("network down"))
		}, nil},
		{"no error", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] { return fail(nil) }, nil},
		{"compacted", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrCompacted)
		}, nil},
		{"gap", gap, nil},
		{"twice", twice, nil},
		{"closed", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrClosed)
		}, storage.ErrClosed},
		{"damaged", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrDamaged)
		}, storage.ErrDamaged},
		{"another store", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrInvalid)
		}, storage.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newScripted()
				s := openStore(t, e)
				s.account(t, acme)
				s.stopRun()
				<-s.ended
				e.set(func() { e.onWatch = c.watch(e) })
				s = openStore(t, e)
				result := make(chan error, 2)
				go func() { result <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "a")) }()
				go func() {
					result <- s.Update(t.Context(), []string{AccountUnit(acme), DirectoryUnit}, createUser(acme, "b"))
				}()
				time.Sleep(3 * time.Second)
				if c.ends == nil { // a gap shows when the next commit to the same unit comes
					foreign(t, e.Engine, AccountUnit(acme), putOp(t, AccountUnit(acme), s.View().Account(acme).Record()))
				}
				time.Sleep(3 * time.Second)
				e.set(func() { e.onWatch = nil })
				for range 2 {
					if err := <-result; !errors.Is(err, map[bool]error{true: ErrStopped}[c.ends != nil]) {
						t.Errorf("Update = %v", err)
					}
				}
				if c.ends != nil {
					if err := <-s.ended; !errors.Is(err, c.ends) {
						t.Errorf("Run = %v, want %v", err, c.ends)
					}
					return
				}
				if s.View().Account(acme).UserCount() != 2 {
					t.Errorf("%d users", s.View().Account(acme).UserCount())
				}
				if err := s.Verify(t.Context()); err != nil {
					t.Error(err)
				}
				s.stopRun()
			})
		})
	}
}

// TestReloadWithFlights cuts the log away under commits that wait to be seen in it, and under one whose outcome is not known yet.
func TestReloadWithFlights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		e.Engine = memory.New(memory.Options{Retention: 8})
		s := openStore(t, e)
		s.account(t, acme)
		s.account(t, globex)
		gate := make(chan struct{})
		s.stopLog(t, e, gate)
		answers := make(chan error, 4)
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "a")) }()
		synctest.Wait()
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "b")) }()
		synctest.Wait()
		slow := make(chan struct{}) // the engine has committed, but does not say so yet
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				rev, err := e.Engine.Commit(ctx, b)
				<-slow
				return rev, err
			}
		})
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(globex)}, createUser(globex, "c")) }()
		synctest.Wait()
		e.set(func() { e.onCommit = nil })
		for i := range 20 {
			k := &Node{}
			k.Id = fmt.Sprint(i)
			foreign(t, e.Engine, CellUnit, putOp(t, CellUnit, k))
		}
		if len(answers) > 0 {
			t.Error("an update was answered before the view shows it")
		}
		close(gate)
		synctest.Wait()
		if len(answers) != 2 {
			t.Errorf("%d answers after the reload, want 2", len(answers))
		}
		close(slow)
		for range 3 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if len(s.own) != 0 {
			t.Errorf("%d commits are left over", len(s.own))
		}
		s.update(t, createUser(acme, "d"), AccountUnit(acme), AccountUnit(globex))
		if s.View().Account(acme).UserCount() != 3 || s.View().Account(globex).UserCount() != 1 {
			t.Errorf("%d and %d users", s.View().Account(acme).UserCount(), s.View().Account(globex).UserCount())
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		s.stopRun()
	})
}

// TestUndecodable puts what this version cannot read into the log and into a snapshot: both are refused, with the key in the error.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	unit := AccountUnit(acme)
	put := func(key, value string) storage.Op {
		return storage.Op{Kind: storage.Put, Key: key, Value: []byte(value)}
	}
	u := &User{}
	u.Id, u.Name = "AIDAOTHER", "u"
	misplaced := putOp(t, unit, u)
	misplaced.Key = unit + "/user/AIDA"
	broken := &InlinePolicy{}
	broken.Owner, broken.Name, broken.Document = "AIDA", "p", `{"Version":"2012-10-17","Statement":[]} trailing`
	for name, c := range map[string]struct {
		unit string
		op   storage.Op
		want string
	}{
		"not protobuf":      {unit, put(unit+"/user/AIDA", "\xff\xff"), unit + "/user/AIDA"},
		"broken manifest":   {unit, put(unit+"/user/AIDA", "\x07\xff"), unit + "/user/AIDA"},
		"another key":       {unit, misplaced, unit + "/user/AIDA"},
		"broken policy":     {unit, putOp(t, unit, broken), unit + "/userpolicy/AIDA/p"},
		"unknown table":     {unit, put(unit+"/robot/R2", ""), unit + "/robot/R2"},
		"no table":          {unit, put(unit+"/robot", ""), unit + "/robot"},
		"unknown unit":      {"org/o-1", put("org/o-1/x/y", ""), "org/o-1"},
		"two accounts self": {unit, put(unit+"/account/other", ""), unit + "/account/other"},
		"lone chunk":        {unit, put(unit+"/user/AIDA\x00000", "x"), ""}, // passed over in the log, refused in a snapshot
		"newer format":      {CellUnit, put(storage.FormatKey, "2"), "level"},
		"no format":         {CellUnit, storage.Op{Kind: storage.Delete, Key: storage.FormatKey}, "level"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := memory.New(memory.Options{})
			s := openStore(t, e)
			s.account(t, acme)
			before := dump(s.View(), true)
			foreign(t, e, c.unit, c.op)
			if c.want != "" {
				err := <-s.ended
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Run = %v, want an error that names %q", err, c.want)
				}
				wantSame(t, "the view after the end", dump(s.View(), true), before)
				if err := s.Update(t.Context(), []string{unit}, createUser(acme, "a")); !errors.Is(err, ErrStopped) {
					t.Errorf("Update = %v", err)
				}
			}
			if _, err := Open(t.Context(), e, testOptions()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want an error that names %q", err, c.want)
			}
		})
	}
}

// TestReloadFailures has the snapshot fail that a compacted log asks for.
func TestReloadFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		ends bool
	}{
		"network": {errors.New("network down"), false},
		"cut":     {storage.ErrCompacted, false},
		"damaged": {storage.ErrDamaged, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newScripted()
				s := openStore(t, e)
				s.account(t, acme)
				s.stopRun()
				<-s.ended
				s = openStore(t, e)
				e.set(func() {
					e.onWatch = func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
						return func(yield func(storage.Commit, error) bool) { yield(storage.Commit{}, storage.ErrCompacted) }
					}
					e.onSnap = func(context.Context, string, storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
						return 0, func(yield func(storage.Item, error) bool) { yield(storage.Item{}, c.err) }
					}
				})
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if c.ends {
					if err := <-s.ended; !errors.Is(err, c.err) {
						t.Errorf("Run = %v", err)
					}
					return
				}
				rev := foreign(t, e.Engine, AccountUnit(acme), putOp(t, AccountUnit(acme), &User{}))
				e.set(func() { e.onSnap = nil })
				time.Sleep(2 * time.Second)
				e.set(func() { e.onWatch = nil })
				s.at(t, rev)
				s.update(t, createUser(acme, "a"), AccountUnit(acme))
				s.stopRun()
			})
		})
	}
}
