package authz

import "github.com/gatehouse-iam/gatehouse/policy"

// Reserved says whether a condition key is one that no asker gives: what it means comes from the store, or from the fields of a Query
// (docs/spec/evaluation.md 1.2, 1.3). Keys are compared as conditions compare them.
func Reserved(key string) bool { return readsOf(key)&(readsCaller|readsResource) != 0 }

// reads are groups of condition keys.
type reads uint8

const (
	readsCaller   reads = 1 << iota // of the caller, and of its session
	readsResource                   // of the resource, whose account it is and what tags it has
	readsDefaults                   // what every request has, whether it is given or not
	readsOthers                     // what only the asker knows
	readsAll      = readsCaller | readsResource | readsDefaults | readsOthers
)

// names are the keys behind "aws:" that are not others, beside the families of Principal… and Resource….
var names = [...]struct {
	name  string
	reads reads
}{
	{"userid", readsCaller}, {"username", readsCaller}, {"TokenIssueTime", readsCaller}, {"MultiFactorAuthPresent", readsCaller},
	{"MultiFactorAuthAge", readsCaller}, {"SourceIdentity", readsCaller}, {"FederatedProvider", readsCaller}, {"AssumedRoot", readsCaller},
	{"CurrentTime", readsDefaults}, {"EpochTime", readsDefaults}, {"ViaAWSService", readsDefaults},
}

// readsOf is the group of a key.
func readsOf(key string) reads {
	switch {
	case hasPrefix(key, "aws:"):
		return readsOfAWS(key[len("aws:"):])
	case hasPrefix(key, "iam:ResourceTag/"):
		return readsResource
	}
	return readsOthers
}

func readsOfAWS(name string) reads {
	switch {
	case hasPrefix(name, "Principal"):
		return readsCaller
	case hasPrefix(name, "Resource"):
		return readsResource
	}
	for i := range names {
		if n := &names[i]; len(n.name) == len(name) && n.name[0]|0x20 == name[0]|0x20 && policy.SameKey(n.name, name) {
			return n.reads
		}
	}
	return readsOthers
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && s[0]|0x20 == prefix[0]|0x20 && policy.SameKey(s[:len(prefix)], prefix)
}

// readsOfPolicy are the groups of the keys that a decision with the policy may read; none of a policy that is not there.
func readsOfPolicy(a *policy.Attached) reads {
	if a == nil || a.Policy == nil {
		return 0
	}
	var r reads
	for key := range a.Policy.ContextKeys() {
		r |= readsOf(key)
	}
	return r
}

func readsOfSets(sets ...*policy.Set) reads {
	var r reads
	for _, s := range sets {
		if !s.UsesContext() {
			continue
		}
		for _, a := range s.Policies() {
			r |= readsOfPolicy(a)
		}
	}
	return r
}
