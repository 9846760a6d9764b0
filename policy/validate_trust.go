package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Messages of docs/spec/policy-language.md 12.4, in the order of the checks.
const (
	messageTrustJSON         = "This policy contains invalid Json"
	messageUnknownField      = "Unknown field %s"
	messageTrustVersion      = "The policy must contain a valid version string"
	messageTrustEmpty        = "Could not parse the policy: Statement is empty!"
	messageNoEffect          = "Missing required field Effect"
	messageEffect            = "Invalid effect: %s"
	messageAllowNotPrincipal = "Allow with NotPrincipal is not allowed."
	messageNotPrincipal      = "AssumeRole policy must not contain NotPrincipal field."
	messageNoPrincipal       = "Missing required field Principal"
	messageEmptyPrincipal    = "Missing required field Principal cannot be empty!"
	messagePrincipalObject   = "Principal must be a JSON object."
	messagePrincipalType     = `Invalid principal in policy: "%s"`
	messageNoAction          = "Missing required field Action"
	messageTrustAction       = "AssumeRole policy may only specify STS AssumeRole actions."
	messageHasResource       = "Has prohibited field Resource"
	messageHasNotResource    = "AssumeRole policy must not contain resources."
	messageTrustSids         = "The Statement Ids in the policy are not unique"
	messageTrustSyntax       = "Syntax error in policy."

	// Seen on AWS for lists without values under every type, where "{}" has a text of its own (Terraform, 2018 to 2020).
	messageNoPrincipals = "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!"
)

// trustCheck makes the checks of 12.4 that come before the grammar's. They look at the JSON values, because AWS reports a member that
// must not be there, or a Principal of the wrong shape, before faults that would keep a Document from being made. What has a shape
// that a check cannot read is left to the grammar.
type trustCheck struct {
	options    *Options
	version    *node
	statement  *node
	statements []trustStatement
	edits      []edit // the principals that are stored under another text
}

// trustStatement is the members of a statement; nil where there is none.
type trustStatement struct {
	start                                          int
	sid, effect, principal, notPrincipal           *node
	action, notAction, resource, notResource, when *node
}

// field is the place for the member of the name, or nil for an unknown one.
func (s *trustStatement) field(name string) **node {
	switch name {
	case "Sid":
		return &s.sid
	case "Effect":
		return &s.effect
	case "Principal":
		return &s.principal
	case "NotPrincipal":
		return &s.notPrincipal
	case "Action":
		return &s.action
	case "NotAction":
		return &s.notAction
	case "Resource":
		return &s.resource
	case "NotResource":
		return &s.notResource
	case "Condition":
		return &s.when
	}
	return nil
}

// checkTrust makes the checks in their order, each over the whole document.
func checkTrust(root *node, o *Options) ([]edit, *Error) {
	if root.kind != nodeObject {
		return nil, nil
	}
	t := trustCheck{options: o}
	for _, check := range []func() *Error{
		func() *Error { return t.collect(root) },
		t.checkVersion, t.checkStatement, t.checkEffects, t.checkNotPrincipals, t.checkPrincipals, t.checkPrincipalShapes, t.checkPrincipalTypes,
		t.checkPrincipalValues, t.checkFederated, t.checkActions, t.checkActionNames, t.checkResources, t.checkSids,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return t.edits, nil
}

// collect finds the members and refuses unknown ones.
func (t *trustCheck) collect(root *node) *Error {
	for i := range root.members() {
		m := &root.members()[i]
		switch m.name {
		case "Version":
			t.version = &m.value
		case "Statement":
			t.statement = &m.value
		case "Id":
		default:
			return malformed(m.at, fmt.Sprintf(messageUnknownField, m.name))
		}
	}
	if t.statement == nil {
		return nil
	}
	list := t.statement.items()
	if t.statement.kind == nodeObject {
		list = []node{*t.statement}
	}
	for i := range list {
		n := &list[i]
		if n.kind != nodeObject {
			continue
		}
		s := trustStatement{start: n.start}
		for j := range n.members() {
			m := &n.members()[j]
			field := s.field(m.name)
			if field == nil {
				return malformed(m.at, fmt.Sprintf(messageUnknownField, m.name))
			}
			*field = &m.value
		}
		t.statements = append(t.statements, s)
	}
	return nil
}

func (t *trustCheck) checkVersion() *Error {
	if v := t.version; v != nil && (v.kind != nodeString || v.text != Version2008 && v.text != Version2012) {
		return malformed(v.start, messageTrustVersion)
	}
	return nil
}

func (t *trustCheck) checkStatement() *Error {
	switch s := t.statement; {
	case s == nil:
		return malformed(-1, messageTrustEmpty)
	case s.kind == nodeArray && len(s.items()) == 0:
		return malformed(s.start, messageTrustEmpty)
	}
	return nil
}

func (t *trustCheck) checkEffects() *Error {
	for i := range t.statements {
		switch s := &t.statements[i]; {
		case s.effect == nil:
			return malformed(s.start, messageNoEffect)
		case s.effect.kind == nodeString && s.effect.text != "Allow" && s.effect.text != "Deny":
			return malformed(s.effect.start, fmt.Sprintf(messageEffect, s.effect.text))
		}
	}
	return nil
}

func (t *trustCheck) checkNotPrincipals() *Error {
	for i := range t.statements {
		s := &t.statements[i]
		if s.notPrincipal == nil {
			continue
		}
		if s.effect.kind == nodeString && s.effect.text == "Allow" {
			return malformed(s.notPrincipal.start, messageAllowNotPrincipal)
		}
		return malformed(s.notPrincipal.start, messageNotPrincipal)
	}
	return nil
}

func (t *trustCheck) checkPrincipals() *Error {
	for i := range t.statements {
		switch s := &t.statements[i]; {
		case s.principal == nil:
			return malformed(s.start, messageNoPrincipal)
		case s.principal.kind == nodeObject && len(s.principal.members()) == 0:
			return malformed(s.principal.start, messageEmptyPrincipal)
		}
	}
	return nil
}

func (t *trustCheck) checkPrincipalShapes() *Error {
	for i := range t.statements {
		if p := t.statements[i].principal; p.kind != nodeObject {
			return malformed(p.start, messagePrincipalObject)
		}
	}
	return nil
}

func (t *trustCheck) checkPrincipalTypes() *Error {
	for i := range t.statements {
		for _, m := range t.statements[i].principal.members() {
			switch m.name {
			case "AWS", "Service", "Federated":
			default:
				return malformed(m.at, fmt.Sprintf(messagePrincipalType, m.name))
			}
		}
	}
	return nil
}

// checkPrincipalValues leaves malformed values under Federated to the check that follows.
func (t *trustCheck) checkPrincipalValues() *Error {
	return t.eachPrincipal(func(v *PrincipalValue) *Error {
		if v.Type == "Federated" && v.form() == malformedPrincipal {
			return nil
		}
		stored, message := v.check(t.options)
		if message != "" {
			return malformed(v.Start, message)
		}
		if stored != v.Value {
			t.edits = append(t.edits, edit{v.Start, v.End, stored})
		}
		return nil
	})
}

func (t *trustCheck) checkFederated() *Error {
	return t.eachPrincipal(func(v *PrincipalValue) *Error {
		if v.Type == "Federated" && v.form() == malformedPrincipal {
			return malformed(v.Start, messageFederated)
		}
		return nil
	})
}

// eachPrincipal calls check for the values of well-formed lists, and refuses a statement whose lists are all empty.
func (t *trustCheck) eachPrincipal(check func(*PrincipalValue) *Error) *Error {
	for i := range t.statements {
		p := t.statements[i].principal
		empty := true
		for j := range p.members() {
			m := &p.members()[j]
			list, err := m.value.strings(m.name)
			empty = empty && err == nil && len(list) == 0
			for k := range list { // a list with an error is empty here, and left to the grammar
				v := PrincipalValue{Type: m.name, Value: list[k].text, Start: list[k].start, End: list[k].end}
				if err := check(&v); err != nil {
					return err
				}
			}
		}
		if empty {
			return malformed(p.start, messageNoPrincipals)
		}
	}
	return nil
}

func (t *trustCheck) checkActions() *Error {
	for i := range t.statements {
		s := &t.statements[i]
		if s.action.noValues() && s.notAction.noValues() {
			return malformed(s.start, messageNoAction)
		}
	}
	return nil
}

// noValues says whether n is absent or a list of nothing but null.
func (n *node) noValues() bool {
	return n == nil || n.kind == nodeArray && !slices.ContainsFunc(n.items(), func(v node) bool { return v.kind != nodeNull })
}

func (t *trustCheck) checkActionNames() *Error {
	for i := range t.statements {
		for _, n := range []*node{t.statements[i].action, t.statements[i].notAction} {
			if n == nil {
				continue
			}
			list := n.items()
			if n.kind == nodeString {
				list = []node{*n}
			}
			for j := range list {
				if v := &list[j]; v.kind == nodeString && !stsAction(v.text) {
					return malformed(v.start, messageTrustAction)
				}
			}
		}
	}
	return nil
}

// stsActions are the names of docs/spec/wire.md 10.1 and of the permissions that are checked beside them, in lower case.
var stsActions = []string{
	"assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "assumeroot", "decodeauthorizationmessage", "getaccesskeyinfo",
	"getcalleridentity", "getdelegatedaccesstoken", "getfederationtoken", "getservicebearertoken", "getsessiontoken", "getwebidentitytoken",
	"setcontext", "setsourceidentity", "tagsession", "taggetwebidentitytoken",
}

// stsAction says whether v names an action of STS, or stands for some by wildcards in the name.
func stsAction(v string) bool {
	name, ok := cutPrefixFold(v, "sts:")
	return ok && slices.ContainsFunc(stsActions, func(known string) bool { return matchesName(name, known) })
}

// matchesName matches a pattern of ASCII without regard to case against a short name in lower case. The matchers of the decision
// take compiled patterns and whole requests.
func matchesName(pattern, name string) bool {
	i, star, mark := 0, -1, 0
	for j := 0; j < len(name); {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || lower(pattern[i]) == name[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

func (t *trustCheck) checkResources() *Error {
	for i := range t.statements {
		switch s := &t.statements[i]; {
		case s.resource != nil:
			return malformed(s.resource.start, messageHasResource)
		case s.notResource != nil:
			return malformed(s.notResource.start, messageHasNotResource)
		}
	}
	return nil
}

func (t *trustCheck) checkSids() *Error {
	seen := make(map[string]bool, len(t.statements))
	for i := range t.statements {
		n := t.statements[i].sid
		if n == nil || n.kind != nodeString || n.text == "" {
			continue
		}
		if seen[n.text] {
			return malformed(n.start, messageTrustSids)
		}
		seen[n.text] = true
	}
	return nil
}

// validateTrust is the end of 12.4: what the grammar does not say, and the scope of shared identity providers.
func (d *Document) validateTrust(o *Options) *Error {
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.Conditions {
			if c := &s.Conditions[j]; c.badDate() {
				return Trust.grammarError(syntaxError(s.Start, "a value of %s %s is no date", c.Name, c.Key))
			}
		}
	}
	if o.UnscopedProviders {
		return nil
	}
	return d.validateProviders()
}
