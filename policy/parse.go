package policy

import "unicode/utf8"

// Options are what the text of a document does not say. The zero value checks the text alone.
type Options struct {
	// Resolve says what a value of Principal or NotPrincipal names, for Trust, Resource and Endpoint (docs/spec/policy-language.md 8.4). It
	// is asked, in the order of the text, for account ids and root ARNs, user and role ARNs, unique ids, service names and the ARNs of
	// identity providers, each well-formed; never for "*", session ARNs, canonical ids and the built-in identity providers, which
	// stand as they are. It returns the text to store in the value's place (the unique id for the ARN of a user or role, the value itself
	// where nothing changes), or false when there is no such thing. It must give equal answers to equal questions. Nil takes
	// every well-formed value as it is.
	Resolve func(v PrincipalValue) (stored string, ok bool)

	// UnscopedProviders takes trust in an identity provider of many tenants without a condition on the tenant, which is otherwise
	// refused (docs/spec/policy-language.md 8.5).
	UnscopedProviders bool
}

// Parse reads a document and checks it as AWS does when the document is written, without asking what its principals name. The
// error is an *Error: a fault with AWS's exact message, or Unsupported for what is no Kind. A document that passes always compiles.
func Parse(text string, kind Kind) (*Document, error) { return ParseWith(text, kind, Options{}) }

// ParseWith is Parse with what the caller knows. Where Resolve gives another text for a principal, the document that is returned is
// that of the new text: the JSON string of the value is replaced, all other bytes are as they were sent.
func ParseWith(text string, kind Kind, o Options) (*Document, error) {
	root, err := scan(text, kind)
	if err != nil {
		return nil, err
	}
	var edits []edit
	if kind == Trust {
		if edits, err = checkTrust(&root, &o); err != nil {
			return nil, err
		}
	}
	d := &Document{Kind: kind, text: text}
	if err := d.decode(&root); err != nil {
		return nil, kind.grammarError(err)
	}
	switch kind {
	case Trust:
		err = d.validateTrust(&o)
	case Resource, Endpoint:
		edits, err = d.validateResource(&o)
	case SCP, RCP:
		err = d.validateOrganization()
	default:
		err = d.validateIdentity()
	}
	if err != nil {
		return nil, err
	}
	if len(edits) == 0 {
		return d, nil
	}
	return Decode(replace(text, edits), kind)
}

// Decode reads a document by the grammar alone (docs/spec/policy-language.md 2.1; stage 1 of 12.2): for documents that are stored
// already, or that are no customer's. The error is an *Error.
func Decode(text string, kind Kind) (*Document, error) {
	root, err := scan(text, kind)
	if err != nil {
		return nil, err
	}
	d := &Document{Kind: kind, text: text}
	if err := d.decode(&root); err != nil {
		return nil, kind.grammarError(err)
	}
	return d, nil
}

// scan is the JSON layer, docs/spec/policy-language.md 2.
func scan(text string, kind Kind) (node, *Error) {
	if !kind.known() {
		return node{}, &Error{Code: Unsupported, Message: "There is no such kind of policy.", Offset: -1}
	}
	if len(text) > MaxText && utf8.RuneCountInString(text) > MaxText {
		return node{}, kind.grammarError(syntaxError(-1, "longer than %d characters", MaxText))
	}
	root, err := scanJSON(text)
	if err != nil {
		err = kind.grammarError(err)
		if kind == Trust {
			err.Message = messageTrustJSON
		}
	}
	return root, err
}

// grammarError gives a fault of the grammar the text of the kind.
func (k Kind) grammarError(err *Error) *Error {
	switch k {
	case Trust:
		err.Message = messageTrustSyntax
	case SCP, RCP:
		err.Message = messageOrganization
	}
	return err
}
