package catalog

import (
	"fmt"
	"strings"
)

// Service is a service and all that belongs to it.
type Service struct {
	Prefix string // of its actions, in lower case: "s3"
	Name   string // "Amazon S3"
	RCP    bool   // resource control policies reach it (docs/spec/evaluation.md 6.2)

	actions []*Action
	byName  map[string]*Action // by the name in lower case
	types   []*ResourceType
	keys    []Key
	forms   forms
	added   forms // of extensions

	extensions []*serviceText // of a service of AWS's
}

// Actions are in the order of their names.
func (s *Service) Actions() []*Action { return s.actions }

// Action finds an action by its name without prefix. ASCII case is ignored. It is nil where there is none.
func (s *Service) Action(name string) *Action {
	var folded [maxName]byte
	if len(name) > len(folded) {
		return nil
	}
	for i := range len(name) {
		folded[i] = lower(name[i])
	}
	return s.byName[string(folded[:len(name)])]
}

// ResourceTypes are in the order of their names.
func (s *Service) ResourceTypes() []*ResourceType { return s.types }

// ResourceType finds a type by its name, exactly. It is nil where there is none.
func (s *Service) ResourceType(name string) *ResourceType {
	for _, t := range s.types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Keys are the condition keys of its actions and resource types, in the order of their names. The global keys, which every action
// takes, are not among them unless the service is known to fill them.
func (s *Service) Keys() []Key { return s.keys }

// Level says what kind of access an action is.
type Level uint8

// AWS's five levels.
const (
	LevelList Level = iota
	LevelRead
	LevelWrite
	LevelTagging
	LevelPermissionsManagement
)

var levels = [...]string{"List", "Read", "Write", "Tagging", "Permissions management"}

// String gives AWS's words.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return fmt.Sprintf("Level(%d)", l)
}

// Action is something that can be done.
type Action struct {
	Service   *Service
	Name      string // without prefix: "GetObject"
	Level     Level
	Resources []ActionResource // the types it acts on; none for an action that takes "*" only
	Keys      []string         // condition keys of the action itself
	Dependent []Dependent      // other actions that the caller may need too
}

// String is the action as requests and policies name it: "s3:GetObject".
func (a *Action) String() string { return a.Service.Prefix + ":" + a.Name }

// ActionResource is a resource type on which an action acts.
type ActionResource struct {
	Type *ResourceType
	// Required says that every call has a resource of the type. Others are checked where the call names one
	// (docs/spec/evaluation.md 7, item 3).
	Required bool
	Keys     []string // condition keys of the action on this type
}

// Dependent is an action that is checked on its own beside the one that has it (docs/spec/evaluation.md 7, items 5 and 6).
type Dependent struct {
	Action string // "iam:PassRole"
	When   string // what a call does to need it, in words
}

// ResourceType is a kind of resource.
type ResourceType struct {
	Service *Service
	Name    string // "bucket"
	// ARN is the form of its ARNs, "arn:${Partition}:s3:::${BucketName}"; several forms have ", " between them.
	ARN  string
	Keys []string // condition keys of every action on it
	// NeedsResourcePolicy says that nobody reaches such a resource but through its policy (docs/spec/evaluation.md 4.2).
	NeedsResourcePolicy bool
}

// Key is a condition key.
type Key struct {
	Name string // "s3:prefix"; parts that stand for anything are as in "aws:ResourceTag/${TagKey}"
	// Type is String, ARN, Bool, Numeric, Date, IPAddress or Binary, or ArrayOf and one of these for a key with many values.
	Type string
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
