package robustness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// campaign is a store that is killed again and again under the same writers.
type campaign struct {
	t       *testing.T
	rng     *rand.Rand
	dir     string
	writers []*writer
	server  *server

	kills, starting, checkpoints int
	inFlight                     []int // writers with a call on its way, at each kill
	keys                         int   // signatures made with keys of users after restarts
	slowest                      time.Duration
}

// A kill comes at a random moment of one of these times.
const (
	underLoad       = "under load"
	whileStarting   = "while starting"
	whileCheckpoint = "during a checkpoint"
)

// TestKillSmoke is the part of TestKill that always runs.
func TestKillSmoke(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 8, 1)
	for range 3 {
		c.round(underLoad)
	}
	c.end()
}

// TestKill kills the server while writers wait for its answers. After each start: what was acknowledged is there, what was refused had no
// effect, what has no answer happened whole or not at all, keys sign and policies decide.
func TestKill(t *testing.T) {
	thorough(t)
	t.Parallel()
	c := newCampaign(t, 16, 2)
	for n := range 60 {
		if n%6 == 3 {
			c.round(whileStarting)
		} else {
			c.round(underLoad)
		}
	}
	c.end()
	if c.kills < 50 {
		t.Errorf("%d kills, want at least 50", c.kills)
	}
}

// TestKillCheckpoint is TestKill with so much data that kills meet checkpoints half done.
func TestKillCheckpoint(t *testing.T) {
	thorough(t)
	t.Parallel()
	hits := 0
	for n := 0; n < 2 || n < 10 && hits == 0; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCampaign(t, 16, 3+uint64(n))
			c.round(whileCheckpoint)
			c.round(underLoad)
			c.end()
			hits += c.checkpoints
		})
	}
	if hits == 0 && !t.Failed() {
		t.Error("no kill came within a checkpoint")
	}
}

func newCampaign(t *testing.T, writers int, stream uint64) *campaign {
	t.Helper()
	work := workDir(t)
	c := &campaign{t: t, rng: random(t, stream), dir: filepath.Join(work, "data")}
	for n := range writers {
		w, err := newWriter(n, work, seed+stream)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.journal.Close() })
		c.writers = append(c.writers, w)
	}
	begin := time.Now()
	c.server = start(t, c.dir, options{})
	c.slowest = time.Since(begin)
	return c
}

// round lets the writers write, kills the server, starts it again and compares.
func (c *campaign) round(kind string) {
	c.t.Helper()
	for _, w := range c.writers {
		w.heavy = w.heavy || kind == whileCheckpoint
		w.waiting.Store(0)
	}
	errs := make([]error, len(c.writers))
	var running sync.WaitGroup
	for i, w := range c.writers {
		running.Go(func() { errs[i] = w.write(c.server, func() bool { return c.t.Failed() }) })
	}
	if kind == whileCheckpoint { // one begins when 8 MiB are waiting
		enough := 8_150_000 + c.rng.Int64N(200_000)
		for deadline := time.Now().Add(20 * time.Second); c.waiting() < enough && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	} else {
		time.Sleep(time.Duration(5+c.rng.IntN(300)) * time.Millisecond)
	}
	flying := c.flying()
	for deadline := time.Now().Add(time.Second); flying < 8 && time.Now().Before(deadline); flying = c.flying() {
	}
	c.server.kill()
	running.Wait()
	c.kills, c.inFlight = c.kills+1, append(c.inFlight, flying)
	if err := errors.Join(errs...); err != nil {
		c.t.Fatalf("kill %d, %s: before it: %v\n%s", c.kills, kind, err, c.server.err.tail())
	}
	if kind == whileStarting {
		for range 1 + c.rng.IntN(3) {
			c.killSoon(time.Duration(c.rng.Int64N(int64(2 * c.slowest))))
		}
	}
	// What waits is read back from the log at a start, and the checkpoint begins again.
	for delay := 30 * time.Millisecond; kind == whileCheckpoint && delay < time.Second; delay = delay * 5 / 4 {
		where := c.checkpoint()
		if where == within {
			c.checkpoints++
		}
		if where != before {
			break
		}
		c.killSoon(delay)
	}
	begin := time.Now()
	c.server = start(c.t, c.dir, options{})
	c.slowest = max(c.slowest, time.Since(begin))
	c.verify(kind)
}

// killSoon starts the server and kills it after the delay.
func (c *campaign) killSoon(delay time.Duration) {
	c.t.Helper()
	s := launch(c.t, c.dir, options{})
	time.Sleep(delay)
	s.kill()
	if !strings.Contains(s.cmd.ProcessState.String(), "killed") {
		c.t.Fatalf("kill %d: the server ended by itself: %s\n%s", c.kills, s.cmd.ProcessState, s.err.tail())
	}
	c.kills, c.starting = c.kills+1, c.starting+1
}

// flying is the number of writers that wait for an answer.
func (c *campaign) flying() (n int) {
	for _, w := range c.writers {
		if w.flight.Load() {
			n++
		}
	}
	return n
}

func (c *campaign) waiting() (bytes int64) {
	for _, w := range c.writers {
		bytes += w.waiting.Load()
	}
	return bytes
}

// verify compares all that the server holds with the journals.
func (c *campaign) verify(kind string) {
	c.t.Helper()
	errs, keys := make([]error, len(c.writers)), make([]int, len(c.writers))
	var running sync.WaitGroup
	for i, w := range c.writers {
		running.Go(func() { keys[i], errs[i] = w.verify(c.server) })
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatalf("after kill %d, %s: %v\n%s", c.kills, kind, err, c.server.err.tail())
	}
	users := 0
	for i, w := range c.writers {
		users += len(w.model.Users)
		c.keys += keys[i]
	}
	all := 0
	root := newClient(c.server, root)
	defer root.close()
	err := root.pages("ListUsers", func(body []byte) error {
		all += strings.Count(string(body), "<UserName>")
		return nil
	})
	if err != nil || all != users {
		c.t.Fatalf("after kill %d, %s: the account has %d users, the journals know %d, %v", c.kills, kind, all, users, err)
	}
	if c.server.panicked() {
		c.t.Fatalf("after kill %d, %s: the server panicked:\n%s", c.kills, kind, c.server.err.tail())
	}
}

// end stops the server in peace, compares once more after it, and says what was done.
func (c *campaign) end() {
	c.t.Helper()
	c.server.mustStop(c.t)
	c.server = start(c.t, c.dir, options{})
	c.verify("after a stop")
	c.server.mustStop(c.t)
	var s stats
	for _, w := range c.writers {
		s.add(w.stats)
	}
	least, sum := len(c.writers), 0
	for _, n := range c.inFlight {
		least, sum = min(least, n), sum+n
	}
	c.t.Logf("%d kills (%d soon after a start, %d within a checkpoint), %d writers (in flight at a kill: %d at least, %.1f on average): "+
		"%d calls acknowledged, %d refused, %d without an answer, of which %d had happened; %d keys tried; slowest start %s",
		c.kills, c.starting, c.checkpoints, len(c.writers), least, float64(sum)/float64(max(1, len(c.inFlight))),
		s.done, s.refused, s.lost, s.happened, c.keys, c.slowest.Round(time.Millisecond))
	if s.done == 0 || s.refused == 0 || s.lost == 0 {
		c.t.Errorf("the calls were not of all kinds: %+v", s)
	}
}

// progress of a checkpoint at a kill.
type progress int

const (
	before progress = iota // what was written stands in the log alone
	within                 // some of it stands in the items too
	after
)

// checkpoint looks into the store's file, which no process has open.
func (c *campaign) checkpoint() (p progress) {
	c.t.Helper()
	db, err := bbolt.Open(filepath.Join(c.dir, "gatehouse.db"), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		c.t.Fatalf("after kill %d: %v", c.kills, err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		row, items, log := tx.Bucket([]byte("state")), tx.Bucket([]byte("items")), tx.Bucket([]byte("log"))
		if row == nil || items == nil || log == nil {
			return errors.New("the file has no bucket state, items or log")
		}
		done := binary.BigEndian.Uint64(row.Get([]byte("state"))[1:])
		if last, _ := log.Cursor().Last(); last == nil || binary.BigEndian.Uint64(last)-done < 50 {
			p = after // few calls came after it
		}
		return items.ForEach(func(_, v []byte) error {
			if binary.BigEndian.Uint64(v[4:]) > done { // the items stand for a later revision than the file says yet
				p = within
			}
			return nil
		})
	})
	if err != nil {
		c.t.Fatalf("after kill %d: %v", c.kills, err)
	}
	return p
}
