package product

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestCatalogDenies(t *testing.T) {
	t.Parallel()
	const own, other = "111111111111", "222222222222"
	for v, want := range map[catalog.Verdict]struct{ user, root, elsewhere bool }{
		catalog.Known:          {},
		catalog.UnknownService: {true, false, true},
		catalog.UnknownAction:  {true, false, true},
		catalog.WrongResource:  {true, true, true},
		catalog.NoResource:     {true, true, true},
	} {
		user, root := policy.Caller{Kind: policy.UserCaller, Account: own}, policy.Caller{Kind: policy.RootCaller, Account: own}
		if got := CatalogDenies(v, &user, own); got != want.user {
			t.Errorf("%s, a user: %t", v, got)
		}
		if got := CatalogDenies(v, &root, own); got != want.root {
			t.Errorf("%s, root: %t", v, got)
		}
		if got := CatalogDenies(v, &root, other); got != want.elsewhere {
			t.Errorf("%s, root elsewhere: %t", v, got)
		}
	}
}
