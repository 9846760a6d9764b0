package wire

import "regexp"

// Compiled is a pattern for tests.
type Compiled struct{ m *matcher }

// CompilePattern compiles a pattern of the models.
func CompilePattern(pattern string) Compiled { return Compiled{compile(pattern)} }

// Match says whether all of s matches.
func (c Compiled) Match(s string) bool { return c.m.match(s) }

// Simple says whether no regular expression is needed.
func (c Compiled) Simple() bool { return c.m.simple != nil }

// ReferencePattern is the same pattern through package regexp alone; the lookahead of one pattern is written out.
func ReferencePattern(pattern string) *regexp.Regexp {
	if pattern == aliasPattern {
		return nil
	}
	return regexp.MustCompile(`\A(?:` + translate(pattern) + `)\z`)
}

// AppendXMLText is the escaping of XML text.
func AppendXMLText(s string) string { return string(appendXMLText(nil, s)) }

// AppendPercent is the encoding of policy documents.
func AppendPercent(s string) string { return string(appendPercent(nil, s)) }
