package authz

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Inquiry asks who of an account can do something: its root user, with its access key; its users, with theirs; and its roles, of each a session
// that was begun at the time of the check without second factor, tags, source identity and session policies.
type Inquiry struct {
	Account string
	// Check is what each of them is asked about. It does not say who asks, and has no session policies.
	Check Query
	// Session is the name of the sessions of roles.
	Session string
	// After is who the answer begins behind; nil: with the first.
	After *Place
	// Max is how many the answer lists, at least 1.
	Max int
}

// Place is a principal's place in the order of answers: the root user, then the users, then the roles, both by name.
type Place struct {
	Kind state.PrincipalKind // RootUser, IAMUser or RoleSession
	Name string              // "" for the root user
}

// Holders are who can, and how.
type Holders struct {
	List  []Holder
	More  bool // there are others behind them
	Total int  // how many can, listed or not
	Asked int  // how many there are in the account
	// Missing are the context keys on which the answer depends and of which the inquiry says nothing: policies read them in statements about
	// the action, and the answer is that for a request without them. They are in order. Cut: there are more.
	Missing []string
	Cut     bool
	// Partial: who can only by further roles may not be among them, since the search came to its bounds (maxChain, maxHops). Whom it
	// names can, and whoever can by itself is named.
	Partial bool
}

// Holder is a principal that can.
type Holder struct {
	Place
	ARN string // of a role that of the role
	// Steps are what it has to do, the last of them the action of the inquiry: those before it assume a role each. There is no shorter way.
	Steps []Step
}

// MaxPrincipals is how many users and roles an account may have for an inquiry: ten times what 50 ms are meant for.
const MaxPrincipals = 100_000

// The other bounds of an inquiry.
const (
	maxChain   = 8       // roles, one assumed with the other. Each level asks everybody again who was not found
	maxHops    = 1 << 20 // decisions whether somebody can assume a role: some seconds of one core
	maxMissing = 100     // keys
	maxWorkers = 4       // cores: others have questions too
)

// What makes an inquiry fail.
var (
	ErrNoAccount         = errors.New("authz: there is no such account")
	ErrTooManyPrincipals = fmt.Errorf("authz: the account has more than %d users and roles", MaxPrincipals)
)

// Objection says in a sentence why nobody but a root user can do that action on that resource, whatever policies say: the catalogue does not know it.
// "" where it does.
func (z *Authorizer) Objection(action, resource string) string {
	if z.catalog == nil {
		return ""
	}
	return z.objection(z.catalog.Verdict(action, resource), action)
}

// WhoCan answers an inquiry with the policies that r sees, which must be for several goroutines. Whoever can by itself can by z.Decide; who cannot,
// but can assume a role that can, is listed with the shortest way, of several the one whose roles come first by name. The answer takes up to
// some seconds; ctx ends it early.
func (z *Authorizer) WhoCan(ctx context.Context, r state.Reader, q *Inquiry) (*Holders, error) {
	w, err := newSearch(z, r, q)
	if err != nil {
		return nil, err
	}
	order := w.byID()
	if err := w.each(ctx, 0, len(order), func(x *asker, i int) { w.directly(x, int(order[i])) }); err != nil {
		return nil, err
	}
	if err := w.chains(ctx); err != nil {
		return nil, err
	}
	return w.answer(ctx)
}

// search is an inquiry while it is answered.
type search struct {
	z       *Authorizer
	r       state.Reader
	q       *Inquiry
	account *state.Account
	member  *state.Membership // of the account; nil if it is in no organization
	all     []candidate       // in the order of answers
	roles   int               // where those begin
	askers  [maxWorkers]asker

	about, assumes *policy.ActionSearch // the inquiry's action, sts:AssumeRole
	hop            Query                // whether a role can be assumed, but for the role and who asks
	hops           int
	partial        bool
	names          keyNames
}

// candidate is a principal of the account.
type candidate struct {
	principal state.Principal
	user      *state.User      // nil for others
	role      *state.Role      // nil for others
	session   *session.Session // of a role
	idle      bool             // none of its policies allows to assume any role
	length    int32            // of the way: 1 and more for who can; 0 for who cannot, as far as was found
	next      int32            // the role to assume, of a way that is longer than 1
}

func newSearch(z *Authorizer, r state.Reader, q *Inquiry) (*search, error) {
	a := r.Account(q.Account)
	if a == nil {
		return nil, ErrNoAccount
	}
	n := 1 + a.UserCount() + a.RoleCount()
	if n-1 > MaxPrincipals {
		return nil, ErrTooManyPrincipals
	}
	w := &search{z: z, r: r, q: q, account: a, member: r.Membership(a.ID), all: make([]candidate, 0, n), names: keyNames{}}
	w.about, w.assumes = policy.NewActionSearch(q.Check.Action), policy.NewActionSearch(assumeRole)
	w.all = append(w.all, candidate{principal: state.Principal{Kind: state.RootUser, Account: a.ID, ID: a.ID}})
	for u := range a.Users("") {
		w.all = append(w.all, candidate{principal: state.Principal{Kind: state.IAMUser, Account: a.ID, ID: u.Id, Path: u.Path, Name: u.Name}, user: u})
	}
	w.roles = len(w.all)
	for role := range a.Roles("") {
		w.all = append(w.all, candidate{
			principal: state.Principal{Kind: state.RoleSession, Account: a.ID, ID: role.Id, Path: role.Path, Name: role.Name, Session: q.Session},
			session:   &session.Session{Claims: session.Claims{Kind: state.RoleSession, Account: a.ID, ID: role.Id, Name: q.Session, Issued: q.Check.Time}},
			role:      role,
		})
	}
	return w, nil
}

// byID are the candidates in the order of the beginnings of their unique ids, as are the lists of the store that are searched for each of them: in
// that order one search goes the way of the one before, through memory that is near.
func (w *search) byID() []int32 {
	type place struct {
		id [2]uint64
		at int32
	}
	places := make([]place, len(w.all))
	for i := range w.all {
		var begin [4 + 16]byte // the first four say what kind of id it is
		copy(begin[:], w.all[i].principal.ID)
		places[i] = place{[2]uint64{binary.BigEndian.Uint64(begin[4:]), binary.BigEndian.Uint64(begin[12:])}, int32(i)}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.id[0], b.id[0]), cmp.Compare(a.id[1], b.id[1])) })
	order := make([]int32, len(places))
	for i := range places {
		order[i] = places[i].at
	}
	return order
}

// directly asks one candidate whether it can by itself.
func (w *search) directly(x *asker, i int) {
	c := &w.all[i]
	m := x.gatherer.of(w, c)
	x.gatherer.readsKeys(w.about)
	if x.ask(w, &w.q.Check, c, m) {
		c.length = 1
	}
}

// asker is a goroutine's own.
type asker struct {
	q        Query
	gatherer gatherer
	list     []int32 // room
	hops     int
}

// ask puts the question to a candidate, of which m is what is known.
func (x *asker) ask(w *search, q *Query, c *candidate, m *memo) bool {
	x.q = *q
	x.q.Principal, x.q.Session = &c.principal, c.session
	k := check{z: w.z, r: w.r, q: &x.q, caller: m, quiet: true}
	k.safely()
	return k.decision.Effect == policy.Allow
}

// portion is how many candidates a goroutine takes at a time.
const portion = 64

// each does something with the candidates from the one to before the other, on several goroutines. Whatever do writes is the candidate's
// or the goroutine's.
func (w *search) each(ctx context.Context, from, to int, do func(x *asker, i int)) error {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers, (to-from+portion-1)/portion)
	var at atomic.Int64
	at.Store(int64(from))
	var faults [maxWorkers]error
	work := func(n int) {
		defer func() {
			if p := recover(); p != nil { // nobody else would stop it from ending the process
				faults[n] = fmt.Errorf("authz: a panic: %v\n%s", p, debug.Stack())
			}
		}()
		x := &w.askers[n]
		for {
			first := int(at.Add(portion)) - portion
			for i := first; i < min(first+portion, to); i++ {
				if err := ctx.Err(); err != nil {
					faults[n] = err
					return
				}
				do(x, i)
			}
			if first+portion >= to {
				return
			}
		}
	}
	var group sync.WaitGroup
	for n := 1; n < workers; n++ {
		group.Go(func() { work(n) })
	}
	if workers > 0 {
		work(0)
	}
	group.Wait()
	for i := range w.askers {
		x := &w.askers[i]
		maps.Copy(w.names, x.gatherer.names)
		w.hops += x.hops
		x.hops = 0
	}
	return errors.Join(faults[:]...)
}

// answer lists the holders.
func (w *search) answer(ctx context.Context) (*Holders, error) {
	out := &Holders{Asked: len(w.all), Partial: w.partial}
	w.names.ofCheck(w)
	out.Missing, out.Cut = w.missing()
	from := w.begin()
	said := map[[2]int32]Step{}
	for i := range w.all {
		c := &w.all[i]
		switch {
		case c.length == 0:
			continue
		case i < from:
		case len(out.List) == w.q.Max:
			out.More = true
		default:
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			out.List = append(out.List, w.holder(int32(i), said))
		}
		out.Total++
	}
	return out, nil
}

// begin is where the candidates behind After begin.
func (w *search) begin() int {
	after := w.q.After
	switch {
	case after == nil:
		return 0
	case after.Kind == state.RootUser:
		return 1
	case after.Kind == state.IAMUser:
		return w.roles - count(w.account.Users(after.Name))
	}
	return len(w.all) - count(w.account.Roles(after.Name))
}

func count[T any](list iter.Seq[T]) int {
	n := 0
	for range list {
		n++
	}
	return n
}
