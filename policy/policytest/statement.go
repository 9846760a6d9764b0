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

// splitWords cuts a line into bare words, JSON strings and commas.
func splitWords(line string) ([]word, error) {
	var words []word
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
				return nil, fmt.Errorf("bad JSON string at %q: %w", line, err)
			}
			words = append(words, word{text: text, quoted: true})
			line = line[d.InputOffset():]
		default:
			n := strings.IndexAny(line, " \t,\"")
			if n < 0 {
				n = len(line)
			}
			words = append(words, word{text: line[:n]})
			line = line[n:]
		}
	}
	return words, nil
}

func quoteWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t,\"\n") {
		return s
	}
	q, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(q)
}

// parseStatement reads "Allow|Deny [not] VALUE[, VALUE…] on [not] VALUE[, VALUE…]".
func parseStatement(line string) (policy.Statement, error) {
	var s policy.Statement
	words, err := splitWords(line)
	if err != nil {
		return s, err
	}
	if len(words) == 0 || !words[0].is("Allow") && !words[0].is("Deny") {
		return s, fmt.Errorf("a statement begins with Allow or Deny, found %q", line)
	}
	s.Effect, words = words[0].text, words[1:]
	if s.Actions, s.NotAction, words, err = parseList(words); err != nil {
		return s, err
	}
	if len(words) == 0 || !words[0].is("on") {
		return s, errors.New(`expected "on" and the resources`)
	}
	if s.Resources, s.NotResource, words, err = parseList(words[1:]); err != nil {
		return s, err
	}
	if len(words) > 0 {
		return s, fmt.Errorf("unknown word %q after the resources", words[0].text)
	}
	return s, nil
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
	words, err := splitWords(line)
	if err != nil {
		return "", "", err
	}
	if len(words) != 3 || !words[1].is("on") {
		return "", "", fmt.Errorf("expected \"ACTION on RESOURCE\", found %q", line)
	}
	return words[0].text, words[2].text, nil
}
