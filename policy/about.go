package policy

import "strings"

// ActionSearch finds the statements of policies that are about one action, whatever else they ask for. It never changes.
type ActionSearch struct{ q query }

// NewActionSearch takes an action of the form prefix:name, within MaxAction. No statement is about any other text.
func NewActionSearch(action string) *ActionSearch {
	s := &ActionSearch{}
	if colon := strings.IndexByte(action, ':'); colon > 0 && len(action) <= MaxAction {
		s.q.action, s.q.colon, s.q.actions = action, colon, requestBits(action, colon)
	}
	return s
}

// about says whether Action, or NotAction, of the statement takes the action.
func (s *ActionSearch) about(p *Policy, h *head, i int) bool {
	return p.actionBits(i)&s.q.actions != 0 &&
		(h.has(flagEverything) || p.matchAction(p.actionsOf(h), &s.q) != h.has(flagNotAction))
}

// Allows says whether a set, which may be nil, has an Allow statement about the action. Without one the set does not allow it.
func (s *ActionSearch) Allows(set *Set) bool {
	for _, a := range set.Policies() {
		if a == nil || a.Policy == nil {
			continue
		}
		for i := range a.Policy.Len() {
			if h := a.Policy.head(i); !h.has(flagDeny) && s.about(a.Policy, &h, i) {
				return true
			}
		}
	}
	return false
}

// AddKeys adds the context keys that the set's statements about the action read, as they are written: those of conditions, and those of
// policy variables. The set may be nil.
func (s *ActionSearch) AddKeys(keys map[string]struct{}, set *Set) {
	if !set.UsesContext() {
		return
	}
	if set.list == nil {
		for _, a := range set.policies {
			if a != nil && a.Policy != nil {
				s.AddKeysOf(keys, a.Policy)
			}
		}
		return
	}
	for i := range set.list {
		if e := &set.list[i]; e.actions&s.q.actions != 0 {
			s.addKeys(keys, &set.seats[e.policy].policy, int(e.statement))
		}
	}
}

// AddKeysOf is AddKeys for one policy.
func (s *ActionSearch) AddKeysOf(keys map[string]struct{}, p *Policy) {
	for i := range p.Len() {
		s.addKeys(keys, p, i)
	}
}

// addKeys asks a statement only if it reads a key that is not there yet: most read what others do.
func (s *ActionSearch) addKeys(keys map[string]struct{}, p *Policy, i int) {
	if p.actionBits(i)&s.q.actions == 0 {
		return
	}
	if h := p.head(i); p.readsOthers(&h, keys) && s.about(p, &h, i) {
		p.eachKey(&h, func(k contextKey) { keys[k.name] = struct{}{} })
	}
}

// readsOthers says whether the statement may read a key that is not among those.
func (p *Policy) readsOthers(h *head, keys map[string]struct{}) bool {
	if p.extra != nil { // where variables are
		return true
	}
	for words := p.conditionsOf(h); len(words) > 0; words = words[conditionWords:] {
		if words[3]&conditionSame != 0 {
			continue
		}
		if _, known := keys[p.ref(words[0], words[1])]; !known {
			return true
		}
	}
	return false
}

// Trustees are whom the Allow statements of a policy with principals name, whatever they allow and on which conditions. Callers of an account
// whom they do not name get nothing by the policy.
type Trustees struct {
	Everybody bool     // "*", or everybody but some
	Accounts  []string // account ids
	Names     []string // ARNs of users, roles and sessions, and unique ids of users and roles
}

// Trustees are those of the policy.
func (p *Policy) Trustees() Trustees {
	if p.extra == nil || len(p.extra.principals) == 0 { // of a kind without principals: everybody who has the policy
		return Trustees{Everybody: true}
	}
	var t Trustees
	for i := range p.extra.principals {
		if p.denies(i) {
			continue
		}
		t.Everybody = t.Everybody || p.extra.principals[i].not
		for j := range p.extra.principals[i].values {
			switch v := &p.extra.principals[i].values[j]; v.form {
			case formEveryone, formCanonical: // of a canonical id it is not known whose it is
				t.Everybody = true
			case formAccount:
				t.Accounts = append(t.Accounts, v.text)
			case formARN, formID:
				t.Names = append(t.Names, v.text)
			}
		}
	}
	return t
}
