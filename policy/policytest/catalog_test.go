package policytest_test

import (
	"os"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

// outsideCatalog are the cases about the language alone, whose request no server would let through: the catalogue says what is written
// here of them (docs/spec/evaluation.md 7, items 7 and 8).
var outsideCatalog = map[string]catalog.Verdict{
	"V1": catalog.WrongResource, "V2": catalog.WrongResource, "V3": catalog.WrongResource, "V4": catalog.WrongResource, "V5": catalog.WrongResource,
	"resource-empty-request":        catalog.WrongResource,
	"action-prefix-not-crossed":     catalog.UnknownAction,
	"action-backtrack":              catalog.UnknownAction,
	"action-malformed-request-root": catalog.UnknownAction,
	"action-malformed-request":      catalog.UnknownService,
}

// All other cases are about actions and resources that exist, with those of testdata/services.json.
func TestCatalogueKnowsTheCases(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/services.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own, err := catalog.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	known, err := catalog.Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	outside := 0
	for _, c := range load(t) {
		want, listed := outsideCatalog[c.Name]
		if listed {
			outside++
		}
		if got := known.Verdict(c.Action, c.Resource); got != want {
			t.Errorf("%s:%d: %s: %s on %q: %s, want %s", c.File, c.Line, c.Name, c.Action, c.Resource, got, want)
		}
	}
	if outside != len(outsideCatalog) {
		t.Errorf("%d of the %d cases that are listed exist", outside, len(outsideCatalog))
	}
}
