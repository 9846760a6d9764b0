package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/audit"
	"github.com/gatehouse-iam/gatehouse/internal/audit/auditpb"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/usage"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// maxWrite is how long a call waits for its write to become durable. After that its outcome is not known.
const maxWrite = 60 * time.Second

// Call is one authenticated API call.
type Call struct {
	Context     context.Context
	Request     *wire.Request
	Caller      authn.Caller
	Environment authz.Environment
	Vault       *authn.Vault
	Usage       *usage.Tracker
	Sessions    *session.Keeper

	targets []authz.Target // that were authorized
}

// Target says what a call is aimed at: one check for each, in order. It returns at least one: what returns none is refused as a mistake of
// ours, so that forgetting a target never means that everybody may. An error ends the call before authorization.
type Target[In any] func(c *Call, r state.Reader, in *In) ([]authz.Target, error)

// Exempt is the target of operations that every authenticated principal may call, whatever policies say (docs/spec/evaluation.md 4.4).
func Exempt[In any](*Call, state.Reader, *In) ([]authz.Target, error) { return exempt, nil }

// exempt is known by its place, not by what it holds.
var exempt = []authz.Target{{}}

// Account is the target of actions without a resource.
func Account[In any](*Call, state.Reader, *In) ([]authz.Target, error) { return noResource, nil }

var noResource = []authz.Target{{ARN: "*"}}

// Registry holds the operations that this version has, and serves calls.
type Registry struct {
	// DenialIDs puts the id of the decision at the end of denials' messages, for clients that print nothing else of an error. The texts
	// are not AWS's to the letter then. It is set before the first call.
	DenialIDs bool

	store      *state.Store
	authorizer *authz.Authorizer
	log        *slog.Logger
	entries    map[*wire.Operation]entry
}

type entry struct {
	action string
	serve  func(*Call) (any, error)
}

// NewRegistry makes a registry without operations.
func NewRegistry(store *state.Store, z *authz.Authorizer, log *slog.Logger) *Registry {
	return &Registry{store: store, authorizer: z, log: log, entries: map[*wire.Operation]entry{}}
}

// Has reports whether the operation is registered.
func (r *Registry) Has(op *wire.Operation) bool { _, ok := r.entries[op]; return ok }

func (r *Registry) add(op *wire.Operation, serve func(*Call) (any, error)) {
	if r.Has(op) {
		panic("service: " + op.Action() + " is registered twice")
	}
	r.entries[op] = entry{op.Action(), serve}
}

// Read registers an operation that changes nothing.
func Read[In, Out any](r *Registry, op wire.Op[In, Out], target Target[In], method func(*Call, state.Reader, *In) (*Out, error)) {
	action := op.Action()
	r.add(op.Operation, func(c *Call) (any, error) {
		in, err := decode(c, op)
		if err != nil {
			return nil, err
		}
		if err := r.store.Need(c.Context, state.AccountUnit(c.Caller.Account)); err != nil {
			return nil, err
		}
		v := r.store.View()
		if err := authorize(r, c, v, action, target, in); err != nil {
			return nil, err
		}
		return answer(method(c, v, in))
	})
}

// Units says which units an operation writes, beside that of the caller's account.
type Units func(c *Call) []string

// Write registers an operation that changes the caller's account, and further units if given.
func Write[In, Out any](r *Registry, op wire.Op[In, Out], target Target[In], method func(*Call, *state.Tx, *In) (*Out, error), more ...Units) {
	action := op.Action()
	r.add(op.Operation, func(c *Call) (any, error) {
		in, err := decode(c, op)
		if err != nil {
			return nil, err
		}
		return answer(update(r, c, action, target, in, method, more))
	})
}

// WritePrepared is Write for operations with work that a transaction must not do: slow, or random. prepare runs after authorization and
// outside the transaction; method gets what it returned, and returns state.ErrStale if that no longer fits what it sees.
func WritePrepared[In, Out, P any](r *Registry, op wire.Op[In, Out], target Target[In],
	prepare func(*Call, *state.View, *In) (P, error), method func(*Call, *state.Tx, *In, P) (*Out, error), more ...Units) {
	const tries = 8
	action := op.Action()
	r.add(op.Operation, func(c *Call) (any, error) {
		in, err := decode(c, op)
		if err != nil {
			return nil, err
		}
		for range tries {
			if err := r.store.Need(c.Context, state.AccountUnit(c.Caller.Account)); err != nil {
				return nil, err
			}
			v := r.store.View()
			if err := authorize(r, c, v, action, target, in); err != nil {
				return nil, err
			}
			p, err := prepare(c, v, in)
			if err != nil {
				return nil, err
			}
			out, err := answer(update(r, c, action, target, in, func(c *Call, tx *state.Tx, in *In) (*Out, error) {
				return method(c, tx, in, p)
			}, more))
			if !errors.Is(err, state.ErrStale) {
				return out, err
			}
		}
		return nil, state.ErrStale
	})
}

func update[In, Out any](r *Registry, c *Call, action string, target Target[In], in *In, method func(*Call, *state.Tx, *In) (*Out, error), more []Units) (*Out, error) {
	units := append(make([]string, 0, 2), state.AccountUnit(c.Caller.Account))
	for _, m := range more {
		units = append(units, m(c)...)
	}
	if err := r.store.Need(c.Context, units...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), maxWrite) // a client that goes away does not undo its call
	defer cancel()
	var out *Out
	err := r.store.Update(ctx, units, func(tx *state.Tx) error {
		err := authorize(r, c, tx, action, target, in)
		if err != nil {
			return err
		}
		if out, err = method(c, tx, in); err != nil {
			return err
		}
		event, err := audit.Encode(c.event(action, tx.Now()))
		tx.SetEvent(event)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// answer keeps a nil *Out from becoming an answer that is not nil.
func answer[Out any](out *Out, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, nil
	}
	return out, nil
}

func decode[In, Out any](c *Call, op wire.Op[In, Out]) (*In, error) {
	in := new(In)
	if err := c.Request.Decode(in); err != nil {
		return nil, err
	}
	if err := wire.Check(op.Operation, in); err != nil {
		return nil, err
	}
	return in, nil
}

var errNoTarget = errors.New("service: the operation did not say what it is aimed at")

func authorize[In any](r *Registry, c *Call, reader state.Reader, action string, target Target[In], in *In) error {
	targets, err := target(c, reader, in)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errNoTarget
	}
	if &targets[0] == &exempt[0] {
		return nil
	}
	c.targets = targets
	subject := authz.Subject{Principal: &c.Caller.Principal, Session: c.Caller.Session, Environment: &c.Environment}
	for i := range targets {
		if denial := r.authorizer.Authorize(reader, &subject, action, &targets[i]); denial != nil {
			return denial
		}
	}
	return nil
}

func (c *Call) event(action string, at time.Time) *auditpb.Event {
	e := &auditpb.Event{
		RequestId: c.Request.ID, Time: at.UnixMicro(), Action: action,
		Account: c.Caller.Account, Principal: c.Caller.ARN(), PrincipalId: c.Caller.ID, AccessKeyId: c.Caller.AccessKeyID,
		SourceIp: c.Environment.SourceIP, UserAgent: c.Environment.UserAgent,
	}
	for _, t := range c.targets {
		e.Resources = append(e.Resources, t.ARN)
	}
	return e
}

// Serve runs the call's operation. The result is what the operation answers (nil for none) or the error that the caller is shown.
func (r *Registry) Serve(c *Call) (any, *wire.Error) {
	e, ok := r.entries[c.Request.Operation]
	if !ok {
		return nil, wire.NotImplemented.New("%s is not implemented by this version of Gatehouse.", c.Request.Operation.Action())
	}
	out, err := e.serve(c)
	if err != nil {
		return nil, r.fault(c, e.action, err)
	}
	return out, nil
}

// fault is the one place where errors become what a client sees.
func (r *Registry) fault(c *Call, action string, err error) *wire.Error {
	var (
		known  *wire.Error
		denial *authz.Denial
		panics *state.PanicError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &denial):
		return r.denied(c, denial)
	case errors.Is(err, state.ErrBusy), errors.Is(err, storage.ErrConflict), errors.Is(err, state.ErrStale):
		return wire.Throttling.New(wire.ThrottlingText)
	case errors.Is(err, storage.ErrNoSpace):
		r.log.Error("a write failed: no space left", "request_id", c.Request.ID, "action", action, "error", err)
		return wire.ServiceUnavailable.New("The request was not carried out: the server has no space left to store it.")
	case errors.Is(err, storage.ErrLimit):
		return wire.ValidationError.New("The request is larger than one change to the store can be.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, state.ErrStopped), errors.Is(err, storage.ErrUnknown),
		errors.Is(err, storage.ErrClosed):
		r.log.Warn("the outcome of a call is not known", "request_id", c.Request.ID, "action", action, "error", err)
		return wire.ServiceUnavailable.New("The server is stopping or does not reach its store. Whether the request was carried out is not known.")
	case errors.As(err, &panics):
		r.log.Error("an operation panicked", "request_id", c.Request.ID, "action", action, "panic", panics.Value, "stack", string(panics.Stack))
	default:
		r.log.Error("an operation failed", "request_id", c.Request.ID, "action", action, "error", err)
	}
	return wire.InternalFailure.New(wire.InternalFailureText)
}

// denied keeps the denial that ends the call, to be explained by its id: that of the request, since there is one at most.
func (r *Registry) denied(c *Call, d *authz.Denial) *wire.Error {
	id := c.Request.ID
	r.authorizer.Keep(c.Caller.Account, id, d)
	message := d.Error()
	r.log.InfoContext(c.Context, "denied", "request_id", id, "decision_id", id, "principal", d.Principal, "action", d.Action,
		"resource", d.Resource, "reason", message)
	if r.DenialIDs {
		message += " (decision " + id + ")"
	}
	e := wire.AccessDenied.New("%s", message)
	e.DecisionID = id
	return e
}
