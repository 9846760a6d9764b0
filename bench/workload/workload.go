package workload

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Workload is a set of policies with requests whose answers are known.
type Workload struct {
	Name     string              `json:"name"`
	Timed    int                 `json:"timed"` // the first requests: those that are timed; the rest are probes
	Policies map[string][]Policy `json:"policies"`
	Requests []Request           `json:"requests"`
}

// Policy is an identity policy of a principal.
type Policy struct {
	Name     string          `json:"name"`
	Document json.RawMessage `json:"document"`
}

// Document is the JSON of a policy, as far as the workloads use the language.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one statement of a policy.
type Statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"` // operator, key, values
}

// Denies says whether the statement is a Deny.
func (s *Statement) Denies() bool { return s.Effect == "Deny" }

// Conditions are the conditions in a fixed order.
func (s *Statement) Conditions() []Condition {
	var list []Condition
	for operator, keys := range s.Condition {
		for key, values := range keys {
			list = append(list, Condition{operator, key, values})
		}
	}
	slices.SortFunc(list, func(a, b Condition) int {
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return strings.Compare(a.Operator, b.Operator)
	})
	return list
}

// Condition is one operator with one key.
type Condition struct {
	Operator, Key string
	Values        []string
}

// Request is one check.
type Request struct {
	Principal string   `json:"principal"`
	Action    string   `json:"action"`
	Resource  string   `json:"resource"`
	Context   *Context `json:"context"`
	Expect    bool     `json:"expect"` // allowed
}

// Bucket and Object are the parts of the resource, for engines that take them apart. Object is "" for a bucket.
func (r *Request) Bucket() string {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.Resource, arnPrefix), "/")
	return bucket
}

// Object is what follows the bucket.
func (r *Request) Object() string {
	_, object, _ := strings.Cut(strings.TrimPrefix(r.Resource, arnPrefix), "/")
	return object
}

const arnPrefix = "arn:aws:s3:::"

// Context are the keys of a request with their values, all of them text. Requests may share one.
type Context struct {
	Pairs []Pair // by key
}

// Pair is one key with its value.
type Pair struct{ Key, Value string }

// Map is the context as a new map.
func (c *Context) Map() map[string]string {
	m := make(map[string]string, len(c.Pairs))
	for _, p := range c.Pairs {
		m[p.Key] = p.Value
	}
	return m
}

// UnmarshalJSON reads an object of strings.
func (c *Context) UnmarshalJSON(text []byte) error {
	var m map[string]string
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	*c = *newContext(m)
	return nil
}

func newContext(m map[string]string) *Context {
	c := &Context{}
	for k, v := range m {
		c.Pairs = append(c.Pairs, Pair{k, v})
	}
	slices.SortFunc(c.Pairs, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return c
}

// Wide says whether the workload has many principals, so that finding the one who asks is part of the work.
func (w *Workload) Wide() bool { return len(w.Policies) > 1 }

// Read reads a workload of dir.
func Read(dir, name string) (*Workload, error) {
	file := filepath.Join(dir, name+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	w := &Workload{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if w.Timed <= 0 || w.Timed > len(w.Requests) {
		return nil, fmt.Errorf("%s: %d of %d requests are timed", file, w.Timed, len(w.Requests))
	}
	return w, nil
}

// Statements are all statements of policies, in order.
func Statements(policies []Policy) ([]Statement, error) {
	var list []Statement
	for _, p := range policies {
		var d Document
		if err := json.Unmarshal(p.Document, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		list = append(list, d.Statement...)
	}
	return list, nil
}

// document is the policy with these statements.
func document(name string, statements []Statement) Policy {
	text, err := json.Marshal(Document{Version: "2012-10-17", Statement: statements})
	if err != nil {
		panic(err) // strings and lists of strings
	}
	return Policy{Name: name, Document: text}
}

// Contexts maps the contexts of requests, each once, to what an engine takes for it.
func Contexts[T any](requests []Request, convert func(*Context) T) []T {
	seen := map[*Context]T{}
	list := make([]T, len(requests))
	for i := range requests {
		c := requests[i].Context
		t, ok := seen[c]
		if !ok {
			t = convert(c)
			seen[c] = t
		}
		list[i] = t
	}
	return list
}
