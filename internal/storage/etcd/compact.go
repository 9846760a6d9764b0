package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// sampleEvery is how often the revision is sampled: retention is kept to about a twentieth.
func (e *engine) sampleEvery() time.Duration {
	return min(max(e.opts.Retention/20, time.Minute), time.Hour)
}

// keepCompacting samples and compacts until the engine is closed. Every engine on the store does it; any one of them is enough.
func (e *engine) keepCompacting() {
	tick := time.NewTicker(e.sampleEvery())
	defer tick.Stop()
	for {
		if err := e.compact(e.ctx, e.opts.Now()); err != nil && e.ctx.Err() == nil {
			e.opts.Logger.Warn("storage: etcd: compaction failed and will be tried again", "error", err)
		}
		select {
		case <-tick.C:
		case <-e.ctx.Done():
			return
		}
	}
}

// compact notes the present revision, once in each interval of sampleEvery, and compacts up to the newest note that is older than the
// retention.
func (e *engine) compact(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	space := e.root + "s/"
	name := func(t time.Time) string { return space + t.UTC().Truncate(e.sampleEvery()).Format(time.RFC3339) }
	// The note's own modification revision is the sample.
	if _, err := e.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(name(now)), "=", 0)).
		Then(clientv3.OpPut(name(now), "")).Commit(); err != nil {
		return err
	}
	resp, err := e.client.Get(ctx, space, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	var old, rev = "", int64(0)
	for _, kv := range resp.Kvs {
		at, err := time.Parse(time.RFC3339, strings.TrimPrefix(string(kv.Key), space))
		if err != nil {
			return fmt.Errorf("the sample %q: %w", kv.Key, err)
		}
		if at.Add(e.sampleEvery()).Before(now.Add(-e.opts.Retention)) {
			old, rev = string(kv.Key), kv.ModRevision
		}
	}
	if rev == 0 {
		return nil
	}
	if _, err := e.client.Compact(ctx, rev); err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return err
	}
	_, err = e.client.Delete(ctx, space, clientv3.WithRange(old+"\x00"))
	return err
}
