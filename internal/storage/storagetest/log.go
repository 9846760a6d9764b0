package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func is(err, want error) bool { return errors.Is(err, want) }

func testLog(t *testing.T, f Factory) {
	s := open(t, f)
	var a []storage.Rev
	for i := range 30 {
		switch i % 3 {
		case 0:
			a = append(a, s.write(put("a/1", fmt.Sprint(i))))
		case 1:
			s.write(put("b/1", fmt.Sprint(i)))
		case 2:
			a = append(a, s.write(put("b/1", fmt.Sprint(i)), put("a/2", fmt.Sprint(i))))
		}
	}
	revs := func(cs []storage.Commit) (revs []storage.Rev) {
		for _, c := range cs {
			revs = append(revs, c.Rev)
		}
		return revs
	}
	for _, c := range []struct {
		from, to storage.Rev
		want     []storage.Rev
	}{
		{0, 0, a}, {1, 0, a}, {a[0], a[len(a)-1], a}, {a[3], a[3], a[3:4]}, {a[3] + 1, a[4], a[4:5]}, {a[3], a[7], a[3:8]},
		{a[3] + 1, a[5] - 1, a[4:5]}, {a[5], a[4], nil}, {a[len(a)-1] + 1, 0, nil}, {0, a[0], a[:1]}, {0, a[0] - 1, nil},
	} {
		if c.to == 0 && c.want == nil && c.from <= a[0] {
			continue // the first revision is 1: to would mean now
		}
		if c.from == 0 && c.to == a[0]-1 && c.to == 0 {
			continue
		}
		if got := revs(s.log("a", c.from, c.to)); !slices.Equal(got, c.want) {
			t.Errorf("Log(a, %d, %d) = %v, want %v", c.from, c.to, got, c.want)
		}
	}
	if got := s.log("none", 0, 0); len(got) != 0 {
		t.Errorf("the log of a unit that was never written holds %v", got)
	}
	n := 0
	for range s.e.Log(t.Context(), "a", 0, 0) {
		if n++; n == 3 {
			break
		}
	}
	got := s.log("b", s.heads["b"], 0)
	if len(got) != 1 || len(got[0].Mutations) != 2 || string(got[0].Mutations[0].Old) != "28" {
		t.Errorf("the last commit of b is %v", got)
	}
}

func testWatch(t *testing.T, f Factory) {
	s := open(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan storage.Commit, 100)
	ended := make(chan error, 1)
	go func() {
		for c, err := range s.e.Watch(ctx, 0) {
			if err != nil {
				ended <- err
				return
			}
			seen <- c
		}
		ended <- nil
	}()
	var revs []storage.Rev
	for i := range 20 {
		revs = append(revs, s.write(put("a/1", fmt.Sprint(i))))
		if i%5 == 4 {
			for _, want := range revs[i-4:] {
				if c := <-seen; c.Rev != want {
					t.Fatalf("Watch gave revision %d, want %d", c.Rev, want)
				}
			}
		}
	}
	for i, after := range revs[:19] {
		got := s.watch(after, 19-i)
		for j, c := range got {
			if c.Rev != revs[i+1+j] || string(c.Mutations[0].New) != fmt.Sprint(i+1+j) || string(c.Mutations[0].Old) != fmt.Sprint(i+j) {
				t.Fatalf("Watch after %d: element %d is %s, want revision %d", after, j, showCommit(c), revs[i+1+j])
			}
		}
	}
	cancel()
	if err := <-ended; !is(err, context.Canceled) {
		t.Errorf("a cancelled Watch ended with %v", err)
	}
	late, stop := context.WithCancel(t.Context())
	stop()
	if got, err := collect(s.e.Watch(late, revs[19])); !is(err, context.Canceled) || len(got) != 0 {
		t.Errorf("a Watch with a context that has ended = %v, %v", got, err)
	}
}

func testCompacted(t *testing.T, f Factory) {
	s := open(t, f)
	quiet := s.write(put("quiet/1", "v"))
	var revs []storage.Rev
	for i := range 20 {
		revs = append(revs, s.write(put("a/1", fmt.Sprint(i))))
	}
	cut := revs[9]
	f.Compact(t, s.e, cut)
	compacted := func(what string, got any, n int, err error) {
		t.Helper()
		if !is(err, storage.ErrCompacted) || n != 0 {
			t.Errorf("%s = %v, %v; want ErrCompacted alone", what, got, err)
		}
	}
	for _, at := range []storage.Rev{quiet, revs[0], revs[8]} {
		rev, seq := s.e.Snapshot(t.Context(), "", at)
		items, err := collect(seq)
		compacted(fmt.Sprintf("Snapshot at %d, cut at %d", at, cut), items, len(items)+int(rev), err)
		commits, err := take(t, s.e, at, 1)
		compacted(fmt.Sprintf("Watch after %d, cut at %d", at, cut), commits, len(commits), err)
		commits, err = collect(s.e.Log(t.Context(), "a", at, 0))
		compacted(fmt.Sprintf("Log from %d, cut at %d", at, cut), commits, len(commits), err)
	}
	commits, err := take(t, s.e, 0, 1)
	compacted("Watch from the beginning", commits, len(commits), err)
	commits, err = collect(s.e.Log(t.Context(), "quiet", quiet, 0))
	compacted("Log of a unit that was last written before the cut", commits, len(commits), err)

	check := func() {
		t.Helper()
		for i := 9; i < 20; i++ {
			s.want(revs[i], fmt.Sprintf("a/1=%d", i), "quiet/1=v")
		}
		if got := s.watch(cut, 10); got[0].Rev != revs[10] || string(got[0].Mutations[0].Old) != "9" {
			t.Errorf("Watch after the cut begins with %s", showCommit(got[0]))
		}
		if got := s.log("a", revs[10], 0); len(got) != 10 {
			t.Errorf("Log after the cut holds %d commits, want 10", len(got))
		}
		// What Resolve asks must be answered however much has been cut.
		if got := s.log("quiet", quiet+1, 0); len(got) != 0 {
			t.Errorf("Log of quiet from %d holds %v", quiet+1, got)
		}
		if got := s.log("never", 1, 0); len(got) != 0 {
			t.Errorf("Log of a unit never written holds %v", got)
		}
	}
	check()
	if f.Reopen != nil {
		s.reopen(f)
		check()
	}
	s.write(put("quiet/1", "w"), put("new/1", "n"))
	if got := s.log("quiet", quiet+1, 0); len(got) != 1 || got[0].Units[0].Head != quiet {
		t.Errorf("Log of quiet from %d holds %v", quiet+1, got)
	}
	if got := s.log("new", 1, 0); len(got) != 1 {
		t.Errorf("Log of a unit that is younger than the cut holds %v", got)
	}
	s.want(0, "a/1=19", "new/1=n", "quiet/1=w")
	f.Compact(t, s.e, s.heads["new"])
	s.want(0, "a/1=19", "new/1=n", "quiet/1=w")
	s.want(s.heads["new"], "a/1=19", "new/1=n", "quiet/1=w")
	last := s.heads["new"]
	s.write(put("a/1", "20"))
	if got := s.watch(last, 1); got[0].Rev != s.heads["a"] {
		t.Errorf("Watch after a cut of the whole log begins with %s", showCommit(got[0]))
	}
}
