package authz

import (
	queue "container/list"
	"strings"
	"sync"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// bounds say how much is kept of the denials, in number and in bytes: of all accounts together, and of one.
type bounds struct{ denials, bytes, ofAccount, bytesOfAccount int }

// How many denials are kept: of all accounts together, and of one.
const (
	KeptDenials          = 16384
	KeptDenialsOfAccount = KeptDenials / 4
)

// A quarter is for one account, so that a program that is denied again and again drives out denials of its own account only. A denial weighs
// one to five KB, so that it is their number that counts. The bytes are for those that come with policies of their own, and for
// principals that are gone from the store: what they had is held by nothing else then.
var ordinaryBounds = bounds{denials: KeptDenials, bytes: 64 << 20, ofAccount: KeptDenialsOfAccount, bytesOfAccount: 16 << 20}

// records are the last denials, by id.
type records struct {
	bounds   bounds
	mu       sync.Mutex
	byID     map[string]*kept
	accounts map[string]*share
	order    queue.List // of *kept, oldest first
	bytes    int
}

// share is what an account has of the records.
type share struct {
	order queue.List // of *kept, oldest first
	bytes int
	sets  map[*policy.Set]*holding
}

// holding is a set that several denials of an account refer to.
type holding struct{ references, weight int }

type kept struct {
	id, account    string
	denial         *Denial
	weight         int           // beside that of its sets
	sets           []*policy.Set // that count for the account
	place, inShare *queue.Element
}

func (z *records) init(b bounds) {
	z.bounds, z.byID, z.accounts = b, map[string]*kept{}, map[string]*share{}
}

// Keep remembers a denial as the decision with that id, which is given once only, for whoever may explain the decisions of the account
// that asked for it. When there is no room it is forgotten before newer ones, first of that account and then of all; one that is larger than
// all the room of an account is not kept, nor one without a Record.
func (z *Authorizer) Keep(account, id string, d *Denial) {
	if d.Record == nil {
		return
	}
	r := &z.records
	k := &kept{id: strings.Clone(id), account: account, denial: d, weight: d.weight()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[k.id] != nil {
		return
	}
	s := r.accounts[account]
	if s == nil {
		s = &share{sets: map[*policy.Set]*holding{}}
		r.accounts[account] = s
	}
	before := s.bytes
	s.add(k)
	r.bytes += s.bytes - before
	k.place = r.order.PushBack(k)
	r.byID[k.id] = k
	for s.order.Len() > r.bounds.ofAccount || s.bytes > r.bounds.bytesOfAccount {
		r.forget(s.order.Front().Value.(*kept))
	}
	for r.order.Len() > r.bounds.denials || r.bytes > r.bounds.bytes {
		r.forget(r.order.Front().Value.(*kept))
	}
}

// Kept is the denial with that id that an account asked for; nil if there is none, or none any more.
func (z *Authorizer) Kept(account, id string) *Denial {
	z.records.mu.Lock()
	defer z.records.mu.Unlock()
	if k := z.records.byID[id]; k != nil && k.account == account {
		return k.denial
	}
	return nil
}

func (z *records) forget(k *kept) {
	s := z.accounts[k.account]
	before := s.bytes
	s.remove(k)
	z.bytes -= before - s.bytes
	z.order.Remove(k.place)
	delete(z.byID, k.id)
	if s.order.Len() == 0 {
		delete(z.accounts, k.account)
	}
}

func (s *share) add(k *kept) {
	for set := range k.denial.Record.sets() {
		h := s.sets[set]
		if h == nil {
			h = &holding{weight: weightOfSet(set)}
			s.sets[set] = h
			s.bytes += h.weight
		}
		h.references++
		k.sets = append(k.sets, set)
	}
	s.bytes += k.weight
	k.inShare = s.order.PushBack(k)
}

func (s *share) remove(k *kept) {
	for _, set := range k.sets {
		h := s.sets[set]
		if h.references--; h.references == 0 {
			s.bytes -= h.weight
			delete(s.sets, set)
		}
	}
	s.bytes -= k.weight
	s.order.Remove(k.inShare)
}

// sets are those that the record refers to.
func (n *Record) sets() func(yield func(*policy.Set) bool) {
	return func(yield func(*policy.Set) bool) {
		for _, list := range [...][]*policy.Set{{n.Sets.Identity, n.Sets.Boundary, n.Sets.Session}, n.Sets.SCP, n.Request.RCP} {
			for _, s := range list {
				if s != nil && !yield(s) {
					return
				}
			}
		}
	}
}

// What things weigh, about, in bytes. Compiled, ordinary policies take about as much as their text again; those made of the shortest
// patterns take more, and an index besides.
const (
	denialWeight = 1536 // the structs, the places in lists and maps
	entryWeight  = 64
	policyWeight = 160
	textWeight   = 7 // times the length of a policy's text
)

func (d *Denial) weight() int {
	r := &d.Record.Request
	return denialWeight + len(d.Principal) + len(r.Resource) + entryWeight*(len(r.Context)+len(r.PolicyContext)+len(r.Grantees)) +
		textOf(r.Context) + textOf(r.PolicyContext) + lengthOf(r.Grantees) + lengthOf(d.Record.Sets.Caller.Names) +
		weightOf(r.ResourcePolicy) + weightOf(r.Endpoint)
}

func weightOfSet(s *policy.Set) int {
	n := entryWeight
	for _, a := range s.Policies() {
		n += weightOf(a)
	}
	return n
}

func weightOf(a *policy.Attached) int {
	switch {
	case a == nil:
		return 0
	case a.Policy == nil:
		return policyWeight
	}
	return policyWeight + textWeight*len(a.Policy.Text())
}
