package authz

import (
	"context"
	"slices"

	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	assumeRole  = "sts:AssumeRole"
	sessionName = "sts:RoleSessionName"
)

// chains finds who can by roles, level by level from the roles that can: in each level all others are asked about the roles that were
// found in the one before. So each is asked about each role once at most, whatever cycles there are.
func (w *search) chains(ctx context.Context) error {
	w.prepareHop()
	level := w.rolesOf(1)
	for length := int32(2); len(level) > 0 && w.others(); length++ {
		if length > maxChain+1 {
			w.partial = true
			return nil
		}
		t := w.trusting(level)
		if err := w.askOthers(ctx, t, length); err != nil || w.partial {
			return err
		}
		level = w.rolesOf(length)
	}
	return nil
}

// others says whether there is anybody whose way was not found yet. No root user can assume roles.
func (w *search) others() bool {
	return slices.ContainsFunc(w.all[1:], func(c candidate) bool { return c.length == 0 })
}

// rolesOf are the roles whose way is of that length.
func (w *search) rolesOf(length int32) []int32 {
	var list []int32
	for i := w.roles; i < len(w.all); i++ {
		if w.all[i].length == length {
			list = append(list, int32(i))
		}
	}
	return list
}

// prepareHop makes the query of docs/spec/evaluation.md 8.1: what the inquiry says of the request and of the caller's account holds, what it
// says of its resource does not.
func (w *search) prepareHop() {
	q := &w.q.Check
	w.hop = Query{
		Canonical: q.Canonical, Action: assumeRole, Owner: w.account.ID, Time: q.Time, NeedsResourcePolicy: true, SCP: q.SCP,
		Context: slices.Concat(q.Context, []policy.Entry{single(sessionName, w.q.Session)}), // of two the first counts
	}
	if owner := w.ownerOf(q); owner == w.account.ID {
		w.hop.RCP = q.RCP
	}
}

// ownerOf is whose the resource of the inquiry is, for callers of the account.
func (w *search) ownerOf(q *Query) string {
	k := check{z: w.z, r: w.r, q: q, caller: &memo{account: w.account.ID, member: w.member}, call: product.CallOf(q.Action, q.Resource)}
	k.ownedBy()
	return k.owner
}

// trusting are roles, by whom their trust policies may let in. All lists are in order.
type trusting struct {
	everybody []int32
	account   []int32            // whoever has an identity policy for it
	named     map[string][]int32 // by ARN or unique id
	hops      map[int32]*Query   // of each
}

func (w *search) trusting(level []int32) *trusting {
	t := &trusting{named: map[string][]int32{}, hops: map[int32]*Query{}}
	for _, i := range level {
		role := w.all[i].role
		if role.CompiledTrust == nil {
			continue
		}
		q := w.assuming(i)
		t.hops[i] = &q
		w.assumes.AddKeysOf(w.names, role.CompiledTrust)
		who := role.CompiledTrust.Trustees()
		if who.Everybody {
			t.everybody = append(t.everybody, i)
			continue
		}
		if slices.Contains(who.Accounts, w.account.ID) {
			t.account = append(t.account, i)
		}
		for _, name := range who.Names {
			t.named[name] = append(t.named[name], i)
		}
	}
	return t
}

// batch is how many candidates are asked before the number of hops is looked at: a fixed number, so that all pages of an answer end their
// search at the same place.
const batch = 1024

// askOthers asks those whose way was not found yet.
func (w *search) askOthers(ctx context.Context, t *trusting, length int32) error {
	for from := 0; from < len(w.all); from += batch {
		err := w.each(ctx, from, min(from+batch, len(w.all)), func(x *asker, i int) { w.byRole(x, t, i, length) })
		if err != nil {
			return err
		}
		if w.hops > maxHops {
			w.partial = true
			return nil
		}
	}
	return nil
}

// byRole looks for the first role that the candidate can assume.
func (w *search) byRole(x *asker, t *trusting, i int, length int32) {
	c := &w.all[i]
	if c.length > 0 {
		return
	}
	roles, m := w.mayAssume(x, t, c)
	if len(roles) == 0 {
		return
	}
	if m == nil {
		m = x.gatherer.of(w, c)
	}
	x.gatherer.readsKeys(w.assumes)
	for _, n := range roles {
		x.hops++
		if x.ask(w, t.hops[n], c, m) {
			c.length, c.next = length, n
			return
		}
	}
}

// mayAssume leaves out the roles that cannot let in the candidate: whose trust policies do not name it, or name its account only, where none of
// its own policies is about it (docs/spec/evaluation.md 4.2, S2). If it has to know of the candidate's policies for that, it returns the memo.
func (w *search) mayAssume(x *asker, t *trusting, c *candidate) ([]int32, *memo) {
	var m *memo
	list := append(x.list[:0], t.everybody...)
	if len(t.account) > 0 && !c.idle {
		m = x.gatherer.of(w, c)
		c.idle = !w.assumes.Allows(m.sets.Identity) // so is the root user, who cannot assume roles
		if !c.idle {
			list = append(list, t.account...)
		}
	}
	if len(t.named) > 0 {
		for _, name := range c.names() {
			list = append(list, t.named[name]...)
		}
	}
	if len(list) > len(t.everybody) {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	x.list = list
	return list, m
}

// names are those by which trust policies may name the candidate.
func (c *candidate) names() [3]string {
	switch {
	case c.role != nil:
		return [3]string{c.arn(), c.role.Id, c.principal.ARN()}
	case c.user != nil:
		return [3]string{c.arn(), c.user.Id}
	}
	return [3]string{c.arn()}
}

// assuming is the hop to that role.
func (w *search) assuming(n int32) Query {
	role := w.all[n].role
	q := w.hop
	q.Resource, q.ResourceTags = role.ARN(w.account.ID), role.Tags
	q.ResourcePolicy = &policy.Attached{Policy: role.CompiledTrust, Owner: q.Resource}
	return q
}
