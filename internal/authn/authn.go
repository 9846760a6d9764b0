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

// UsageID is under which id the use of the caller's credentials is remembered; "" = it is not. A long-term key counts for itself, a role
// session for its role. The user's own sessions and federated users count for nothing: their keys come and go, and AWS's last use of an
// access key is that of the key itself.
func (c *Caller) UsageID() string {
	switch {
	case c.Session == nil:
		return c.AccessKeyID
	case c.Kind == state.RoleSession:
		return c.ID
	}
	return ""
}

// Authenticator checks signatures. Use New.
type Authenticator struct {
	Vault    *Vault
	sessions *session.Keeper
	log      *slog.Logger
	keys     *sigv4.KeyCache[identity]
}

// New makes an authenticator that opens secrets with the vault and session tokens with the keeper.
func New(v *Vault, sessions *session.Keeper, log *slog.Logger) *Authenticator {
	return &Authenticator{Vault: v, sessions: sessions, log: log, keys: sigv4.NewKeyCache[identity](signingKeys)}
}

// expectations of the services, by signing name (docs/spec/wire.md 2, "Clock window" and "Scope region"). STS has an endpoint in every
// region; the others sign for the partition's global region, Access Analyzer and our own API for any.
var expectations = map[string]*sigv4.Expect{
	"iam":             {Service: "iam", Regions: []string{"us-east-1"}},
	"sts":             {Service: "sts", AnyRegion: true},
	"organizations":   {Service: "organizations", Regions: []string{"us-east-1"}, Window: 5 * time.Minute},
	"access-analyzer": {Service: "access-analyzer", AnyRegion: true, Window: 5 * time.Minute},
	"gatehouse":       {Service: "gatehouse", AnyRegion: true, Window: 5 * time.Minute},
}

// unidentified is what a request must meet whose service could not be told.
var unidentified = expectations["iam"]

// Authenticate checks the signature of a request against the keys in v, then whether credentials of that kind may call the operation at all.
// Errors are those of docs/spec/wire.md 4.2, in the order of 1.8, and the refusals of docs/spec/evaluation.md 4.4. q.Service may be nil.
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
	find := a.longTerm
	if claim.SessionToken != "" {
		find = a.temporary
	}
	caller, with, err := find(v, claim, now)
	if err != nil {
		return Caller{}, err
	}
	if !admitted(&caller, q.Service) {
		return Caller{}, invalidToken()
	}
	if err := a.verify(v, q, claim, expect, with); err != nil {
		return Caller{}, err
	}
	if err := refused(&caller, q.Operation); err != nil {
		return Caller{}, err
	}
	return caller, nil
}

// signer is what a secret is read from: a stored key or an opened session.
type signer struct {
	account *state.Account // of key
	key     *state.AccessKey
	session *session.Session
}

// identity tells secrets apart. Derived keys are remembered with it, so that a key id which comes to mean another secret never meets the key
// of the one before. Of a session it holds the secret alone: the session itself may be large, and is forgotten by other rules.
type identity struct {
	key    *state.AccessKey
	secret string
}

func (s signer) identity() identity {
	if s.session != nil {
		return identity{secret: s.session.Secret.Reveal()}
	}
	return identity{key: s.key}
}

func (a *Authenticator) secret(v *state.View, s signer) (keyring.Secret, error) {
	if s.session != nil {
		return s.session.Secret, nil
	}
	return a.Vault.openAccessKey(v, s.account, s.key)
}

// verify compares the signature.
func (a *Authenticator) verify(v *state.View, q *wire.Request, claim *sigv4.Claim, expect *sigv4.Expect, with signer) *wire.Error {
	var derived sigv4.Key
	identity := with.identity()
	prepared := a.keys.Prepared(claim.AccessKeyID, claim.Scope, identity)
	cached := prepared != nil
	if !cached {
		secret, err := a.secret(v, with)
		if err != nil {
			a.log.Error("an access key's secret cannot be opened", "account", with.account.ID, "access_key", with.key.Id, "error", err)
			return wire.InternalFailure.New(wire.InternalFailureText)
		}
		derived = sigv4.DeriveKey(secret.Reveal(), claim.Scope)
		prepared = derived.Prepare()
	}
	if err := claim.VerifyPrepared(q.HTTP, q.Body, prepared, expect); err != nil {
		return fault(err)
	}
	if !cached {
		a.keys.Put(claim.AccessKeyID, claim.Scope, identity, derived)
	}
	return nil
}

// longTerm finds the owner of a stored access key.
func (a *Authenticator) longTerm(v *state.View, claim *sigv4.Claim, _ time.Time) (Caller, signer, *wire.Error) {
	account, key := find(v, claim.AccessKeyID)
	if key == nil || !key.Active() {
		return Caller{}, signer{}, invalidToken()
	}
	caller := Caller{AccessKeyID: key.Id, Region: claim.Scope.Region}
	var ok bool
	if caller.Principal, ok = userOrRoot(account, key.Owner); !ok {
		return Caller{}, signer{}, invalidToken()
	}
	return caller, signer{account: account, key: key}, nil
}

// userOrRoot is the user with that unique id, or the root user, as they are now.
func userOrRoot(a *state.Account, id string) (state.Principal, bool) {
	if id == a.ID {
		return state.Principal{Kind: state.RootUser, Account: a.ID, ID: a.ID}, true
	}
	u := a.User(id)
	if u == nil {
		return state.Principal{}, false
	}
	return state.Principal{Kind: state.IAMUser, Account: a.ID, ID: u.Id, Path: u.Path, Name: u.Name}, true
}

// Claim reads what a request says of its signer; nothing in it is proven.
func Claim(r *http.Request) (sigv4.Claim, error) { return sigv4.Parse(r) }

// find looks an access key up: ids that Gatehouse made name their account, others stand in the directory.
func find(v state.Reader, id string) (*state.Account, *state.AccessKey) {
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
