package policy

import "iter"

// ContextKeys walks the names of the condition keys that a decision with the policy may read, as written in its conditions and
// policy variables. A key may come more than once.
func (p *Policy) ContextKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range p.Len() {
			h := p.head(i)
			for words := p.conditionsOf(&h); len(words) > 0; words = words[conditionWords:] {
				if name := p.ref(words[0], words[1]); name != "" && !yield(name) {
					return
				}
			}
		}
		if p.extra == nil {
			return
		}
		for i := range p.extra.templates {
			if !yieldKeys(yield, p.extra.templates[i].parts) {
				return
			}
		}
		for i := range p.extra.texts {
			if !yieldKeys(yield, p.extra.texts[i].parts) {
				return
			}
		}
		for i := range p.extra.arns {
			for _, c := range p.extra.arns[i].components {
				if !yieldKeys(yield, c.parts) {
					return
				}
			}
		}
	}
}

func yieldKeys(yield func(string) bool, parts []part) bool {
	for i := range parts {
		if name := parts[i].key.name; name != "" && !yield(name) { // text has none
			return false
		}
	}
	return true
}
