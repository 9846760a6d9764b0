package authz

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// keyNames are context keys that policies read, in each spelling.
type keyNames map[string]struct{}

// credentialKeys depend on how a principal signed in, which an inquiry does not say.
var credentialKeys = [...]string{
	"aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIdentity", "aws:FederatedProvider", "aws:AssumedRoot",
}

// leaves says whether the inquiry leaves the key open: a key that only the asker knows and does not name, or one of the credentials.
func (w *search) leaves(key string) bool {
	if readsOf(key)&readsOthers == 0 {
		return slices.ContainsFunc(credentialKeys[:], func(c string) bool { return policy.SameKey(c, key) })
	}
	for i := range w.q.Check.Context {
		if policy.SameKey(w.q.Check.Context[i].Key, key) {
			return false
		}
	}
	return !policy.SameKey(key, sessionName)
}

// ofCaller adds those of the caller's own policies.
func (names keyNames) ofCaller(action *policy.ActionSearch, m *memo) {
	if m.reads&(readsOthers|readsCaller) != 0 {
		action.AddKeys(names, m.sets.Identity)
		action.AddKeys(names, m.sets.Boundary)
	}
}

// ofCheck adds those of the policies that are the same for all callers.
func (names keyNames) ofCheck(w *search) {
	q := &w.q.Check
	for _, a := range [...]*policy.Attached{q.ResourcePolicy, q.Endpoint} {
		if a != nil && a.Policy != nil {
			w.about.AddKeysOf(names, a.Policy)
		}
	}
	names.ofLevels(w, w.about, q, w.ownerOf(q))
	if w.hops > 0 {
		names.ofLevels(w, w.assumes, &w.hop, w.account.ID)
	}
}

// ofLevels adds those of the organizations' policies above the callers and above the owner of the resource.
func (names keyNames) ofLevels(w *search, action *policy.ActionSearch, q *Query, owner string) {
	levels := slices.Concat(q.SCP, q.RCP)
	if m := w.r.Membership(w.account.ID); m != nil {
		levels = append(levels, m.SCP...)
	}
	if m := w.r.Membership(owner); m != nil {
		levels = append(levels, m.RCP...)
	}
	for _, level := range levels {
		action.AddKeys(names, level)
	}
}

// missing is the keys that are open, in order, each in one spelling.
func (w *search) missing() (keys []string, cut bool) {
	for _, key := range slices.Sorted(maps.Keys(w.names)) {
		if w.leaves(key) {
			keys = append(keys, key)
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	keys = slices.CompactFunc(keys, policy.SameKey)
	if len(keys) > maxMissing {
		return keys[:maxMissing], true
	}
	return keys, false
}
