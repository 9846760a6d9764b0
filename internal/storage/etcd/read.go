package etcd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func (e *engine) get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	bounded, cancel := e.request(ctx)
	defer cancel()
	resp, err := e.client.Get(bounded, key, opts...)
	if err != nil {
		return nil, e.readError(ctx, err)
	}
	return resp, nil
}

func (e *engine) Snapshot(ctx context.Context, prefix string, at storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	if at < 0 {
		return 0, failed[storage.Item](fmt.Errorf("%w: revision %d", storage.ErrInvalid, at))
	}
	var resp *clientv3.GetResponse
	var err error
	if at > 0 && at < e.born {
		err = fmt.Errorf("%w: revision %d, the store was made in %d", storage.ErrCompacted, at, e.born)
	} else if resp, err = e.get(ctx, e.root+"format", clientv3.WithRev(int64(at))); err == nil && at == 0 {
		at = storage.Rev(resp.Header.Revision)
	}
	if err != nil {
		return 0, failed[storage.Item](err)
	}
	return at, func(yield func(storage.Item, error) bool) {
		heads, stopHeads := iter.Pull2(e.items(ctx, e.root+"h/", prefix, int64(at)))
		defer stopHeads()
		items, stopItems := iter.Pull2(e.items(ctx, e.root+"b/", prefix, int64(at)))
		defer stopItems()
		head, headErr, moreHeads := heads()
		item, itemErr, moreItems := items()
		for moreHeads || moreItems {
			var err error
			if moreHeads && (!moreItems || head.Key < item.Key) {
				if err = headErr; err == nil {
					if head.Value, _, err = splitHead(head.Value); err == nil && !yield(head, nil) {
						return
					}
				}
				head, headErr, moreHeads = heads()
			} else {
				if err = itemErr; err == nil && !yield(item, nil) {
					return
				}
				item, itemErr, moreItems = items()
			}
			if err == nil {
				err = e.alive(ctx)
			}
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
		}
		if err := e.alive(ctx); err != nil {
			yield(storage.Item{}, err)
		}
	}
}

// splitHead gives the contract's part of a head's value, and the unit whose key holds the log record.
func splitHead(value []byte) (head []byte, primary string, err error) {
	const n = 8
	if len(value) <= n {
		return nil, "", fmt.Errorf("%w: a head of %d bytes", storage.ErrDamaged, len(value))
	}
	return value[:n:n], string(value[n:]), nil
}

const (
	pageStart = 100
	pageMax   = 2000
	pageBytes = 1 << 20
)

// items reads the keys of a space that begin with prefix, as they stood at revision rev, page by page.
func (e *engine) items(ctx context.Context, space, prefix string, rev int64) iter.Seq2[storage.Item, error] {
	return func(yield func(storage.Item, error) bool) {
		from, to := space+prefix, clientv3.GetPrefixRangeEnd(space+prefix)
		limit := int64(pageStart)
		for {
			resp, err := e.get(ctx, from, clientv3.WithRange(to), clientv3.WithRev(rev), clientv3.WithLimit(limit))
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
			size := 1
			for _, kv := range resp.Kvs {
				if !yield(itemOf(space, kv), nil) {
					return
				}
				size += len(kv.Key) + len(kv.Value)
			}
			if !resp.More {
				return
			}
			n := int64(len(resp.Kvs))
			from = string(resp.Kvs[n-1].Key) + "\x00"
			limit = min(max(pageBytes*n/int64(size), 1), 2*limit, pageMax)
		}
	}
}

func itemOf(space string, kv *mvccpb.KeyValue) storage.Item {
	return storage.Item{Key: string(kv.Key[len(space):]), Value: present(kv.Value), Rev: storage.Rev(kv.ModRevision)}
}

// present makes the value of a key that is there: protobuf reads empty bytes as nil.
func present(v []byte) []byte {
	if v == nil {
		return []byte{}
	}
	return v
}

func (e *engine) Log(ctx context.Context, unit string, from, to storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		found, err := e.find(ctx, unit, from, to)
		for _, f := range slices.Backward(found) {
			var c storage.Commit
			if c, err = e.read(ctx, f); err != nil {
				break
			}
			if !yield(c, nil) {
				return
			}
		}
		if err != nil {
			yield(storage.Commit{}, err)
		}
	}
}

// place is where a log record stands.
type place struct {
	rev     storage.Rev
	primary string
	record  *record // nil if so many were found that they were not kept
}

// keptPlaces is how many records find keeps.
const keptPlaces = 64

// find follows the unit's heads back and returns its commits in the range, newest first.
func (e *engine) find(ctx context.Context, unit string, from, to storage.Rev) (found []place, err error) {
	for at := storage.Rev(0); ; {
		// Mostly the unit is the first one that its commit wrote: then this is all.
		got, now, err := e.gets(ctx, clientv3.OpGet(e.headKey(unit), clientv3.WithRev(int64(at))), clientv3.OpGet(e.logKey(unit), clientv3.WithRev(int64(at))))
		if err != nil {
			return nil, err
		}
		if to == 0 {
			to = now
		}
		if len(got[0]) == 0 {
			if at != 0 {
				return nil, fmt.Errorf("%w: unit %s has no head at revision %d", storage.ErrDamaged, unit, at)
			}
			return nil, nil
		}
		rev := storage.Rev(got[0][0].ModRevision)
		if rev < from {
			return found, nil
		}
		_, primary, err := splitHead(got[0][0].Value)
		if err != nil {
			return nil, err
		}
		p := place{rev: rev, primary: primary}
		if primary == unit {
			p.record, err = e.recordOf(p, got[1])
		} else {
			p.record, err = e.record(ctx, p)
		}
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(p.record.Units, func(c storage.Condition) bool { return c.Unit == unit && c.Write })
		if i < 0 || p.record.Units[i].Head >= rev {
			return nil, fmt.Errorf("%w: log record %d does not write unit %s as its head says", storage.ErrDamaged, rev, unit)
		}
		at = p.record.Units[i].Head
		if rev <= to {
			if len(found) >= keptPlaces {
				p.record = nil
			}
			found = append(found, p)
		}
		if at == 0 || at < from {
			return found, nil
		}
	}
}

// gets does several reads at once and returns the keys each has found, and the revision of the answer.
func (e *engine) gets(ctx context.Context, ops ...clientv3.Op) (found [][]*mvccpb.KeyValue, rev storage.Rev, err error) {
	if err := e.alive(ctx); err != nil {
		return nil, 0, err
	}
	for part := range slices.Chunk(ops, flatOps) {
		bounded, cancel := e.request(ctx)
		resp, err := e.client.Txn(bounded).Then(part...).Commit()
		cancel()
		if err != nil {
			return nil, 0, e.readError(ctx, err)
		}
		rev = storage.Rev(resp.Header.Revision)
		for _, r := range resp.Responses {
			found = append(found, r.GetResponseRange().Kvs)
		}
	}
	return found, rev, nil
}

func (e *engine) record(ctx context.Context, p place) (*record, error) {
	resp, err := e.get(ctx, e.logKey(p.primary), clientv3.WithRev(int64(p.rev)))
	if err != nil {
		return nil, err
	}
	return e.recordOf(p, resp.Kvs)
}

func (e *engine) recordOf(p place, kvs []*mvccpb.KeyValue) (*record, error) {
	if len(kvs) == 0 || kvs[0].ModRevision != int64(p.rev) {
		return nil, fmt.Errorf("%w: log record %d is missing", storage.ErrDamaged, p.rev)
	}
	return decodeRecord(kvs[0].Value)
}

// read makes a commit of a log record and the history around it.
func (e *engine) read(ctx context.Context, p place) (storage.Commit, error) {
	r := p.record
	if r == nil {
		var err error
		if r, err = e.record(ctx, p); err != nil {
			return storage.Commit{}, err
		}
	}
	// The first read is there for its revision alone: a compaction up to p.rev must not go unnoticed where nothing else asks for the one before.
	asked := map[string]bool{}
	ops := []clientv3.Op{clientv3.OpGet(e.root+"format", clientv3.WithRev(int64(p.rev)-1), clientv3.WithKeysOnly())}
	for _, op := range r.Ops {
		if op.Kind != storage.DeletePrefix && !asked[op.Key] {
			asked[op.Key] = true
			ops = append(ops, clientv3.OpGet(e.itemKey(op.Key), clientv3.WithRev(int64(p.rev)-1)))
		}
	}
	olds := len(ops)
	for i, op := range r.Ops {
		if r.final[i] {
			ops = append(ops, clientv3.OpGet(e.itemKey(op.Key), clientv3.WithRev(int64(p.rev))))
		}
	}
	found, _, err := e.gets(ctx, ops...)
	if err != nil {
		return storage.Commit{}, err
	}
	space := e.root + "b/"
	before, after := values{}, values{}
	for i, kvs := range found[1:] {
		for _, kv := range kvs {
			if i+1 < olds {
				before.Set(itemOf(space, kv))
			} else {
				after.Set(itemOf(space, kv))
			}
		}
	}
	for _, op := range r.Ops {
		if op.Kind != storage.DeletePrefix {
			continue
		}
		for item, err := range e.items(ctx, space, op.Key, int64(p.rev)-1) {
			if err != nil {
				return storage.Commit{}, err
			}
			before.Set(item)
		}
	}
	return r.commit(p.rev, before, func(key string) ([]byte, bool) { i, ok := after[key]; return i.Value, ok })
}

// retryWatch is how long Watch waits before it asks a cluster again that has no leader or does not answer.
const retryWatch = 200 * time.Millisecond

func (e *engine) Watch(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		if after < 0 {
			yield(storage.Commit{}, fmt.Errorf("%w: revision %d", storage.ErrInvalid, after))
			return
		}
		after = max(after, e.born)
		for first := true; ; first = false {
			more, err := e.watch(ctx, &after, first, yield)
			if !more {
				return
			}
			if alive := e.alive(ctx); alive != nil {
				err = alive
			} else if err == nil || isPassing(err) {
				select {
				case <-time.After(retryWatch):
				case <-ctx.Done():
				case <-e.ctx.Done():
				}
				continue
			}
			yield(storage.Commit{}, err)
			return
		}
	}
}

// isPassing reports whether err is about the present state of the cluster, and not about what was asked.
func isPassing(err error) bool {
	return !errors.Is(err, storage.ErrCompacted) && !errors.Is(err, storage.ErrInvalid) && !errors.Is(err, storage.ErrDamaged) && !isRefusal(err)
}

// watch follows one watch of etcd's and keeps after at the last commit it gave. more is false when the reader wants no more.
func (e *engine) watch(ctx context.Context, after *storage.Rev, first bool, yield func(storage.Commit, error) bool) (more bool, err error) {
	if err := e.alive(ctx); err != nil {
		return true, err
	}
	// The watch itself neither minds a revision in the future nor says that old values have been compacted.
	if _, err := e.get(ctx, e.root+"format", clientv3.WithRev(int64(*after))); err != nil {
		if !first && errors.Is(err, storage.ErrInvalid) {
			err = fmt.Errorf("storage: etcd: the cluster has gone back behind revision %d", *after)
		}
		return true, err
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	// The spaces a/ and b/ lie side by side: log records and items, without heads.
	events := e.client.Watch(ctx, e.root+"a/", clientv3.WithRange(e.root+"b0"), clientv3.WithRev(int64(*after)+1), clientv3.WithPrevKV(), clientv3.WithFragment())
	for resp := range events {
		if err := resp.Err(); err != nil {
			if resp.CompactRevision != 0 || errors.Is(err, rpctypes.ErrCompacted) {
				return true, fmt.Errorf("%w: revision %d, the history begins after %d", storage.ErrCompacted, *after, resp.CompactRevision)
			}
			return true, fmt.Errorf("storage: etcd: watch: %w", err)
		}
		for rest := resp.Events; len(rest) > 0; {
			rev := rest[0].Kv.ModRevision
			n := slices.IndexFunc(rest, func(ev *clientv3.Event) bool { return ev.Kv.ModRevision != rev })
			if n < 0 {
				n = len(rest)
			}
			c, err := e.commitOf(storage.Rev(rev), rest[:n])
			if err != nil {
				return true, err
			}
			if err := e.alive(ctx); err != nil {
				return true, err
			}
			if !yield(c, nil) {
				return false, nil
			}
			*after, rest = c.Rev, rest[n:]
		}
	}
	return true, nil
}

// commitOf makes a commit of the events of one revision.
func (e *engine) commitOf(rev storage.Rev, events []*clientv3.Event) (storage.Commit, error) {
	var r *record
	before, after := values{}, values{}
	for _, ev := range events {
		if strings.HasPrefix(string(ev.Kv.Key), e.root+"a/") {
			var err error
			if r, err = decodeRecord(ev.Kv.Value); err != nil {
				return storage.Commit{}, err
			}
			continue
		}
		if ev.PrevKv != nil {
			before.Set(itemOf(e.root+"b/", ev.PrevKv))
		} else if !ev.IsCreate() {
			return storage.Commit{}, fmt.Errorf("%w: what was before revision %d", storage.ErrCompacted, rev)
		}
		if ev.Type == clientv3.EventTypePut {
			after.Set(itemOf(e.root+"b/", ev.Kv))
		}
	}
	if r == nil {
		return storage.Commit{}, fmt.Errorf("%w: revision %d changes items without a log record", storage.ErrDamaged, rev)
	}
	return r.commit(rev, before, func(key string) ([]byte, bool) { i, ok := after[key]; return i.Value, ok })
}
