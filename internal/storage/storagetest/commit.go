package storagetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func testCommit(t *testing.T, f Factory) {
	s := open(t, f)
	if rev, seq := s.e.Snapshot(t.Context(), "", 0); rev < 0 {
		t.Errorf("an empty store has revision %d", rev)
	} else if items, err := collect(seq); err != nil || len(items) != 0 {
		t.Fatalf("an empty store holds %s, %v", show(items), err)
	}
	b := s.batch(put("a/1", "one"), put("a/2", ""), put("b/1", "uno"))
	b.Events = [][]byte{[]byte("who"), {}, []byte("what")}
	b.Time = noon.Add(7 * time.Microsecond).In(time.FixedZone("far", 3600))
	rev := s.commit(b)
	s.want(0, "a/1=one", "a/2=", "b/1=uno")
	s.want(rev, "a/1=one", "a/2=", "b/1=uno")
	for _, i := range s.items("", 0) {
		if i.Rev != rev || i.Value == nil {
			t.Errorf("item %q has revision %d, want %d, and value %#v", i.Key, i.Rev, rev, i.Value)
		}
	}
	want := storage.Commit{Rev: rev, ID: b.ID, Time: b.Time, Units: b.Units, Events: b.Events, Mutations: []storage.Mutation{
		{Key: "a/1", New: []byte("one")}, {Key: "a/2", New: []byte{}}, {Key: "b/1", New: []byte("uno")},
	}}
	for _, unit := range []string{"a", "b"} {
		got := s.log(unit, 0, 0)
		wantCommits(t, "Log of "+unit, got, []storage.Commit{want})
		if got[0].Time.Location() != time.UTC {
			t.Errorf("the commit's time %s is not in UTC", got[0].Time)
		}
	}
	wantCommits(t, "Watch", s.watch(0, 1), []storage.Commit{want})
	if got, _ := s.e.Snapshot(t.Context(), "", 0); got < rev {
		t.Errorf("Snapshot stands for revision %d, the last commit was %d", got, rev)
	}
	s.write(put("a/1", "two"), del("b/1"))
	s.want(0, "a/1=two", "a/2=")
	s.want(rev, "a/1=one", "a/2=", "b/1=uno")
}

func testConflict(t *testing.T, f Factory) {
	s := open(t, f)
	first := s.write(put("a/1", "x"), put("b/1", "x"))
	s.write(put("b/1", "y"))
	for _, c := range []struct {
		name  string
		units []storage.Condition
		ops   []storage.Op
	}{
		{"old head", []storage.Condition{{Unit: "b", Head: first, Write: true}}, []storage.Op{put("b/1", "no")}},
		{"no head", []storage.Condition{{Unit: "b", Write: true}}, []storage.Op{put("b/1", "no")}},
		{"head of the future", []storage.Condition{{Unit: "b", Head: s.heads["b"] + 1, Write: true}}, []storage.Op{put("b/1", "no")}},
		{"a head where none is", []storage.Condition{{Unit: "c", Head: first, Write: true}}, []storage.Op{put("c/1", "no")}},
		{"second of two", []storage.Condition{{Unit: "a", Head: first, Write: true}, {Unit: "b", Head: first, Write: true}},
			[]storage.Op{put("a/1", "no"), put("b/1", "no")}},
		{"no operation", []storage.Condition{{Unit: "b", Head: first, Write: true}}, nil},
	} {
		s.refuse(c.name, storage.Batch{ID: newID(), Time: noon, Units: c.units, Ops: c.ops}, storage.ErrConflict)
	}
	if got := s.log("b", 0, 0); len(got) != 2 {
		t.Errorf("refused commits stand in the log: %d commits, want 2", len(got))
	}
	s.want(0, "a/1=x", "b/1=y")
	s.write(put("a/1", "z"), put("b/1", "z"))
	s.want(0, "a/1=z", "b/1=z")
}

func testReadOnlyConditions(t *testing.T, f Factory) {
	s := open(t, f)
	org := s.write(put("org/p", "deny"))
	b := s.batch(put("a/1", "x"))
	b.Units = append(b.Units, storage.Condition{Unit: "org", Head: org}, storage.Condition{Unit: "never", Head: 0})
	rev := s.commit(b)
	if got := s.items("org/", 0); got[0].Rev != org {
		t.Errorf("a read-only condition moved the head of org from %d to %d", org, got[0].Rev)
	}
	if got := s.items("never/", 0); len(got) != 0 {
		t.Errorf("a read-only condition made a head: %s", show(got))
	}
	got := s.log("a", 0, 0)
	if len(got) != 1 || !slices.Equal(got[0].Units, b.Units) {
		t.Errorf("the log record's units are %v, want %v", got, b.Units)
	}
	if got := s.log("org", 0, 0); len(got) != 1 || got[0].Rev != org {
		t.Errorf("the log of org holds a commit that only read it: %v", got)
	}
	s.write(put("org/p", "allow"))
	b = s.batch(put("a/1", "y"))
	b.Units = append(b.Units, storage.Condition{Unit: "org", Head: org})
	s.refuse("stale read-only unit", b, storage.ErrConflict)
	b = s.batch(put("a/1", "y"))
	b.Units = append(b.Units, storage.Condition{Unit: "never", Head: rev})
	s.refuse("read-only unit that was never written", b, storage.ErrConflict)
}

func testHeads(t *testing.T, f Factory) {
	s := open(t, f)
	b := s.batch(put("a/x", "1"), put("b/x", "1"))
	b.Units = append(b.Units, storage.Condition{Unit: "quiet", Write: true})
	b.Time = noon.Add(time.Microsecond)
	first := s.commit(b)
	b = s.batch(put("a/x", "2"))
	b.Time = noon.Add(time.Hour)
	second := s.commit(b)
	check := func(at storage.Rev, want map[string]storage.Rev) {
		t.Helper()
		heads := map[string]storage.Rev{}
		for _, i := range s.items("", at) {
			unit, isHead := storage.SplitHead(i.Key)
			if !isHead {
				continue
			}
			heads[unit] = i.Rev
			when, err := storage.DecodeHead(i.Value)
			if wantTime := map[storage.Rev]time.Time{first: noon.Add(time.Microsecond), second: noon.Add(time.Hour)}[i.Rev]; err != nil || !when.Equal(wantTime) {
				t.Errorf("at %d: head %q has time %s, %v; want %s", at, i.Key, when, err, wantTime)
			}
		}
		if fmt.Sprint(heads) != fmt.Sprint(want) {
			t.Errorf("at %d: the heads are %v, want %v", at, heads, want)
		}
	}
	check(0, map[string]storage.Rev{"a": second, "b": first, "quiet": first})
	check(first, map[string]storage.Rev{"a": first, "b": first, "quiet": first})
	if got := s.items("a/", 0); len(got) != 2 || got[0].Key != "a/!head" {
		t.Errorf("a unit's snapshot does not begin with its head: %s", show(got))
	}
	s.write(delPrefix("a/"))
	if got := s.items("a/", 0); len(got) != 1 || got[0].Key != "a/!head" || got[0].Rev != s.heads["a"] {
		t.Errorf("after all keys went, the unit holds %s, want its head at %d", show(got), s.heads["a"])
	}
}

func testOrder(t *testing.T, f Factory) {
	s := open(t, f)
	s.write(put("a/k", "old"), put("a/p1", "v1"), put("a/p2", "v2"))
	rev := s.write(
		put("a/k", "1"), put("a/k", "2"), del("a/k"), del("a/k"), put("a/k", "3"),
		put("a/p3", "new"), delPrefix("a/p"), put("a/p2", "again"), delPrefix("a/none"),
		put("a/gone", "x"), del("a/gone"), put("a/same", "s"), put("a/same", "s"),
		del("a/late"), put("a/late", "l"), delPrefix("a/la"),
	)
	s.want(0, "a/k=3", "a/p2=again", "a/same=s")
	v := func(s string) []byte { return []byte(s) }
	want := []storage.Mutation{
		{Key: "a/k", Old: v("old"), New: v("1")}, {Key: "a/k", Old: v("1"), New: v("2")}, {Key: "a/k", Old: v("2")}, {Key: "a/k", New: v("3")},
		{Key: "a/p3", New: v("new")}, {Key: "a/p1", Old: v("v1")}, {Key: "a/p2", Old: v("v2")}, {Key: "a/p3", Old: v("new")}, {Key: "a/p2", New: v("again")},
		{Key: "a/gone", New: v("x")}, {Key: "a/gone", Old: v("x")}, {Key: "a/same", New: v("s")}, {Key: "a/same", Old: v("s"), New: v("s")},
		{Key: "a/late", New: v("l")}, {Key: "a/late", Old: v("l")},
	}
	got := s.log("a", rev, rev)
	expect := got[0]
	expect.Mutations = want
	wantCommits(t, "Log", got, []storage.Commit{expect})
	wantCommits(t, "Watch", s.watch(rev-1, 1), []storage.Commit{expect})

	empty := s.write(storage.Op{Kind: storage.Put, Key: "a/k"}, del("a/p2")) // a Put of nil puts the empty value
	got = s.log("a", empty, 0)
	expect = got[0]
	expect.Mutations = []storage.Mutation{{Key: "a/k", Old: v("3"), New: []byte{}}, {Key: "a/p2", Old: v("again")}}
	wantCommits(t, "an empty value", got, []storage.Commit{expect})
	rev = s.write(del("a/k"), del("a/never"))
	got = s.log("a", rev, 0)
	expect = got[0]
	expect.Mutations = []storage.Mutation{{Key: "a/k", Old: []byte{}}}
	wantCommits(t, "removal of an empty value", got, []storage.Commit{expect})
}

func testDeletePrefix(t *testing.T, f Factory) {
	s := open(t, f)
	s.write(put("a/t", "0"), put("a/t\x00x", "1"), put("a/t\xff", "2"), put("a/t\xff\xff", "3"), put("a/s", "4"), put("a/u", "5"), put("ab/t", "6"))
	before := s.write(put("a/t1", "7"))
	s.write(delPrefix("a/t\xff"))
	s.want(0, "a/s=4", "a/t=0", "a/t\x00x=1", "a/t1=7", "a/u=5", "ab/t=6")
	s.write(delPrefix("a/t"))
	s.want(0, "a/s=4", "a/u=5", "ab/t=6")
	s.write(delPrefix("a/"))
	s.want(0, "ab/t=6")
	s.want(before, "a/s=4", "a/t=0", "a/t\x00x=1", "a/t1=7", "a/t\xff=2", "a/t\xff\xff=3", "a/u=5", "ab/t=6")

	// Heads of units below the prefix stay: only a unit's commits move its head.
	b := storage.Batch{ID: newID(), Time: noon, Units: []storage.Condition{{Unit: "u/deep", Write: true}}, Ops: []storage.Op{put("u/deep/k", "v")}}
	deep := s.commit(b)
	s.commit(storage.Batch{ID: newID(), Time: noon, Units: []storage.Condition{{Unit: "u", Write: true}}, Ops: []storage.Op{delPrefix("u/")}})
	if got := s.items("u/deep/", 0); len(got) != 1 || got[0].Rev != deep {
		t.Errorf("DeletePrefix left %s of another unit, want its head at %d", show(got), deep)
	}
}

func testPrefixLimits(t *testing.T, f Factory) {
	s := open(t, f)
	for i := 0; i < storage.MaxPrefixKeys; i += storage.MaxOps {
		var ops []storage.Op
		for j := range storage.MaxOps {
			ops = append(ops, put(fmt.Sprintf("a/%d/%05d", (i+j)%2, i+j), "v"))
		}
		s.write(ops...)
	}
	s.write(put("a/0/more", "v"))
	conflict := s.batch(delPrefix("a/"))
	conflict.Units[0].Head--
	for _, c := range []struct {
		name string
		b    storage.Batch
		want error
	}{
		{"one prefix", s.batch(delPrefix("a/")), storage.ErrLimit},
		{"two prefixes", s.batch(delPrefix("a/0"), delPrefix("a/1")), storage.ErrLimit},
		{"with a key of the same batch", s.batch(del("a/0/more"), put("a/2", "x"), delPrefix("a/")), storage.ErrLimit},
		{"a conflict comes first", conflict, storage.ErrConflict},
	} {
		rev, err := s.e.Commit(t.Context(), c.b)
		if rev != 0 || !is(err, c.want) {
			t.Errorf("%s: Commit = %d, %v; want %v", c.name, rev, err, c.want)
		}
	}
	if got := len(s.items("a/", 0)); got != storage.MaxPrefixKeys+2 {
		t.Errorf("after refused removals %d items are left, want %d", got, storage.MaxPrefixKeys+2)
	}
	rev := s.write(del("a/0/more"), delPrefix("a/"))
	s.want(0)
	if got := s.log("a", rev, 0); len(got) != 1 || len(got[0].Mutations) != storage.MaxPrefixKeys+1 ||
		got[0].Mutations[1].Key != "a/0/00000" || string(got[0].Mutations[1].Old) != "v" {
		t.Errorf("the removal is not whole in the log")
	}
	if got := len(s.items("a/", rev-1)); got != storage.MaxPrefixKeys+2 {
		t.Errorf("before the removal there were %d items, want %d", got, storage.MaxPrefixKeys+2)
	}

	if testing.Short() {
		return
	}
	value := strings.Repeat("v", storage.MaxValueBytes-10)
	n := storage.MaxPrefixBytes / (storage.MaxValueBytes - 10 + len("b/000"))
	for i := range n + 1 {
		s.write(put(fmt.Sprintf("b/%03d", i), value))
	}
	b := s.batch(delPrefix("b/"))
	if rev, err := s.e.Commit(t.Context(), b); rev != 0 || !is(err, storage.ErrLimit) {
		t.Errorf("Commit of a removal of more than MaxPrefixBytes = %d, %v", rev, err)
	}
	s.write(del("b/000"), delPrefix("b/"))
	s.want(0)
}

func testLimits(t *testing.T, f Factory) {
	s := open(t, f)
	units := func(n int) (cs []storage.Condition) {
		for i := range n {
			cs = append(cs, storage.Condition{Unit: fmt.Sprintf("u%d-%d", n, i), Write: true})
		}
		return cs
	}
	puts := func(n, valueBytes int) (ops []storage.Op) {
		for i := range n {
			ops = append(ops, put(fmt.Sprintf("a/%03d", i), strings.Repeat("v", valueBytes)))
		}
		return ops
	}
	fill := func(n int) storage.Batch {
		b := s.batch(put("a/1", strings.Repeat("1", storage.MaxValueBytes)), put("a/2", strings.Repeat("2", storage.MaxValueBytes-1000)))
		b.Events = [][]byte{bytes.Repeat([]byte("e"), n-2*storage.MaxValueBytes+1000-6)}
		return b
	}
	for _, c := range []struct {
		name string
		make func() storage.Batch
		want error
	}{
		{"MaxOps", func() storage.Batch { return s.batch(puts(storage.MaxOps, 3)...) }, nil},
		{"over MaxOps", func() storage.Batch { return s.batch(puts(storage.MaxOps+1, 3)...) }, storage.ErrLimit},
		{"MaxUnits", func() storage.Batch { return storage.Batch{ID: newID(), Time: noon, Units: units(storage.MaxUnits)} }, nil},
		{"over MaxUnits", func() storage.Batch {
			return storage.Batch{ID: newID(), Time: noon, Units: units(storage.MaxUnits + 1)}
		}, storage.ErrLimit},
		{"MaxBatchBytes", func() storage.Batch { return fill(storage.MaxBatchBytes) }, nil},
		{"over MaxBatchBytes", func() storage.Batch { return fill(storage.MaxBatchBytes + 1) }, storage.ErrLimit},
		{"MaxValueBytes", func() storage.Batch { return s.batch(put("a/1", strings.Repeat("v", storage.MaxValueBytes))) }, nil},
		{"over MaxValueBytes", func() storage.Batch { return s.batch(put("a/1", strings.Repeat("v", storage.MaxValueBytes+1))) }, storage.ErrLimit},
		{"MaxKeyBytes", func() storage.Batch { return s.batch(put("a/"+strings.Repeat("k", storage.MaxKeyBytes-2), "v")) }, nil},
		{"over MaxKeyBytes", func() storage.Batch { return s.batch(put("a/"+strings.Repeat("k", storage.MaxKeyBytes-1), "v")) }, storage.ErrLimit},
		{"MaxUnitBytes", func() storage.Batch { return s.batch(put(strings.Repeat("u", storage.MaxUnitBytes)+"/k", "v")) }, nil},
		{"over MaxUnitBytes", func() storage.Batch { return s.batch(put(strings.Repeat("u", storage.MaxUnitBytes+1)+"/k", "v")) }, storage.ErrLimit},
	} {
		b := c.make()
		if c.want != nil {
			s.refuse(c.name, b, c.want)
			continue
		}
		rev := s.commit(b)
		got := s.log(b.Units[0].Unit, rev, 0)
		if len(got) != 1 || len(got[0].Mutations) != len(b.Ops) {
			t.Fatalf("%s: the commit is not in the log as it was made", c.name)
		}
		for i, op := range b.Ops {
			m := got[0].Mutations[i]
			items := s.items(op.Key, 0)
			if m.Key != op.Key || !bytes.Equal(m.New, op.Value) || len(items) != 1 || !bytes.Equal(items[0].Value, op.Value) {
				t.Fatalf("%s: operation %d did not arrive as it was made", c.name, i)
			}
		}
	}
}

// testLargest commits batches that are at several limits at once: an engine with limits of its own must not meet them.
func testLargest(t *testing.T, f Factory) {
	s := open(t, f)
	var units []storage.Condition
	for i := range storage.MaxUnits {
		units = append(units, storage.Condition{Unit: fmt.Sprintf("%02d%s", i, strings.Repeat("u", storage.MaxUnitBytes-2)), Write: true})
	}
	key := func(i int, tail string) string {
		k := units[i%len(units)].Unit + "/" + fmt.Sprintf("%03d", i)
		return k + strings.Repeat("k", storage.MaxKeyBytes-len(k)-len(tail)) + tail
	}
	value := (storage.MaxBatchBytes - storage.MaxOps*storage.MaxKeyBytes) / storage.MaxOps
	b := storage.Batch{ID: newID(), Time: noon, Units: units}
	for i := range storage.MaxOps {
		b.Ops = append(b.Ops, put(key(i, "x"), strings.Repeat("v", value)))
	}
	s.commit(b)
	// Removals by prefix with puts in between: as many pieces as a batch can make of a range of keys.
	value = (storage.MaxBatchBytes - storage.MaxOps*storage.MaxKeyBytes) / (storage.MaxOps / 2)
	b = storage.Batch{ID: newID(), Time: noon}
	for _, u := range units {
		b.Units = append(b.Units, storage.Condition{Unit: u.Unit, Head: s.heads[u.Unit], Write: true})
	}
	for i := range storage.MaxOps / 2 {
		b.Ops = append(b.Ops, delPrefix(key(i, "")), put(key(i, "y"), strings.Repeat("w", value)))
	}
	rev := s.commit(b)
	got := s.log(units[1].Unit, rev, 0)
	if len(got) != 1 || len(got[0].Mutations) != storage.MaxOps/2 {
		t.Fatalf("the commit has %d mutations in the log, want %d", len(got[0].Mutations), storage.MaxOps/2)
	}
	for i := range storage.MaxOps / 2 {
		m := got[0].Mutations[i]
		if m.Key != key(i, "y") || m.Old != nil || len(m.New) != value {
			t.Fatalf("mutation %d: key %.20q…, %d bytes over %d bytes", i, m.Key, len(m.New), len(m.Old))
		}
	}
	if items := s.items("", 0); len(items) != storage.MaxUnits+storage.MaxOps+storage.MaxOps/2 {
		t.Errorf("the store holds %d items, want %d", len(items), storage.MaxUnits+storage.MaxOps+storage.MaxOps/2)
	}
}

func testInvalid(t *testing.T, f Factory) {
	s := open(t, f)
	s.write(put("a/1", "v"))
	for _, c := range []struct {
		name   string
		change func(*storage.Batch)
	}{
		{"no id", func(b *storage.Batch) { b.ID = storage.CommitID{} }},
		{"no unit", func(b *storage.Batch) { b.Units, b.Ops = nil, nil }},
		{"no unit to write", func(b *storage.Batch) { b.Units[0].Write, b.Ops = false, nil }},
		{"operation in a unit that is only read", func(b *storage.Batch) {
			b.Units[0].Write = false
			b.Units = append(b.Units, storage.Condition{Unit: "b", Write: true})
		}},
		{"unit twice", func(b *storage.Batch) { b.Units = append(b.Units, b.Units[0]) }},
		{"empty unit name", func(b *storage.Batch) { b.Units = append(b.Units, storage.Condition{}) }},
		{"unit name that ends in a slash", func(b *storage.Batch) { b.Units = append(b.Units, storage.Condition{Unit: "b/"}) }},
		{"unit name that is a head", func(b *storage.Batch) { b.Units = append(b.Units, storage.Condition{Unit: "b/!head"}) }},
		{"negative head", func(b *storage.Batch) { b.Units = append(b.Units, storage.Condition{Unit: "b", Head: -1}) }},
		{"nanoseconds", func(b *storage.Batch) { b.Time = noon.Add(1) }},
		{"key of no unit", func(b *storage.Batch) { b.Ops = append(b.Ops, put("b/1", "v")) }},
		{"key without slash", func(b *storage.Batch) { b.Ops = append(b.Ops, put("a", "v")) }},
		{"unit as prefix of another's name", func(b *storage.Batch) { b.Ops = append(b.Ops, put("ab/1", "v")) }},
		{"empty key", func(b *storage.Batch) { b.Ops = append(b.Ops, put("", "v")) }},
		{"key that is the unit", func(b *storage.Batch) { b.Ops = append(b.Ops, put("a/", "v")) }},
		{"Put of the head", func(b *storage.Batch) { b.Ops = append(b.Ops, put("a/!head", "v")) }},
		{"Delete of the head", func(b *storage.Batch) { b.Ops = append(b.Ops, del("a/!head")) }},
		{"Put of a head of another unit", func(b *storage.Batch) { b.Ops = append(b.Ops, put("a/b/!head", "v")) }},
		{"DeletePrefix over all units", func(b *storage.Batch) { b.Ops = append(b.Ops, delPrefix("")) }},
		{"DeletePrefix over some units", func(b *storage.Batch) { b.Ops = append(b.Ops, delPrefix("a")) }},
		{"kind 0", func(b *storage.Batch) { b.Ops = append(b.Ops, storage.Op{Key: "a/2"}) }},
		{"kind 4", func(b *storage.Batch) { b.Ops = append(b.Ops, storage.Op{Kind: 4, Key: "a/2"}) }},
		{"Delete with a value", func(b *storage.Batch) {
			b.Ops = append(b.Ops, storage.Op{Kind: storage.Delete, Key: "a/2", Value: []byte("v")})
		}},
	} {
		b := s.batch(put("a/1", "no"))
		c.change(&b)
		s.refuse(c.name, b, storage.ErrInvalid)
	}
	s.want(0, "a/1=v")
}

// testAliasing changes the batch's memory after Commit, and looks at what was read before a later commit.
func testAliasing(t *testing.T, f Factory) {
	s := open(t, f)
	value, event := []byte("value"), []byte("event")
	b := storage.Batch{ID: newID(), Time: noon, Units: []storage.Condition{{Unit: "a", Write: true}},
		Ops: []storage.Op{{Kind: storage.Put, Key: "a/1", Value: value}}, Events: [][]byte{event}}
	rev := s.commit(b)
	copy(value, "XXXXX")
	copy(event, "XXXXX")
	b.Units[0], b.Ops[0], b.Events[0] = storage.Condition{Unit: "z"}, put("z/1", "z"), []byte("z")
	s.want(0, "a/1=value")
	check := func(what string, commits []storage.Commit) {
		t.Helper()
		if len(commits) != 1 || string(commits[0].Mutations[0].New) != "value" || string(commits[0].Events[0]) != "event" || commits[0].Units[0].Unit != "a" {
			t.Errorf("%s shows the caller's later changes: %s", what, showCommit(commits[0]))
		}
	}
	logged, watched, items := s.log("a", rev, rev), s.watch(0, 1), s.items("a/", 0)
	check("Log", logged)
	check("Watch", watched)
	for range 50 {
		s.write(put("a/1", "other"), put("a/2", "other"))
	}
	check("a commit from Log", logged)
	check("a commit from Watch", watched)
	if string(items[1].Value) != "value" {
		t.Errorf("an item changed under its reader: %q", items[1].Value)
	}
}
