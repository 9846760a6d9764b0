package authn

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// signingKeys is how many derived keys are kept: one for each access key, day, region and service in use.
const signingKeys = 1 << 15

// Caller is who signed a request.
type Caller struct {
	state.Principal
	AccessKeyID string
	Region      string           // of the credential scope
	Session     *session.Session // what the session token says; nil for a long-term key
}

// Authenticator checks signatures. Use New.
type Authenticator struct {
	Vault *Vault
	log   *slog.Logger
	keys  *sigv4.KeyCache[*state.AccessKey]
}

// New makes an authenticator that opens secrets with the vault.
func New(v *Vault, log *slog.Logger) *Authenticator {
	return &Authenticator{Vault: v, log: log, keys: sigv4.NewKeyCache[*state.AccessKey](signingKeys)}
}

// expectations of the services, by signing name (docs/spec/wire.md 2, "Clock window" and "Scope region"). STS has an endpoint in every
// region; the others sign for the partition's global region, Access Analyzer for any.
var expectations = map[string]*sigv4.Expect{
	"iam":             {Service: "iam", Regions: []string{"us-east-1"}},
	"sts":             {Service: "sts", AnyRegion: true},
	"organizations":   {Service: "organizations", Regions: []string{"us-east-1"}, Window: 5 * time.Minute},
	"access-analyzer": {Service: "access-analyzer", AnyRegion: true, Window: 5 * time.Minute},
}

// unidentified is what a request must meet whose service could not be told.
var unidentified = expectations["iam"]

// Authenticate checks the signature of a request against the keys in v. Errors are those of docs/spec/wire.md 4.2, in the order of 1.8.
// q.Service may be nil.
func (a *Authenticator) Authenticate(v *state.View, q *wire.Request, claim *sigv4.Claim, claimErr error, now time.Time) (Caller, *wire.Error) {
	if claimErr != nil {
		return Caller{}, fault(claimErr)
	}
	expect := unidentified
	if q.Service != nil {
		expect = expectations[q.Service.SigningName]
	}
	if err := claim.CheckScope(expect, now); err != nil {
		return Caller{}, fault(err)
	}
	account, key := find(v, claim.AccessKeyID)
	if key == nil || !key.Active() || claim.SessionToken != "" {
		return Caller{}, invalidToken()
	}
	caller := Caller{AccessKeyID: key.Id, Region: claim.Scope.Region}
	if key.Owner == account.ID {
		caller.Principal = state.Principal{Kind: state.RootUser, Account: account.ID, ID: account.ID}
	} else {
		u := account.User(key.Owner)
		if u == nil {
			return Caller{}, invalidToken()
		}
		caller.Principal = state.Principal{Kind: state.IAMUser, Account: account.ID, ID: u.Id, Path: u.Path, Name: u.Name}
	}
	var derived sigv4.Key
	prepared := a.keys.Prepared(key.Id, claim.Scope, key)
	cached := prepared != nil
	if !cached {
		secret, err := a.Vault.openAccessKey(v, account, key)
		if err != nil {
			a.log.Error("an access key's secret cannot be opened", "account", account.ID, "access_key", key.Id, "error", err)
			return Caller{}, wire.InternalFailure.New(wire.InternalFailureText)
		}
		derived = sigv4.DeriveKey(secret.Reveal(), claim.Scope)
		prepared = derived.Prepare()
	}
	if err := claim.VerifyPrepared(q.HTTP, q.Body, prepared, expect); err != nil {
		return Caller{}, fault(err)
	}
	if !cached {
		a.keys.Put(key.Id, claim.Scope, key, derived)
	}
	return caller, nil
}

// Claim reads what a request says of its signer; nothing in it is proven.
func Claim(r *http.Request) (sigv4.Claim, error) { return sigv4.Parse(r) }

// find looks an access key up: ids that Gatehouse made name their account, others stand in the directory.
func find(v *state.View, id string) (*state.Account, *state.AccessKey) {
	if account, ok := keyring.AccountOfAccessKeyID(id); ok {
		if a := v.Account(account); a != nil {
			if k := a.AccessKey(id); k != nil {
				return a, k
			}
		}
	}
	if a := v.Account(v.Directory().AccountOfKey(id)); a != nil {
		return a, a.AccessKey(id)
	}
	return nil, nil
}

func invalidToken() *wire.Error {
	return wire.InvalidClientTokenId.New("The security token included in the request is invalid.")
}

// fault gives the wire's name to what sigv4 found.
func fault(err error) *wire.Error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		panic(fmt.Sprintf("authn: %v", err)) // a mistake in this package, not of the request
	}
	switch e.Kind {
	case sigv4.MissingAuthenticationToken:
		return wire.MissingAuthenticationToken.New(literal, e.Message)
	case sigv4.IncompleteSignature:
		return wire.IncompleteSignature.New(literal, e.Message)
	case sigv4.MalformedQuery:
		return wire.MalformedQueryString.New(literal, e.Message)
	default:
		return wire.SignatureDoesNotMatch.New(literal, e.Message)
	}
}

const literal = "%s" // the message may hold percent signs of the request
