package policytest

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Large policies come up once in so many cases, and have so many statements together.
const (
	largeOneIn            = 50
	largeLeast, largeMost = 30, 300
)

// family is what the patterns of large policies have in common.
type family struct {
	generator
	stem      string // every pattern's beginning, but for those that no index can help with
	kinds     int    // how many kinds of patterns there are, of those below
	actions   int    // different numbers in actions
	resources int    // and in resources
	lengths   int    // different lengths of literal beginnings, nearly
}

// large makes policies of many statements about few families of actions and resources, as an index has to tell them apart: equal
// literals, literals that begin alike, wildcards at the end, inside and before the literal part, and what no index can help with.
func (g generator) large(c *Case, layer policy.Layer) []Policy {
	f := family{
		generator: g,
		stem:      "arn:aws:" + g.pick("s3", "x", "*", "${*}") + ":" + g.pick("", "a", "*") + "::",
		kinds:     1 + g.rng.IntN(8), actions: 1 + g.rng.IntN(12), resources: 1 + g.rng.IntN(80), lengths: g.pickInt(1, 1, 3, 100),
	}
	denies := g.pickInt(0, 1, 10, 50)
	statements := largeLeast + g.rng.IntN(largeMost-largeLeast+1)
	var out []Policy
	d := policy.Document{Version: policy.Version2012}
	end := func() {
		out = append(out, Policy{Layer: layer, Name: fmt.Sprintf("large-%s%d", layer, len(out)), Text: d.JSON()})
		d.Statements = nil
	}
	each := g.pickInt(largeMost, 60, 7)
	for range statements {
		s := policy.Statement{Effect: "Allow", NotAction: g.one(100), NotResource: g.one(100)}
		if g.rng.IntN(100) < denies {
			s.Effect = "Deny"
		}
		for range g.pickInt(1, 1, 2) {
			s.Actions = append(s.Actions, f.action())
		}
		for range g.pickInt(1, 1, 1, 2, 3) {
			s.Resources = append(s.Resources, f.resource())
		}
		c.hints.actions, c.hints.resources = append(c.hints.actions, s.Actions...), append(c.hints.resources, s.Resources...)
		if g.one(10) {
			s.Conditions = g.conditions()
		}
		if d.Statements = append(d.Statements, s); len(d.Statements) == each {
			end()
		}
	}
	if len(d.Statements) > 0 {
		end()
	}
	return out
}

// IsLarge says whether a generated case has large policies.
func (c *Case) IsLarge() bool { return len(c.hints.resources) > largeLeast }

func (f *family) action() string {
	name := fmt.Sprintf("%s%d", f.pick("Get", "get", "Put", "PutObject", "GetBuckét"), f.rng.IntN(f.actions))
	switch f.rng.IntN(f.kinds) {
	case 3:
		letters := []rune(name)
		return f.pick("s3", "S3", "x") + ":" + string(letters[:1+f.rng.IntN(len(letters))]) + "*"
	case 4:
		return f.pick("s3:*", "x:*", "*:"+name, "s?:"+name)
	case 5:
		return f.pick("*", "s3:"+name+"?", "s3:*"+name[3:], "S3:"+name[:len(name)-1]+"*")
	}
	return f.pick("s3", "s3", "S3", "x") + ":" + name
}

func (f *family) resource() string {
	n := f.rng.IntN(f.resources)
	text := fmt.Sprintf("%s%sb%d/", f.stem, strings.Repeat("p", n%f.lengths), n)
	switch f.rng.IntN(f.kinds) {
	case 1:
		return text + "*"
	case 2:
		return text[:len(text)-1-f.rng.IntN(2)] + "*"
	case 3:
		return fmt.Sprintf("%s*/b%d", f.stem, n)
	case 4:
		return fmt.Sprintf("%sb%d/*/%s", f.stem, n, f.pick("a", "b", "*", "?"))
	case 5: // alike at the beginning, different between wildcards
		return fmt.Sprintf("%s%s/app-%03d%s", f.stem, f.pick("*", "b*", "?"), n, f.pick("/*", "*", "?x*", ""))
	case 6:
		return f.pick("arn:*", "*", "arn:aws:*") + fmt.Sprintf("/app-%03d", n) + f.pick("", "*", "*/app-001*")
	case 7:
		return f.pick("*", "arn:*", "*"+text, "arn:aws:s3", fmt.Sprintf("%sb%d/${x:s}", f.stem, n), fmt.Sprintf("%s${x:s}%d/*", f.stem, n),
			fmt.Sprintf("%s*/app-%03d/${x:s}*", f.stem, n), f.stem+"?"+text[len(f.stem)+1:])
	}
	return text + f.pick("a", "ab", "", "a/b")
}
