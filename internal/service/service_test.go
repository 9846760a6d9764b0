package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/audit"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const account = "111122223333"

// env is a registry over a store with one account and, in it, the user u1 without policies.
type env struct {
	*testing.T
	engine   storage.Engine
	store    *state.Store
	registry *Registry
	log      *bytes.Buffer
	followed sync.WaitGroup // done when the store is no longer followed
}

func open(t *testing.T) *env {
	t.Helper()
	x := &env{T: t, engine: memory.New(memory.Options{}), log: &bytes.Buffer{}}
	var err error
	commitID := func() storage.CommitID { return storage.CommitID(keyring.CommitID()) }
	x.store, err = state.Open(t.Context(), x.engine, state.Options{Now: time.Now, Seed: keyring.NewSeed, CommitID: commitID})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x.followed.Go(func() { _ = x.store.Run(ctx) })
	t.Cleanup(func() { cancel(); x.followed.Wait(); _ = x.engine.Close() })
	x.registry = NewRegistry(x.store, authz.New(nil), slog.New(slog.NewTextHandler(x.log, nil)))
	x.update(func(tx *state.Tx) {
		rec := &state.AccountRecord{}
		rec.Id = account
		tx.Put(state.AccountUnit(account), rec)
		u := &state.User{}
		u.Id, u.Name, u.Path = "U1", "u1", "/"
		tx.Put(state.AccountUnit(account), u)
	})
	return x
}

func (x *env) update(fn func(tx *state.Tx)) {
	x.Helper()
	if err := x.store.Update(x.Context(), []string{state.AccountUnit(account)}, func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		x.Fatal(err)
	}
}

// allow gives u1 a policy.
func (x *env) allow(effect, action string) {
	x.Helper()
	compiled, err := policy.Load(fmt.Sprintf(`{"Statement":{"Effect":%q,"Action":%q,"Resource":"*"}}`, effect, action), policy.Identity)
	if err != nil {
		x.Fatal(err)
	}
	x.update(func(tx *state.Tx) {
		p := &state.InlinePolicy{}
		p.Owner, p.Name = "U1", "p"
		tx.Put(state.AccountUnit(account), p.WithDocument(compiled))
	})
}

var (
	root = state.Principal{Kind: state.RootUser, Account: account, ID: account}
	user = state.Principal{Kind: state.IAMUser, Account: account, ID: "U1", Path: "/", Name: "u1"}
)

// call serves a call of an IAM operation.
func (x *env) call(by state.Principal, form string) (any, *wire.Error) {
	x.Helper()
	r, err := http.NewRequestWithContext(x.Context(), http.MethodPost, "/?Version=2010-05-08&"+form, http.NoBody)
	if err != nil {
		x.Fatal(err)
	}
	q, fault := wire.Identify(r, nil, []*wire.Service{iamapi.Service}, "iam")
	if fault != nil {
		x.Fatal(fault)
	}
	q.ID = "request-1"
	return x.registry.Serve(&Call{Context: x.Context(), Request: q, Caller: authn.Caller{Principal: by, AccessKeyID: "KEY"}, Environment: authz.Environment{SourceIP: "192.0.2.1", UserAgent: "test"}})
}

func (x *env) rev() storage.Rev { return x.store.View().Rev() }

const getUser, deleteUser = "Action=GetUser&UserName=x", "Action=DeleteUser&UserName=x"

func onSomething[In any](*Call, state.Reader, *In) ([]authz.Target, error) {
	return []authz.Target{{ARN: "arn:aws:iam::111122223333:user/x"}}, nil
}

func TestRegisteringTwicePanics(t *testing.T) {
	t.Parallel()
	r := NewRegistry(nil, authz.New(nil), slog.New(slog.DiscardHandler))
	read := func(*Call, state.Reader, *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) { return nil, nil }
	Read(r, iamapi.OpGetUser, onSomething, read)
	if !r.Has(iamapi.OpGetUser.Operation) || r.Has(iamapi.OpDeleteUser.Operation) {
		t.Error("Has does not say what was registered")
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "iam:GetUser") {
			t.Errorf("the second registration: %v; want a panic that names the operation", p)
		}
	}()
	Read(r, iamapi.OpGetUser, Exempt, read)
}

func TestUnregisteredOperations(t *testing.T) {
	t.Parallel()
	x := open(t)
	out, err := x.call(root, getUser)
	if out != nil || !err.IsFault(wire.NotImplemented) || err.Message != "iam:GetUser is not implemented by this version of Gatehouse." {
		t.Errorf("%v, %v", out, err)
	}
}

// TestAuthorizationComesFirst: neither method nor prepare runs for who may not, and not without a target.
func TestAuthorizationComesFirst(t *testing.T) {
	t.Parallel()
	none := func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) { return nil, nil }
	empty := func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		return []authz.Target{}, nil
	}
	missing := func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		return []authz.Target{{}}, nil // looks like Exempt, but is not
	}
	second := func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		return append([]authz.Target{{ARN: "arn:aws:iam::111122223333:user/x"}}, exempt...), nil
	}
	own := func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		return nil, iamapi.InvalidInput.New("of the target")
	}
	for _, c := range []struct {
		name   string
		target Target[iamapi.DeleteUserRequest]
		by     state.Principal
		allow  string
		want   *wire.Fault // nil: the method runs
	}{
		{"root", onSomething[iamapi.DeleteUserRequest], root, "", nil},
		{"allowed", onSomething[iamapi.DeleteUserRequest], user, "iam:DeleteUser", nil},
		{"not allowed", onSomething[iamapi.DeleteUserRequest], user, "", wire.AccessDenied},
		{"allowed something else", onSomething[iamapi.DeleteUserRequest], user, "iam:GetUser", wire.AccessDenied},
		{"unknown user", onSomething[iamapi.DeleteUserRequest], state.Principal{Kind: state.IAMUser, Account: account, ID: "U2"}, "*", wire.AccessDenied},
		{"user of an unknown account", onSomething[iamapi.DeleteUserRequest], state.Principal{Kind: state.IAMUser, Account: "444455556666", ID: "U1"}, "*", wire.AccessDenied},
		{"root of an unknown account", onSomething[iamapi.DeleteUserRequest], state.Principal{Kind: state.RootUser, Account: "444455556666", ID: "444455556666"}, "*", wire.AccessDenied},
		{"a principal of no kind", onSomething[iamapi.DeleteUserRequest], state.Principal{Account: account, ID: "U1"}, "*", wire.AccessDenied},
		{"exempt", Exempt[iamapi.DeleteUserRequest], user, "", nil},
		{"no resource", Account[iamapi.DeleteUserRequest], user, "*", nil},
		{"no target", none, root, "", wire.InternalFailure},
		{"no target, allowed everything", none, user, "*", wire.InternalFailure},
		{"empty targets", empty, root, "", wire.InternalFailure},
		{"a target without a resource", missing, user, "*", wire.AccessDenied},
		{"exempt behind another", second, user, "*", wire.AccessDenied},
		{"error of the target", own, root, "", iamapi.InvalidInput},
	} {
		for _, kind := range []string{"Read", "Write", "WritePrepared"} {
			x := open(t)
			if c.allow != "" {
				x.allow("Allow", c.allow)
			}
			var ran atomic.Int32
			method := func() (*wire.Empty, error) { ran.Add(1); return nil, nil }
			switch kind {
			case "Read":
				Read(x.registry, iamapi.OpDeleteUser, c.target, func(*Call, state.Reader, *iamapi.DeleteUserRequest) (*wire.Empty, error) { return method() })
			case "Write":
				Write(x.registry, iamapi.OpDeleteUser, c.target, func(*Call, *state.Tx, *iamapi.DeleteUserRequest) (*wire.Empty, error) { return method() })
			default:
				WritePrepared(x.registry, iamapi.OpDeleteUser, c.target,
					func(*Call, *state.View, *iamapi.DeleteUserRequest) (int, error) { ran.Add(1); return 0, nil },
					func(*Call, *state.Tx, *iamapi.DeleteUserRequest, int) (*wire.Empty, error) { return method() })
			}
			_, err := x.call(c.by, deleteUser)
			if c.want == nil {
				if err != nil || ran.Load() == 0 {
					t.Errorf("%s, %s: %v, ran %d times", kind, c.name, err, ran.Load())
				}
			} else if !err.IsFault(c.want) || ran.Load() != 0 {
				t.Errorf("%s, %s: %v, ran %d times; want %s before anything runs", kind, c.name, err, ran.Load(), c.want.Code)
			}
		}
	}
}

// TestValidationComesBeforeAuthorization: docs/spec/wire.md 1.8.
func TestValidationComesBeforeAuthorization(t *testing.T) {
	t.Parallel()
	x := open(t)
	Write(x.registry, iamapi.OpDeleteUser, func(*Call, state.Reader, *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		t.Error("the target was asked for")
		return nil, nil
	}, func(*Call, *state.Tx, *iamapi.DeleteUserRequest) (*wire.Empty, error) { return nil, nil })
	if _, err := x.call(user, "Action=DeleteUser"); !err.IsFault(wire.ValidationError) {
		t.Error(err)
	}
	if _, err := x.call(user, "Action=DeleteUser&UserName.member.1=x&UserName=%20"); !err.IsFault(wire.ValidationError) {
		t.Error(err)
	}
}

// TestTargetsOfWritesSeePendingState: what a write is aimed at is looked up where it is decided and done.
func TestTargetsOfWritesSeePendingState(t *testing.T) {
	t.Parallel()
	x := open(t)
	var readers []string
	target := func(_ *Call, r state.Reader, _ *iamapi.DeleteUserRequest) ([]authz.Target, error) {
		readers = append(readers, fmt.Sprintf("%T", r))
		return noResource, nil
	}
	Write(x.registry, iamapi.OpDeleteUser, target, func(*Call, *state.Tx, *iamapi.DeleteUserRequest) (*wire.Empty, error) { return nil, nil })
	if _, err := x.call(root, deleteUser); err != nil || fmt.Sprint(readers) != "[*state.Tx]" {
		t.Errorf("%v, the target was asked on %v; want the transaction", err, readers)
	}
}

// TestWriteIsOneCommitWithItsEvent: what fn writes, its event and nothing else.
func TestWriteIsOneCommitWithItsEvent(t *testing.T) {
	t.Parallel()
	x := open(t)
	fail := false
	Write(x.registry, iamapi.OpDeleteUser, onSomething, func(_ *Call, tx *state.Tx, in *iamapi.DeleteUserRequest) (*wire.Empty, error) {
		if *in.UserName == "nothing" {
			return nil, nil
		}
		u := &state.User{}
		u.Id, u.Name, u.Path = "U-"+*in.UserName, *in.UserName, "/"
		tx.Put(state.AccountUnit(account), u)
		if fail {
			return nil, iamapi.DeleteConflict.New("no")
		}
		return nil, nil
	})
	before := x.rev()
	if out, err := x.call(root, "Action=DeleteUser&UserName=a"); out != nil || err != nil {
		t.Fatalf("%v, %v", out, err)
	}
	if x.store.View().Account(account).User("U-a") == nil {
		t.Error("the write is not in the view when the call has returned")
	}
	fail = true
	if _, err := x.call(root, "Action=DeleteUser&UserName=b"); !err.IsFault(iamapi.DeleteConflict) {
		t.Error(err)
	}
	fail = false
	if _, err := x.call(root, "Action=DeleteUser&UserName=nothing"); err != nil {
		t.Error(err)
	}
	if _, err := x.call(user, "Action=DeleteUser&UserName=c"); !err.IsFault(wire.AccessDenied) {
		t.Error(err)
	}
	n := 0
	for c, err := range x.engine.Log(t.Context(), state.AccountUnit(account), before+1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if len(c.Mutations) != 1 || len(c.Events) != 1 {
			t.Fatalf("a commit of %d mutations and %d events", len(c.Mutations), len(c.Events))
		}
		e, err := audit.Decode(c.Events[0])
		if err != nil {
			t.Fatal(err)
		}
		if e.RequestId != "request-1" || e.Action != "iam:DeleteUser" || e.Account != account || e.Principal != "arn:aws:iam::111122223333:root" ||
			e.PrincipalId != account || e.AccessKeyId != "KEY" || e.SourceIp != "192.0.2.1" || e.UserAgent != "test" || e.Time != c.Time.UnixMicro() ||
			len(e.Resources) != 1 || e.Resources[0] != "arn:aws:iam::111122223333:user/x" {
			t.Errorf("the event: %v, of a commit at %d", e, c.Time.UnixMicro())
		}
	}
	if n != 1 {
		t.Errorf("%d commits of one successful write", n)
	}
}

// TestPreparedAgain: what was prepared for a state that has moved on is prepared again, up to a bound, and nothing of the tries before stays.
func TestPreparedAgain(t *testing.T) {
	t.Parallel()
	for _, stale := range []int{0, 1, 7, 8, 100} {
		x := open(t)
		prepared, ran := 0, 0
		WritePrepared(x.registry, iamapi.OpDeleteUser, onSomething,
			func(_ *Call, v *state.View, _ *iamapi.DeleteUserRequest) (int, error) {
				prepared++
				return prepared, nil
			},
			func(_ *Call, tx *state.Tx, _ *iamapi.DeleteUserRequest, p int) (*wire.Empty, error) {
				ran++
				u := &state.User{}
				u.Id, u.Name = fmt.Sprintf("U-try%d", p), fmt.Sprintf("try%d", p)
				tx.Put(state.AccountUnit(account), u)
				if p <= stale {
					return nil, fmt.Errorf("moved on: %w", state.ErrStale)
				}
				return nil, nil
			})
		before := x.rev()
		_, err := x.call(root, deleteUser)
		if stale >= 8 {
			if !err.IsFault(wire.Throttling) || err.Message != wire.ThrottlingText || prepared != 8 || x.rev() != before {
				t.Errorf("always stale: %v after %d tries, revision %d after %d", err, prepared, x.rev(), before)
			}
			continue
		}
		if err != nil || prepared != stale+1 || x.rev() != before+1 {
			t.Errorf("stale %d times: %v, prepared %d times, revision %d after %d", stale, err, prepared, x.rev(), before)
		}
		a := x.store.View().Account(account)
		if a.UserCount() != 2 || a.User(fmt.Sprintf("U-try%d", stale+1)) == nil {
			t.Errorf("stale %d times: %d users", stale, a.UserCount())
		}
	}
}

// TestPermissionMayGoWhilePreparing: the method authorizes again.
func TestPermissionMayGoWhilePreparing(t *testing.T) {
	t.Parallel()
	x := open(t)
	x.allow("Allow", "*")
	ran := false
	WritePrepared(x.registry, iamapi.OpDeleteUser, onSomething,
		func(*Call, *state.View, *iamapi.DeleteUserRequest) (int, error) { x.allow("Deny", "*"); return 0, nil },
		func(*Call, *state.Tx, *iamapi.DeleteUserRequest, int) (*wire.Empty, error) {
			ran = true
			return nil, nil
		})
	_, err := x.call(user, deleteUser)
	if !err.IsFault(wire.AccessDenied) || !strings.HasSuffix(err.Message, "with an explicit deny in an identity-based policy") || ran {
		t.Errorf("%v, the method ran: %t", err, ran)
	}
}

func TestErrorsOfPrepare(t *testing.T) {
	t.Parallel()
	x := open(t)
	prepared := 0
	WritePrepared(x.registry, iamapi.OpDeleteUser, onSomething,
		func(*Call, *state.View, *iamapi.DeleteUserRequest) (int, error) {
			prepared++
			return 0, iamapi.InvalidInput.New("no")
		},
		func(*Call, *state.Tx, *iamapi.DeleteUserRequest, int) (*wire.Empty, error) {
			t.Error("the method ran")
			return nil, nil
		})
	if _, err := x.call(root, deleteUser); !err.IsFault(iamapi.InvalidInput) || prepared != 1 {
		t.Errorf("%v, prepared %d times", err, prepared)
	}
}

// TestFaults: every kind of error, as the client sees it. What the client is not told stands in the log.
func TestFaults(t *testing.T) {
	t.Parallel()
	const unknown = "The server is stopping or does not reach its store. Whether the request was carried out is not known."
	secret := errors.New("bolt: open /secret/place: hunter2")
	denial := &authz.Denial{Principal: "arn:aws:iam::111122223333:user/100%s", Action: "iam:GetUser", Resource: "arn:%d"}
	for _, c := range []struct {
		err     error
		fault   *wire.Fault
		message string
		logged  string
	}{
		{iamapi.NoSuchEntity.New("gone"), iamapi.NoSuchEntity, "gone", ""},
		{fmt.Errorf("while: %w", iamapi.NoSuchEntity.New("gone")), iamapi.NoSuchEntity, "gone", ""},
		{denial, wire.AccessDenied, "User: arn:aws:iam::111122223333:user/100%s is not authorized to perform: iam:GetUser on resource: arn:%d because no identity-based policy allows the iam:GetUser action", "level=INFO"},
		{fmt.Errorf("while: %w", state.ErrBusy), wire.Throttling, "Rate exceeded", ""},
		{fmt.Errorf("while: %w", state.ErrStale), wire.Throttling, "Rate exceeded", ""},
		{fmt.Errorf("while: %w", storage.ErrConflict), wire.Throttling, "Rate exceeded", ""},
		{fmt.Errorf("%w: %w", storage.ErrNoSpace, secret), wire.ServiceUnavailable, "The request was not carried out: the server has no space left to store it.", "hunter2"},
		{fmt.Errorf("%w: %w", storage.ErrLimit, secret), wire.ValidationError, "The request is larger than one change to the store can be.", ""},
		{context.Canceled, wire.ServiceUnavailable, unknown, "level=WARN"},
		{context.DeadlineExceeded, wire.ServiceUnavailable, unknown, "level=WARN"},
		{state.ErrStopped, wire.ServiceUnavailable, unknown, "level=WARN"},
		{fmt.Errorf("%w: %w", storage.ErrUnknown, secret), wire.ServiceUnavailable, unknown, "hunter2"},
		{storage.ErrClosed, wire.ServiceUnavailable, unknown, "level=WARN"},
		{fmt.Errorf("%w: %w", storage.ErrDamaged, secret), wire.InternalFailure, wire.InternalFailureText, "hunter2"},
		{fmt.Errorf("%w: %w", storage.ErrInvalid, secret), wire.InternalFailure, wire.InternalFailureText, "hunter2"},
		{&state.PanicError{Value: "hunter2", Stack: []byte("stack")}, wire.InternalFailure, wire.InternalFailureText, "panicked"},
		{secret, wire.InternalFailure, wire.InternalFailureText, "level=ERROR"},
	} {
		x := open(t)
		Read(x.registry, iamapi.OpGetUser, Exempt, func(*Call, state.Reader, *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
			return &iamapi.GetUserResponse{}, c.err
		})
		out, err := x.call(root, getUser)
		if out != nil || !err.IsFault(c.fault) || err.Message != c.message {
			t.Errorf("%v\n got %v, %v\nwant %s: %s", c.err, out, err, c.fault.Code, c.message)
		}
		if log := x.log.String(); !strings.Contains(log, c.logged) || c.logged == "" && log != "" || c.logged != "" && !strings.Contains(log, "request_id=request-1") {
			t.Errorf("%v: the log says %q; want %q with the request id", c.err, log, c.logged)
		}
	}
}

// TestDenialsAreKept: the denial that ends a call is found by the id of its request, which the error and the log have. The message has it
// where that is asked for.
func TestDenialsAreKept(t *testing.T) {
	t.Parallel()
	const message = "User: arn:aws:iam::111122223333:user/u1 is not authorized to perform: iam:DeleteUser on resource: arn:aws:iam::111122223333:user/x " +
		"because no identity-based policy allows the iam:DeleteUser action"
	for suffix, named := range map[string]bool{"": false, " (decision request-1)": true} {
		x := open(t)
		x.registry.DenialIDs = named
		Write(x.registry, iamapi.OpDeleteUser, onSomething, func(*Call, *state.Tx, *iamapi.DeleteUserRequest) (*wire.Empty, error) { return nil, nil })
		if _, err := x.call(root, deleteUser); err != nil || x.registry.authorizer.Kept("", "request-1") != nil {
			t.Errorf("allowed: %v, and a denial is kept", err)
		}
		_, err := x.call(user, deleteUser)
		if !err.IsFault(wire.AccessDenied) || err.Message != message+suffix || err.DecisionID != "request-1" {
			t.Errorf("%v, decision %q", err, err.DecisionID)
		}
		if d := x.registry.authorizer.Kept(account, "request-1"); d == nil || d.Error() != message || d.Record.Request.Action != "iam:DeleteUser" {
			t.Errorf("kept: %v", d)
		}
		if d := x.registry.authorizer.Kept("444455556666", "request-1"); d != nil {
			t.Error("it is kept for another account")
		}
		if log := x.log.String(); strings.Count(log, " decision_id=request-1 ") != 1 {
			t.Errorf("the log says %s", log)
		}
	}
}

// TestPanicsOfWrites: a method that panics fails its own call only.
func TestPanicsOfWrites(t *testing.T) {
	t.Parallel()
	x := open(t)
	Write(x.registry, iamapi.OpDeleteUser, onSomething, func(_ *Call, tx *state.Tx, in *iamapi.DeleteUserRequest) (*wire.Empty, error) {
		u := &state.User{}
		u.Id, u.Name = "U-"+*in.UserName, *in.UserName
		tx.Put(state.AccountUnit(account), u)
		if *in.UserName == "panic" {
			panic("hunter2")
		}
		return nil, nil
	})
	before := x.rev()
	if _, err := x.call(root, "Action=DeleteUser&UserName=panic"); !err.IsFault(wire.InternalFailure) || strings.Contains(err.Message, "hunter2") || x.rev() != before {
		t.Errorf("%v, revision %d after %d", err, x.rev(), before)
	}
	if !strings.Contains(x.log.String(), "hunter2") || !strings.Contains(x.log.String(), "service_test.go") {
		t.Errorf("the log says %q; want what panicked and where", x.log)
	}
	if _, err := x.call(root, "Action=DeleteUser&UserName=a"); err != nil || x.store.View().Account(account).User("U-panic") != nil {
		t.Errorf("the call after a panic: %v", err)
	}
}

// TestStoppedStore: nothing is read or written once the store is no longer followed, so that nobody acts on permissions that were taken away.
func TestStoppedStore(t *testing.T) {
	t.Parallel()
	x := open(t)
	read, wrote := false, false
	Read(x.registry, iamapi.OpGetUser, Exempt, func(*Call, state.Reader, *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
		read = true
		return &iamapi.GetUserResponse{}, nil
	})
	Write(x.registry, iamapi.OpDeleteUser, Exempt, func(*Call, *state.Tx, *iamapi.DeleteUserRequest) (*wire.Empty, error) {
		wrote = true
		return nil, nil
	})
	WritePrepared(x.registry, iamapi.OpCreateAccessKey, Exempt,
		func(*Call, *state.View, *iamapi.CreateAccessKeyRequest) (int, error) { wrote = true; return 0, nil },
		func(*Call, *state.Tx, *iamapi.CreateAccessKeyRequest, int) (*iamapi.CreateAccessKeyResponse, error) {
			return nil, nil
		})
	if err := x.engine.Close(); err != nil {
		t.Fatal(err)
	}
	x.followed.Wait()
	for _, form := range []string{getUser, deleteUser, "Action=CreateAccessKey"} {
		if _, err := x.call(root, form); !err.IsFault(wire.ServiceUnavailable) {
			t.Errorf("%s: %v", form, err)
		}
	}
	if read || wrote {
		t.Errorf("read %t, wrote %t", read, wrote)
	}
}
