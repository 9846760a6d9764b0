package policytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// word is one word of a statement or request line.
type word struct {
	text   string
	quoted bool
}

func (w word) is(bare string) bool { return !w.quoted && w.text == bare }

// splitWords cuts a line into bare words, JSON strings and commas, up to a bare "to" or "if", where rest begins.
func splitWords(line string) (words []word, rest string, err error) {
	for line != "" {
		switch line[0] {
		case ' ', '\t':
			line = line[1:]
		case ',':
			words = append(words, word{text: ","})
			line = line[1:]
		case '"':
			d := json.NewDecoder(strings.NewReader(line))
			var text string
			if err := d.Decode(&text); err != nil {
				return nil, "", fmt.Errorf("bad JSON string at %q: %w", line, err)
			}
			words = append(words, word{text: text, quoted: true})
			line = line[d.InputOffset():]
		default:
			n := strings.IndexAny(line, " \t,\"")
			if n < 0 {
				n = len(line)
			}
			if line[:n] == "to" || line[:n] == "if" {
				return words, line, nil
			}
			words = append(words, word{text: line[:n]})
			line = line[n:]
		}
	}
	return words, "", nil
}

func quoteWord(s string) string {
	if s != "" && s != "to" && s != "if" && !strings.ContainsAny(s, " \t,\"\n") {
		return s
	}
	return encode(s)
}

// parseStatement reads "Allow|Deny [not] VALUE[, VALUE…] on [not] VALUE[, VALUE…] [to [not] PRINCIPAL] [if CONDITION]" and gives the
// statement's JSON. The resources may be missing where the layer's kind allows it, and the principal of an RCP, which is "*" then.
func parseStatement(line string, layer policy.Layer) (string, error) {
	words, rest, err := splitWords(line)
	if err != nil {
		return "", err
	}
	if len(words) == 0 || !words[0].is("Allow") && !words[0].is("Deny") {
		return "", fmt.Errorf("a statement begins with Allow or Deny, found %q", line)
	}
	out := `{"Effect":` + encode(words[0].text)
	actions, not, words, err := parseList(words[1:])
	if err != nil {
		return "", err
	}
	out += member(not, "Action") + encode(actions)
	switch {
	case len(words) > 0 && words[0].is("on"):
		resources, not, more, err := parseList(words[1:])
		if err != nil {
			return "", err
		}
		if len(more) > 0 {
			return "", fmt.Errorf("unknown word %q after the resources", more[0].text)
		}
		out += member(not, "Resource") + encode(resources)
	case len(words) > 0 || layer != policy.LayerResource && layer != policy.LayerTrust:
		return "", errors.New(`expected "on" and the resources`)
	}
	if after, ok := strings.CutPrefix(rest, "to "); ok {
		after = strings.TrimLeft(after, " ")
		after, not := strings.CutPrefix(after, "not ")
		var principal string
		if principal, rest, err = takeJSON(after); err != nil {
			return "", err
		}
		out += member(not, "Principal") + principal
	} else if layer == policy.LayerRCP {
		out += member(false, "Principal") + `"*"`
	}
	if after, ok := strings.CutPrefix(rest, "if "); ok {
		var condition string
		if condition, rest, err = takeJSON(after); err != nil {
			return "", err
		}
		out += member(false, "Condition") + condition
	}
	if rest != "" {
		return "", fmt.Errorf("unknown words %q at the end of a statement", rest)
	}
	return out + "}", nil
}

func member(not bool, name string) string {
	if not {
		return `,"Not` + name + `":`
	}
	return `,"` + name + `":`
}

// takeJSON takes "*" or one JSON value as it is written from the beginning of the line.
func takeJSON(line string) (value, rest string, err error) {
	if after, ok := strings.CutPrefix(line, "*"); ok {
		return `"*"`, strings.TrimLeft(after, " "), nil
	}
	d := json.NewDecoder(strings.NewReader(line))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return "", "", fmt.Errorf("bad JSON at %q: %w", line, err)
	}
	return string(raw), strings.TrimLeft(line[d.InputOffset():], " "), nil
}

func parseList(words []word) (values []string, not bool, rest []word, err error) {
	if len(words) > 0 && words[0].is("not") {
		not, words = true, words[1:]
	}
	for {
		if len(words) == 0 || words[0].is(",") || words[0].is("on") {
			return nil, false, nil, errors.New("expected a value")
		}
		values, words = append(values, words[0].text), words[1:]
		if len(words) == 0 || !words[0].is(",") {
			return values, not, words, nil
		}
		words = words[1:]
	}
}

// parseRequest reads "ACTION on RESOURCE".
func parseRequest(line string) (action, resource string, err error) {
	words, rest, err := splitWords(line)
	if err != nil {
		return "", "", err
	}
	if len(words) != 3 || !words[1].is("on") || rest != "" {
		return "", "", fmt.Errorf("expected \"ACTION on RESOURCE\", found %q", line)
	}
	return words[0].text, words[2].text, nil
}

// parseKey reads `KEY="value"`, `KEY=["value",…]` or "KEY=absent".
func parseKey(line string) (Key, error) {
	name, value, ok := strings.Cut(line, "=")
	if strings.HasPrefix(line, `"`) { // a name with signs of the format in it
		d := json.NewDecoder(strings.NewReader(line))
		if err := d.Decode(&name); err != nil {
			return Key{}, fmt.Errorf("bad JSON string at %q: %w", line, err)
		}
		value, ok = strings.CutPrefix(line[d.InputOffset():], "=")
	}
	k := Key{Name: name}
	var text string
	switch {
	case !ok:
		return k, fmt.Errorf("expected \"KEY=VALUE\", found %q", line)
	case value == "absent":
		k.Absent = true
	case json.Unmarshal([]byte(value), &text) == nil:
		k.Values = []string{text}
	case json.Unmarshal([]byte(value), &k.Values) == nil && k.Values != nil:
		k.Multi = true
	default:
		return k, fmt.Errorf("%q is not a JSON string, a list of them, or absent", value)
	}
	return k, nil
}
