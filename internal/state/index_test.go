package state

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

type entry struct {
	key string
	n   int
}

func entryKey(e *entry) string { return e.key }

// TestIndexForks drives an index and its forks at random beside plain maps: every fork, old or new, must stay what it was.
func TestIndexForks(t *testing.T) {
	t.Parallel()
	fixed := maphash.MakeSeed()
	hashes := map[string]func(string) uint64{
		"good":     func(s string) uint64 { return maphash.String(fixed, s) },
		"four":     func(s string) uint64 { return maphash.String(fixed, s) & 3 },
		"constant": func(string) uint64 { return 0 },
		"deep":     func(s string) uint64 { return maphash.String(fixed, s) << 55 }, // differs only from depth 11 on
		"deepest":  func(s string) uint64 { return maphash.String(fixed, s) << 60 }, // equal in all bits that the trie looks at
	}
	for name, h := range hashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(8) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				type version struct {
					x *index[entry]
					m map[string]*entry
				}
				first := version{newIndex(entryKey), map[string]*entry{}}
				first.x.hash = h
				versions := []version{first}
				for step := range 1500 {
					v := &versions[rnd.IntN(len(versions))]
					if rnd.IntN(4) > 0 { // mostly the newest, as the state does
						v = &versions[len(versions)-1]
					}
					key := fmt.Sprint(rnd.IntN(60))
					switch op := rnd.IntN(20); {
					case op < 11:
						e := &entry{key, step}
						if old := v.x.put(e); old != v.m[key] {
							t.Fatalf("seed %d step %d: put %s replaced %v, want %v", seed, step, key, old, v.m[key])
						}
						v.m[key] = e
					case op < 19:
						if old := v.x.remove(key); old != v.m[key] {
							t.Fatalf("seed %d step %d: remove %s took %v, want %v", seed, step, key, old, v.m[key])
						}
						delete(v.m, key)
					case len(versions) < 40:
						versions = append(versions, version{v.x.fork(), maps.Clone(v.m)})
					}
				}
				for i, v := range versions {
					if v.x.len() != len(v.m) {
						t.Fatalf("seed %d fork %d: length %d, want %d", seed, i, v.x.len(), len(v.m))
					}
					for n := range 60 {
						if key := fmt.Sprint(n); v.x.get(key) != v.m[key] {
							t.Fatalf("seed %d fork %d: %s is %v, want %v", seed, i, key, v.x.get(key), v.m[key])
						}
					}
					all := map[string]*entry{}
					for e := range v.x.all() {
						if all[e.key] != nil {
							t.Fatalf("seed %d fork %d: all gives %s twice", seed, i, e.key)
						}
						all[e.key] = e
					}
					if !maps.Equal(all, v.m) {
						t.Fatalf("seed %d fork %d: all gives %d records, want %d", seed, i, len(all), len(v.m))
					}
				}
			}
		})
	}
}

// TestIndexLetsGo checks that removed records are not held by the array they stood in.
func TestIndexLetsGo(t *testing.T) {
	t.Parallel()
	x := newIndex(entryKey)
	for i := range 1000 {
		x.put(&entry{key: fmt.Sprint(i)})
	}
	for i := range 999 {
		x.remove(fmt.Sprint(i))
	}
	var behind func(n *indexNode[entry]) int
	behind = func(n *indexNode[entry]) (held int) {
		for i, s := range n.slots[:cap(n.slots)] {
			switch {
			case i >= len(n.slots) && (s.record != nil || s.node != nil):
				held++
			case s.node != nil:
				held += behind(s.node)
			}
		}
		return held
	}
	if held := behind(x.root); held > 0 {
		t.Errorf("%d removed records are still held", held)
	}
}

// TestTableOrder checks order, lookups by name and pages of a table against a sorted list, over forks.
func TestTableOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		u, _ := newUnit(AccountUnit("111111111111"))
		a := u.(*Account)
		names := map[string]string{} // by id
		type old struct {
			a     *Account
			names map[string]string
		}
		var olds []old
		for range 800 {
			id := fmt.Sprint("AIDA", rnd.IntN(80))
			switch rnd.IntN(10) {
			case 0:
				olds = append(olds, old{a, maps.Clone(names)})
				a = a.fork().(*Account)
			case 1, 2, 3:
				setRecord(a, "user", id, nil)
				delete(names, id)
			default:
				u := &User{}
				u.Id, u.Name = id, fmt.Sprint([]string{"a", "B", "Ab", "aB"}[rnd.IntN(4)], rnd.IntN(30))
				setRecord(a, "user", id, u)
				names[id] = u.Name
			}
		}
		for i, o := range append(olds, old{a, names}) {
			if err := o.a.table("user").check(); err != nil {
				t.Fatalf("seed %d fork %d: %v", seed, i, err)
			}
			want := slices.SortedFunc(maps.Keys(o.names), func(x, y string) int {
				if c := compareFold(o.names[x], o.names[y]); c != 0 {
					return c
				}
				return len(x+y) * compareFold(x, y)
			})
			var got []string
			for u := range o.a.Users("") {
				got = append(got, u.Id)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d fork %d: order %v, want %v", seed, i, got, want)
			}
			for n, id := range want {
				name := o.names[id]
				u := o.a.UserByName(name)
				if u == nil || compareFold(u.Name, name) != 0 {
					t.Fatalf("seed %d fork %d: by name %s: %v", seed, i, name, u)
				}
				behind := slices.DeleteFunc(slices.Clone(want[n:]), func(id string) bool { return compareFold(o.names[id], name) == 0 })
				var page []string
				for u := range o.a.Users(name) {
					page = append(page, u.Id)
				}
				if !slices.Equal(page, behind) {
					t.Fatalf("seed %d fork %d: behind %s come %v, want %v", seed, i, name, page, behind)
				}
			}
			if o.a.UserByName("nobody") != nil {
				t.Fatal("there is a user nobody")
			}
		}
	}
}

func TestCompareFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "A", 0}, {"a", "B", -1}, {"B", "a", 1}, {"ab", "A", 1}, {"a", "AB", -1}, {"[", "a", -1}, {"[", "A", -1}, {"z", "{", -1},
		{"é", "É", 1},
	} {
		if got := compareFold(c.a, c.b); got < 0 != (c.want < 0) || got > 0 != (c.want > 0) {
			t.Errorf("compareFold(%q, %q) = %d, want the sign of %d", c.a, c.b, got, c.want)
		}
	}
}
