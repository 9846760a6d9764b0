package state

import (
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// Group is an IAM group.
type Group struct{ statepb.Group }

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (g *Group) Clone() *Group {
	c := &Group{}
	proto.Merge(&c.Group, &g.Group)
	return c
}

// ARN is the group's name for policies; account is the one it belongs to.
func (g *Group) ARN(account string) string { return arn.Group(Partition, account, g.Path, g.Name) }

func (g *Group) place() (string, string)  { return groupSchema.name, g.Id }
func (g *Group) marshal() ([]byte, error) { return marshal(&g.Group) }
func (g *Group) size() int                { return proto.Size(&g.Group) }

var groupSchema = &schema[Group]{
	name:   "group",
	key:    func(g *Group) string { return g.Id },
	less:   func(a, b *Group) bool { return lessNamed(a.Name, a.Id, b.Name, b.Id) },
	decode: func(_ string, v []byte) (*Group, error) { r := &Group{}; return r, proto.Unmarshal(v, &r.Group) },
}

// Group returns the group with that unique id, or nil.
func (a *Account) Group(id string) *Group { return at[Group](&a.tables, groupTable).get(id) }

// GroupByName returns the group with that name, compared without regard to case, or nil.
func (a *Account) GroupByName(name string) *Group {
	pivot := &Group{}
	pivot.Name = name
	return oneNamed(at[Group](&a.tables, groupTable), pivot, name, (*Group).GetName)
}

// Groups walks the groups in order of name, without regard to case, beginning behind the name after ("" = all).
func (a *Account) Groups(after string) iter.Seq[*Group] {
	pivot := &Group{}
	pivot.Name = after
	return behindName(at[Group](&a.tables, groupTable), pivot, after, (*Group).GetName)
}

// GroupCount is the number of groups.
func (a *Account) GroupCount() int { return at[Group](&a.tables, groupTable).count() }

// Member says that a user is in a group.
type Member struct{ statepb.Member }

// NewMember makes the record of a membership, given by unique ids.
func NewMember(user, group string) *Member {
	m := &Member{}
	m.User, m.Group = user, group
	return m
}

func (m *Member) place() (string, string)  { return memberSchema.name, m.User + "/" + m.Group }
func (m *Member) marshal() ([]byte, error) { return marshal(&m.Member) }
func (m *Member) size() int                { return proto.Size(&m.Member) }

var memberSchema = &schema[Member]{
	name: "member",
	key:  func(m *Member) string { return m.User + "/" + m.Group },
	less: func(a, b *Member) bool {
		c := strings.Compare(a.User, b.User)
		return c < 0 || c == 0 && a.Group < b.Group
	},
	second: func(a, b *Member) bool {
		c := strings.Compare(a.Group, b.Group)
		return c < 0 || c == 0 && a.User < b.User
	},
	decode: func(_ string, v []byte) (*Member, error) { r := &Member{}; return r, proto.Unmarshal(v, &r.Member) },
}

// IsMember says whether a user is in a group; both are given by unique id.
func (a *Account) IsMember(user, group string) bool {
	return at[Member](&a.tables, memberTable).get(user+"/"+group) != nil
}

// GroupsOf walks the groups that a user is in, in order of their unique ids.
func (a *Account) GroupsOf(user string) iter.Seq[*Group] {
	return func(yield func(*Group) bool) {
		for m := range a.MembershipsOf(user) {
			if g := a.Group(m.Group); g != nil && !yield(g) {
				return
			}
		}
	}
}

// MembershipsOf walks the memberships of a user, in order of the groups' unique ids.
func (a *Account) MembershipsOf(user string) iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		for m := range at[Member](&a.tables, memberTable).from(NewMember(user, "")) {
			if m.User != user || !yield(m) {
				return
			}
		}
	}
}

// UsersIn walks the users of a group, in order of their unique ids.
func (a *Account) UsersIn(group string) iter.Seq[*User] {
	return func(yield func(*User) bool) {
		for m := range at[Member](&a.tables, memberTable).fromSecond(NewMember("", group)) {
			if m.Group != group {
				return
			}
			if u := a.User(m.User); u != nil && !yield(u) {
				return
			}
		}
	}
}
