package gatehouse_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/server"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

var update = flag.Bool("update", false, "write what is generated: a part of README.md, testdata/api")

// modelled is how many operations the models have (models/README.md). A model that loses one must not make the list look complete.
var modelled = map[string]int{"iam": 176, "sts": 11, "organizations": 63, "access-analyzer": 39, "gatehouse": 3}

const listFile = "unimplemented.txt"

func served() map[string]bool {
	set := map[string]bool{}
	for _, op := range server.Operations() {
		set[op.Action()] = true
	}
	return set
}

// Each operation of the models is served, or stands in unimplemented.txt with its reason; never both, never neither.
func TestEveryOperationIsServedOrListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(listFile)
	if err != nil {
		t.Fatal(err)
	}
	listed, problems := readList(string(text))
	for _, p := range problems {
		t.Errorf("%s:%s", listFile, p)
	}
	isServed, known := served(), map[string]bool{}
	if len(isServed) == 0 {
		t.Fatal("the server serves nothing")
	}
	for _, s := range server.Services {
		if len(s.Operations) != modelled[s.ID] {
			t.Errorf("%s has %d operations, the model has %d", s.ID, len(s.Operations), modelled[s.ID])
		}
		for _, op := range s.Operations {
			action := op.Action()
			known[action] = true
			switch {
			case isServed[action] && listed[action]:
				t.Errorf("%s is served: take it out of %s", action, listFile)
			case !isServed[action] && !listed[action]:
				t.Errorf("%s is not served: register it, or list it in %s with the reason", action, listFile)
			}
		}
	}
	if len(server.Services) != len(modelled) {
		t.Errorf("%d services, the models have %d", len(server.Services), len(modelled))
	}
	for _, action := range slices.Sorted(maps.Keys(listed)) {
		if !known[action] {
			t.Errorf("%s lists %s, which no model has", listFile, action)
		}
	}
}

// readList reads lines of "service:Operation reason", sorted, without doubles. problems begin with the number of the line.
func readList(text string) (listed map[string]bool, problems []string) {
	listed = map[string]bool{}
	last := ""
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		action, reason, _ := strings.Cut(line, " ")
		switch {
		case !strings.Contains(action, ":"):
			problems = append(problems, fmt.Sprintf("%d: %q is no action", i+1, action))
		case strings.TrimSpace(reason) == "":
			problems = append(problems, fmt.Sprintf("%d: %s has no reason", i+1, action))
		case listed[action]:
			problems = append(problems, fmt.Sprintf("%d: %s twice", i+1, action))
		case action < last:
			problems = append(problems, fmt.Sprintf("%d: %s stands behind %s: keep the list sorted", i+1, action, last))
		}
		listed[action], last = true, action
	}
	return listed, problems
}

func TestReadList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"iam:A a reason\niam:B another\n": "",
		"iam:A\n":                         "1: iam:A has no reason",
		"A why\n":                         `1: "A" is no action`,
		"iam:B b\niam:A a\n":              "2: iam:A stands behind iam:B: keep the list sorted",
		"iam:A a\niam:A a\n":              "2: iam:A twice",
	} {
		if _, problems := readList(text); strings.Join(problems, "\n") != want {
			t.Errorf("%q: got %q, want %q", text, problems, want)
		}
	}
}

// entity sorts operations by what they are about, for people who look for something. The first that fits counts.
type entity struct {
	name string
	ops  *regexp.Regexp
}

var entities = []entity{
	{"Policy simulators", regexp.MustCompile(`^iam:(Simulate|GetContextKeysFor)(Custom|Principal)Policy$`)},
	{"Access keys", regexp.MustCompile(`^iam:.*AccessKey`)},
	{"Inline policies", regexp.MustCompile(`^iam:(Put|Get|Delete|List)(User|Group|Role)Polic(y|ies)$`)},
	{"Attached policies", regexp.MustCompile(`^iam:(Attach|Detach|ListAttached|ListEntitiesForPolicy)`)},
	{"Groups", regexp.MustCompile(`^iam:.*Group`)},
	{"Users", regexp.MustCompile(`^iam:.*User(s|Tags|PermissionsBoundary)?$`)},
	{"Roles", regexp.MustCompile(`^iam:.*Role(s|Tags|Description|Policy|PermissionsBoundary)?$`)},
	{"Managed policies", regexp.MustCompile(`^iam:(Create|Get|List|Delete|Tag|Untag|SetDefault)Polic(y|ies)(Versions?|Tags|GrantingServiceAccess)?$`)},
	{"Account", regexp.MustCompile(`^iam:.*Account(Alias|Aliases|Summary|AuthorizationDetails)$`)},
	{"Sessions", regexp.MustCompile(`^sts:(AssumeRole|Get(Session|Federation)Token)$`)},
	{"Decisions for other programs, and why", regexp.MustCompile(`^gatehouse:(Authorize|Explain|WhoCan)$`)},
	{"Encoded denials", regexp.MustCompile(`^sts:DecodeAuthorizationMessage$`)},
	{"Identity of the caller", regexp.MustCompile(`^sts:Get(CallerIdentity|AccessKeyInfo)$`)},
}

func entityOf(action string) (int, bool) {
	for i, e := range entities {
		if e.ops.MatchString(action) {
			return i, true
		}
	}
	return 0, false
}

const (
	tableBegin = "<!-- generated by `make generate`: begin -->\n"
	tableEnd   = "<!-- generated by `make generate`: end -->\n"
)

// The table of what works says what is registered. With -update it is written, otherwise compared.
func TestReadmeTable(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := bytes.Cut(readme, []byte(tableBegin))
	old, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok1 || !ok2 {
		t.Fatalf("README.md has no lines %q and %q", tableBegin, tableEnd)
	}
	fresh, err := workTable(server.Services, served())
	if err != nil {
		t.Fatal(err)
	}
	if string(old) == fresh {
		return
	}
	if !*update {
		t.Fatalf("the table of what works in README.md is old: run make generate. It should be:\n%s", fresh)
	}
	text := slices.Concat(before, []byte(tableBegin), []byte(fresh), []byte(tableEnd), after)
	if err := os.WriteFile("README.md", text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func workTable(services []*wire.Service, isServed map[string]bool) (string, error) {
	var b strings.Builder
	b.WriteString("| API | Operations | Working |\n| --- | --- | --- |\n")
	type group struct {
		service *wire.Service
		entity  int
		ops     []string
	}
	var groups []group
	for _, s := range services {
		n := 0
		byEntity := map[int][]string{}
		for _, op := range s.Operations {
			if !isServed[op.Action()] {
				continue
			}
			n++
			i, ok := entityOf(op.Action())
			if !ok {
				return "", fmt.Errorf("%s fits no entity in completeness_test.go: add one", op.Action())
			}
			byEntity[i] = append(byEntity[i], op.Name)
		}
		fmt.Fprintf(&b, "| %s (%s) | %d | %d |\n", s.Name, s.APIVersion, len(s.Operations), n)
		for _, i := range slices.Sorted(maps.Keys(byEntity)) {
			groups = append(groups, group{s, i, byEntity[i]})
		}
	}
	b.WriteString("\n| About | API | Operations that work |\n| --- | --- | --- |\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", entities[g.entity].name, g.service.ID, strings.Join(g.ops, ", "))
	}
	return b.String(), nil
}
