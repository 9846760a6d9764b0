package catalog

import (
	"slices"
	"strings"
)

// NearestAction finds the action that was perhaps meant by the text, for a message about one that is not known. It looks at the service
// that the text names, and at those whose prefix differs by one slip, for the name that is most like; then at services of other prefixes for an action
// of the very name. Several of these say nothing: there are many CreateProject. It says no where nothing is near.
func (c *Catalog) NearestAction(action string) (string, bool) {
	prefix, name, ok := strings.Cut(action, ":")
	if !ok || len(prefix) > maxPrefix || len(name) > maxName {
		return "", false
	}
	prefix, name = fold(prefix), fold(name)
	best := newNearest(action)
	for _, p := range c.prefixes {
		if far := distance(prefix, p); far <= 1 {
			for _, a := range c.Service(p).actions {
				best.look(a.String(), far+distance(name, fold(a.Name)))
			}
		}
	}
	if best.found {
		return best.name, true
	}
	near, ok := c.onlyAction(name, func(p string) bool { return distance(prefix, p) <= reach(prefix) })
	if !ok { // "iam:AssumeRole"
		near, ok = c.onlyAction(name, func(string) bool { return true })
	}
	return near, ok
}

// onlyAction finds the action of a name that one service has, and no other.
func (c *Catalog) onlyAction(name string, among func(prefix string) bool) (string, bool) {
	only := ""
	for _, p := range c.prefixes {
		if !among(p) {
			continue
		}
		if a := c.Service(p).Action(name); a != nil {
			if only != "" {
				return "", false
			}
			only = a.String()
		}
	}
	return only, only != ""
}

// NearestKey finds the condition key whose name is most like the text. It says no where nothing is near.
func (c *Catalog) NearestKey(key string) (string, bool) {
	if len(key) > maxKeyName {
		return "", false
	}
	folded := fold(key)
	best := newNearest(key)
	look := func(list []Key) {
		for _, k := range list {
			name := k.Name
			// Of "aws:RequestTg/team" the part before the slash is what is misspelt.
			if head, _, ok := strings.Cut(name, "${"); ok && strings.HasSuffix(head, "/") {
				if i := strings.IndexByte(key, '/'); i >= 0 {
					best.look(head+key[i+1:], distance(folded[:i+1], fold(head)))
				}
			}
			best.look(name, distance(folded, fold(name)))
		}
	}
	look(GlobalKeys())
	look(allKeys().list)
	for _, s := range c.registered() {
		look(s.keys)
	}
	return best.name, best.found
}

// nearest keeps the best of what it looked at: of equally near names the first in order.
type nearest struct {
	name  string
	far   int
	found bool
}

func newNearest(text string) *nearest { return &nearest{far: reach(text)} }

func (n *nearest) look(name string, far int) {
	if far < n.far || far == n.far && (!n.found || name < n.name) {
		n.name, n.far, n.found = name, far, true
	}
}

// reach is how many slips a text may have and still be meant for another.
func reach(text string) int { return min(4, 1+len(text)/6) }

// distance counts the slips between two texts: a byte too many, one missing, another one, or two changed over.
func distance(a, b string) int {
	const far = maxKeyName
	if d := len(a) - len(b); d > 4 || d < -4 {
		return far // beyond every reach
	}
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	before, last, row := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if slices.Min(row) > 4 {
			return far
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
