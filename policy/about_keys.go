package policy

// KeyTable collects the context keys that many policies read, most of which read what others do. It is for one goroutine.
type KeyTable struct {
	group func(key string) uint8
	lists [maxKeyed][]knownKey // by hash
}

type knownKey struct {
	name  string // as written
	group uint8
	about bool // a statement about the action reads it
}

// NewKeyTable makes an empty table. group gives the bits of a key's groups, whatever those are.
func NewKeyTable(group func(key string) uint8) *KeyTable { return &KeyTable{group: group} }

// at is the entry of a key, which is good until the next is asked for.
func (t *KeyTable) at(name string, hash uint32) *knownKey {
	list := &t.lists[hash%maxKeyed]
	for i := range *list {
		if k := &(*list)[i]; k.name == name {
			return k
		}
	}
	*list = append(*list, knownKey{name: name, group: t.group(name)})
	return &(*list)[len(*list)-1]
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

// Survey says whether a statement of the policy is about the action, and joins the groups of the keys that any of its statements reads. The
// table gets the keys.
func (s *ActionSearch) Survey(p *Policy, t *KeyTable) (about bool, groups uint8) {
	for i := 0; i < p.Len() && !about; i++ {
		h := p.head(i)
		about = s.about(p, &h, i)
	}
	if p.variables() {
		for name := range p.ContextKeys() {
			groups |= t.at(name, keyHash(name)).group
		}
		return about, groups
	}
	for i := range p.Len() {
		h := p.head(i)
		for words := p.conditionsOf(&h); len(words) > 0; words = words[conditionWords:] {
			if key := conditionKey(p, words); words[3]&conditionSame == 0 && key.name != "" {
				groups |= t.at(key.name, key.hash).group
			}
		}
	}
	return about, groups
}

// Mark notes that the policy's statements about the action read their keys.
func (s *ActionSearch) Mark(p *Policy, t *KeyTable) {
	variables := p.variables()
	for i := range p.Len() {
		h := p.head(i)
		if p.actionBits(i)&s.q.actions != 0 && (variables || t.misses(p, &h)) && s.about(p, &h, i) {
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
