package policy

// KeyTable collects the context keys that many policies read, most of which read what others do. It is for one goroutine.
type KeyTable struct {
	groupOf func(key string) uint8
	lists   [maxKeyed][]knownKey // by hash
}

type knownKey struct {
	name  string // as written
	group uint8
	about bool // a statement about the action reads it
}

// NewKeyTable makes an empty table. group gives the bits of a key's groups, whatever those are.
func NewKeyTable(group func(key string) uint8) *KeyTable { return &KeyTable{groupOf: group} }

// at is the entry of a key, which is good until the next is asked for.
func (t *KeyTable) at(name string, hash uint32) *knownKey {
	list := &t.lists[hash%maxKeyed]
	for i := range *list {
		if k := &(*list)[i]; k.name == name {
			return k
		}
	}
	*list = append(*list, knownKey{name: name, group: t.groupOf(name)})
	return &(*list)[len(*list)-1]
}

// group gives the groups of a key; none of the one that no context has.
func (t *KeyTable) group(name string, hash uint32) uint8 {
	if name == "" {
		return 0
	}
	return t.at(name, hash).group
}

// AddTo adds to a set the keys that statements about the action read, as they are written.
func (t *KeyTable) AddTo(keys map[string]struct{}) {
	for _, list := range t.lists {
		for i := range list {
			if list[i].about {
				keys[list[i].name] = struct{}{}
			}
		}
	}
}

// Survey says whether statements of the policy may be about the action, and joins the groups of the keys that any of its statements reads. The
// table gets the keys.
func (s *ActionSearch) Survey(p *Policy, t *KeyTable) (about bool, groups uint8) {
	var actions actionBits
	for i := range p.Len() {
		actions |= p.actionBits(i)
		h := p.head(i)
		for words := p.conditionsOf(&h); len(words) > 0; words = words[conditionWords:] {
			if words[3]&conditionSame == 0 {
				groups |= t.group(p.ref(words[0], words[1]), words[1]>>tagShift)
			}
		}
	}
	if p.variables() {
		for name := range p.ContextKeys() {
			groups |= t.group(name, keyHash(name))
		}
	}
	return actions&s.q.actions != 0, groups
}

// Mark notes that the policy's statements about the action read their keys.
func (s *ActionSearch) Mark(p *Policy, t *KeyTable) {
	variables := p.variables()
	for i := range p.Len() {
		if p.actionBits(i)&s.q.actions == 0 {
			continue
		}
		if h := p.head(i); (variables || t.misses(p, &h)) && s.about(p, &h, i) {
			p.eachKey(&h, func(k contextKey) { t.at(k.name, k.hash).about = true })
		}
	}
}

// misses says whether a condition of a statement reads a key that is not marked.
func (t *KeyTable) misses(p *Policy, h *head) bool {
	for words := p.conditionsOf(h); len(words) > 0; words = words[conditionWords:] {
		if key := conditionKey(p, words); words[3]&conditionSame == 0 && key.name != "" && !t.at(key.name, key.hash).about {
			return true
		}
	}
	return false
}

// variables says whether policy variables may stand in resources or conditions of the policy.
func (p *Policy) variables() bool {
	return p.extra != nil && len(p.extra.templates)+len(p.extra.texts)+len(p.extra.arns) > 0
}

// Ahead reads a word of each line of policies that are going to be asked, so that they come from memory together and not one after the other.
// Nobody needs what it returns.
func Ahead(policies []*Policy) uint32 {
	touched := uint32(0)
	for _, p := range policies {
		if p != nil {
			touched += p.statements
		}
	}
	for _, p := range policies {
		if p == nil {
			continue
		}
		for i := 0; i < len(p.code); i += lineWords {
			touched += p.code[i]
		}
		for i := 0; i < len(p.text); i += lineBytes {
			touched += uint32(p.text[i])
		}
	}
	return touched
}
