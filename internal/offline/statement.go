package offline

// element is a text of a policy with its place.
type element struct {
	value string
	at    int // byte offset of its quotation mark
}

// statement is a statement's values with their places, as the text has them.
type statement struct {
	actions, resources     []element
	notAction, notResource bool
	principal              bool // it has a Principal or NotPrincipal
	keys                   []conditionKey
}

type conditionKey struct {
	element
	operator string
	values   []element
}

// statementsOf reads the places of a document that stands the grammar. Of one that does not it reads what it can.
func statementsOf(text string) ([]statement, error) {
	w, err := newWalker(text)
	if err != nil {
		return nil, err
	}
	var list []statement
	one := func() error {
		s, err := statementAt(w)
		list = append(list, s)
		return err
	}
	err = w.object(func(name string, _ int) error {
		switch {
		case name != "Statement":
			return w.skip()
		case w.peek() == '[':
			return w.array(func(int) error { return one() })
		}
		return one()
	})
	return list, err
}

func statementAt(w *walker) (s statement, err error) {
	if w.peek() != '{' {
		return s, w.skip()
	}
	err = w.object(func(name string, _ int) (err error) {
		switch name {
		case "Action", "NotAction":
			s.actions, err = elements(w)
			s.notAction = name == "NotAction"
		case "Resource", "NotResource":
			s.resources, err = elements(w)
			s.notResource = name == "NotResource"
		case "Principal", "NotPrincipal":
			s.principal = true
			err = w.skip()
		case "Condition":
			err = s.conditions(w)
		default:
			err = w.skip()
		}
		return err
	})
	return s, err
}

// elements reads a string, or the strings of a list.
func elements(w *walker) ([]element, error) {
	var list []element
	one := func() error {
		if w.peek() != '"' {
			return w.skip()
		}
		at := w.at
		value, err := w.string("a string")
		list = append(list, element{value, at})
		return err
	}
	if w.peek() != '[' {
		err := one()
		return list, err
	}
	err := w.array(func(int) error { return one() })
	return list, err
}

func (s *statement) conditions(w *walker) error {
	if w.peek() != '{' {
		return w.skip()
	}
	return w.object(func(operator string, _ int) error {
		if w.peek() != '{' {
			return w.skip()
		}
		return w.object(func(key string, at int) error {
			values, err := elements(w)
			s.keys = append(s.keys, conditionKey{element{key, at}, operator, values})
			return err
		})
	})
}
