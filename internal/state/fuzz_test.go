package state

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// snapshot is an engine that holds these items and nothing else.
type snapshot struct {
	storage.Engine
	items []storage.Item
}

func (e snapshot) Snapshot(context.Context, string, storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	return 7, func(yield func(storage.Item, error) bool) {
		for _, i := range e.items {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// FuzzDecode puts any bytes at any key, into a snapshot and into a commit: a record comes of it, or an error that says the store is damaged.
// Never a panic, and never a record that stands elsewhere than it says.
func FuzzDecode(f *testing.F) {
	unit := AccountUnit(acme)
	u, k, d, n := &User{}, &AccessKey{}, &DirectoryAccount{}, &Node{}
	u.Id, u.Name, k.Id, k.Owner, d.Id, n.Id = "AIDA", "name", "AKIA", "AIDA", acme, "n1"
	for _, s := range []struct {
		unit string
		r    Record
	}{
		{unit, u}, {unit, k}, {unit, &AccountRecord{}}, {unit, userPolicy(f, "AIDA", "p", 1)},
		{DirectoryUnit, d}, {DirectoryUnit, aliasEntry("x", acme)}, {CellUnit, n}, {CellUnit, &Keyset{}},
		{DirectoryUnit, NewDirectoryMembership(acme, "o-1")}, {OrganizationUnit("o-1"), organizationRecord(globex, scpType, rcpType)},
		{OrganizationUnit("o-1"), organizationalUnit("ou-1", "r-1")}, {OrganizationUnit("o-1"), NewOrganizationAccount(acme, "ou-1")},
		{OrganizationUnit("o-1"), organizationPolicy("p-1", scpType, 1)}, {OrganizationUnit("o-1"), organizationPolicy("p-1", rcpType, 1)},
		{OrganizationUnit("o-1"), NewOrganizationAttachment("r-1", "p-1", 1)},
	} {
		op := putOp(f, s.unit, s.r)
		f.Add(s.unit, op.Key, op.Value)
	}
	f.Add(CellUnit, storage.FormatKey, []byte("1"))
	f.Add(CellUnit, storage.FormatKey, []byte("2"))
	f.Add("org/o-1", "org/o-1/x/y", []byte{})
	f.Add("org/1", "org/1/ou/x", []byte{})
	f.Add("other/1", "other/1/x/y", []byte{})
	f.Add("acct/", "acct//user/x", []byte{})
	f.Add(unit, unit+"/user/x\x00000", []byte{0xff})
	f.Add("usage/1/2", "usage/1/2/key/x", []byte{0xff})
	f.Fuzz(func(t *testing.T, unit, key string, value []byte) {
		items := []storage.Item{
			{Key: unit + "/" + storage.HeadName, Value: storage.EncodeHead(time.Unix(1, 0)), Rev: 7},
			{Key: key, Value: value, Rev: 7},
		}
		v, err := load(context.Background(), snapshot{items: items})
		if err != nil && !errors.Is(err, storage.ErrDamaged) && !errors.Is(err, errFormat) {
			t.Fatalf("load: %v", err)
		}
		if err == nil {
			if err := v.verify(context.Background(), snapshot{items: items}); err != nil {
				t.Fatalf("what was loaded is not what was stored: %v", err)
			}
		}
		c := &storage.Commit{Rev: 7, Units: []storage.Condition{{Unit: unit, Write: true}}, Mutations: []storage.Mutation{{Key: key, New: value}}}
		units, forkErr := emptyView().forks(c)
		if forkErr == nil {
			forkErr = applyMutations(units, c.Mutations)
		}
		if forkErr != nil && !errors.Is(forkErr, storage.ErrDamaged) && !errors.Is(forkErr, errFormat) {
			t.Fatalf("apply: %v", forkErr)
		}
	})
}
