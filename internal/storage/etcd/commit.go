package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

const (
	// flatOps is how many operations go into a transaction as they are. etcd takes 128 by default, where a nested transaction may have as
	// many as its parent leaves over; larger batches are cut into nested transactions of nestedOps.
	flatOps   = 120
	nestedOps = 60
)

func (e *engine) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return 0, storage.ErrClosed
	}
	e.commits.Add(1)
	e.mu.Unlock()
	defer e.commits.Done()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.Time = b.Time.UTC()
	if slices.ContainsFunc(b.Ops, func(op storage.Op) bool { return op.Kind == storage.DeletePrefix }) {
		if err := e.checkPrefixes(ctx, b); err != nil {
			return 0, err
		}
	}
	heads, ops := e.transaction(b)
	bounded, cancel := e.request(ctx)
	defer cancel()
	resp, err := e.client.Txn(bounded).If(heads...).Then(ops...).Commit()
	switch {
	case err == nil && resp.Succeeded:
		return storage.Rev(resp.Header.Revision), nil
	case err == nil:
		return 0, fmt.Errorf("%w: one of the units %v", storage.ErrConflict, names(b.Units))
	case errors.Is(err, rpctypes.ErrNoSpace):
		return e.afterNoSpace(bounded, b)
	case isRefusal(err):
		return 0, fmt.Errorf("storage: etcd: %w", err)
	}
	return 0, fmt.Errorf("%w: etcd: %v", storage.ErrUnknown, err)
}

func names(units []storage.Condition) (names []string) {
	for _, u := range units {
		names = append(names, u.Unit)
	}
	return names
}

// transaction returns the conditions and operations of b's etcd transaction.
func (e *engine) transaction(b storage.Batch) (heads []clientv3.Cmp, ops []clientv3.Op) {
	primary := b.Units[slices.IndexFunc(b.Units, func(c storage.Condition) bool { return c.Write })].Unit
	effect := effectOf(b.Ops)
	r := &record{Batch: b, final: make([]bool, len(b.Ops))}
	for key, i := range effect.puts {
		r.final[i] = true
		ops = append(ops, clientv3.OpPut(e.itemKey(key), string(b.Ops[i].Value)))
	}
	for _, s := range effect.deletes {
		if s == spanOfKey(s.from) {
			ops = append(ops, clientv3.OpDelete(e.itemKey(s.from)))
		} else {
			ops = append(ops, clientv3.OpDelete(e.itemKey(s.from), clientv3.WithRange(e.itemKey(s.to))))
		}
	}
	head := string(storage.EncodeHead(b.Time)) + primary
	for _, u := range b.Units {
		heads = append(heads, clientv3.Compare(clientv3.ModRevision(e.headKey(u.Unit)), "=", int64(u.Head)))
		if u.Write {
			ops = append(ops, clientv3.OpPut(e.headKey(u.Unit), head))
		}
	}
	ops = append(ops, clientv3.OpPut(e.logKey(primary), string(r.encode())))
	if len(ops) <= flatOps {
		return heads, ops
	}
	var nested []clientv3.Op
	for part := range slices.Chunk(ops, nestedOps) {
		nested = append(nested, clientv3.OpTxn(nil, part, nil))
	}
	return heads, nested
}

// checkPrefixes looks whether b's DeletePrefix operations remove more than the contract allows. If a head moves afterwards the answer is
// void, but then b cannot take place either.
func (e *engine) checkPrefixes(ctx context.Context, b storage.Batch) error {
	heads, _ := e.transaction(storage.Batch{Units: b.Units})
	bounded, cancel := e.request(ctx)
	defer cancel()
	resp, err := e.client.Txn(bounded).If(heads...).Then(clientv3.OpGet(e.root + "format")).Commit()
	if err != nil {
		return e.readError(ctx, err)
	}
	if !resp.Succeeded {
		return fmt.Errorf("%w: one of the units %v", storage.ErrConflict, names(b.Units))
	}
	before, size := values{}, 0
	for _, op := range b.Ops {
		if op.Kind != storage.DeletePrefix {
			continue
		}
		for item, err := range e.items(ctx, e.root+"b/", op.Key, resp.Header.Revision) {
			if err != nil {
				return err
			}
			if _, known := before[item.Key]; !known {
				before[item.Key] = item
				// Deletes of the batch itself may take away up to MaxOps keys, of MaxValueBytes each, first.
				size += len(item.Key) + len(item.Value)
			}
			if len(before) > storage.MaxPrefixKeys+storage.MaxOps || size > storage.MaxPrefixBytes+storage.MaxOps*storage.MaxValueBytes {
				return fmt.Errorf("%w: the batch removes more than %d keys or %d bytes by prefix (at %q)",
					storage.ErrLimit, storage.MaxPrefixKeys, storage.MaxPrefixBytes, op.Key)
			}
		}
	}
	_, _, err = storage.Effect(before, 1, b.Ops)
	return err
}

// afterNoSpace finds out what became of a transaction that etcd answered with "space exceeded": the member that first finds its quota used
// up applies the transaction and still answers so, later ones are refused. Either way it is over when the answer comes.
func (e *engine) afterNoSpace(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	for _, u := range b.Units {
		if !u.Write {
			continue
		}
		for c, err := range e.Log(ctx, u.Unit, u.Head+1, 0) {
			if err != nil {
				return 0, fmt.Errorf("%w: etcd: %v, then %v", storage.ErrUnknown, rpctypes.ErrNoSpace, err)
			}
			if c.ID == b.ID {
				return c.Rev, nil
			}
		}
		break
	}
	return 0, fmt.Errorf("%w: etcd: %v", storage.ErrNoSpace, rpctypes.ErrNoSpace)
}
