package state

import (
	"sync"
	"sync/atomic"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// level is a node of an organization's tree with the policies attached directly to it. Whenever those change another level takes its place,
// so every state of the organization that has it would make the same sets; the first who asks makes them, and all share them.
type level struct {
	node string
	sets atomic.Pointer[levelSets]
}

// levelSets are the policies attached to one node, by type.
type levelSets struct{ scp, rcp *policy.Set }

func levelNode(l *level) string { return l.node }

// bare are the sets of a node without attached policies: limits that allow nothing.
var bare = &levelSets{policy.NewSet(), policy.NewSet()}

// renew forgets the sets of a node.
func (o *Organization) renew(node string) {
	if !o.ownsLevels {
		o.forking.Lock()
		o.levels = o.levels.fork()
		o.forking.Unlock()
		o.ownsLevels = true
	}
	for range o.Attachments(node) {
		o.levels.put(&level{node: node})
		return
	}
	o.levels.remove(node)
}

// renewAll forgets the sets of all nodes.
func (o *Organization) renewAll() {
	last := ""
	for t := range at[OrganizationAttachment](&o.tables, organizationAttachmentTable).from(nil) {
		if t.Target != last {
			last = t.Target
			o.renew(t.Target)
		}
	}
}

// setsOf are the policies attached directly to a node.
func (o *Organization) setsOf(node string) *levelSets {
	l := o.levels.get(node)
	if l == nil {
		return bare
	}
	if s := l.sets.Load(); s != nil {
		return s
	}
	l.sets.CompareAndSwap(nil, o.makeSets(node))
	return l.sets.Load()
}

func (o *Organization) makeSets(node string) *levelSets {
	var scp, rcp []*policy.Attached
	for t := range o.Attachments(node) {
		switch kind, a := o.attached(t.Policy); kind {
		case policy.SCP:
			scp = append(scp, a)
		case policy.RCP:
			rcp = append(rcp, a)
		default: // it may have been a Deny of either type
			scp, rcp = append(scp, a), append(rcp, a)
		}
	}
	return &levelSets{setFor(scp), setFor(rcp)}
}

// attached is a policy as a decision names it. What cannot be found has no kind and no Policy, which denies.
func (o *Organization) attached(id string) (policy.Kind, *policy.Attached) {
	if m := managedLevels()[id]; m != nil {
		return m.kind, m.attached
	}
	p, r := o.Policy(id), o.Record()
	if p == nil || r == nil {
		return 0, &policy.Attached{Name: id}
	}
	return p.Kind(), &policy.Attached{Policy: p.Compiled, ARN: p.ARN(r.Management, o.ID), Name: p.Name}
}

// setFor makes a set. One with nothing but an AWS managed policy, which most nodes have, is the same everywhere.
func setFor(policies []*policy.Attached) *policy.Set {
	switch len(policies) {
	case 0:
		return bare.scp
	case 1:
		for _, m := range managedLevels() {
			if m.attached == policies[0] {
				return m.set
			}
		}
	}
	return policy.NewSet(policies...)
}

// managedLevel is an AWS managed policy, as it is attached and as it stands alone.
type managedLevel struct {
	kind     policy.Kind
	attached *policy.Attached
	set      *policy.Set
}

// managedLevels are the AWS managed policies by id.
var managedLevels = sync.OnceValue(func() map[string]*managedLevel {
	all := map[string]*managedLevel{}
	for _, p := range awspolicy.OrganizationPolicies() {
		a := &policy.Attached{Policy: p.Compiled(), ARN: p.ARN, Name: p.Name}
		all[p.ID] = &managedLevel{p.Kind, a, policy.NewSet(a)}
	}
	return all
})
