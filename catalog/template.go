package catalog

import (
	"errors"
	"fmt"
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
	wide  bool   // of a run: it may have slashes and colons in every reading
}

// reading says how far a variable reaches.
type reading uint8

const (
	narrow reading = iota // without slashes, and without colons but at the end: what follows a colon there is a version or an alias
	wide                  // as far as it likes
)

var (
	errTemplateLong     = fmt.Errorf("the form of the ARN has more than %d bytes", maxARN)
	errTemplateARN      = errors.New(`is not of the form "arn:${Partition}:service:region:account:resource"`)
	errTemplateVariable = errors.New(`has a "${" without a name and "}"`)
	errTemplateMixed    = errors.New("has a variable beside other text before its last part")
	errTemplateEmpty    = errors.New("has no service or no resource")
)

// separator stands between the forms of one type.
const separator = ", "

func parseTemplates(text string) ([]template, error) {
	if len(text) > maxARN {
		return nil, errTemplateLong
	}
	var list []template
	for one := range strings.SplitSeq(text, separator) {
		t, err := parseTemplate(one)
		if err != nil {
			return nil, fmt.Errorf("the form of the ARN %w", err)
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
			if run.wide = takesSlashes(s[2:end]); !run.wide {
				run.least = 1
			}
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

// takesSlashes says by the name of a variable whether AWS's values have slashes, or are empty: paths of IAM and others, and keys of objects.
func takesSlashes(variable string) bool {
	return strings.HasSuffix(variable, "Path") || variable == "ObjectName"
}

// match takes the parts of an ARN, of which the first is "arn".
func (t *template) match(parts *[6]string, how reading) bool {
	return t.service.match(parts[2]) && t.region.match(parts[3]) && t.account.match(parts[4]) && matchSegments(t.resource, parts[5], how)
}

// matchSegments puts each text at its leftmost place, and the last one at the end.
func matchSegments(list []segment, s string, how reading) bool {
	for i := range list {
		p := &list[i]
		if p.text != "" {
			if !strings.HasPrefix(s, p.text) {
				return false
			}
			s = s[len(p.text):]
			continue
		}
		end, last := len(s), i == len(list)-1
		switch {
		case len(s) < p.least:
			return false
		case last:
		case i == len(list)-2:
			end -= len(list[i+1].text)
			if end < p.least || s[end:] != list[i+1].text {
				return false
			}
		default:
			at := strings.Index(s[p.least:], list[i+1].text)
			if at < 0 {
				return false
			}
			end = p.least + at
		}
		if how == narrow && !p.wide && !isName(s[:end], last) {
			return false
		}
		s = s[end:]
	}
	return s == ""
}

// isName says whether a variable stands for the text in the narrow reading.
func isName(s string, last bool) bool {
	for i := range len(s) {
		if s[i] == '/' || s[i] == ':' && !last {
			return false
		}
	}
	return true
}

// split gives the parts of an ARN. It says no where the text is none.
func split(resource string) ([6]string, bool) {
	parts, n := arn.Split(resource)
	return parts, n == 6 && parts[0] == "arn" && parts[1] != "" && parts[5] != ""
}

// form is one form of the ARNs of a type.
type form struct {
	resourceType *ResourceType
	template     template
}

// forms are those of a service, by what the last part of the ARN begins with: of most types a text up to a slash or colon, so few have to be
// looked at.
type forms struct {
	heads map[string][]form
	rest  []form
}

func (f *forms) add(t *ResourceType, one template) {
	if head, ok := one.head(); ok {
		if f.heads == nil {
			f.heads = map[string][]form{}
		}
		f.heads[head] = append(f.heads[head], form{t, one})
		return
	}
	f.rest = append(f.rest, form{t, one})
}

// head is what every resource of the form begins with, up to the first slash or colon. It says no where that is not a text.
func (t *template) head() (string, bool) {
	first := t.resource[0].text
	if i := cut(first); i < len(first) {
		return first[:i+1], true
	}
	return first, len(t.resource) == 1 && first != ""
}

// cut is the place of the first slash or colon, and the length of the text where there is none.
func cut(s string) int {
	for i := range len(s) {
		if s[i] == '/' || s[i] == ':' {
			return i
		}
	}
	return len(s)
}

// find gives the first type that fits and that the action acts on, and whether any fits.
func (f *forms) find(parts *[6]string, how reading, a *Action) (t *ResourceType, fits bool) {
	head := parts[5]
	head = head[:min(cut(head)+1, len(head))]
	for _, list := range [...][]form{f.heads[head], f.rest} {
		for i := range list {
			if !list[i].template.match(parts, how) {
				continue
			}
			if fits = true; a.actsOn(list[i].resourceType) {
				return list[i].resourceType, true
			}
		}
	}
	return nil, fits
}

// typeOf gives the type of those on which the action acts.
func (f *forms) typeOf(parts *[6]string, a *Action) *ResourceType {
	t, fits := f.find(parts, narrow, a)
	if !fits { // of no type of the service, unless a name has slashes
		t, _ = f.find(parts, wide, a)
	}
	return t
}

// Match says whether the ARN is one of this type. A wildcard in it is a character like others, and a version or alias after a colon at its
// end belongs to it. Variables stand for texts without slashes, but for paths and keys of objects; where an ARN fits no type of the service
// so, they stand for any text: names of some services have slashes.
func (t *ResourceType) Match(resource string) bool {
	only := Action{Service: t.Service, Resources: []ActionResource{{Type: t}}}
	return only.TypeOf(resource) != nil
}
