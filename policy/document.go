package policy

import (
	"strings"
	"unicode/utf8"
)

// MaxText is the longest policy text, in characters (Unicode code points), of any kind (docs/spec/policy-language.md 2.3). The quotas
// per kind are smaller and checked by the caller with CountedSize.
const MaxText = 131072

// The two values of Version.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Document is a policy as its text says it, with the places of its statements. Treat it as read-only: Compile, Text and the
// offsets describe the text it came from.
type Document struct {
	Kind       Kind
	Version    string // "" when absent, which means Version2008
	ID         string
	Statements []Statement

	text string
}

// Text is the text the document was decoded from, byte for byte.
func (d *Document) Text() string { return d.text }

// Variables says whether "${" has a meaning in this document (docs/spec/policy-language.md 3.1).
func (d *Document) Variables() bool { return d.Version == Version2012 }

// Statement is one element of Statement.
type Statement struct {
	Sid    string // "" when absent
	Effect string // as written; only "Allow" and "Deny" pass Validate, any case passes Decode

	Actions   []string // the values of Action or NotAction, without null entries; empty when missing
	NotAction bool

	Resources   []string // the values of Resource or NotResource, without null entries; empty when missing
	NotResource bool

	Principal  *Principal  // nil when the statement has neither Principal nor NotPrincipal
	Conditions []Condition // one per operator and key, in the order of the text; operators without keys leave nothing

	// Byte offsets in Document.Text. Start and End enclose the statement with its braces. Slot is the place right after the
	// token that opens the statement's place, from which the simulator counts (docs/spec/evaluation.md 11.3): before Start in an array,
	// one after Start where Statement is a lone object.
	Slot, Start, End int
}

// Denies says whether the statement's Effect is Deny, without regard to case.
func (s *Statement) Denies() bool { return equalFold(s.Effect, "Deny") }

// Principal is a Principal or NotPrincipal element.
type Principal struct {
	Not    bool
	Any    bool // the bare "*"; Values is empty then
	Values []PrincipalValue
}

// PrincipalValue is one value under one key of a principal map.
type PrincipalValue struct {
	Type  string // "AWS", "Service", "Federated" or "CanonicalUser"
	Value string

	// Byte offsets in Document.Text of the value's JSON string with its quotation marks; both 0 in a document made by hand.
	Start, End int
}

// Condition is one key under one operator.
type Condition struct {
	Name     string   // the operator as written, "ForAnyValue:StringLikeIfExists"
	Operator Operator // StringLike
	Set      SetOperator
	IfExists bool
	Key      string   // as written
	Values   []string // scalars as text: numbers in their source text, booleans as "true" and "false"; may be empty
}

// CountedSize is the number of characters that count against a quota: all but U+0009, U+000A, U+000D and U+0020
// (docs/spec/policy-language.md 13).
func CountedSize(text string) int {
	n := utf8.RuneCountInString(text)
	for i := range len(text) {
		switch text[i] {
		case '\t', '\n', '\r', ' ':
			n--
		}
	}
	return n
}

// Printable says whether text holds only the characters that IAM stores: U+0009, U+000A, U+000D and U+0020 to U+00FF
// (docs/spec/policy-language.md 2.2). A caller checks it before Parse and answers ValidationError.
func Printable(text string) bool {
	for _, r := range text { // a broken byte reads as U+FFFD, which is outside too
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xff:
		default:
			return false
		}
	}
	return true
}

// JSON prints the document in one line, with its members in the order Version, Id, Statement. Decoding the result gives an equal
// document but for offsets. Lists of one value are printed as lists.
func (d *Document) JSON() string {
	var b strings.Builder
	b.WriteByte('{')
	if d.Version != "" {
		printMember(&b, "Version", d.Version)
		b.WriteByte(',')
	}
	if d.ID != "" {
		printMember(&b, "Id", d.ID)
		b.WriteByte(',')
	}
	b.WriteString(`"Statement":[`)
	for i := range d.Statements {
		if i > 0 {
			b.WriteByte(',')
		}
		d.Statements[i].print(&b)
	}
	b.WriteString("]}")
	return b.String()
}

func (s *Statement) print(b *strings.Builder) {
	b.WriteByte('{')
	if s.Sid != "" {
		printMember(b, "Sid", s.Sid)
		b.WriteByte(',')
	}
	printMember(b, "Effect", s.Effect)
	if s.Principal != nil {
		b.WriteByte(',')
		s.Principal.print(b)
	}
	if len(s.Actions) > 0 {
		b.WriteByte(',')
		printList(b, choose(s.NotAction, "NotAction", "Action"), s.Actions)
	}
	if len(s.Resources) > 0 {
		b.WriteByte(',')
		printList(b, choose(s.NotResource, "NotResource", "Resource"), s.Resources)
	}
	if len(s.Conditions) > 0 {
		b.WriteString(`,"Condition":{`)
		for i, c := range s.Conditions {
			if i == 0 || s.Conditions[i-1].Name != c.Name {
				if i > 0 {
					b.WriteString("},")
				}
				printString(b, c.Name)
				b.WriteString(":{")
			} else {
				b.WriteByte(',')
			}
			printList(b, c.Key, c.Values)
		}
		b.WriteString("}}")
	}
	b.WriteByte('}')
}

func (p *Principal) print(b *strings.Builder) {
	name := choose(p.Not, "NotPrincipal", "Principal")
	if p.Any {
		printMember(b, name, "*")
		return
	}
	printString(b, name)
	b.WriteString(":{")
	for i, v := range p.Values {
		switch {
		case i == 0:
			printString(b, v.Type)
			b.WriteString(":[")
		case p.Values[i-1].Type != v.Type:
			b.WriteString("],")
			printString(b, v.Type)
			b.WriteString(":[")
		default:
			b.WriteByte(',')
		}
		printString(b, v.Value)
	}
	if len(p.Values) > 0 {
		b.WriteByte(']')
	}
	b.WriteByte('}')
}

func choose(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func printMember(b *strings.Builder, name, value string) {
	printString(b, name)
	b.WriteByte(':')
	printString(b, value)
}

func printList(b *strings.Builder, name string, values []string) {
	printString(b, name)
	b.WriteString(":[")
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		printString(b, v)
	}
	b.WriteByte(']')
}

func printString(b *strings.Builder, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20:
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
