package product

import (
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// CatalogDenies says whether the caller may not do what the catalogue says that of, whatever policies say: the root user, in its own account, may do
// what nobody knows (docs/spec/evaluation.md 7, items 7 and 8).
func CatalogDenies(v catalog.Verdict, caller *policy.Caller, owner string) bool {
	switch v {
	case catalog.Known:
		return false
	case catalog.UnknownService, catalog.UnknownAction:
		return caller.Kind != policy.RootCaller || owner != caller.Account
	}
	return true
}
