package authz

import (
	"fmt"
	"sync"
	"testing"
)

// held counts what a table remembers and adds up its weight.
func held(t *table) (memos, bytes, slots int) {
	for i := range t.shards {
		all := *t.shards[i].slots.Load()
		slots += len(all)
		for j := range all {
			if m := all[j].memo.Load(); m != nil {
				memos++
				bytes += m.weight
			}
		}
	}
	return memos, bytes, slots
}

func TestTable(t *testing.T) {
	t.Parallel()
	var x table
	x.init()
	const n = 20_000
	first := make([]*memo, n)
	for i := range first {
		first[i] = &memo{weight: 100}
		x.put(fmt.Sprint("id", i), first[i])
	}
	found := 0
	for i := range first {
		if m := x.find(fmt.Sprint("id", i)); m == first[i] {
			found++
		} else if m != nil {
			t.Fatalf("id%d is somebody else's", i)
		}
	}
	if found < n*99/100 { // a few found no place when a shard grew
		t.Errorf("of %d memos %d are found", n, found)
	}
	second := &memo{weight: 7}
	x.put("id5", second)
	if x.find("id5") != second {
		t.Error("the memo of before is found")
	}
	if memos, _, _ := held(&x); memos > n {
		t.Errorf("%d memos of %d ids", memos, n)
	}
	for _, id := range []string{"", "id", "id20000", "a very long id of somebody"} {
		if x.find(id) != nil {
			t.Errorf("%q is found", id)
		}
	}
	x.put("a very long id of somebody", &memo{})
	x.put("", &memo{})
	if x.find("a very long id of somebody") != nil || x.find("") != nil {
		t.Error("an id that is none is found")
	}
	x.put("a", second)
	if x.find("a") != second {
		t.Error("a short id is not found")
	}
}

// TestTableTellsIDsApart: a memo whose tag is that of another id is not that one's.
func TestTableTellsIDsApart(t *testing.T) {
	t.Parallel()
	var x table
	x.init()
	s, h := x.at("asked for")
	m := &memo{id: newKey("there")}
	s.store(&set(*s.slots.Load(), h)[1], h, m)
	if x.find("asked for") != nil {
		t.Error("somebody else's memo")
	}
	s.store(&set(*s.slots.Load(), h)[1], h, nil) // as between two writes
	if x.find("asked for") != nil {
		t.Error("there is no memo")
	}
}

// TestTableIsBounded: in number, in bytes, and in how much one may weigh.
func TestTableIsBounded(t *testing.T) {
	t.Parallel()
	var x table
	x.init()
	for i := range 30_000 {
		x.put(fmt.Sprint("heavy", i), &memo{weight: maxShardBytes / 100})
	}
	memos, bytes, _ := held(&x)
	if bytes > shardCount*maxShardBytes || memos < shardCount*50 {
		t.Errorf("%d memos of %d bytes", memos, bytes)
	}
	for i := range x.shards {
		sum := 0
		all := *x.shards[i].slots.Load()
		for j := range all {
			if m := all[j].memo.Load(); m != nil {
				sum += m.weight
			}
		}
		if sum != x.shards[i].bytes {
			t.Fatalf("shard %d: counted %d bytes, there are %d", i, x.shards[i].bytes, sum)
		}
	}
	x.put("too heavy", &memo{weight: maxShardBytes + 1})
	if x.find("too heavy") != nil {
		t.Error("a memo that fills more than a shard is remembered")
	}

	last := &memo{weight: maxShardBytes}
	if x.put("a shard's weight", last); x.find("a shard's weight") != last {
		t.Error("a memo that fills a shard is not remembered")
	}

	x = table{}
	x.init()
	for i := range 400_000 {
		id, m := fmt.Sprint("light", i), &memo{weight: 1}
		if x.put(id, m); x.find(id) != m {
			t.Fatalf("%s is not remembered", id)
		}
	}
	if memos, _, slots := held(&x); memos > shardCount*maxShardSlots || slots > shardCount*maxShardSlots || memos < shardCount*maxShardSlots/2 {
		t.Errorf("%d memos in %d slots", memos, slots)
	}
}

// TestShardsFillUp: every slot of a set is used, and a shard forgets when it is over its bytes and no sooner.
func TestShardsFillUp(t *testing.T) {
	t.Parallel()
	var s shard
	slots := make([]slot, ways)
	for i := range ways {
		if !s.place(slots, 1, &memo{id: newKey(fmt.Sprint(i))}) {
			t.Errorf("no place for memo %d of %d", i, ways)
		}
	}
	if s.place(slots, 1, &memo{id: newKey("more")}) {
		t.Error("a set takes more than it has slots")
	}
	for i := range ways { // an id has one memo, wherever it stands
		clear(slots)
		slots[i].memo.Store(&memo{id: newKey("again")})
		m := &memo{id: newKey("again")}
		if !s.place(slots, 1, m) || slots[i].memo.Load() != m {
			t.Errorf("the memo in slot %d is not replaced", i)
		}
	}

	for _, c := range []struct{ over, want int }{{-1, 2}, {0, 2}, {1, 1}, {2, 1}} {
		var x table
		x.init()
		var ids []string // of one shard
		for i := 0; len(ids) < 2; i++ {
			if at, _ := x.at(fmt.Sprint(i)); at == &x.shards[0] {
				ids = append(ids, fmt.Sprint(i))
			}
		}
		second := &memo{weight: maxShardBytes/2 + c.over}
		x.put(ids[0], &memo{weight: maxShardBytes / 2})
		x.put(ids[1], second)
		if memos, _, _ := held(&x); memos != c.want || x.find(ids[1]) != second {
			t.Errorf("%d bytes over: %d memos are kept; want %d, with the last one", c.over, memos, c.want)
		}
	}
}

// TestTableWhileItIsWritten: readers find what belongs to an id or nothing, while writers replace, grow and evict.
func TestTableWhileItIsWritten(t *testing.T) {
	t.Parallel()
	var x table
	x.init()
	var writers sync.WaitGroup
	done := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			for i := range 20_000 {
				id := fmt.Sprint("id", (i*7+w)%3000)
				x.put(id, &memo{account: id, weight: i % 5 * maxShardBytes / 40})
			}
		})
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprint("id", i%3000)
				if m := x.find(id); m != nil && m.account != id {
					t.Errorf("%s is found to be %s", id, m.account)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}
