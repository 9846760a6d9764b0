package offline

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

// nearestAction is the action that was perhaps meant. That another service has an action of the same name says something only where the services
// have names alike, or no third one has it: there are many CreateProject.
func nearestAction(c *catalog.Catalog, action string) (string, bool) {
	near, ok := c.NearestAction(action)
	if !ok {
		return "", false
	}
	prefix, name, _ := strings.Cut(action, ":")
	nearPrefix, nearName, _ := strings.Cut(near, ":")
	if strings.EqualFold(prefix, nearPrefix) || alike(strings.ToLower(prefix), nearPrefix) {
		return near, true
	}
	if !strings.EqualFold(name, nearName) {
		return "", false
	}
	having := 0
	for _, p := range c.Prefixes() {
		if c.Service(p).Action(name) != nil {
			having++
		}
	}
	return near, having == 1
}

// alike says whether two texts differ by one character, or by two that are changed over.
func alike(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
