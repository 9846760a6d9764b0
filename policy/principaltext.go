package policy

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
)

const (
	messageInvalidPrincipal = `Invalid principal in policy: "%s":"%s"` // docs/spec/policy-language.md 12.4
	messageFederated        = "Federated principals must be valid domain names or SAML metadata ARNs"
)

// principalForm is what can be said of a value from its text (docs/spec/policy-language.md 8.1).
type principalForm uint8

const (
	malformedPrincipal principalForm = iota
	literalPrincipal                 // names by its text alone
	entityPrincipal                  // names something that may or may not exist
)

// form classifies the value. Wildcards inside a value, groups and AWS's own policies are malformed.
func (v *PrincipalValue) form() principalForm {
	switch v.Type {
	case "AWS":
		return awsForm(v.Value)
	case "Service":
		if serviceName(v.Value) {
			return entityPrincipal
		}
	case "Federated":
		if builtinProvider(v.Value) {
			return literalPrincipal
		}
		if _, ok := providerARN(v.Value); ok {
			return entityPrincipal
		}
	case "CanonicalUser":
		if len(v.Value) == 64 && onlyBytes(v.Value, "0123456789abcdef") {
			return literalPrincipal
		}
	}
	return malformedPrincipal
}

// check is the message for a value that is malformed or names nothing, or "" and the text to store.
func (v *PrincipalValue) check(o *Options) (stored, message string) {
	switch v.form() {
	case literalPrincipal:
		return v.Value, ""
	case entityPrincipal:
		if o.Resolve == nil {
			return v.Value, ""
		}
		if stored, ok := o.Resolve(*v); ok {
			return stored, ""
		}
	case malformedPrincipal:
		if v.Type == "Federated" {
			return "", messageFederated
		}
	}
	return "", fmt.Sprintf(messageInvalidPrincipal, strings.ToUpper(v.Type), v.Value)
}

func awsForm(v string) principalForm {
	switch {
	case v == "*":
		return literalPrincipal
	case accountID(v), PrincipalID(v):
		return entityPrincipal
	}
	parts, _ := arn.Split(v)
	service, resource := parts[2], parts[5]
	if parts[0] != "arn" || !arn.KnownPartition(parts[1]) || parts[3] != "" || !accountID(parts[4]) {
		return malformedPrincipal
	}
	kind, rest, _ := strings.Cut(resource, "/")
	switch {
	case service == "iam" && resource == "root":
		return entityPrincipal
	case service == "iam" && (kind == "user" || kind == "role"):
		i := strings.LastIndexByte(rest, '/') + 1
		if i <= 512 && printable(rest[:i]) && entityName(rest[i:], 1, 64) {
			return entityPrincipal
		}
	case service == "sts" && kind == "assumed-role":
		if role, session, _ := strings.Cut(rest, "/"); entityName(role, 1, 64) && entityName(session, 2, 64) {
			return literalPrincipal
		}
	case service == "sts" && kind == "federated-user" && entityName(rest, 2, 32):
		return literalPrincipal
	}
	return malformedPrincipal
}

// PrincipalID says whether a value under "AWS" is the unique id of a user or role (docs/spec/wire.md 5.1). Only the prefix and the
// bounds of the API are checked, for ids that were brought from elsewhere.
func PrincipalID(v string) bool {
	return (strings.HasPrefix(v, "AIDA") || strings.HasPrefix(v, "AROA")) && len(v) >= 16 && len(v) <= 128 &&
		onlyBytes(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
}

func accountID(v string) bool { return len(v) == 12 && allDigits(v) }

// serviceName takes a domain name in lower case with at least two labels.
func serviceName(v string) bool {
	if len(v) > 253 || !strings.Contains(v, ".") {
		return false
	}
	for label := range strings.SplitSeq(v, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || !onlyBytes(label, "abcdefghijklmnopqrstuvwxyz0123456789-") {
			return false
		}
	}
	return true
}

func builtinProvider(v string) bool {
	switch v {
	case "cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com":
		return true
	}
	return false
}

// providerARN takes the ARN of a SAML or OIDC provider. url is that of an OIDC provider, without its scheme, and "" for SAML.
func providerARN(v string) (url string, ok bool) {
	parts, _ := arn.Split(v)
	if parts[0] != "arn" || !arn.KnownPartition(parts[1]) || parts[2] != "iam" || parts[3] != "" || !accountID(parts[4]) {
		return "", false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "saml-provider":
		return "", len(name) <= 128 && name != "" && onlyBytes(name, wordBytes+".-")
	case "oidc-provider":
		return name, len(name) <= 255 && name != "" && printable(name)
	}
	return "", false
}

const wordBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

func entityName(v string, from, to int) bool {
	return len(v) >= from && len(v) <= to && onlyBytes(v, wordBytes+"+=,.@-")
}

// printable takes what may stand in a path or an address: ASCII without space, and here without wildcards.
func printable(v string) bool {
	for i := range len(v) {
		if c := v[i]; c <= 0x20 || c >= 0x7f || c == '*' || c == '?' {
			return false
		}
	}
	return true
}

func onlyBytes(v, set string) bool {
	for i := range len(v) {
		if strings.IndexByte(set, v[i]) < 0 {
			return false
		}
	}
	return true
}

// edit puts a JSON string of text in the place start..end.
type edit struct {
	start, end int
	text       string
}

// replace makes edits that are in order and do not overlap.
func replace(text string, edits []edit) string {
	if len(edits) == 0 {
		return text
	}
	var b strings.Builder
	done := 0
	for _, e := range edits {
		b.WriteString(text[done:e.start])
		printString(&b, e.text)
		done = e.end
	}
	b.WriteString(text[done:])
	return b.String()
}

// ReplacePrincipals is Text with each value of Principal and NotPrincipal replaced by what f says of it, in the order of the text.
// Values that f returns as they are keep their bytes. The document must come from Parse or Decode.
func (d *Document) ReplacePrincipals(f func(PrincipalValue) string) string {
	var edits []edit
	for i := range d.Statements {
		if d.Statements[i].Principal == nil {
			continue
		}
		for _, v := range d.Statements[i].Principal.Values {
			if text := f(v); text != v.Value {
				edits = append(edits, edit{v.Start, v.End, text})
			}
		}
	}
	return replace(d.text, edits)
}

// PrincipalIDs says whether a document's text may have unique ids of users or roles as principals: false is certain and cheap, true
// means that one has to look.
func PrincipalIDs(text string) bool {
	// An escape may hide the letters.
	return strings.Contains(text, "AIDA") || strings.Contains(text, "AROA") || strings.Contains(text, `\u00`)
}

// RestorePrincipals is the text that is shown for a stored document: each unique id of a user or role that stands as a principal is
// replaced by what arn returns for it, which is the id itself when the entity is gone (docs/spec/policy-language.md 8.4.2). A text without
// such ids is returned after a glance, as is one that is no document of the kind.
func RestorePrincipals(text string, kind Kind, arn func(id string) string) string {
	if !PrincipalIDs(text) {
		return text
	}
	d, err := Decode(text, kind)
	if err != nil {
		return text
	}
	return d.ReplacePrincipals(func(v PrincipalValue) string {
		if v.Type != "AWS" || !PrincipalID(v.Value) {
			return v.Value
		}
		return arn(v.Value)
	})
}
