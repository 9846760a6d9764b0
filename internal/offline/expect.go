package offline

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Expect is what a question's answer shall be.
type Expect struct {
	Effect string // allow, deny, explicit-deny or implicit-deny
	// Reason is the layer that decides, or does not allow, as Layer.String has it in lower case; with its level for scp and rcp: "scp 1". "" is any.
	Reason string
	// Statement is "POLICY#INDEX" or "POLICY#SID" of the statement that decides; "none" is no statement, "" any.
	Statement string
}

// effects are the words for what is expected.
var effects = map[string][]policy.Effect{
	"allow": {policy.Allow}, "deny": {policy.DenyExplicit, policy.DenyImplicit},
	"explicit-deny": {policy.DenyExplicit}, "implicit-deny": {policy.DenyImplicit},
}

// NewExpect reads "allow", "deny", "explicit-deny" or "implicit-deny".
func NewExpect(effect string) (*Expect, error) {
	if effects[effect] == nil {
		return nil, fmt.Errorf("%q is none of allow, deny, explicit-deny, implicit-deny", clip(effect))
	}
	return &Expect{Effect: effect}, nil
}

// reasons are the words for layers.
var reasons = map[string]bool{
	"identity": true, "boundary": true, "session": true, "trust": true, "resource": true, "endpoint": true, "scp": true, "rcp": true, "acl": true,
	"exempt": true, "none": true,
}

// because sets Reason.
func (e *Expect) because(reason string) error {
	layer, level, leveled := strings.Cut(reason, " ")
	if !reasons[layer] {
		return fmt.Errorf("%q is no reason: identity, boundary, session, trust, resource, endpoint, scp [LEVEL], rcp [LEVEL], acl, exempt or none", clip(reason))
	}
	if n, err := strconv.Atoi(level); leveled && (layer != "scp" && layer != "rcp" || err != nil || n < 0) {
		return fmt.Errorf("%q: a level, counted from 0, stands behind scp and rcp only", clip(reason))
	}
	e.Reason = reason
	return nil
}

// difference says how an answer differs, "" where it does not.
func (e *Expect) difference(a *Answer) string {
	var parts []string
	d := &a.Decision
	is := false
	for _, effect := range effects[e.Effect] {
		is = is || effect == d.Effect
	}
	if !is {
		parts = append(parts, "expected "+e.Effect+", got "+a.effect())
	}
	if reason := reasonOf(d); e.Reason != "" && e.Reason != reason && e.Reason != strings.ToLower(d.Layer.String()) {
		parts = append(parts, "expected the reason "+e.Reason+", got "+reason)
	}
	if e.Statement != "" && !e.names(d) {
		parts = append(parts, "expected the statement "+e.Statement+", got "+statementOf(d))
	}
	return strings.Join(parts, "; ")
}

// effect is the word for the answer's effect.
func (a *Answer) effect() string {
	switch a.Decision.Effect {
	case policy.Allow:
		return "allow"
	case policy.DenyExplicit:
		return "explicit-deny"
	}
	return "implicit-deny"
}

// reasonOf is the layer of a decision, with its level where it has levels.
func reasonOf(d *policy.Decision) string {
	reason := strings.ToLower(d.Layer.String())
	if d.Layer == policy.LayerSCP || d.Layer == policy.LayerRCP {
		reason += " " + strconv.Itoa(d.Level)
	}
	return reason
}

// names says whether the expected statement is the one that decided.
func (e *Expect) names(d *policy.Decision) bool {
	if d.Policy == nil || e.Statement == "none" {
		return d.Policy == nil && e.Statement == "none"
	}
	i := strings.LastIndexByte(e.Statement, '#')
	if i < 0 || e.Statement[:i] != d.Policy.Name && e.Statement[:i] != d.Policy.ARN {
		return false
	}
	which := e.Statement[i+1:]
	sid := d.Policy.Policy.Document().Statements[d.Statement].Sid
	return which == strconv.Itoa(d.Statement) || sid != "" && which == sid
}

// statementOf names the statement that decided: "POLICY#INDEX", with its Sid if it has one.
func statementOf(d *policy.Decision) string {
	if d.Policy == nil {
		return "none"
	}
	return d.Policy.Name + "#" + strconv.Itoa(d.Statement)
}
