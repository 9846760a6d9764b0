package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// How often a node looks what is due, and when a node that was not seen counts as gone.
const (
	sweepEvery  = time.Minute
	nodeGone    = 5 * time.Minute
	sweepAtMost = 50 * time.Second // one round
)

// sweep does what is due on any node, at once and then every minute, until ctx ends: it says that this node lives, forgets nodes that are
// gone, and takes the next steps of key rotations. Every step is an update that finds out by itself whether it is still due, so that nodes
// may do the same at the same time. What fails is tried again in the next round.
func (c *cell) sweep(ctx context.Context, cfg *Config) error {
	s := newSweeper(c, nodeName, cfg.RotateKeys, cfg.Logger)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		round, cancel := context.WithTimeout(ctx, sweepAtMost)
		if err := s.round(round); err != nil && ctx.Err() == nil {
			cfg.Logger.Error("a round of housekeeping failed, the next one tries again", "error", err)
		}
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// sweeper takes the steps. Tests give it a clock of their own.
type sweeper struct {
	*cell
	node   string
	shared bool // other nodes work on the same store
	every  time.Duration
	log    *slog.Logger
	now    func() time.Time
}

func newSweeper(c *cell, node string, every time.Duration, log *slog.Logger) *sweeper {
	return &sweeper{cell: c, node: node, shared: node != nodeName, every: every, log: log, now: time.Now}
}

func (s *sweeper) round(ctx context.Context) error {
	if err := s.heartbeat(ctx); err != nil {
		return err
	}
	if err := s.rotateCell(ctx); err != nil {
		return err
	}
	return s.rotateAccounts(ctx)
}

// heartbeat records that this node lives and which cell keys it works with, and removes nodes that are gone.
func (s *sweeper) heartbeat(ctx context.Context) error {
	v := s.store.View()
	keys, err := s.vault.Cell(v)
	if err != nil {
		return err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	mine := &state.Node{}
	mine.Id, mine.Seen = s.node, now.UnixMicro()
	for _, k := range keys.Keys() {
		mine.CellKeys = append(mine.CellKeys, k.ID)
		if k.Primary {
			mine.CellPrimary = k.ID
		}
	}
	if !s.heartbeatDue(v.Cell(), mine, now) {
		return nil
	}
	return s.store.Update(ctx, []string{state.CellUnit}, func(tx *state.Tx) error {
		for n := range tx.Cell().Nodes() {
			if n.Id != s.node && gone(n, now) {
				tx.Delete(state.CellUnit, n)
			}
		}
		tx.Put(state.CellUnit, mine)
		return nil
	})
}

// heartbeatDue leaves out what tells nobody anything: where no other node is, being seen lately matters to none, and a store at rest is
// not written.
func (s *sweeper) heartbeatDue(c *state.Cell, mine *state.Node, now time.Time) bool {
	due := true
	for n := range c.Nodes() {
		switch {
		case n.Id != s.node:
			if gone(n, now) {
				return true
			}
		case !s.shared && sameKeys(&n.Node, &mine.Node):
			due = false
		}
	}
	return due
}

func sameKeys(a, b *statepb.Node) bool {
	return a.CellPrimary == b.CellPrimary && slices.Equal(a.CellKeys, b.CellKeys)
}

func gone(n *state.Node, now time.Time) bool { return now.Sub(time.UnixMicro(n.Seen)) > nodeGone }

// liveNodesHave tells whether every other node that lives has said that it holds a cell key, as its primary one if it is that. This node
// works with what the view holds.
func (s *sweeper) liveNodesHave(c *state.Cell, key uint32, primary bool, now time.Time) bool {
	for n := range c.Nodes() {
		if n.Id == s.node || gone(n, now) {
			continue
		}
		if !slices.Contains(n.CellKeys, key) || primary && n.CellPrimary != key {
			return false
		}
	}
	return true
}
