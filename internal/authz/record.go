package authz

import (
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Record is what one decision was made from, as it was: with it the decision can be made again at any later time. It never changes, and
// shares no memory with the request.
type Record struct {
	Time      time.Time        // of the check
	Revision  storage.Rev      // of the state that was read
	Principal *state.Principal // of the store; nil for services, providers and anonymous callers
	// Sets and Request are what policy.Decide got. Where no policy was asked Refusal says why, Sets is zero, and of Request only Action,
	// Resource and Owner are there.
	Sets    policy.Sets
	Request policy.Request
	Refusal string
	// Asked: another program asked, and gave the policies of the resource, which are no secret to it. Catalog is Known of our own operations.
	Asked   bool
	Catalog catalog.Verdict
}

// Why no policy was asked, beside what is said of credentials.
const (
	noPrincipal = "There is no such principal (any more)."
	notDecided  = "The decision could not be made: a policy cannot be read, or the server failed. Its log has the cause."
)

// record keeps what the check was decided from, while its context is there.
func (k *check) record() *Record {
	n := k.frame()
	n.Revision = k.r.Rev()
	n.Sets, n.Request, n.Catalog = *k.sets(), k.request, k.verdict()
	caller, r := &n.Sets.Caller, &n.Request
	var c copier
	c.texts.Grow(len(r.Action) + len(r.Resource) + len(r.Owner) + len(caller.Canonical) + lengthOf(caller.Names) + lengthOf(r.Grantees) +
		textOf(r.Context) + textOf(r.PolicyContext))
	caller.Names, caller.Canonical = c.list(caller.Names), c.text(caller.Canonical)
	r.Action, r.Resource, r.Owner, r.Grantees = c.text(r.Action), c.text(r.Resource), c.text(r.Owner), c.list(r.Grantees)
	r.Context, r.PolicyContext = c.entries(r.Context), c.entries(r.PolicyContext)
	return n
}

// unasked is the record of a denial that no policy was asked for.
func (k *check) unasked() *Record {
	why := k.refusal
	if why == "" {
		why = noPrincipal
	}
	n := k.refusedRecord(why)
	n.Revision = k.r.Rev()
	return n
}

func (k *check) refusedRecord(why string) *Record {
	n := k.frame()
	n.Request = policy.Request{Action: strings.Clone(k.q.Action), Resource: strings.Clone(k.q.Resource), Owner: strings.Clone(k.owner)}
	n.Refusal = why
	return n
}

func (k *check) frame() *Record {
	n := &Record{Time: k.q.Time, Asked: k.q.own == nil}
	if k.q.own != nil {
		n.Time = k.q.own.environment.Time
	}
	if k.q.Principal != nil {
		p := *k.q.Principal
		n.Principal = &p
	}
	return n
}

// copier copies texts into memory of their own, all into one piece.
type copier struct{ texts strings.Builder }

func (c *copier) text(s string) string {
	at := c.texts.Len()
	c.texts.WriteString(s)
	return c.texts.String()[at:]
}

func (c *copier) list(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = c.text(s)
	}
	return out
}

// entries keeps nil: a request without a PolicyContext is another one than one with an empty one.
func (c *copier) entries(in []policy.Entry) []policy.Entry {
	if in == nil {
		return nil
	}
	n := 0
	for i := range in {
		n += len(in[i].Values)
	}
	out, values := make([]policy.Entry, len(in)), make([]string, 0, n)
	for i := range in {
		first := len(values)
		for _, v := range in[i].Values {
			values = append(values, c.text(v))
		}
		out[i] = policy.Entry{Key: c.text(in[i].Key), Values: values[first:len(values):len(values)], Multi: in[i].Multi}
	}
	return out
}

func lengthOf(list []string) int {
	n := 0
	for _, s := range list {
		n += len(s)
	}
	return n
}

func textOf(entries []policy.Entry) int {
	n := 0
	for i := range entries {
		n += len(entries[i].Key) + lengthOf(entries[i].Values)
	}
	return n
}
