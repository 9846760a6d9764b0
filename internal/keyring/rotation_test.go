package keyring

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestNextStep(t *testing.T) {
	t.Parallel()
	const h, d = time.Hour, 24 * time.Hour
	at := func(x time.Duration) time.Time { return t0.Add(x) }
	all := func(uint32) bool { return true }
	none := func(uint32) bool { return false }
	only := func(ids ...uint32) func(uint32) bool {
		return func(id uint32) bool {
			return slices.Contains(ids, id)
		}
	}
	one := []KeyInfo{{ID: 1, Primary: true, Made: t0, Promoted: t0}}
	pending := append(one[:1:1], KeyInfo{ID: 2, Made: at(90 * d)})
	promoted := []KeyInfo{{ID: 1, Made: t0, Promoted: t0, Retired: at(91 * d)}, {ID: 2, Primary: true, Made: at(90 * d), Promoted: at(91 * d)}}
	overtaken := append(pending[:2:2], KeyInfo{ID: 3, Made: at(91 * d)})
	full := []KeyInfo{{ID: 1, Primary: true, Made: t0, Promoted: t0}}
	for i := range uint32(MaxKeys - 1) {
		full = append(full, KeyInfo{ID: 10 + i, Made: t0, Promoted: t0, Retired: at(89 * d)})
	}
	for _, tc := range []struct {
		name     string
		keys     []KeyInfo
		now      time.Time
		demanded time.Time
		every    time.Duration
		have     func(uint32) bool
		stored   func(uint32) bool
		want     Step
	}{
		{"young", one, at(89 * d), time.Time{}, 90 * d, all, none, Step{Action: Wait, Until: at(90 * d)}},
		{"never by age", one, at(9000 * d), time.Time{}, 0, all, none, Step{Action: Wait}},
		{"old", one, at(90 * d), time.Time{}, 90 * d, all, none, Step{Action: Add}},
		{"asked for", one, at(2 * h), at(1 * h), 90 * d, all, none, Step{Action: Add}},
		{"asked for before the key was made", one, at(2 * h), at(-1 * h), 0, all, none, Step{Action: Wait}},
		{"asked for in the instant the key was made", one, at(2 * h), at(400 * time.Microsecond), 0, all, none, Step{Action: Wait}},
		{"asked for later", one, at(2 * h), at(3 * h), 0, all, none, Step{Action: Wait, Until: at(3 * h)}},
		{"asked for, new key waits already", pending, at(90 * d), at(89 * d), 0, only(1), none, Step{Action: Wait}},
		{"a node lacks the new key", pending, at(90 * d), time.Time{}, 90 * d, only(1), none, Step{Action: Wait}},
		{"all nodes have the new key", pending, at(90 * d), time.Time{}, 90 * d, only(2), none, Step{Action: Promote, Key: 2}},
		{"overtaken key: the newest is promoted", overtaken, at(92 * d), time.Time{}, 90 * d, all, none, Step{Action: Promote, Key: 3}},
		{"overtaken key is removed", overtaken, at(92 * d), time.Time{}, 90 * d, only(1), none, Step{Action: Remove, Key: 2}},
		{"stored under the old key", promoted, at(91*d + h), time.Time{}, 90 * d, all, only(1), Step{Action: Reseal, Key: 1}},
		{"stored under the old key, a node seals under it", promoted, at(91*d + h), time.Time{}, 90 * d, none, only(1), Step{Action: Wait, Until: at(181 * d)}},
		{"tokens live", promoted, at(91*d + 37*h - 1), time.Time{}, 90 * d, all, none, Step{Action: Wait, Until: at(91*d + 37*h)}},
		{"tokens are dead", promoted, at(91*d + 37*h), time.Time{}, 90 * d, all, none, Step{Action: Remove, Key: 1}},
		{"tokens are dead, a node is behind", promoted, at(91*d + 37*h), time.Time{}, 90 * d, none, none, Step{Action: Wait, Until: at(181 * d)}},
		{"tokens are dead, something stored", promoted, at(100 * d), time.Time{}, 90 * d, all, only(1), Step{Action: Reseal, Key: 1}},
		{"clock before the retirement", promoted, at(h), time.Time{}, 0, all, none, Step{Action: Wait, Until: at(91*d + 37*h)}},
		{"full: no new key before one is removed", full, at(90 * d), time.Time{}, 90 * d, all, none, Step{Action: Wait, Until: at(89*d + 37*h)}},
		{"full: an old one is removed", full, at(91 * d), time.Time{}, 90 * d, all, none, Step{Action: Remove, Key: 10}},
	} {
		got, err := NextStep(tc.keys, tc.now, Rotation{
			Every: tc.every, Demanded: tc.demanded, TokenLife: MaxTokenLife, Settle: time.Hour, LiveNodesHave: tc.have, Stored: tc.stored,
		})
		if err != nil || got.Action != tc.want.Action || got.Key != tc.want.Key || !got.Until.Equal(tc.want.Until) || got.Reason == "" {
			t.Errorf("%s: got %v key %d until %v (%q), %v; want %v key %d until %v", tc.name,
				got.Action, got.Key, got.Until, got.Reason, err, tc.want.Action, tc.want.Key, tc.want.Until)
		}
	}
	for name, f := range map[string]func() (Step, error){
		"no functions": func() (Step, error) { return NextStep(one, t0, Rotation{}) },
		"no keys":      func() (Step, error) { return NextStep(nil, t0, Rotation{LiveNodesHave: all, Stored: all}) },
		"two primary keys": func() (Step, error) {
			return NextStep(append(one[:1:1], one...), t0, Rotation{LiveNodesHave: all, Stored: all})
		},
		"negative": func() (Step, error) { return NextStep(one, t0, Rotation{LiveNodesHave: all, Stored: all, Settle: -1}) },
	} {
		if s, err := f(); err == nil || s != (Step{}) {
			t.Errorf("%s: %+v, %v; want an error and no step", name, s, err)
		}
	}
}

func TestRotationRefusals(t *testing.T) {
	t.Parallel()
	c := testCell(t)
	first := c.Keys()[0].ID
	_, err := c.RemoveKey(first)
	wantErr(t, "remove the primary key", err, ErrKeyState)
	_, err = c.RemoveKey(first + 1)
	wantErr(t, "remove an unknown key", err, ErrUnknownKey)
	_, err = c.Promote(first+1, t0)
	wantErr(t, "promote an unknown key", err, ErrUnknownKey)
	c2, second, err := c.AddKey(t0.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Keys()) != 1 || len(c2.Keys()) != 2 {
		t.Fatalf("AddKey must leave the old handle as it was: %v, %v", c.Keys(), c2.Keys())
	}
	c3, err := c2.Promote(second, t0.Add(-time.Hour)) // the clock went back
	if err != nil {
		t.Fatal(err)
	}
	if k := c3.Keys(); !k[0].Retired.Equal(t0.Add(time.Hour)) || !k[1].Promoted.Equal(t0.Add(time.Hour)) || k[0].Primary || !k[1].Primary {
		t.Errorf("promotion with a clock that went back: %+v", k)
	}
	if k := c2.Keys(); !k[0].Primary || !k[0].Retired.IsZero() {
		t.Errorf("Promote changed the old handle: %+v", k)
	}
	if again, err := c3.Promote(second, t0.Add(9*time.Hour)); err != nil || fmt.Sprint(again.Keys()) != fmt.Sprint(c3.Keys()) {
		t.Errorf("promoting the primary key: %v", err)
	}
	_, err = c3.Promote(first, t0.Add(9*time.Hour))
	wantErr(t, "promote a retired key", err, ErrKeyState)
}

// The whole life of account keys and cell keys, with what is stored following.
func TestAccountRotation(t *testing.T) {
	t.Parallel()
	c, a := testCell(t), testAccount(t, unit1)
	first := a.Keys()[0].ID
	record, err := a.Seal("access-key", "AKIA1", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	old := record
	now := t0
	stored, _ := a.Sealed(c)
	var steps []Action
	for range 20 {
		a, err = OpenAccount(c, unit1, stored)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Open("access-key", "AKIA1", record); err != nil || string(got) != "secret" {
			t.Fatalf("after %v: %q, %v", steps, got, err)
		}
		s, err := NextStep(a.Keys(), now, Rotation{
			Demanded:      t0.Add(time.Minute),
			LiveNodesHave: func(uint32) bool { return true },
			Stored:        func(key uint32) bool { id, _ := KeyID(record); return id == key },
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.Action != Wait || len(steps) == 0 || steps[len(steps)-1] != Wait {
			steps = append(steps, s.Action)
		}
		switch s.Action {
		case Add:
			a, _, err = a.AddKey(now)
		case Promote:
			a, err = a.Promote(s.Key, now)
		case Reseal:
			var changed bool
			record, changed, err = a.Reseal("access-key", "AKIA1", record)
			if !changed {
				t.Error("Reseal changed nothing")
			}
		case Remove:
			a, err = a.RemoveKey(s.Key)
		}
		if err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		if stored, err = a.Sealed(c); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Second)
	}
	if got, want := fmt.Sprint(steps), fmt.Sprint([]Action{Wait, Add, Promote, Reseal, Remove, Wait}); got != want {
		t.Errorf("steps %v, want %v", got, want)
	}
	if len(a.Keys()) != 1 || a.Keys()[0].ID == first {
		t.Errorf("keys at the end: %+v", a.Keys())
	}
	_, err = a.Open("access-key", "AKIA1", old)
	wantErr(t, "the record as it was, after its key is gone", err, ErrUnknownKey)
	_, _, err = a.Reseal("access-key", "AKIA1", old)
	wantErr(t, "resealing it", err, ErrUnknownKey)
	if again, changed, err := a.Reseal("access-key", "AKIA1", record); changed || err != nil || &again[0] != &record[0] {
		t.Errorf("Reseal under the primary key: changed %v, %v", changed, err)
	}
}

type token struct {
	id      string
	sealed  []byte
	expires time.Time
}

type simulation struct {
	tellNodes bool          // ask the nodes before promotions and removals
	settle    time.Duration // of the plan
}

// run lives through 100 days of a cell whose nodes learn of every change up to 5 hours late, seal tokens all the time, and store account
// keysets; it returns how many keys were ever removed, and the first thing that a node could not read.
func (s simulation) run(t *testing.T) (removed int, unreadable error) {
	rnd := rand.New(rand.NewPCG(1, 2))
	master, c := testMaster(t, 1), testCell(t)
	a := testAccount(t, unit1)
	accountKeyset, _ := a.Sealed(c)
	first, _ := c.Seal("session", "first", []byte("first"))
	firstKey := c.Keys()[0].ID

	const nodes = 3
	type version struct {
		at   time.Time
		cell *Cell
	}
	history := []version{{t0, c}}
	current := func() *Cell { return history[len(history)-1].cell }
	var sees [nodes]*Cell
	var lag [nodes]time.Duration
	for i := range sees {
		sees[i] = c
	}
	var tokens []token
	for hour := range 100 * 24 {
		now := t0.Add(time.Duration(hour) * time.Hour)
		for i := range sees {
			lag[i] = time.Duration(rnd.IntN(301)) * time.Minute
			for j := len(history) - 1; j >= 0; j-- {
				if !history[j].at.After(now.Add(-lag[i])) {
					if j >= versionOf(history, sees[i], func(v version) *Cell { return v.cell }) {
						sees[i] = history[j].cell
					}
					break
				}
			}
		}
		// One node issues a token that lives as long as a token can.
		id := fmt.Sprint(hour)
		b, err := sees[rnd.IntN(nodes)].Seal("session", id, []byte(id))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token{id, b, now.Add(MaxTokenLife)})
		for len(tokens) > 0 && !tokens[0].expires.After(now) {
			tokens = tokens[1:]
		}
		for i, node := range sees {
			for _, tok := range tokens {
				if _, err := node.Open("session", tok.id, tok.sealed); err != nil {
					return removed, fmt.Errorf("hour %d, node %d: token of hour %s: %w", hour, i, tok.id, err)
				}
			}
			if _, err := OpenAccount(node, unit1, accountKeyset); err != nil {
				return removed, fmt.Errorf("hour %d, node %d: %w", hour, i, err)
			}
		}
		step, err := NextStep(current().Keys(), now, Rotation{
			Every: 10 * 24 * time.Hour, TokenLife: MaxTokenLife, Settle: s.settle,
			LiveNodesHave: func(key uint32) bool {
				if !s.tellNodes {
					return true
				}
				for _, node := range sees {
					i := node.r.find(key)
					if i < 0 || current().r.primary == key && !node.r.keys[i].Primary {
						return false
					}
				}
				return true
			},
			Stored: func(key uint32) bool { id, _ := KeyID(accountKeyset); return id == key },
		})
		if err != nil {
			t.Fatal(err)
		}
		next := current()
		switch step.Action {
		case Add:
			next, _, err = next.AddKey(now)
		case Promote:
			next, err = next.Promote(step.Key, now)
		case Reseal:
			accountKeyset, _, err = ResealAccount(next, unit1, accountKeyset)
		case Remove:
			next, err = next.RemoveKey(step.Key)
			removed++
		}
		if err != nil {
			t.Fatal(err)
		}
		if next != current() {
			// Nodes get it as stored bytes.
			wrapped, err := next.Wrap(t.Context(), master)
			if err != nil {
				t.Fatal(err)
			}
			if next, err = OpenCell(t.Context(), "cell", wrapped, master); err != nil {
				t.Fatal(err)
			}
			history = append(history, version{now, next})
		}
	}
	if _, err := current().Open("session", "first", first); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("what was sealed under the first key must be unreadable in the end: %v", err)
	}
	if current().r.find(firstKey) >= 0 {
		t.Error("the first key is still there")
	}
	return removed, nil
}

func versionOf[V any](history []V, c *Cell, cell func(V) *Cell) int {
	for i, v := range history {
		if cell(v) == c {
			return i
		}
	}
	return -1
}

func TestCellRotationAcrossNodes(t *testing.T) {
	t.Parallel()
	removed, unreadable := simulation{tellNodes: true, settle: 6 * time.Hour}.run(t)
	if unreadable != nil {
		t.Error(unreadable)
	}
	if removed < 8 {
		t.Errorf("%d keys were removed in 100 days, want one every 10 days", removed)
	}
	// The simulation must be able to fail: without asking the nodes, one of them cannot read what another sealed.
	if _, unreadable := (simulation{tellNodes: false, settle: 6 * time.Hour}).run(t); unreadable == nil {
		t.Error("the simulation does not notice a promotion that nodes do not know of")
	}
}
