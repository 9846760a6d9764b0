package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Messages of docs/spec/policy-language.md 12.2, in the order of the stages.
const (
	messageVersion     = "Policy document must be version 2012-10-17 or greater."
	messageLegacy      = "The policy failed legacy parsing"
	messageSidChars    = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	messageSidUnique   = "Statement IDs (SID) in a single policy must be unique."
	messageNoActions   = "Policy statement must contain actions."
	messagePrincipal   = "Policy document should not specify a principal."
	messageNoResources = "Policy statement must contain resources."
	messageNoVendor    = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	messageOneColon    = "Actions/Condition can contain only one colon."
	messageVendor      = "Vendor %s is not valid"
)

// Validate makes the checks that Parse makes after the grammar and reports the first that fails, as an *Error: for identity kinds
// docs/spec/policy-language.md 12.2, stages 2 to 12, for Trust 12.4, for SCP and RCP 12.5, for Resource and Endpoint 12.6. Quotas are the caller's: see CountedSize.
func (d *Document) Validate() error {
	var err *Error
	switch d.Kind {
	case Identity, Managed, Boundary, Session:
		err = d.validateIdentity()
	case SCP, RCP:
		err = d.validateOrganization()
	default:
		return d.validateText()
	}
	if err != nil {
		return err
	}
	return nil
}

// validateText makes the checks that are partly about what the grammar does not keep.
func (d *Document) validateText() error {
	text := d.text
	if text == "" {
		text = d.JSON()
	}
	_, err := Parse(text, d.Kind)
	return err
}

func (d *Document) validateIdentity() *Error {
	resourceFault, err := d.validateLegacy()
	if d.Kind == Managed && d.Version != Version2012 {
		err = malformed(-1, messageVersion)
	}
	stages := []func() *Error{
		func() *Error { return err },
		d.validateSids,
		d.validateActionsPresent,
		d.validateNoPrincipal,
		func() *Error { return resourceFault },
		d.validateResourcesPresent,
		d.validateActions,
	}
	for _, stage := range stages {
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

// validateLegacy is stage 3, and collects the fault that stage 8 reports: AWS looks at the resources here, keeps the last fault
// of their format, and checks their text only as long as there is none.
func (d *Document) validateLegacy() (resourceFault, err *Error) {
	if err := d.validateEffects(); err != nil {
		return nil, err
	}
	for _, not := range []bool{false, true} {
		for i := range d.Statements {
			s := &d.Statements[i]
			if s.NotResource != not {
				continue
			}
			values := slices.Clone(s.Resources)
			slices.SortFunc(values, func(a, b string) int { return strings.Compare(b, a) })
			for _, v := range values {
				if message := resourceFormat(v); message != "" {
					resourceFault = malformed(s.Start, message)
				}
				if resourceFault == nil && !legacyResource(v) {
					return nil, legacy(s, "a resource is no ARN")
				}
			}
		}
	}
	return resourceFault, nil
}

// validateEffects is the part of stage 3 that looks at Effects and Date values.
func (d *Document) validateEffects() *Error {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return legacy(s, "Effect is not spelled Allow or Deny")
		}
		for j := range s.Conditions {
			if c := &s.Conditions[j]; c.badDate() {
				return legacy(s, "a value of "+c.Name+" "+c.Key+" is no date")
			}
		}
	}
	return nil
}

// badDate says whether the condition has a Date operator and a value that is no date.
func (c *Condition) badDate() bool {
	return c.Operator.date() && slices.ContainsFunc(c.Values, func(v string) bool { return !validDate(v) })
}

func legacy(s *Statement, detail string) *Error {
	return &Error{Code: MalformedPolicyDocument, Message: messageLegacy, Detail: detail, Offset: s.Start}
}

func (d *Document) validateSids() *Error {
	for i := range d.Statements {
		if s := &d.Statements[i]; !alphanumeric(s.Sid) {
			return malformed(s.Start, messageSidChars)
		}
	}
	seen := make(map[string]bool, len(d.Statements))
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid != "" && seen[s.Sid] {
			return malformed(s.Start, messageSidUnique)
		}
		seen[s.Sid] = true
	}
	return nil
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if c := lower(s[i]); (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func (d *Document) validateActionsPresent() *Error {
	for i := range d.Statements {
		if s := &d.Statements[i]; len(s.Actions) == 0 {
			return malformed(s.Start, messageNoActions)
		}
	}
	return nil
}

func (d *Document) validateNoPrincipal() *Error {
	for i := range d.Statements {
		if s := &d.Statements[i]; s.Principal != nil {
			return malformed(s.Start, messagePrincipal)
		}
	}
	return nil
}

func (d *Document) validateResourcesPresent() *Error {
	for i := range d.Statements {
		if s := &d.Statements[i]; len(s.Resources) == 0 {
			return malformed(s.Start, messageNoResources)
		}
	}
	return nil
}

// validateActions is stages 10 to 12: each stage looks at all actions of the document before the next begins.
func (d *Document) validateActions() *Error {
	for _, fault := range []func(string) string{noVendor, manyColons, vendorCharacters} {
		for i := range d.Statements {
			s := &d.Statements[i]
			for _, action := range s.Actions {
				if message := fault(action); message != "" {
					return malformed(s.Start, message)
				}
			}
		}
	}
	return nil
}

func noVendor(action string) string {
	if action != "*" && !strings.Contains(action, ":") {
		return messageNoVendor
	}
	return ""
}

func manyColons(action string) string {
	if strings.Count(action, ":") > 1 {
		return messageOneColon
	}
	return ""
}

func vendorCharacters(action string) string {
	prefix, _, _ := strings.Cut(action, ":") // all of "*", which is good too
	for i := range len(prefix) {
		switch c := prefix[i]; {
		case alphanumeric(prefix[i : i+1]), c == '-', c == '.', c == '*', c == '?':
		default:
			return fmt.Sprintf(messageVendor, prefix)
		}
	}
	if prefix == "" {
		return fmt.Sprintf(messageVendor, prefix)
	}
	return ""
}
