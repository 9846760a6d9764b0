package policy

import "strings"

// messageOrganization is AWS Organizations' one sentence for every fault (docs/spec/policy-language.md 12.1); Error.Detail says which.
const messageOrganization = "The provided policy document does not meet the requirements of the specified policy type."

// validateOrganization is docs/spec/policy-language.md 12.5 in the language of 2025. RCPFullAWSAccess, which is AWS's own, does not pass it.
func (d *Document) validateOrganization() *Error {
	refuse := func(offset int, detail string) *Error {
		return &Error{Code: MalformedPolicyDocument, Message: messageOrganization, Detail: detail, Offset: offset}
	}
	switch {
	case d.Version != Version2012:
		return refuse(-1, "Version is not 2012-10-17")
	case d.ID != "":
		return refuse(-1, "an Id")
	}
	if err := d.validateEffects(); err != nil {
		return refuse(err.Offset, err.Detail)
	}
	if err := d.validateSids(); err != nil {
		return refuse(err.Offset, err.Message)
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if detail := s.organizationFault(d.Kind); detail != "" {
			return refuse(s.Start, detail)
		}
	}
	return nil
}

// organizationFault is what is wrong with a statement, or "".
func (s *Statement) organizationFault(kind Kind) string {
	switch {
	case len(s.Actions) == 0:
		return messageNoActions
	case len(s.Resources) == 0:
		return messageNoResources
	case kind == SCP && s.Principal != nil:
		return messagePrincipal
	case kind == RCP && s.Effect != "Deny":
		return "a resource control policy only denies"
	case kind == RCP && (s.Principal == nil || s.Principal.Not || !s.Principal.Any):
		return `the Principal of a resource control policy is "*"`
	case kind == RCP && s.NotAction:
		return "a resource control policy has no NotAction"
	}
	for _, a := range s.Actions {
		if kind == RCP && a == "*" {
			return "an action of a resource control policy names a service"
		}
		for _, fault := range []func(string) string{noVendor, manyColons, vendorCharacters} {
			if message := fault(a); message != "" {
				return message
			}
		}
	}
	for _, r := range s.Resources {
		if message := resourceFormat(r); message != "" {
			return message
		}
		if short := r != "*" && strings.Count(r, ":") < 5; short && (kind == RCP || strings.IndexAny(r, "*?") != len(r)-1 || !strings.HasSuffix(r, "*")) {
			return "resource " + r + " has fewer than six parts"
		}
	}
	return ""
}
