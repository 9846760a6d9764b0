package authz

import (
	"sync"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Target is what an action is aimed at: one check of docs/spec/evaluation.md 4.2.
type Target struct {
	ARN string // "*" for actions without a resource
}

// Authorizer decides for principals of the store. The zero value is not usable; see New.
type Authorizer struct {
	shards [shardCount]shard
}

const (
	shardCount = 64
	maxMemos   = 4096 // remembered principals of one shard
)

// shard remembers the policy sets of some principals.
type shard struct {
	mu    sync.RWMutex
	memos map[string]memo
}

// memo holds a principal's sets as they were when the account's epoch was this.
type memo struct {
	kind    state.PrincipalKind
	account string
	epoch   storage.Rev
	sets    *policy.Sets
}

// New makes an authorizer that remembers nothing yet.
func New() *Authorizer {
	z := &Authorizer{}
	for i := range z.shards {
		z.shards[i].memos = map[string]memo{}
	}
	return z
}

// Authorize decides whether p may perform action on target, with the policies that r sees. It returns nil if it may, otherwise the denial.
// A principal that r does not know is denied everything.
func (z *Authorizer) Authorize(r state.Reader, p *state.Principal, action string, target Target) *Denial {
	sets := z.setsOf(r, p)
	if sets == nil {
		return &Denial{Principal: p.ARN(), Action: action, Target: target}
	}
	d := policy.Decide(sets, &policy.Request{Action: action, Resource: target.ARN})
	if d.Effect == policy.Allow {
		return nil
	}
	return &Denial{Principal: p.ARN(), Action: action, Target: target, Decision: d}
}

// setsOf gives the policies that apply to p, nil if there is no such principal.
func (z *Authorizer) setsOf(r state.Reader, p *state.Principal) *policy.Sets {
	if p.Kind == state.RootUser {
		if r.Account(p.Account) == nil {
			return nil
		}
		return rootSets
	}
	a := r.Account(p.Account)
	if a == nil {
		return nil
	}
	s := &z.shards[shardOf(p.ID)]
	if a.Epoch != 0 {
		s.mu.RLock()
		m, ok := s.memos[p.ID]
		s.mu.RUnlock()
		if ok && m.epoch == a.Epoch && m.kind == p.Kind && m.account == a.ID {
			return m.sets
		}
	}
	sets := gather(a, p)
	if sets != nil && a.Epoch != 0 {
		s.mu.Lock()
		if len(s.memos) >= maxMemos {
			clear(s.memos)
		}
		// A reader of an older view may come late: what it puts here is found again only by readers of that same epoch.
		s.memos[p.ID] = memo{p.Kind, a.ID, a.Epoch, sets}
		s.mu.Unlock()
	}
	return sets
}

var rootSets = &policy.Sets{Root: true}

func gather(a *state.Account, p *state.Principal) *policy.Sets {
	if p.Kind != state.IAMUser || a.User(p.ID) == nil {
		return nil
	}
	sets := &policy.Sets{}
	for up := range a.InlinePolicies(p.ID, "") {
		sets.Identity = append(sets.Identity, &policy.Attached{Policy: up.Compiled, Name: up.Name, Owner: p.ARN()})
	}
	return sets
}

func shardOf(id string) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return (h ^ h>>16) % shardCount
}
