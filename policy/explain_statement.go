package policy

// statement fills the verdict of one statement: (*Policy).apply, which also stops at the first element that fails, with its reason. p is its
// policy.
func (x *explainer) statement(v *StatementVerdict, p *Policy) {
	i := v.Statement
	h := p.head(i)
	v.Denies = h.has(flagDeny)
	if p.actionBits(i)&x.q.actions == 0 || p.matchAction(p.actionsOf(&h), &x.q) == h.has(flagNotAction) {
		v.Failed = ElementAction
		return
	}
	if h.conditions > 0 || p.extra != nil {
		v.Missing = x.missingOf(p, &h)
	}
	if !h.has(flagAnyResource) && x.matchResource(p, p.resourcesOf(&h)) == h.has(flagNotResource) {
		v.Failed = ElementResource
		return
	}
	c := classDirect
	if p.extra != nil && len(p.extra.principals) > 0 {
		if c = p.extra.principals[i].class(&x.q, v.Denies); c == classNone {
			v.Failed = ElementPrincipal
			return
		}
	}
	conditions := p.conditionsOf(&h)
	for j := range int(h.conditions) {
		words := conditions[j*conditionWords:]
		key := conditionKey(p, words)
		e := x.q.find(&key)
		if !p.holds(words, e, &x.q) {
			v.Failed, v.Condition = ElementCondition, x.condition(v, j, e)
			return
		}
	}
	v.Applies, v.Reach = true, Reach(c)
}

// matchResource is that of the policy, but compares the ends of literal beginnings first: the resources of one service differ late, and of
// ten thousand statements no index has left out any.
func (x *explainer) matchResource(p *Policy, words []uint32) bool {
	r := x.q.resource
	for ; len(words) > 0; words = words[resourceWords:] {
		if n := int(words[2]); n >= 8 && resourceForm(words[1]>>tagShift&(tagEscaped-1)) != resourceVariable {
			if text := p.ref(words[0], words[1]); n > len(r) || load8(r, n-8) != load8(text, n-8) {
				continue
			}
		}
		if p.matchResource(words[:resourceWords], &x.q) {
			return true
		}
	}
	return false
}

// conditionKey is the key of the condition of the words.
func conditionKey(p *Policy, words []uint32) contextKey {
	return contextKey{name: p.ref(words[0], words[1]), tag: words[2], hash: words[1] >> tagShift}
}

// missingOf are the absent keys of a statement: those of its resources, then each condition's own and those of its values.
func (x *explainer) missingOf(p *Policy, h *head) []string {
	var absent keyList
	p.eachKey(h, func(k contextKey) {
		if x.q.find(&k) == nil {
			absent.add(k.name)
		}
	})
	for _, name := range absent.names {
		x.missing.add(name)
	}
	return absent.names
}

// eachKey gives the keys that a statement reads, in that order. One that several conditions in a row read comes once.
func (p *Policy) eachKey(h *head, read func(contextKey)) {
	variables := func(parts []part) {
		for i := range parts {
			if v := &parts[i]; !v.unresolved && v.key.name != "" { // a part that is text has no key
				read(v.key)
			}
		}
	}
	for words := p.resourcesOf(h); len(words) > 0; words = words[resourceWords:] {
		if resourceForm(words[1]>>tagShift&(tagEscaped-1)) == resourceVariable {
			variables(p.extra.templates[words[2]].parts)
		}
	}
	for words := p.conditionsOf(h); len(words) > 0; words = words[conditionWords:] {
		if words[3]&conditionSame == 0 {
			if key := conditionKey(p, words); key.name != "" {
				read(key)
			}
		}
		switch o, from, to := Operator(words[3]), words[4], words[5]; {
		case o == ArnLike:
			for from < to {
				for i := range p.extra.arns[from].components {
					variables(p.extra.arns[from].components[i].parts)
				}
				from++
			}
		case !o.elsewhere():
			for values := p.code[from:to]; len(values) > 0; values = values[refWords:] {
				if values[1]>>tagShift == tagTextPattern {
					variables(p.extra.texts[values[0]].parts)
				}
			}
		}
	}
}

// keyList is a list of context keys, each once without regard to ASCII case.
type keyList struct {
	names []string
	seen  map[string]bool // in lower case, once there are many
}

// manyKeys is up to how many keys are compared one by one.
const manyKeys = 16

func (l *keyList) add(name string) {
	if len(l.names) < manyKeys {
		for _, other := range l.names {
			if equalFold(other, name) {
				return
			}
		}
		l.names = append(l.names, name)
		return
	}
	if l.seen == nil {
		l.seen = make(map[string]bool)
		for _, other := range l.names {
			l.seen[lowerKey(other)] = true
		}
	}
	if key := lowerKey(name); !l.seen[key] {
		l.seen[key] = true
		l.names = append(l.names, name)
	}
}

func lowerKey(name string) string {
	b := []byte(name)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
