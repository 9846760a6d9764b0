package catalog

import (
	"errors"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
)

// template is one form of a type's ARNs, ready to be matched.
type template struct {
	service, region, account component
	resource                 []segment
}

// component is one of the first parts of an ARN.
type component struct {
	kind componentKind
	text string // of literal
}

type componentKind uint8

const (
	literal  componentKind = iota
	some                   // a variable: anything but nothing
	anything               // "*": also nothing
)

func (c component) match(s string) bool {
	switch c.kind {
	case some:
		return s != ""
	case anything:
		return true
	}
	return s == c.text
}

// segment is a piece of the last part of an ARN: a text, or something that stands for a run of characters.
type segment struct {
	text  string // "" for a run
	least int    // of a run: how many characters it has at least
	wide  bool   // of a run: it may have slashes and colons
}

// reading says how far a variable reaches.
type reading uint8

const (
	narrow reading = iota // up to the next slash or colon, where AWS does not say otherwise
	wide                  // as far as it likes
)

var (
	errTemplateARN      = errors.New(`is not of the form "arn:${Partition}:service:region:account:resource"`)
	errTemplateVariable = errors.New(`has a "${" without a name and "}"`)
	errTemplateMixed    = errors.New("has a variable beside other text before its last part")
	errTemplateEmpty    = errors.New("has no service or no resource")
)

// separator stands between the forms of one type.
const separator = ", "

func parseTemplates(text string) ([]template, error) {
	var list []template
	for one := range strings.SplitSeq(text, separator) {
		t, err := parseTemplate(one)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func parseTemplate(text string) (template, error) {
	parts, n := arn.Split(text)
	if n < 6 || parts[0] != "arn" || parts[1] != "${Partition}" {
		return template{}, errTemplateARN
	}
	if parts[2] == "" || parts[5] == "" {
		return template{}, errTemplateEmpty
	}
	var t template
	for i, c := range []*component{&t.service, &t.region, &t.account} {
		segments, err := parseSegments(parts[i+2])
		switch {
		case err != nil:
			return template{}, err
		case len(segments) == 0:
		case len(segments) > 1:
			return template{}, errTemplateMixed
		case segments[0].text != "":
			c.text = segments[0].text
		case segments[0].least == 0:
			c.kind = anything
		default:
			c.kind = some
		}
	}
	var err error
	t.resource, err = parseSegments(parts[5])
	return t, err
}

// parseSegments splits at variables and stars. A run after a wide one is wide too: so the leftmost place is right for every text.
func parseSegments(s string) ([]segment, error) {
	var list []segment
	for s != "" {
		i := strings.IndexAny(s, "$*")
		if i < 0 {
			return append(list, segment{text: s}), nil
		}
		if i > 0 {
			list = append(list, segment{text: s[:i]})
			s = s[i:]
		}
		run := segment{wide: true}
		if s[0] == '*' {
			s = s[1:]
		} else {
			end := strings.IndexByte(s, '}')
			if !strings.HasPrefix(s, "${") || end < 3 {
				return nil, errTemplateVariable
			}
			run = segment{least: 1, wide: takesSlashes(s[2:end])}
			s = s[end+1:]
		}
		if n := len(list); n > 0 && list[n-1].text == "" { // runs side by side are one
			list[n-1].least += run.least
			list[n-1].wide = list[n-1].wide || run.wide
			continue
		}
		run.wide = run.wide || len(list) > 1 && list[len(list)-2].wide
		list = append(list, run)
	}
	return list, nil
}

// takesSlashes says by the name of a variable whether AWS's values have slashes: paths of IAM and others, and keys of objects.
func takesSlashes(variable string) bool {
	return strings.HasSuffix(variable, "Path") || variable == "ObjectName"
}

// match takes the parts of an ARN, of which the first is "arn".
func (t *template) match(parts *[6]string, how reading) bool {
	return t.service.match(parts[2]) && t.region.match(parts[3]) && t.account.match(parts[4]) && matchSegments(t.resource, parts[5], how)
}

// matchSegments puts each text at its leftmost place, and the last one at the end.
func matchSegments(list []segment, s string, how reading) bool {
	for i := 0; i < len(list); i++ {
		p := &list[i]
		if p.text != "" {
			if !strings.HasPrefix(s, p.text) {
				return false
			}
			s = s[len(p.text):]
			continue
		}
		end := len(s)
		switch rest := list[i+1:]; {
		case len(rest) == 1: // a text
			end = len(s) - len(rest[0].text)
			if end < p.least || s[end:] != rest[0].text {
				return false
			}
		case len(rest) > 1:
			if len(s) < p.least {
				return false
			}
			at := strings.Index(s[p.least:], rest[0].text)
			if at < 0 {
				return false
			}
			end = p.least + at
		}
		if end < p.least || !p.wide && how == narrow && strings.ContainsAny(s[:end], "/:") {
			return false
		}
		s = s[end:]
	}
	return s == ""
}

// split gives the parts of an ARN. It says no where the text is none.
func split(resource string) ([6]string, bool) {
	parts, n := arn.Split(resource)
	return parts, n == 6 && parts[0] == "arn" && parts[1] != "" && parts[5] != ""
}

func (t *ResourceType) match(parts *[6]string, how reading) bool {
	for i := range t.templates {
		if t.templates[i].match(parts, how) {
			return true
		}
	}
	return false
}

// Match says whether the ARN is one of this type. A wildcard in it is a character like others. Where an ARN fits no type of
// the service while variables stand for texts without slash and colon, they stand for any text: a name may have slashes.
func (t *ResourceType) Match(resource string) bool {
	parts, ok := split(resource)
	return ok && (t.match(&parts, narrow) || t.match(&parts, wide) && !t.Service.fits(&parts))
}

// fits says whether the ARN is of some type of the service.
func (s *Service) fits(parts *[6]string) bool {
	for _, t := range s.types {
		if t.match(parts, narrow) {
			return true
		}
	}
	return false
}
