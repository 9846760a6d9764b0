package catalog

import (
	"slices"
	"strings"
	"sync"
)

// keyTypes are the types of condition keys. With "ArrayOf" before it a key has many values.
var keyTypes = []string{"String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary"}

// GlobalKeys are the keys that every action takes (docs/spec/evaluation.md 1.2, 1.3).
func GlobalKeys() []Key { return additions().global }

func isGlobal(key string) bool {
	set := additions()
	if set.globals[fold(key)] != "" {
		return true
	}
	return slices.ContainsFunc(set.global, func(k Key) bool { return k.Match(key) })
}

// Match says whether the key is this one. ASCII case is ignored. The key may be one as requests have it ("aws:RequestTag/team") or as lists have
// it ("aws:RequestTag/${TagKey}", "aws:RequestTag/<key>").
func (k Key) Match(key string) bool { return keyMatches(k.Name, key) }

// TakesKey says whether a condition on the key can be true for the action: the key is a global one, or one of the action, of a resource
// type on which it acts, or of the action on such a type (docs/spec/evaluation.md 7). Key.Match says what key is which.
func (a *Action) TakesKey(key string) bool {
	if containsKey(a.Keys, key) {
		return true
	}
	for _, r := range a.Resources {
		if containsKey(r.Keys, key) || containsKey(r.Type.Keys, key) {
			return true
		}
	}
	return isGlobal(key)
}

// Key finds a condition key by its name, as Key.Match takes it. Where services differ in the type of a key, that of the key's own service counts.
func (c *Catalog) Key(key string) (Key, bool) {
	match := func(list []Key) (Key, bool) {
		i := slices.IndexFunc(list, func(k Key) bool { return strings.EqualFold(k.Name, key) })
		if i < 0 {
			i = slices.IndexFunc(list, func(k Key) bool { return k.Match(key) })
		}
		if i < 0 {
			return Key{}, false
		}
		return list[i], true
	}
	if k, ok := match(GlobalKeys()); ok {
		return k, true
	}
	if k, ok := match(allKeys().list); ok {
		return k, true
	}
	for _, s := range c.registered() {
		if k, ok := match(s.keys); ok {
			return k, true
		}
	}
	return Key{}, false
}

// KnowsKey says whether some service or every action has the key. ASCII case is ignored.
func (c *Catalog) KnowsKey(key string) bool {
	if isGlobal(key) || allKeys().has(key) {
		return true
	}
	for _, s := range c.registered() {
		if slices.ContainsFunc(s.keys, func(k Key) bool { return k.Match(key) }) {
			return true
		}
	}
	return false
}

// registered are the services outside allKeys: Gatehouse's own and those of others.
func (c *Catalog) registered() []*Service {
	list := []*Service{c.find(gatehouse)}
	for _, s := range c.own {
		list = append(list, s)
	}
	return list
}

// keySet has the keys of AWS's services, without opening the services.
type keySet struct {
	names map[string]bool // in lower case
	open  []string        // those with parts that stand for anything
	list  []Key
}

var allKeys = sync.OnceValue(func() *keySet {
	set := &keySet{names: map[string]bool{}}
	for _, entry := range archive().File {
		if entry.Name != allKeysEntry {
			continue
		}
		if err := readEntry(entry, &set.list); err != nil {
			panic("catalog: aws.zip: " + allKeysEntry + ": " + err.Error())
		}
	}
	for _, k := range set.list {
		set.names[fold(k.Name)] = true
		if strings.ContainsAny(k.Name, "$<") {
			set.open = append(set.open, k.Name)
		}
	}
	return set
})

func (set *keySet) has(key string) bool { return set.names[fold(key)] || containsKey(set.open, key) }

func containsKey(names []string, key string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return keyMatches(name, key) })
}

// keyMatches compares a key with the name in a list, in which "${TagKey}" and "<key>" stand for any text.
func keyMatches(name, key string) bool {
	for {
		i := strings.IndexAny(name, "$<")
		if i < 0 {
			return strings.EqualFold(name, key)
		}
		if len(key) <= i || !strings.EqualFold(name[:i], key[:i]) {
			return false
		}
		end := strings.IndexAny(name[i:], "}>")
		if end < 0 {
			return false
		}
		rest := name[i+end+1:]
		if rest == "" {
			return true
		}
		next := rest
		if j := strings.IndexAny(rest, "$<"); j >= 0 {
			next = rest[:j]
		}
		at := indexFold(key[i+1:], next)
		if next == rest { // the last text stands at the end
			at = len(key) - len(next) - i - 1
		}
		if at < 0 {
			return false
		}
		name, key = rest, key[i+1+at:]
	}
}

func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}
