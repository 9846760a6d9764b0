package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Options of an engine. Endpoints are needed.
type Options struct {
	// Endpoints are the URLs of the cluster's members.
	Endpoints []string
	// Prefix is what all keys of the store begin with. Empty means "gatehouse"; a slash is added.
	Prefix string
	// TLS is for https endpoints, with the client's certificate if the cluster asks for one.
	TLS *tls.Config
	// Username and Password are for clusters with role-based access.
	Username, Password string
	// Timeout is how long one request may take. A commit that takes longer is storage.ErrUnknown. 0 means 5 seconds.
	Timeout time.Duration
	// Retention is how long the history reaches back; then the engine compacts it, for the whole cluster. 0 means 7 days, less than 0 that
	// somebody else compacts.
	Retention time.Duration
	// Now is the clock that Retention is measured with. Nil means time.Now.
	Now func() time.Time
	// Logger hears of what goes wrong in the background. Nil means slog.Default().
	Logger *slog.Logger
}

const (
	defaultPrefix    = "gatehouse"
	defaultTimeout   = 5 * time.Second
	defaultRetention = 7 * 24 * time.Hour

	formatVersion = "1"
)

type engine struct {
	opts   Options
	client *clientv3.Client
	root   string      // the prefix with its slash
	born   storage.Rev // the store was made in this revision: it has no commit up to it

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	mu       sync.Mutex
	closed   bool
	commits  sync.WaitGroup // under way
	compacts sync.WaitGroup // the goroutine that compacts
}

// Open connects to the cluster, which must answer, and opens the store under the prefix, or makes one.
func Open(ctx context.Context, opts Options) (storage.Engine, error) {
	e, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func open(ctx context.Context, opts Options) (*engine, error) {
	if opts.Prefix == "" {
		opts.Prefix = defaultPrefix
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Retention == 0 {
		opts.Retention = defaultRetention
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: opts.Endpoints, TLS: opts.TLS, Username: opts.Username, Password: opts.Password, Logger: zap.NewNop(),
		DialTimeout: opts.Timeout, DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 5 * time.Second, PermitWithoutStream: true,
	})
	if err != nil {
		return nil, fmt.Errorf("storage: etcd at %s: %w", strings.Join(opts.Endpoints, ", "), err)
	}
	e := &engine{opts: opts, client: client, root: strings.TrimSuffix(opts.Prefix, "/") + "/"}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err := e.checkFormat(ctx); err != nil {
		e.cancel()
		_ = client.Close()
		return nil, fmt.Errorf("storage: etcd at %s: %w", strings.Join(opts.Endpoints, ", "), err)
	}
	if opts.Retention > 0 {
		e.compacts.Go(e.keepCompacting)
	}
	return e, nil
}

// checkFormat writes the format key if there is none, and learns when the store was made.
func (e *engine) checkFormat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	key := e.root + "format"
	resp, err := e.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, formatVersion), clientv3.OpGet(key)).Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return err
	}
	found := resp.Responses[len(resp.Responses)-1].GetResponseRange().Kvs[0]
	if string(found.Value) != formatVersion {
		return fmt.Errorf("the store at %q has format version %q, this program knows %s: run the version that wrote it", e.root, found.Value, formatVersion)
	}
	e.born = storage.Rev(found.CreateRevision)
	return nil
}

func (e *engine) Close() error {
	e.mu.Lock()
	was := e.closed
	e.closed = true
	e.mu.Unlock()
	e.commits.Wait() // bounded by Options.Timeout
	e.cancel()
	e.compacts.Wait()
	if was {
		return nil
	}
	if err := e.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("storage: etcd: %w", err)
	}
	return nil
}

func (e *engine) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

func (e *engine) alive(ctx context.Context) error {
	if e.isClosed() {
		return storage.ErrClosed
	}
	return ctx.Err()
}

// request gives ctx the bounds of one request.
func (e *engine) request(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	stop := context.AfterFunc(e.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// readError puts an error of a read into the contract's words.
func (e *engine) readError(ctx context.Context, err error) error {
	switch {
	case e.isClosed():
		return storage.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, rpctypes.ErrCompacted):
		return fmt.Errorf("%w: %v", storage.ErrCompacted, err)
	case errors.Is(err, rpctypes.ErrFutureRev):
		return fmt.Errorf("%w: %v", storage.ErrInvalid, err)
	}
	return fmt.Errorf("storage: etcd: %w", err)
}

// isRefusal reports whether err is etcd's word that it did not do what was asked.
func isRefusal(err error) bool {
	var refused rpctypes.EtcdError
	if !errors.As(rpctypes.Error(err), &refused) {
		return false
	}
	switch refused.Code() {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.FailedPrecondition:
		return true
	}
	return errors.Is(err, rpctypes.ErrTooManyRequests)
}

func (e *engine) headKey(unit string) string { return e.root + "h/" + unit + "/" + storage.HeadName }
func (e *engine) logKey(unit string) string  { return e.root + "a/" + unit }
func (e *engine) itemKey(key string) string  { return e.root + "b/" + key }

func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
