package offline

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Dump is what `aws iam get-account-authorization-details` prints of an account, or the answer of that call as JSON with documents in percent
// encoding. Only where its entries stand is kept; an entity is read when it is asked for.
type Dump struct {
	name, text string
	users      map[string]int // by ARN: offset of the entry
	groups     map[string]int // by name
	roles      map[string]int // by ARN
	roleNames  map[string]string
	managed    map[string]int // by ARN
	loaded     map[string]*policy.Attached
	principals map[string]*Principal       // by what they were asked for as
	trusts     map[string]*policy.Attached // by role
	compiled   map[int]*policy.Policy      // by place: the policies of a group are compiled once for all its users
	places     map[*policy.Policy]Position // of the documents that stand in the dump as JSON
}

// dumpLists are the members of a dump that are read, each with the member that tells its entries from each other.
var dumpLists = map[string]string{"UserDetailList": "Arn", "GroupDetailList": "GroupName", "RoleDetailList": "Arn", "Policies": "Arn"}

// ReadDump finds the entries of a dump. name is the file's, for errors, which say line and column.
func ReadDump(name, text string) (*Dump, error) {
	if len(text) > MaxDump {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxDump)
	}
	d := &Dump{
		name: name, text: text, users: map[string]int{}, groups: map[string]int{}, roles: map[string]int{}, roleNames: map[string]string{},
		managed: map[string]int{}, loaded: map[string]*policy.Attached{},
		principals: map[string]*Principal{}, trusts: map[string]*policy.Attached{},
		compiled: map[int]*policy.Policy{}, places: map[*policy.Policy]Position{},
	}
	if err := d.scan(); err != nil {
		return nil, d.placed(err)
	}
	return d, nil
}

// placed says where in the dump a fault is.
func (d *Dump) placed(err error) error {
	if f, ok := errors.AsType[*textFault](err); ok {
		return fmt.Errorf("%s:%s: %s", d.name, positionOf(d.text, f.offset), f.message)
	}
	return err
}

func (d *Dump) scan() error {
	w, err := newWalker(d.text)
	if err != nil {
		return err
	}
	found, truncated := 0, false
	take := map[string]func() error{
		"IsTruncated": func() error {
			value, _, err := w.value()
			truncated = value != "false"
			return err
		},
	}
	for list, key := range dumpLists {
		take[list] = func() error {
			found++
			return d.scanList(w, list, key)
		}
	}
	if err := members(w, take); err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	if found == 0 {
		return faultAt(0, "this is no answer of get-account-authorization-details: it has none of UserDetailList, GroupDetailList, RoleDetailList, Policies")
	}
	if truncated {
		return faultAt(0, "the dump is one page of several (IsTruncated): without the others policies would be missing. Let the CLI fetch all pages")
	}
	return nil
}

// scanList notes where the entries of a list stand.
func (d *Dump) scanList(w *walker, list, key string) error {
	into := map[string]map[string]int{"UserDetailList": d.users, "GroupDetailList": d.groups, "RoleDetailList": d.roles, "Policies": d.managed}[list]
	return w.array(func(i int) error {
		if i == MaxDumpList {
			return faultAt(w.at, "%s has more than %d entries", list, MaxDumpList)
		}
		w.space()
		at := w.at
		var id, role string
		take := map[string]func() error{key: text(w, &id)}
		if list == "RoleDetailList" {
			take["RoleName"] = text(w, &role)
		}
		if err := members(w, take); err != nil {
			return err
		}
		if id == "" {
			return faultAt(at, "an entry of %s without %s", list, key)
		}
		if other, twice := into[id]; twice {
			return faultAt(at, "%s is in %s twice: first at %s", clip(id), list, positionOf(d.text, other))
		}
		into[id] = at
		if role == "" {
			return nil
		}
		if other, twice := d.roleNames[role]; twice {
			return faultAt(at, "two roles have the name %s: the other is %s", clip(role), clip(other))
		}
		d.roleNames[role] = id
		return nil
	})
}

// members passes an object, calls take for the members it has a function for, and refuses those that stand there twice.
func members(w *walker, take map[string]func() error) error {
	seen := make(map[string]bool, len(take))
	return w.object(func(name string, at int) error {
		f := take[name]
		if f == nil {
			return w.skip()
		}
		if seen[name] {
			return faultAt(at, "member %s stands there twice", name)
		}
		seen[name] = true
		return f()
	})
}

// text takes a string.
func text(w *walker, into *string) func() error {
	return func() (err error) {
		*into, err = w.string("a string")
		return err
	}
}

// list takes a list of objects: each calls one for its members, and then done.
func list(w *walker, what string, one func() map[string]func() error, done func(at int) error) func() error {
	return func() error {
		return w.array(func(i int) error {
			if i == MaxOwnList {
				return faultAt(w.at, "more than %d %s", MaxOwnList, what)
			}
			w.space()
			at := w.at
			if err := members(w, one()); err != nil {
				return err
			}
			return done(at)
		})
	}
}

// clip shortens a text of unknown length for a message.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// document is the text of a policy in a dump.
type document struct {
	text string
	at   int  // where the member's value stands
	own  bool // the text is that of the dump, so that places in it are places in the dump
}

// documentOf takes a policy document: a JSON object, as the CLI prints it, or a string with the document, percent-encoded as the API answers it
// or plain.
func documentOf(w *walker, into *document) func() error {
	return func() error {
		if w.peek() == '{' {
			value, at, err := w.value()
			*into = document{value, at, true}
			return err
		}
		at := w.at
		s, err := w.string("a policy document, as an object or a string,")
		if err != nil {
			return err
		}
		if trimmed := strings.TrimLeft(s, " \t\r\n"); strings.HasPrefix(trimmed, "%") {
			if s, err = url.PathUnescape(s); err != nil {
				return faultAt(at, "a policy document in broken percent encoding")
			}
		}
		*into = document{s, at, false}
		return nil
	}
}

// load compiles a document of the dump, by the grammar alone: it is stored already.
func (d *Dump) load(doc document, kind policy.Kind, what string) (*policy.Policy, error) {
	if p := d.compiled[doc.at]; p != nil { // of one place there is one kind
		return p, nil
	}
	p, err := compile(doc.text, kind, false)
	if err == nil {
		d.compiled[doc.at] = p
		if doc.own {
			d.places[p] = positionOf(d.text, doc.at)
		}
		return p, nil
	}
	place := positionOf(d.text, doc.at)
	if f, ok := errors.AsType[*policy.Error](err); ok && doc.own && f.Offset >= 0 {
		place = positionOf(d.text, doc.at+f.Offset)
	}
	return nil, fmt.Errorf("%s:%s: %s: %w", d.name, place, what, err)
}

// locate is a place in a policy's text as one in the dump, "" for what does not stand there as it is. d may be nil.
func (d *Dump) locate(p *policy.Policy, in Position) string {
	if d == nil {
		return ""
	}
	at, ok := d.places[p]
	if !ok {
		return ""
	}
	if in.Line == 1 {
		in.Column += at.Column - 1
	}
	in.Line += at.Line - 1
	return d.name + ":" + in.String()
}

// managedPolicy is a managed policy that somebody in the dump has. AWS's own that the dump leaves out are those that Gatehouse knows.
func (d *Dump) managedPolicy(name string) (*policy.Attached, error) {
	if a := d.loaded[name]; a != nil {
		return a, nil
	}
	at, ok := d.managed[name]
	if !ok {
		if p := awspolicy.ByARN(name); p != nil && p.Compiled() != nil {
			return &policy.Attached{Policy: p.Compiled(), ARN: name, Name: p.Name}, nil
		}
		return nil, fmt.Errorf("%s: policy %s is attached, but the dump does not have it under Policies (was it made with a --filter?)", d.name, clip(name))
	}
	w := &walker{text: d.text, at: at}
	var doc document
	var version, defaultVersion, called string
	isDefault, found := "", false
	var one document
	versions := list(w, "versions of a policy", func() map[string]func() error {
		version, isDefault, one = "", "", document{}
		return map[string]func() error{
			"VersionId": text(w, &version), "Document": documentOf(w, &one),
			"IsDefaultVersion": func() (err error) { isDefault, _, err = w.value(); return err },
		}
	}, func(at int) error {
		if isDefault != "true" {
			return nil
		}
		if found {
			return faultAt(at, "policy %s has two default versions", clip(name))
		}
		found, doc, defaultVersion = true, one, version
		return nil
	})
	var stated string
	err := members(w, map[string]func() error{"PolicyName": text(w, &called), "DefaultVersionId": text(w, &stated), "PolicyVersionList": versions})
	switch {
	case err != nil:
	case !found || doc.text == "":
		err = faultAt(at, "policy %s has no default version with a document", clip(name))
	case stated != "" && defaultVersion != "" && stated != defaultVersion:
		err = faultAt(at, "policy %s: DefaultVersionId is %s, but version %s is marked as the default", clip(name), clip(stated), clip(defaultVersion))
	}
	if err != nil {
		return nil, d.placed(err)
	}
	p, err := d.load(doc, policy.Managed, "policy "+clip(name))
	if err != nil {
		return nil, err
	}
	a := &policy.Attached{Policy: p, ARN: name, Name: called}
	d.loaded[name] = a
	return a, nil
}

// Trust is the trust policy of a role of the dump; nil where it has no such role. It is read once.
func (d *Dump) Trust(role string) (*policy.Attached, error) {
	at, ok := d.roles[role]
	if !ok || d.trusts[role] != nil {
		return d.trusts[role], nil
	}
	w := &walker{text: d.text, at: at}
	var doc document
	if err := members(w, map[string]func() error{"AssumeRolePolicyDocument": documentOf(w, &doc)}); err != nil {
		return nil, d.placed(err)
	}
	if doc.text == "" {
		return nil, d.placed(faultAt(at, "role %s has no AssumeRolePolicyDocument", clip(role)))
	}
	p, err := d.load(doc, policy.Trust, "trust policy of "+clip(role))
	if err != nil {
		return nil, err
	}
	d.trusts[role] = &policy.Attached{Policy: p, Name: "trust policy", Owner: role}
	return d.trusts[role], nil
}

// roleOf finds the role of a session's ARN.
func (d *Dump) roleOf(session arn.ARN) (role, name string, ok bool) {
	parts := strings.Split(session.Resource, "/")
	if session.Service != "sts" || len(parts) != 3 || parts[0] != "assumed-role" {
		return "", "", false
	}
	role, ok = d.roleNames[parts[1]]
	return role, parts[2], ok
}
