package robustness

import (
	"encoding/xml"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStop asks the server to stop while 64 clients send calls over keep-alive connections without a pause. Every call that was written to
// a connection that the server had answered on before gets its whole answer; only new connections may be refused. What was acknowledged,
// and the use of access keys, is there after the next start.
func TestStop(t *testing.T) {
	thorough(t)
	t.Parallel()
	const clients, stops = 64, 5
	dir := filepath.Join(workDir(t), "data")
	many := options{args: []string{"--quota", "UsersPerAccount=100000"}}
	s := start(t, dir, many)
	c := newClient(s, root)
	keys := make([]credentials, clients)
	const mine = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	for i := range keys {
		name := fmt.Sprintf("client-%02d", i)
		c.must(t, nil, "CreateUser", "UserName", name)
		c.must(t, nil, "PutUserPolicy", "UserName", name, "PolicyName", "all", "PolicyDocument", mine)
		var out struct {
			ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
			Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
		}
		c.must(t, &out, "CreateAccessKey", "UserName", name)
		keys[i] = credentials{out.ID, out.Secret}
	}
	c.close()
	rng := random(t, 40)
	total, renewed, reset := 0, 0, 0
	for round := range stops {
		l := &load{round: round}
		l.run(s, keys)
		time.Sleep(time.Duration(300+rng.IntN(400)) * time.Millisecond)
		l.stopping.Store(true)
		took, code, err := s.stop(12 * time.Second)
		if err != nil || code != 0 || took > 10*time.Second {
			t.Errorf("round %d: exit code %d after %s, %v, want 0 within 10 s\n%s", round, code, took, err, s.err.tail())
			s.kill()
		}
		l.done.Wait()
		for _, err := range l.errors {
			t.Errorf("round %d: %v", round, err)
		}
		if s.panicked() {
			t.Errorf("round %d: the server panicked:\n%s", round, s.err.tail())
		}
		s = start(t, dir, many)
		l.check(t, s, keys)
		total, renewed, reset = total+len(l.created)+int(l.reads.Load()), renewed+int(l.renewed.Load()), reset+len(l.reset)
		if t.Failed() {
			break
		}
		t.Logf("round %d: stopped in %s", round, took.Round(time.Millisecond))
	}
	s.mustStop(t)
	t.Logf("%d stops under %d clients: %d calls answered, none cut; %d clients were sent to a new connection, %d new connections were reset before an answer",
		stops, clients, total, renewed, reset)
}

// load is clients that call without a pause until the server is gone.
type load struct {
	round    int
	stopping atomic.Bool
	done     sync.WaitGroup
	reads    atomic.Int64
	renewed  atomic.Int64

	mu      sync.Mutex
	created []string        // users that were acknowledged
	reset   []string        // users whose call went to a connection that was never answered on
	used    map[int]lastUse // by client: before the stop
	errors  []error
}

// lastUse is what GetAccessKeyLastUsed says.
type lastUse struct {
	Date    string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>LastUsedDate"`
	Service string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>ServiceName"`
	Region  string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>Region"`
}

func (l *load) run(s *server, keys []credentials) {
	l.used = map[int]lastUse{}
	for i, k := range keys {
		l.done.Go(func() {
			c := newClient(s, k)
			defer c.close()
			if err := l.client(c, i); err != nil {
				l.mu.Lock()
				l.errors = append(l.errors, fmt.Errorf("client %d: %w", i, err))
				l.mu.Unlock()
			}
		})
	}
}

func (l *load) client(c *client, i int) error {
	for n := 0; ; n++ {
		op, name := "GetAccessKeyLastUsed", ""
		p := []string{"AccessKeyId", c.keys.id}
		if n%3 == 0 {
			op, name = "CreateUser", fmt.Sprintf("made-%d-%d-%d", l.round, i, n)
			p = []string{"UserName", name, "Path", "/made/"}
		}
		fresh := c.conn == nil
		if fresh && n > 0 {
			l.renewed.Add(1)
		}
		stopping := l.stopping.Load()
		a, err := c.iam(op, p...)
		switch {
		case errors.Is(err, errRefused) && l.stopping.Load():
			return nil
		case errors.Is(err, errCut) && fresh && l.stopping.Load() && !strings.Contains(err.Error(), "timeout"):
			// The kernel had accepted the connection, the server had not: to the client that is a refused connection.
			if name != "" {
				l.mu.Lock()
				l.reset = append(l.reset, name)
				l.mu.Unlock()
			}
			return nil
		case err != nil:
			return fmt.Errorf("%s (call %d, begun while stopping: %v, %d answers on the connection before): %w", op, n, stopping, c.used, err)
		case a.code != "":
			return fmt.Errorf("%s was answered with %s", op, a)
		case name != "":
			l.mu.Lock()
			l.created = append(l.created, name)
			l.mu.Unlock()
		default:
			var u lastUse
			if err := xml.Unmarshal(a.body, &u); err != nil {
				return err
			}
			l.reads.Add(1)
			l.mu.Lock()
			l.used[i] = u
			l.mu.Unlock()
		}
	}
}

// check compares what the next start shows with what was answered.
func (l *load) check(t *testing.T, s *server, keys []credentials) {
	t.Helper()
	c := newClient(s, root)
	defer c.close()
	there := map[string]bool{}
	if err := c.pages("ListUsers", func(body []byte) error {
		var out struct {
			Names []string `xml:"ListUsersResult>Users>member>UserName"`
		}
		err := xml.Unmarshal(body, &out)
		for _, n := range out.Names {
			there[n] = true
		}
		return err
	}, "PathPrefix", "/made/"); err != nil {
		t.Fatal(err)
	}
	for _, n := range l.created {
		if !there[n] {
			t.Errorf("round %d: user %s was acknowledged and is not there after the restart", l.round, n)
		}
	}
	for _, n := range l.reset {
		if there[n] {
			t.Errorf("round %d: the call that made user %s was carried out, and its connection was cut without an answer", l.round, n)
		}
	}
	if len(l.created) < len(keys) || len(l.used) == 0 {
		t.Errorf("round %d: only %d users were made and %d clients read", l.round, len(l.created), len(l.used))
	}
	for i, before := range l.used {
		var after lastUse
		c.must(t, &after, "GetAccessKeyLastUsed", "AccessKeyId", keys[i].id)
		if after.Date < before.Date || after.Service != "iam" || after.Region != "us-east-1" {
			t.Errorf("round %d: key %d was used %+v before the stop, after the restart it says %+v", l.round, i, before, after)
		}
	}
}
