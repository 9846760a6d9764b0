package reference

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// MatchAction is chapter 5: whether a value of Action covers the action.
func MatchAction(value, action string) bool {
	if value == "*" {
		return true
	}
	prefix, name, ok1 := strings.Cut(value, ":")
	actionPrefix, actionName, ok2 := strings.Cut(action, ":")
	return ok1 && ok2 && !strings.Contains(name, ":") && !strings.Contains(actionName, ":") &&
		match(wild(plain(prefix)), actionPrefix, true) && match(wild(plain(name)), actionName, true)
}

// MatchResource is chapter 7.2 for an identity policy and a request without context: whether a value of Resource covers the
// resource. version2012 says whether "${" has a meaning.
func MatchResource(value, resource string, version2012 bool) bool {
	return matchResource(value, resource, policy.Identity, version2012, nil)
}

func matchResource(value, resource string, kind policy.Kind, version2012 bool, context []policy.Entry) bool {
	if value == "*" { // step 1
		return true
	}
	if resource == "*" { // step 2
		return false
	}
	head, tail := value, ""
	parts := strings.SplitN(value, ":", 6)
	if len(parts) == 6 {
		tail = parts[5]
		head = value[:len(value)-len(tail)]
	}
	pieces := plain(tail)
	if version2012 { // step 3
		var ok bool
		if pieces, ok = expand(tail, context); !ok {
			return false
		}
	}
	if match(append(headTokens(head), wild(pieces)...), resource, false) { // step 4
		return true
	}
	if len(parts) == 6 || !padded(kind, value) { // step 5
		return false
	}
	for n := len(parts); n < 5; n++ {
		head += ":*"
	}
	return match(append(headTokens(head+":"), token{kind: anyRun}), resource, false)
}

// padded is the table of step 5. What an SCP or RCP may not hold is padded where one does (inferred).
func padded(kind policy.Kind, value string) bool {
	switch kind {
	case policy.Resource, policy.Trust, policy.Endpoint:
		return strings.ContainsAny(value, "*?")
	}
	return true
}

// headTokens are the tokens of step 4 before the fifth colon.
func headTokens(head string) []token {
	runes := []rune(head)
	out := make([]token, 0, len(runes)+16) // the tail follows
	for i, r := range runes {
		segmentFinal := i+1 == len(runes) || runes[i+1] == ':'
		switch {
		case r == '*' && segmentFinal:
			out = append(out, token{kind: anyRun})
		case r == '*':
			out = append(out, token{kind: noColonRun})
		case r == '?':
			out = append(out, token{kind: noColonOne})
		default:
			out = append(out, token{kind: literal, literal: r})
		}
	}
	return out
}

// actionApplies and resourceApplies are lines 1 and 2 of docs/spec/evaluation.md 3.
func actionApplies(s *policy.Statement, action string) bool {
	listed := false
	for _, v := range s.Actions {
		listed = listed || MatchAction(v, action)
	}
	return listed != s.NotAction
}

func resourceApplies(d *policy.Document, s *policy.Statement, resource string, context []policy.Entry) bool {
	if len(s.Resources) == 0 {
		return d.Kind == policy.Resource || d.Kind == policy.Trust
	}
	listed := false
	for _, v := range s.Resources {
		listed = listed || matchResource(v, resource, d.Kind, version2012(d), context)
	}
	return listed != s.NotResource
}

func version2012(d *policy.Document) bool { return d.Version == "2012-10-17" }
