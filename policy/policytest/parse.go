package policytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Parse reads the text of a case file. Errors begin with "file:line:".
func Parse(file, text string) ([]*Case, error) {
	p := &parser{file: file}
	for i, line := range strings.Split(text, "\n") {
		p.line = i + 1
		if err := p.parseLine(strings.TrimRight(line, " \t\r")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
	}
	p.line++
	if err := p.endCase(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, p.line, err)
	}
	return p.cases, nil
}

type parser struct {
	file  string
	line  int
	cases []*Case

	current *Case
	seen    map[string]bool
	policy  *draft // the policy whose indented lines are being read
}

// draft is a policy before its lines are complete.
type draft struct {
	layer      policy.Layer
	level      int
	name       string
	version    string   // a JSON member with its comma, or ""
	statements []string // JSON
	json       []string // lines of a whole document
}

func (p *parser) parseLine(line string) error {
	switch {
	case line == "" || strings.HasPrefix(strings.TrimLeft(line, " \t"), "#"):
		return nil
	case line[0] == ' ' || line[0] == '\t':
		return p.policyLine(strings.TrimLeft(line, " \t"))
	}
	if err := p.endPolicy(); err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(line, "case "); ok {
		if err := p.endCase(); err != nil {
			return err
		}
		if strings.ContainsAny(name, " \t#") || name == "" {
			return fmt.Errorf("bad case name %q", name)
		}
		p.current = &Case{File: p.file, Line: p.line, Name: name, Caller: Alice, Owner: AccountA}
		p.seen = make(map[string]bool)
		return nil
	}
	field, value, ok := strings.Cut(line, ":")
	if !ok || p.current == nil {
		return fmt.Errorf("expected \"case NAME\" or \"field: value\", found %q", line)
	}
	return p.field(field, strings.TrimSpace(value))
}

func (p *parser) field(field, value string) error {
	if layer, ok := layers[field]; ok {
		return p.beginPolicy(layer, value)
	}
	if p.seen[field] && field != "context" && field != "policy context" && field != "acl" {
		return fmt.Errorf("field %q twice in case %s", field, p.current.Name)
	}
	p.seen[field] = true
	c := p.current
	var err error
	switch field {
	case "spec":
		c.Spec = value
	case "why":
		c.Why = value
	case "caller":
		c.Caller, err = parseCaller(value)
	case "tags":
		if json.Unmarshal([]byte(value), &c.Tags) != nil {
			err = fmt.Errorf("tags %q are not a JSON object of strings", value)
		}
	case "owner":
		if c.Owner = value; value == "caller" {
			c.Owner = ""
		}
	case "needs":
		if c.NeedsResourcePolicy = value == "resource policy"; !c.NeedsResourcePolicy {
			err = fmt.Errorf("unknown need %q", value)
		}
	case "exempt":
		if c.Exempt = value == "yes"; !c.Exempt {
			err = fmt.Errorf("exempt is yes or left out, not %q", value)
		}
	case "acl":
		if strings.ContainsAny(value, " \t") {
			err = fmt.Errorf("bad grantee %q", value)
		}
		c.Grantees = append(c.Grantees, value)
	case "context":
		var k Key
		k, err = parseKey(value)
		c.Context = append(c.Context, k)
	case "policy context":
		var k Key
		k, err = parseKey(value)
		c.PolicyContext = append(c.PolicyContext, k)
	case "request":
		c.Action, c.Resource, err = parseRequest(value)
	case "expect":
		c.Want, err = parseOutcome(value)
	default:
		err = fmt.Errorf("unknown field %q", field)
	}
	if err == nil && value == "" {
		err = fmt.Errorf("field %q is empty", field)
	}
	return err
}

func (p *parser) endCase() error {
	if err := p.endPolicy(); err != nil {
		return err
	}
	c := p.current
	if c == nil {
		return nil
	}
	for _, field := range []string{"spec", "why", "request", "expect"} {
		if !p.seen[field] {
			return fmt.Errorf("case %s (line %d) has no field %q", c.Name, c.Line, field)
		}
	}
	if name := c.Want.Policy; name != "" {
		known := false
		for _, d := range c.Policies {
			known = known || d.Name == name && d.Layer == c.Want.Layer && d.Level == c.Want.Level
		}
		if !known {
			return fmt.Errorf("case %s (line %d) expects policy %q, which it does not have in that layer", c.Name, c.Line, name)
		}
	}
	for i, g := range c.Grantees {
		if group, ok := grantees[g]; ok {
			c.Grantees[i] = group
		}
		if g == "caller" {
			if c.Grantees[i] = c.Caller.Policy().Canonical; c.Grantees[i] == "" {
				return fmt.Errorf("case %s (line %d) grants its caller, who is in no account", c.Name, c.Line)
			}
		}
	}
	p.cases = append(p.cases, c)
	p.current = nil
	return nil
}

func (p *parser) beginPolicy(layer policy.Layer, value string) error {
	words := strings.Fields(value)
	if len(words) == 0 {
		return errors.New("a policy needs a name")
	}
	for _, other := range p.current.Policies {
		if other.Name == words[0] {
			return fmt.Errorf("policy %q twice in case %s", words[0], p.current.Name)
		}
		if single(layer) != "" && single(layer) == single(other.Layer) {
			return fmt.Errorf("case %s has more than one %s", p.current.Name, single(layer))
		}
	}
	d := &draft{layer: layer, name: words[0], version: `"Version":"` + policy.Version2012 + `",`}
	words = words[1:]
	if chain(layer) {
		var err error
		if d.level, err = p.takeLevel(layer, words); err != nil {
			return err
		}
		if words = words[2:]; d.name == "none" && len(words) == 0 {
			return nil
		}
	}
	for _, option := range words {
		switch {
		case option == "v2008":
			d.version = `"Version":"` + policy.Version2008 + `",`
		case option == "noversion":
			d.version = ""
		case option == "gateway" && layer == policy.LayerEndpoint:
			p.current.Gateway = true
		default:
			return fmt.Errorf("unknown word %q after the policy's name", option)
		}
	}
	p.policy = d
	return nil
}

// maxLevels is more than an organization has: its root, five levels of units, and an account.
const maxLevels = 10

// takeLevel reads "level N" and makes the chain as long as that.
func (p *parser) takeLevel(layer policy.Layer, words []string) (int, error) {
	if len(words) < 2 || words[0] != "level" {
		return 0, errors.New("an SCP or RCP has a level: \"NAME level N\"")
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 0 || n >= maxLevels {
		return 0, fmt.Errorf("bad level %q", words[1])
	}
	levels := &p.current.SCPLevels
	if layer == policy.LayerRCP {
		levels = &p.current.RCPLevels
	}
	*levels = max(*levels, n+1)
	return n, nil
}

// single names the thing of which a case has at most one.
func single(layer policy.Layer) string {
	switch layer {
	case policy.LayerBoundary:
		return "boundary"
	case policy.LayerResource, policy.LayerTrust:
		return "policy of the resource"
	case policy.LayerEndpoint:
		return "endpoint policy"
	}
	return ""
}

func (p *parser) policyLine(line string) error {
	switch {
	case p.policy == nil:
		return errors.New("indented line outside a policy")
	case len(p.policy.json) > 0 || len(p.policy.statements) == 0 && strings.HasPrefix(line, "{"):
		p.policy.json = append(p.policy.json, line)
		return nil
	}
	s, err := parseStatement(line, p.policy.layer)
	if err != nil {
		return err
	}
	p.policy.statements = append(p.policy.statements, s)
	return nil
}

func (p *parser) endPolicy() error {
	d := p.policy
	if d == nil {
		return nil
	}
	p.policy = nil
	text := strings.Join(d.json, "\n")
	if text == "" {
		if len(d.statements) == 0 {
			return fmt.Errorf("policy %q is empty", d.name)
		}
		text = "{" + d.version + `"Statement":[` + strings.Join(d.statements, ",") + "]}"
	}
	if _, err := policy.Decode(text, Kind(d.layer)); err != nil {
		return fmt.Errorf("policy %q: %w", d.name, err)
	}
	p.current.Policies = append(p.current.Policies, Policy{Layer: d.layer, Level: d.level, Name: d.name, Text: text})
	return nil
}

// parseOutcome reads "EFFECT LAYER [LEVEL] [POLICY#INDEX]".
func parseOutcome(value string) (Outcome, error) {
	var o Outcome
	words := strings.Fields(value)
	if len(words) < 2 {
		return o, fmt.Errorf("expected \"EFFECT LAYER [LEVEL] [POLICY#INDEX]\", found %q", value)
	}
	switch words[0] {
	case "ALLOW":
		o.Effect = policy.Allow
	case "DENY-E":
		o.Effect = policy.DenyExplicit
	case "DENY-I":
		o.Effect = policy.DenyImplicit
	default:
		return o, fmt.Errorf("unknown effect %q", words[0])
	}
	layer, ok := outcomeLayers[words[1]]
	if !ok {
		return o, fmt.Errorf("unknown layer %q", words[1])
	}
	o.Layer = layer
	words = words[2:]
	if chain(layer) {
		if len(words) == 0 {
			return o, fmt.Errorf("the outcome %q names no level", value)
		}
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 0 || n >= maxLevels {
			return o, fmt.Errorf("bad level %q", words[0])
		}
		o.Level, words = n, words[1:]
	}
	if len(words) > 1 {
		return o, fmt.Errorf("expected \"EFFECT LAYER [LEVEL] [POLICY#INDEX]\", found %q", value)
	}
	if len(words) == 1 {
		name, index, ok := strings.Cut(words[0], "#")
		n, err := strconv.Atoi(index)
		if !ok || name == "" || err != nil || n < 0 {
			return o, fmt.Errorf("expected POLICY#INDEX, found %q", words[0])
		}
		o.Policy, o.Statement = name, n
	}
	if (o.Policy != "") == (o.Effect == policy.DenyImplicit) && o.Effect != policy.Allow {
		return o, errors.New("DENY-E needs a deciding statement, DENY-I has none")
	}
	if onlyAllows := layer == policy.LayerACL || layer == policy.LayerExempt; onlyAllows && (o.Effect != policy.Allow || o.Policy != "") {
		return o, fmt.Errorf("%s only allows, without a statement", layer)
	}
	return o, nil
}
