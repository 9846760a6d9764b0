package policy

func (d *Document) decode(root *node) *Error {
	if root.kind != nodeObject {
		return syntaxError(root.start, "the document is %s, not an object", root.kind)
	}
	var statements *node
	for i := range root.members() {
		m := &root.members()[i]
		switch m.name {
		case "Version":
			if m.value.kind != nodeString || m.value.text != Version2008 && m.value.text != Version2012 {
				return syntaxError(m.value.start, "Version is neither %q nor %q", Version2012, Version2008)
			}
			d.Version = m.value.text
		case "Id":
			if m.value.kind != nodeString {
				return syntaxError(m.value.start, "Id is %s, not a string", m.value.kind)
			}
			d.ID = m.value.text
		case "Statement":
			statements = &m.value
		default:
			return syntaxError(m.at, "unknown member %q", m.name)
		}
	}
	if statements == nil {
		return syntaxError(root.start, "Statement is missing")
	}
	switch statements.kind {
	case nodeObject:
		d.Statements = make([]Statement, 1)
		return d.Statements[0].decode(statements, statements.start+1)
	case nodeArray:
		if len(statements.items()) == 0 {
			return syntaxError(statements.start, "Statement is empty")
		}
		d.Statements = make([]Statement, len(statements.items()))
		slot := statements.start + 1
		for i := range statements.items() {
			n := &statements.items()[i]
			if err := d.Statements[i].decode(n, slot); err != nil {
				return err
			}
			slot = n.end
		}
		return nil
	}
	return syntaxError(statements.start, "Statement is %s, not an object or an array", statements.kind)
}

func (s *Statement) decode(n *node, slot int) *Error {
	if n.kind != nodeObject {
		return syntaxError(n.start, "a statement is %s, not an object", n.kind)
	}
	s.Slot, s.Start, s.End = slot, n.start, n.end
	var action, resource, principal string // the member seen of each exclusive pair
	for i := range n.members() {
		m := &n.members()[i]
		var err *Error
		switch m.name {
		case "Sid":
			if m.value.kind != nodeString {
				return syntaxError(m.value.start, "Sid is %s, not a string", m.value.kind)
			}
			s.Sid = m.value.text
		case "Effect":
			if m.value.kind != nodeString || !equalFold(m.value.text, "Allow") && !equalFold(m.value.text, "Deny") {
				return syntaxError(m.value.start, "Effect is neither Allow nor Deny")
			}
			s.Effect = m.value.text
		case "Action", "NotAction":
			s.NotAction = m.name == "NotAction"
			s.Actions, err = decodeValues(m, action)
			action = m.name
		case "Resource", "NotResource":
			s.NotResource = m.name == "NotResource"
			s.Resources, err = decodeValues(m, resource)
			resource = m.name
		case "Principal", "NotPrincipal":
			if principal != "" {
				return syntaxError(m.at, "both %s and %s", principal, m.name)
			}
			s.Principal, err = decodePrincipal(m)
			principal = m.name
		case "Condition":
			s.Conditions, err = decodeConditions(&m.value)
		default:
			return syntaxError(m.at, "unknown member %q in a statement", m.name)
		}
		if err != nil {
			return err
		}
	}
	if s.Effect == "" {
		return syntaxError(n.start, "Effect is missing")
	}
	return nil
}

// decodeValues reads a string or an array of strings and nulls. other is the member of an exclusive pair that was seen before,
// or "".
func decodeValues(m *member, other string) ([]string, *Error) {
	if other != "" {
		return nil, syntaxError(m.at, "both %s and %s", other, m.name)
	}
	if m.value.kind != nodeArray {
		list, err := m.value.strings(m.name)
		if err != nil {
			return nil, err
		}
		return []string{list[0].text}, nil
	}
	values := make([]string, 0, len(m.value.items()))
	for i := range m.value.items() {
		switch n := &m.value.items()[i]; n.kind {
		case nodeString:
			values = append(values, n.text)
		case nodeNull:
		default:
			return nil, syntaxError(n.start, "a value of %s is %s, not a string", m.name, n.kind)
		}
	}
	return values, nil
}

// strings is the string that n is, or those that it lists. name is for the error.
func (n *node) strings(name string) ([]node, *Error) {
	switch n.kind {
	case nodeString:
		return []node{*n}, nil
	case nodeArray:
		for i := range n.items() {
			if v := &n.items()[i]; v.kind != nodeString {
				return nil, syntaxError(v.start, "a value of %s is %s, not a string", name, v.kind)
			}
		}
		return n.items(), nil
	}
	return nil, syntaxError(n.start, "%s is %s, not a string or an array", name, n.kind)
}

func decodePrincipal(m *member) (*Principal, *Error) {
	p := &Principal{Not: m.name == "NotPrincipal"}
	switch {
	case m.value.kind == nodeString && m.value.text == "*":
		p.Any = true
		return p, nil
	case m.value.kind != nodeObject:
		return nil, syntaxError(m.value.start, `%s is neither "*" nor an object`, m.name)
	}
	for i := range m.value.members() {
		t := &m.value.members()[i]
		switch t.name {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return nil, syntaxError(t.at, "unknown principal type %q", t.name)
		}
		list, err := t.value.strings(t.name)
		if err != nil {
			return nil, err
		}
		for i := range list {
			p.Values = append(p.Values, PrincipalValue{Type: t.name, Value: list[i].text, Start: list[i].start, End: list[i].end})
		}
	}
	return p, nil
}

func decodeConditions(n *node) ([]Condition, *Error) {
	if n.kind != nodeObject {
		return nil, syntaxError(n.start, "Condition is %s, not an object", n.kind)
	}
	var conditions []Condition
	for i := range n.members() {
		m := &n.members()[i]
		if m.value.kind != nodeObject {
			return nil, syntaxError(m.value.start, "the keys of %q are %s, not an object", m.name, m.value.kind)
		}
		if len(m.value.members()) == 0 {
			continue // no effect, even when the operator is unknown
		}
		op, set, ifExists, ok := parseOperator(m.name)
		if !ok {
			return nil, syntaxError(m.at, "unknown condition operator %q", m.name)
		}
		for j := range m.value.members() {
			k := &m.value.members()[j]
			values, err := decodeScalars(k)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, Condition{Name: m.name, Operator: op, Set: set, IfExists: ifExists, Key: k.name, Values: values})
		}
	}
	return conditions, nil
}

func decodeScalars(m *member) ([]string, *Error) {
	switch m.value.kind {
	case nodeString, nodeNumber, nodeBool:
		return []string{m.value.text}, nil
	case nodeArray:
		values := make([]string, 0, len(m.value.items()))
		for i := range m.value.items() {
			switch n := &m.value.items()[i]; n.kind {
			case nodeString, nodeNumber, nodeBool:
				values = append(values, n.text)
			default:
				return nil, syntaxError(n.start, "a value of condition key %q is %s", m.name, n.kind)
			}
		}
		return values, nil
	}
	return nil, syntaxError(m.value.start, "the value of condition key %q is %s", m.name, m.value.kind)
}
