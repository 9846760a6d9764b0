package offline

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// nodeFault is what is wrong with a part of a suite, and in which line.
type nodeFault struct {
	line    int
	message string
}

func (f *nodeFault) Error() string { return f.message }

func atNode(n *yaml.Node, format string, args ...any) error {
	return &nodeFault{n.Line, fmt.Sprintf(format, args...)}
}

// mapping reads a mapping whose members are those of take, each at most once.
func mapping(n *yaml.Node, take map[string]func(*yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return atNode(n, "members are expected, as name: value, not %s", kindOf(n))
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := take[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			return atNode(key, "the name of a member is expected, not %s", kindOf(key))
		case f == nil:
			return atNode(key, "there is no member %q here", clip(key.Value))
		case seen[key.Value]:
			return atNode(key, "member %s stands there twice", key.Value)
		case value.Kind == yaml.AliasNode || key.Value == "<<":
			return atNode(value, "aliases are not taken: say it in full, or once for all cases")
		}
		seen[key.Value] = true
		if err := f(value); err != nil {
			return err
		}
	}
	return nil
}

// each reads a list.
func each(n *yaml.Node, what string, one func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return atNode(n, "a list of %s is expected, not %s", what, kindOf(n))
	}
	for _, item := range n.Content {
		if item.Kind == yaml.AliasNode {
			return atNode(item, "aliases are not taken: say it in full, or once for all cases")
		}
		if err := one(item); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%q", clip(n.Value))
}

// scalar is the text of a plain value, as it is written: account numbers keep their zeros, versions stay texts.
func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", atNode(n, "a text is expected, not %s", kindOf(n))
	}
	return n.Value, nil
}

func stringInto(into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) (err error) {
		if *into, err = scalar(n); err == nil && *into == "" {
			err = atNode(n, "the text is empty")
		}
		return err
	}
}

func callerInto(into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if err := stringInto(into)(n); err != nil {
			return err
		}
		if _, err := ParseCaller(*into); err != nil {
			return atNode(n, "%s", err)
		}
		return nil
	}
}

func boolInto(into *bool) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			return atNode(n, "true or false is expected, not %s", kindOf(n))
		}
		*into = n.Value == "true"
		return nil
	}
}

// pathInto reads the name of a file, which is relative to the suite's. Names of AWS's policies stay as they are.
func (r *suiteReader) pathInto(into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if err := stringInto(into)(n); err != nil {
			return err
		}
		if !awspolicy.Is(*into) && *into != "FullAWSAccess" && *into != fullRCP && !filepath.IsAbs(*into) {
			*into = filepath.Join(r.dir, *into)
		}
		return nil
	}
}

// contextInto reads context keys: a text, a list for a key that may have several values, null for a key that is absent.
func contextInto(into *[]Key) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.MappingNode {
			return atNode(n, "context keys are expected, as key: value, not %s", kindOf(n))
		}
		keys := make([]Key, 0, len(n.Content)/2)
		seen := map[string]bool{}
		for i := 0; i < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			k := Key{Name: name.Value}
			switch {
			case name.Kind != yaml.ScalarNode || k.Name == "<<":
				return atNode(name, "the name of a context key is expected, not %s", kindOf(name))
			case seen[k.Name]:
				return atNode(name, "context key %q stands there twice", clip(k.Name))
			case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			case value.Kind == yaml.ScalarNode:
				k.Values = []string{value.Value}
			default:
				k.Multi = true
				if err := each(value, "values", func(n *yaml.Node) error {
					v, err := scalar(n)
					k.Values = append(k.Values, v)
					return err
				}); err != nil {
					return err
				}
			}
			seen[k.Name] = true
			keys = append(keys, k)
		}
		*into = keys
		return nil
	}
}

// grantee turns the words for groups into S3's URIs.
func grantee(s string) string {
	switch s {
	case "AllUsers":
		return policy.AllUsers
	case "AuthenticatedUsers":
		return policy.AuthenticatedUsers
	}
	return s
}

// jsonOf prints a node as JSON: true and false as they are, every other plain value as a string, as AWS takes them too.
func jsonOf(n *yaml.Node) (string, error) {
	var b strings.Builder
	err := printNode(&b, n, 0)
	return b.String(), err
}

func printNode(b *strings.Builder, n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return atNode(n, "nested deeper than %d levels", maxDepth)
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			if n.Content[i].Kind != yaml.ScalarNode {
				return atNode(n.Content[i], "the name of a member is expected, not %s", kindOf(n.Content[i]))
			}
			printText(b, n.Content[i].Value)
			b.WriteByte(':')
			if err := printNode(b, n.Content[i+1], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := printNode(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case yaml.ScalarNode:
		switch {
		case n.Tag == "!!null":
			return atNode(n, "a value is expected, not nothing")
		case n.Tag == "!!bool" && (n.Value == "true" || n.Value == "false"):
			b.WriteString(n.Value)
		default:
			printText(b, n.Value)
		}
	default:
		return atNode(n, "aliases are not taken: say it in full, or once for all cases")
	}
	return nil
}

// printText prints a JSON string. Of Go's own encoding the escapes of <, > and & are left out, so that faults name what was written.
func printText(b *strings.Builder, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string it does not fail; the line end behind it is white space
}
