package policy

// CallerKind is what kind of identity asks (docs/spec/policy-language.md 8.2). The zero value is nobody that a Principal can name.
type CallerKind uint8

// The kinds of callers.
const (
	RootCaller      CallerKind = iota + 1 // the root user of an account
	UserCaller                            // an IAM user, with its own key or with GetSessionToken credentials
	RoleCaller                            // a session of a role
	FederatedCaller                       // a GetFederationToken session
	ServiceCaller                         // a service that calls for itself
	ProviderCaller                        // an identity provider, in the unsigned AssumeRoleWith… calls only
	AnonymousCaller                       // an unsigned request
)

// Caller is who asks, as Principal and NotPrincipal elements see it.
type Caller struct {
	Kind    CallerKind
	Account string // "" for services, providers and anonymous callers
	// ID and ARN are those of the user or the role; of a FederatedCaller those of the user that issued the session, "" where root did.
	ID, ARN   string
	Session   string   // RoleCaller and FederatedCaller: the ARN of the session
	Names     []string // ServiceCaller: the names of the service; ProviderCaller: the provider
	Canonical string   // canonical user id of the account, "" where there is none
	// ServiceLinked: a RoleCaller whose role is a service-linked one. No SCP, RCP or boundary is consulted (docs/spec/evaluation.md 6.9).
	ServiceLinked bool
}

// hasAccount says whether callers of the kind belong to an account.
func (k CallerKind) hasAccount() bool { return k >= RootCaller && k <= FederatedCaller }

// withoutAccount says whether callers of the kind belong to none. Of those of no kind nothing says that they do not.
func (k CallerKind) withoutAccount() bool { return k != 0 && !k.hasAccount() }

// boundBySCP says whether service control policies limit callers of the kind: those who belong to an account, and those of no kind, for
// whom nothing says that they do not.
func (k CallerKind) boundBySCP() bool { return !k.withoutAccount() }
