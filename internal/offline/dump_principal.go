package offline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Principal is a user or role of a dump with what applies to it.
type Principal struct {
	ARN, ID  string
	Session  string // name of the session, where a role's was asked for
	Tags     []Tag
	Identity []*policy.Attached // inline, attached, and those of its groups
	Boundary *policy.Attached   // nil where it has none
}

// Tag is a tag of a principal.
type Tag struct{ Key, Value string }

// entity is an entry of a dump as its members say it.
type entity struct {
	name, id string
	inline   []inlinePolicy
	attached []string // ARNs
	groups   []string // names
	boundary string   // ARN
	tags     []Tag
}

type inlinePolicy struct {
	name string
	document
}

// Principal finds a user, a role or a session of a role by its ARN. It is read once, and belongs to the dump.
func (d *Dump) Principal(name string) (*Principal, error) {
	if p := d.principals[name]; p != nil {
		return p, nil
	}
	p, err := d.readPrincipal(name)
	if err == nil {
		d.principals[name] = p
	}
	return p, err
}

func (d *Dump) readPrincipal(name string) (*Principal, error) {
	parsed, err := arn.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("principal %q is no ARN", clip(name))
	}
	p := &Principal{ARN: name}
	at, ok := d.users[name]
	if !ok {
		if role, session, isSession := d.roleOf(parsed); isSession {
			p.ARN, p.Session = role, session
		}
		at, ok = d.roles[p.ARN]
	}
	if !ok {
		return nil, d.noPrincipal(name, parsed)
	}
	e, err := d.entity(at)
	if err != nil {
		return nil, err
	}
	p.ID, p.Tags = e.id, e.tags
	if p.Identity, err = d.policiesOf(p.ARN, e); err != nil {
		return nil, err
	}
	for _, group := range e.groups {
		at, ok := d.groups[group]
		if !ok {
			return nil, fmt.Errorf("%s: %s is in group %s, but the dump does not have that group (was it made with a --filter?)", d.name, clip(p.ARN), clip(group))
		}
		g, err := d.entity(at)
		if err != nil {
			return nil, err
		}
		more, err := d.policiesOf(g.name, g)
		if err != nil {
			return nil, err
		}
		p.Identity = append(p.Identity, more...)
		if len(p.Identity) > MaxPolicies {
			return nil, fmt.Errorf("%s: %s has more than %d policies", d.name, clip(p.ARN), MaxPolicies)
		}
	}
	if e.boundary != "" {
		if p.Boundary, err = d.managedPolicy(e.boundary); err != nil {
			return nil, fmt.Errorf("permissions boundary of %s: %w", clip(p.ARN), err)
		}
	}
	return p, nil
}

// noPrincipal says that the dump has no such user or role, and of a group who may be meant.
func (d *Dump) noPrincipal(name string, parsed arn.ARN) error {
	kind, _, group, _ := parsed.Entity()
	if parsed.Service != "iam" || kind != "group" {
		return fmt.Errorf("%s has no user or role %s (users: %d, roles: %d)", d.name, clip(name), len(d.users), len(d.roles))
	}
	member := fmt.Sprintf("%s has no member of it", d.name)
	if user := d.memberOf(name, group); user != "" {
		member = "such as " + clip(user)
	}
	return fmt.Errorf("a group is not a principal: instead of %s name a member, who has its policies too (%s)", clip(name), member)
}

// memberOf is the ARN of the first user in a group, in the order of ARNs; "" where there is none. Entries that cannot be read have no groups: a
// fault of them is told where somebody asks about them.
func (d *Dump) memberOf(groupARN, group string) string {
	at, ok := d.groups[group]
	if !ok {
		return ""
	}
	if g, err := d.entity(at); err != nil || g.name != groupARN {
		return ""
	}
	for _, user := range slices.Sorted(maps.Keys(d.users)) {
		if e, err := d.entity(d.users[user]); err == nil && slices.Contains(e.groups, group) {
			return user
		}
	}
	return ""
}

// policiesOf are the policies of one entity, inline ones first.
func (d *Dump) policiesOf(owner string, e *entity) ([]*policy.Attached, error) {
	var out []*policy.Attached
	seen := map[string]bool{}
	for _, one := range e.inline {
		if seen[one.name] {
			return nil, d.placed(faultAt(one.at, "%s has two policies with the name %s", clip(owner), clip(one.name)))
		}
		seen[one.name] = true
		compiled, err := d.load(one.document, policy.Identity, "policy "+clip(one.name)+" of "+clip(owner))
		if err != nil {
			return nil, err
		}
		out = append(out, &policy.Attached{Policy: compiled, Name: one.name, Owner: owner})
	}
	for _, name := range e.attached {
		a, err := d.managedPolicy(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", clip(owner), err)
		}
		out = append(out, a)
	}
	return out, nil
}

// entity reads a user, group or role. The name is the ARN.
func (d *Dump) entity(at int) (*entity, error) {
	e := &entity{}
	w := &walker{text: d.text, at: at}
	var inline inlinePolicy
	var name string
	var tag Tag
	inlineList := list(w, "inline policies", func() map[string]func() error {
		inline = inlinePolicy{}
		return map[string]func() error{"PolicyName": text(w, &inline.name), "PolicyDocument": documentOf(w, &inline.document)}
	}, func(at int) error {
		if inline.name == "" || inline.text == "" {
			return faultAt(at, "an inline policy without PolicyName or PolicyDocument")
		}
		e.inline = append(e.inline, inline)
		return nil
	})
	take := map[string]func() error{
		"Arn":    text(w, &e.name),
		"UserId": text(w, &e.id), "RoleId": text(w, &e.id),
		"UserPolicyList": inlineList, "GroupPolicyList": inlineList, "RolePolicyList": inlineList,
		"AttachedManagedPolicies": list(w, "attached policies", func() map[string]func() error {
			name = ""
			return map[string]func() error{"PolicyArn": text(w, &name)}
		}, func(at int) error {
			if name == "" {
				return faultAt(at, "an attached policy without PolicyArn")
			}
			e.attached = append(e.attached, name)
			return nil
		}),
		"Tags": list(w, "tags", func() map[string]func() error {
			tag = Tag{}
			return map[string]func() error{"Key": text(w, &tag.Key), "Value": text(w, &tag.Value)}
		}, func(at int) error {
			if tag.Key == "" {
				return faultAt(at, "a tag without Key")
			}
			e.tags = append(e.tags, tag)
			return nil
		}),
		"GroupList": func() error {
			return w.array(func(i int) error {
				if i == MaxOwnList {
					return faultAt(w.at, "more than %d groups", MaxOwnList)
				}
				group, err := w.string("the name of a group")
				e.groups = append(e.groups, group)
				return err
			})
		},
		"PermissionsBoundary": func() error {
			w.space()
			at := w.at
			if err := members(w, map[string]func() error{"PermissionsBoundaryArn": text(w, &e.boundary)}); err != nil {
				return err
			}
			if !strings.HasPrefix(e.boundary, "arn:") {
				return faultAt(at, "a permissions boundary without PermissionsBoundaryArn")
			}
			return nil
		},
	}
	if err := members(w, take); err != nil {
		return nil, d.placed(err)
	}
	return e, nil
}
