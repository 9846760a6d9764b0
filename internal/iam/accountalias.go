package iam

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerAccountAlias(r *service.Registry) {
	service.Write(r, iamapi.OpCreateAccountAlias, onNewAccountAlias, createAccountAlias, andDirectory)
	service.Write(r, iamapi.OpDeleteAccountAlias, service.Account, deleteAccountAlias, andDirectory)
	service.Read(r, iamapi.OpListAccountAliases, service.Account, listAccountAliases)
}

// onNewAccountAlias refuses, like the other constraints before authorization, what a sign-in address could not tell from an account id
// (docs/spec/wire.md 8). AWS's text is not known.
func onNewAccountAlias(c *service.Call, r state.Reader, in *iamapi.CreateAccountAliasRequest) ([]authz.Target, error) {
	if alias := *in.AccountAlias; len(alias) == 12 && strings.Trim(alias, "0123456789") == "" {
		return nil, wire.ValidationError.New("The specified value for accountAlias is invalid. It must not be 12 digits, as account ids are.")
	}
	return service.Account(c, r, in)
}

// andDirectory: aliases are unique over all accounts.
func andDirectory(*service.Call) []string { return []string{state.DirectoryUnit} }

func aliasEntry(alias, account string) *state.DirectoryName {
	n := &state.DirectoryName{Kind: "alias", Name: alias}
	n.Account = account
	return n
}

// createAccountAlias replaces an alias that the account has already.
func createAccountAlias(c *service.Call, tx *state.Tx, in *iamapi.CreateAccountAliasRequest) (*wire.Empty, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	alias := *in.AccountAlias
	switch tx.Directory().AccountOfAlias(alias) {
	case a.ID:
		return nil, nil
	case "":
	default:
		return nil, iamapi.EntityAlreadyExists.New("The account alias %s already exists.", alias)
	}
	setAlias(tx, a, alias)
	return nil, nil
}

func deleteAccountAlias(c *service.Call, tx *state.Tx, in *iamapi.DeleteAccountAliasRequest) (*wire.Empty, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	if a.Record().Alias != *in.AccountAlias {
		return nil, iamapi.NoSuchEntity.New("The account alias %s cannot be found.", *in.AccountAlias)
	}
	setAlias(tx, a, "")
	return nil, nil
}

// setAlias keeps the account's record and the directory in step. An empty alias is none.
func setAlias(tx *state.Tx, a *state.Account, alias string) {
	rec := a.Record().Clone()
	if rec.Alias != "" {
		tx.Delete(state.DirectoryUnit, aliasEntry(rec.Alias, a.ID))
	}
	rec.Alias = alias
	tx.Put(a.Unit(), rec)
	if alias != "" {
		tx.Put(state.DirectoryUnit, aliasEntry(alias, a.ID))
	}
}

func listAccountAliases(c *service.Call, r state.Reader, _ *iamapi.ListAccountAliasesRequest) (*iamapi.ListAccountAliasesResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListAccountAliasesResponse{AccountAliases: []string{}, IsTruncated: new(false)}
	if alias := a.Record().Alias; alias != "" {
		out.AccountAliases = append(out.AccountAliases, alias)
	}
	return out, nil
}
