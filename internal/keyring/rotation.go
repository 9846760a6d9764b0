package keyring

import (
	"errors"
	"fmt"
	"time"
)

// MaxTokenLife is the longest life of a session token: what is sealed under a retired cell key may be presented that long.
const MaxTokenLife = 36 * time.Hour

// Action is what a rotation does next.
type Action uint8

// The actions, in the order of a key's life. Wait is also the zero value: doing nothing is always safe.
const (
	Wait    Action = iota
	Add            // AddKey
	Promote        // Promote Step.Key
	Reseal         // Reseal what is stored under Step.Key
	Remove         // RemoveKey Step.Key
)

func (a Action) String() string {
	names := [...]string{"wait", "add", "promote", "reseal", "remove"}
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Step is one step of a rotation. Taking a step twice, or by two nodes at once, is harmless when it is taken in a transaction that plans
// again: after the first the second finds another step due.
type Step struct {
	Action Action
	Key    uint32    // which key; 0 for Wait and Add
	Until  time.Time // Wait: when to ask again at the latest; zero when only an event (a node, an operator) can bring the next step
	Reason string    // for logs
}

// Rotation says how a keyset is rotated. It holds no secret.
type Rotation struct {
	// Every is the age at which a primary key is replaced, counted from its promotion. 0: only on demand.
	Every time.Duration
	// Demanded is when an operator last asked for a new key: a primary key made before it is replaced. Zero: never.
	Demanded time.Time
	// TokenLife is how long something that is not stored (a token) may still be presented: MaxTokenLife for the cell, 0 for accounts.
	TokenLife time.Duration
	// Settle is added to TokenLife for nodes that learn late that a key was retired, and go on sealing under it.
	Settle time.Duration
	// LiveNodesHave tells whether every live node works with a keyset at least as new as this one, as far as that key matters: for a key
	// that waits, that they hold it; for the primary key, that they hold it as primary. Must not be nil.
	LiveNodesHave func(key uint32) bool
	// Stored tells whether anything in the store is still sealed under a key. Must not be nil.
	//
	// To remove a key safely the caller asks it again inside the transaction that removes it, with everything that could be sealed under
	// the key in the units that transaction reads.
	Stored func(key uint32) bool
}

// NextStep says what is due for a keyset at a time. It is pure and keeps no state: what happened is in the keys.
//
// The life of a key: it is added and waits until every live node has it; it is promoted; when the next key is promoted it is retired, what
// is stored under it is sealed anew, and after TokenLife + Settle it is removed. At no step is anything unreadable on a live node.
func NextStep(keys []KeyInfo, now time.Time, r Rotation) (Step, error) {
	if r.LiveNodesHave == nil || r.Stored == nil {
		return Step{}, errors.New("keyring: plan a rotation: LiveNodesHave and Stored must be given")
	}
	if r.Every < 0 || r.TokenLife < 0 || r.Settle < 0 {
		return Step{}, errors.New("keyring: plan a rotation: a duration is negative")
	}
	var primary, waiting *KeyInfo
	for i := range keys {
		k := &keys[i]
		switch {
		case k.Primary && primary != nil:
			return Step{}, fmt.Errorf("keyring: plan a rotation: two primary keys: %w", ErrFormat)
		case k.Primary:
			primary = k
		case k.Promoted.IsZero() && (waiting == nil || !k.Made.Before(waiting.Made)):
			waiting = k
		}
	}
	if primary == nil {
		return Step{}, fmt.Errorf("keyring: plan a rotation: no primary key: %w", ErrFormat)
	}

	if waiting != nil && r.LiveNodesHave(waiting.ID) {
		return Step{Action: Promote, Key: waiting.ID, Reason: "every live node has the new key"}, nil
	}
	const idle = "nothing is due"
	var asked, aged bool
	demanded := stamp(r.Demanded) // the precision of Made: a key made at that very instant is new enough
	wait := Step{Reason: idle}
	sooner := func(t time.Time) {
		if wait.Until.IsZero() || t.Before(wait.Until) {
			wait.Until = t
		}
	}
	if waiting == nil {
		asked = primary.Made.Before(demanded) && !demanded.After(now)
		if r.Every > 0 {
			if due := primary.Promoted.Add(r.Every); now.Before(due) {
				sooner(due)
			} else {
				aged = true
			}
		}
		if demanded.After(now) {
			sooner(demanded)
		}
		if (asked || aged) && len(keys) < MaxKeys {
			reason := "the primary key is old enough to be replaced"
			if asked {
				reason = "a new key was asked for"
			}
			return Step{Action: Add, Reason: reason}, nil
		}
	}

	// Every other key goes: retired ones, and ones that were added but overtaken by a newer one.
	for i := range keys {
		k := &keys[i]
		if k.Primary || k == waiting {
			continue
		}
		if !r.LiveNodesHave(primary.ID) {
			// A node that seals under the old key would undo the resealing, or lose what it seals.
			if wait.Reason == idle {
				wait.Reason = "not every live node uses the primary key"
			}
			continue
		}
		if r.Stored(k.ID) {
			return Step{Action: Reseal, Key: k.ID, Reason: "something stored is sealed under a retired key"}, nil
		}
		gone := k.Retired.Add(r.TokenLife + r.Settle)
		if k.Retired.IsZero() || !now.Before(gone) {
			return Step{Action: Remove, Key: k.ID, Reason: "nothing can be sealed under it any more"}, nil
		}
		sooner(gone)
		if wait.Reason == idle {
			wait.Reason = "tokens sealed under a retired key may still live"
		}
	}
	switch {
	case waiting != nil:
		wait.Reason = "not every live node has the new key"
	case asked || aged:
		wait.Reason = fmt.Sprintf("a new key is due, but the keyset has %d keys already", len(keys))
	}
	return wait, nil
}
