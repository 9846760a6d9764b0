package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

// endpoint is the cluster of this test run: one embedded member, without syncs.
var endpoint string

func TestMain(m *testing.M) {
	if handled := play(); handled {
		return
	}
	dir, err := os.MkdirTemp("", "gatehouse-etcd-test-")
	if err != nil {
		panic(err)
	}
	server, at, err := startServer(dir, nil)
	if err != nil {
		panic(err)
	}
	endpoint = at
	code := m.Run()
	server.Close()
	os.RemoveAll(dir)
	os.Exit(code)
}

func startServer(dir string, change func(*embed.Config)) (*embed.Etcd, string, error) {
	cfg := embed.NewConfig()
	cfg.Dir = dir
	any := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{any}, []url.URL{any}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{any}, []url.URL{any}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.UnsafeNoFsync = true
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	cfg.TickMs, cfg.ElectionMs = 10, 100
	if change != nil {
		change(cfg)
	}
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-server.Server.ReadyNotify():
		return server, "http://" + server.Clients[0].Addr().String(), nil
	case <-time.After(20 * time.Second):
		server.Close()
		return nil, "", fmt.Errorf("the embedded etcd did not start")
	}
}

var stores atomic.Int64

func openEngine(tb testing.TB, opts Options) *engine {
	tb.Helper()
	if opts.Endpoints == nil {
		opts.Endpoints = []string{endpoint}
	}
	if opts.Prefix == "" {
		opts.Prefix = fmt.Sprintf("store%d", stores.Add(1))
	}
	if opts.Retention == 0 {
		opts.Retention = -1
	}
	opts.Logger = slog.New(slog.DiscardHandler)
	e, err := open(context.Background(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestContract(t *testing.T) {
	again := func(t *testing.T, e storage.Engine) storage.Engine {
		return openEngine(t, Options{Prefix: e.(*engine).opts.Prefix})
	}
	storagetest.Run(t, storagetest.Factory{
		Open:   func(t *testing.T) storage.Engine { return openEngine(t, Options{}) },
		Second: again,
		Reopen: again,
		Compact: func(t *testing.T, e storage.Engine, rev storage.Rev) {
			if _, err := e.(*engine).client.Compact(t.Context(), int64(rev)); err != nil {
				t.Fatal(err)
			}
		},
	})
}

func testBatch(n byte, unit string, head storage.Rev, ops ...storage.Op) storage.Batch {
	return storage.Batch{ID: storage.CommitID{n}, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Units: []storage.Condition{{Unit: unit, Head: head, Write: true}}, Ops: ops}
}

func put1(key, value string) storage.Op {
	return storage.Op{Kind: storage.Put, Key: key, Value: []byte(value)}
}

func mustCommit(tb testing.TB, e *engine, b storage.Batch) storage.Rev {
	tb.Helper()
	rev, err := e.Commit(tb.Context(), b)
	if err != nil {
		tb.Fatal(err)
	}
	return rev
}

// TestPrefixes keeps two stores on one cluster apart, also where one's prefix begins the other's.
func TestPrefixes(t *testing.T) {
	one, two := openEngine(t, Options{Prefix: "apart"}), openEngine(t, Options{Prefix: "apart/2/"})
	defer one.Close()
	defer two.Close()
	mustCommit(t, one, testBatch(1, "a", 0, put1("a/1", "one")))
	mustCommit(t, two, testBatch(1, "a", 0, put1("a/1", "two")))
	for e, want := range map[*engine]string{one: "one", two: "two"} {
		_, items := e.Snapshot(t.Context(), "", 0)
		n := 0
		for i, err := range items {
			if n++; err != nil || i.Key == "a/1" && string(i.Value) != want {
				t.Errorf("store %s holds %v, %v", e.root, i, err)
			}
		}
		if n != 2 {
			t.Errorf("store %s holds %d items, want 2", e.root, n)
		}
	}
}

func TestFormat(t *testing.T) {
	e := openEngine(t, Options{Prefix: "newer"})
	defer e.Close()
	if _, err := e.client.Put(t.Context(), "newer/format", "2"); err != nil {
		t.Fatal(err)
	}
	got, err := Open(t.Context(), Options{Endpoints: []string{endpoint}, Prefix: "newer"})
	if err == nil || !strings.Contains(err.Error(), `format version "2", this program knows 1`) {
		t.Errorf("Open of a newer store = %v, %v", got, err)
	}
}

func TestNobodyThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if e, err := Open(ctx, Options{Endpoints: []string{"http://127.0.0.1:1"}}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("Open without a cluster = %v, %v", e, err)
	}
}

// TestCompaction moves the clock of two engines on one store.
func TestCompaction(t *testing.T) {
	one := openEngine(t, Options{})
	defer one.Close()
	two := openEngine(t, Options{Prefix: one.opts.Prefix})
	defer two.Close()
	one.opts.Retention, two.opts.Retention = 20*time.Hour, 20*time.Hour
	start := time.Date(2026, 3, 1, 0, 10, 0, 0, time.UTC)
	var revs []storage.Rev
	head := storage.Rev(0)
	for hour := range 48 {
		head = mustCommit(t, one, testBatch(byte(hour+1), "a", head, put1("a/1", fmt.Sprint(hour))))
		revs = append(revs, head)
		e := []*engine{one, two}[hour%2]
		if err := e.compact(t.Context(), start.Add(time.Duration(hour)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	// At hour 47 what is older than hour 27 may go, and the sample that lies at least an hour before that was taken in hour 25.
	reach := -1
	for hour, rev := range revs {
		_, items := two.Snapshot(t.Context(), "a/1", rev)
		for i, err := range items {
			if err == nil && string(i.Value) != fmt.Sprint(hour) {
				t.Fatalf("at the revision of hour %d the value is %s", hour, i.Value)
			}
			if err == nil && reach < 0 {
				reach = hour
			}
		}
	}
	if reach < 25 || reach > 27 {
		t.Errorf("the history reaches back to hour %d, want 25 to 27", reach)
	}
	resp, err := one.get(t.Context(), one.root+"s/")
	if err != nil || len(resp.Kvs) != 0 {
		t.Error(resp, err)
	}
}
