package policy

const messageNoResource = "Missing required field Resource" // (inferred, by analogy with its neighbours)

// validateResource is docs/spec/policy-language.md 12.6 and 8.3, with the checks of 12.2 without which a statement has no meaning. It
// returns the principals that are stored under another text. Whether actions and resources belong to what the policy is on, and what
// messages a service has of its own, is known to the service.
func (d *Document) validateResource(o *Options) ([]edit, *Error) {
	if err := d.validateEffects(); err != nil {
		return nil, err
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Principal == nil {
			return nil, malformed(s.Start, messageNoPrincipal)
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Principal.Not && !s.Denies() {
			return nil, malformed(s.Start, messageAllowNotPrincipal)
		}
	}
	edits, err := d.validatePrincipals(o)
	if err != nil {
		return nil, err
	}
	for i := range d.Statements {
		switch s := &d.Statements[i]; {
		case len(s.Actions) == 0:
			return nil, malformed(s.Start, messageNoAction)
		case len(s.Resources) == 0 && d.Kind == Endpoint:
			return nil, malformed(s.Start, messageNoResource)
		}
	}
	return edits, d.validateActions()
}

func (d *Document) validatePrincipals(o *Options) ([]edit, *Error) {
	var edits []edit
	for i := range d.Statements {
		for _, v := range d.Statements[i].Principal.Values {
			stored, message := v.check(o)
			if message != "" {
				return nil, malformed(v.Start, message)
			}
			if stored != v.Value {
				edits = append(edits, edit{v.Start, v.End, stored})
			}
		}
	}
	return edits, nil
}
