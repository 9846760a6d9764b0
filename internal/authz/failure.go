package authz

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Failure is a decision that could not be made, and so became a denial (docs/spec/evaluation.md 4.2). It is an error, and somebody must
// repair what it says.
type Failure struct {
	Principal, Action, Resource string
	Err                         error
	Stack                       []byte // of a panic; nil otherwise
	Again                       bool   // the same was told before, of the same state
}

func (f *Failure) Error() string {
	return fmt.Sprintf("authz: %s on %s by %s could not be decided: %v", f.Action, f.Resource, f.Principal, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// failures are those that were told, so that one fault in a busy store is not a line for each of its requests.
type failures struct {
	mu   sync.Mutex
	told map[string]struct{}
}

const maxTold = 1024

// again says whether that was told before, and notes that it is now.
func (f *failures) again(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.told[what]; ok {
		return true
	}
	if f.told == nil || len(f.told) == maxTold {
		f.told = make(map[string]struct{})
	}
	f.told[what] = struct{}{}
	return false
}

func (k *check) panicked(value any) {
	k.tell(fmt.Errorf("a panic: %v", value), debug.Stack())
}

// undecided finds out why there is no decision. A principal that is not there, credentials that are refused and a request outside of the
// bounds are no failures.
func (k *check) undecided() {
	if k.request.Action == "" {
		return
	}
	// What is decided of the smallest request is decided of any that is well formed, unless a policy cannot be read.
	probe := k.request
	probe.Action, probe.Resource, probe.Context, probe.PolicyContext, probe.Exempt = "probe:Probe", "*", nil, nil, false
	if policy.Decide(k.sets(), &probe).Layer != policy.LayerNone {
		return
	}
	k.tell(k.unreadable(), nil)
}

// unreadable names the policy that cannot be read.
func (k *check) unreadable() error {
	for _, layer := range [...]struct {
		name string
		sets []*policy.Set
	}{
		{"service control policy", k.sets().SCP},
		{"resource control policy", k.request.RCP},
		{"identity-based policy", []*policy.Set{k.sets().Identity}},
		{"permissions boundary", []*policy.Set{k.sets().Boundary}},
		{"session policy", []*policy.Set{k.sets().Session}},
	} {
		for _, s := range layer.sets {
			for _, a := range s.Policies() {
				if a == nil || a.Policy == nil {
					return missing(layer.name, a)
				}
			}
		}
	}
	if a := k.request.ResourcePolicy; a != nil && a.Policy == nil {
		return missing("resource's policy", a)
	}
	if a := k.request.Endpoint; a != nil && a.Policy == nil {
		return missing("endpoint policy", a)
	}
	return errors.New("a policy stands where policies of its kind cannot")
}

func missing(layer string, a *policy.Attached) error {
	if a == nil {
		return fmt.Errorf("a %s is not there", layer)
	}
	return fmt.Errorf("the %s %q (ARN %q, owner %q) is not there or cannot be read", layer, a.Name, a.ARN, a.Owner)
}

func (k *check) tell(err error, stack []byte) {
	if k.z.Alarm == nil {
		return
	}
	f := &Failure{Principal: k.name(), Action: k.q.Action, Resource: k.q.Resource, Err: err, Stack: stack}
	what := err.Error()
	if k.caller != nil {
		what = fmt.Sprint(k.caller.account, k.caller.epoch, what)
	}
	f.Again = k.z.failures.again(what)
	k.z.Alarm(f)
}
