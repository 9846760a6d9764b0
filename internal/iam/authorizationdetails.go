package iam

import (
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func registerAuthorizationDetails(r *service.Registry, _ *Service) {
	service.Read(r, iamapi.OpGetAccountAuthorizationDetails, service.Account, getAuthorizationDetails)
}

// detail is one entry of the combined sequence.
type detail struct {
	place string // what a marker remembers: a letter for the part, and the place in it
	add   func(*iamapi.GetAccountAuthorizationDetailsResponse)
}

// viewer is what the entries are made from.
type viewer struct {
	*state.Account
	call   *service.Call
	reader state.Reader
}

// part is a stretch of the sequence: entities of one kind, in the order of their list.
type part struct {
	letter string
	kind   string // as Filter names it
	walk   func(v viewer, behind string) iter.Seq[detail]
}

var parts = [...]part{
	{"u", iamapi.EntityTypeUser, userDetails},
	{"g", iamapi.EntityTypeGroup, groupDetails},
	{"r", iamapi.EntityTypeRole, roleDetails},
	{"p", iamapi.EntityTypeLocalManagedPolicy, localPolicyDetails},
	{"w", iamapi.EntityTypeAWSManagedPolicy, awsPolicyDetails},
}

// getAuthorizationDetails pages over users, groups, roles, the account's own policies and those of AWS that are in use, as one sequence
// (docs/spec/wire.md 6).
func getAuthorizationDetails(c *service.Call, r state.Reader, in *iamapi.GetAccountAuthorizationDetailsRequest) (*iamapi.GetAccountAuthorizationDetailsResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	from, err := after("details", in.Marker)
	if err != nil {
		return nil, err
	}
	if from != "" && !slices.ContainsFunc(parts[:], func(p part) bool { return p.letter == from[:1] }) {
		return nil, invalidMarker()
	}
	details, marker := page("details", in.MaxItems, detailsAfter(viewer{a, c, r}, from, in.Filter), func(d detail) string { return d.place })
	out := &iamapi.GetAccountAuthorizationDetailsResponse{
		UserDetailList: []iamapi.UserDetail{}, GroupDetailList: []iamapi.GroupDetail{}, RoleDetailList: []iamapi.RoleDetail{},
		Policies: []iamapi.ManagedPolicyDetail{}, IsTruncated: new(marker != nil), Marker: marker,
	}
	for _, d := range details {
		d.add(out)
	}
	return out, nil
}

func detailsAfter(v viewer, place string, kinds []string) iter.Seq[detail] {
	return func(yield func(detail) bool) {
		for _, p := range parts {
			if place != "" && p.letter != place[:1] {
				continue // before the place
			}
			behind := ""
			if place != "" {
				behind, place = place[1:], ""
			}
			if len(kinds) > 0 && !slices.Contains(kinds, p.kind) {
				continue
			}
			for d := range p.walk(v, behind) {
				d.place = p.letter + d.place
				if !yield(d) {
					return
				}
			}
		}
	}
}

func userDetails(v viewer, behind string) iter.Seq[detail] {
	return mapped(v.Users(behind), func(u *state.User) detail {
		return detail{u.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.UserDetailList = append(out.UserDetailList, xUserDetail(v.Account, u))
		}}
	})
}

func groupDetails(v viewer, behind string) iter.Seq[detail] {
	return mapped(v.Groups(behind), func(g *state.Group) detail {
		return detail{g.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.GroupDetailList = append(out.GroupDetailList, xGroupDetail(v.Account, g))
		}}
	})
}

func roleDetails(v viewer, behind string) iter.Seq[detail] {
	return mapped(v.Roles(behind), func(role *state.Role) detail {
		return detail{role.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.RoleDetailList = append(out.RoleDetailList, xRoleDetail(v, role))
		}}
	})
}

func localPolicyDetails(v viewer, behind string) iter.Seq[detail] {
	place := ""
	if behind != "" {
		place = "l" + behind
	}
	return mapped(policiesAfter(v.Account, place, true, false), func(p managedPolicy) detail { return policyDetail(p, p.own.Name) })
}

// awsPolicyDetails are those of AWS's policies that are attached, or are somebody's boundary (inferred, docs/spec/wire.md 8).
func awsPolicyDetails(v viewer, behind string) iter.Seq[detail] {
	used := filter(policiesAfter(v.Account, behind, false, true), func(p managedPolicy) bool { return p.isUsed(false) || p.isUsed(true) })
	return mapped(used, func(p managedPolicy) detail { return policyDetail(p, p.place()) })
}

func policyDetail(p managedPolicy, place string) detail {
	return detail{place, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
		out.Policies = append(out.Policies, xPolicyDetail(p))
	}}
}

func mapped[T, U any](records iter.Seq[T], f func(T) U) iter.Seq[U] {
	return func(yield func(U) bool) {
		for r := range records {
			if !yield(f(r)) {
				return
			}
		}
	}
}

// xUserDetail leaves out the list of inline policies if there are none, unlike those of groups and roles (inferred, docs/spec/wire.md 8).
func xUserDetail(a *state.Account, u *state.User) iamapi.UserDetail {
	x := iamapi.UserDetail{
		Path: &u.Path, UserName: &u.Name, UserId: &u.Id, Arn: new(u.ARN(a.ID)), CreateDate: xTime(u.Created),
		GroupList: []string{}, AttachedManagedPolicies: xAttached(slices.Collect(a.Attachments(u.Id))),
		PermissionsBoundary: xBoundary(a, u.Id), Tags: xTags(u.Tags),
	}
	if inline := xInline(a, u.Id); len(inline) > 0 {
		x.UserPolicyList = inline
	}
	for g := range a.GroupsOf(u.Id) {
		x.GroupList = append(x.GroupList, g.Name)
	}
	slices.SortFunc(x.GroupList, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return x
}

func xGroupDetail(a *state.Account, g *state.Group) iamapi.GroupDetail {
	return iamapi.GroupDetail{
		Path: &g.Path, GroupName: &g.Name, GroupId: &g.Id, Arn: new(g.ARN(a.ID)), CreateDate: xTime(g.Created),
		GroupPolicyList: xInline(a, g.Id), AttachedManagedPolicies: xAttached(slices.Collect(a.Attachments(g.Id))),
	}
}

func xRoleDetail(v viewer, role *state.Role) iamapi.RoleDetail {
	a := v.Account
	return iamapi.RoleDetail{
		Path: &role.Path, RoleName: &role.Name, RoleId: &role.Id, Arn: new(role.ARN(a.ID)), CreateDate: xTime(role.Created),
		AssumeRolePolicyDocument: new(shownTrust(v.reader, role)), InstanceProfileList: []iamapi.InstanceProfile{}, RolePolicyList: xInline(a, role.Id),
		AttachedManagedPolicies: xAttached(slices.Collect(a.Attachments(role.Id))),
		PermissionsBoundary:     xBoundary(a, role.Id), Tags: xTags(role.Tags), RoleLastUsed: xRoleLastUsed(v.call, role),
	}
}

func xPolicyDetail(p managedPolicy) iamapi.ManagedPolicyDetail {
	s := p.shown()
	x := iamapi.ManagedPolicyDetail{
		PolicyName: s.PolicyName, PolicyId: s.PolicyId, Arn: s.Arn, Path: s.Path, DefaultVersionId: s.DefaultVersionId,
		AttachmentCount: s.AttachmentCount, PermissionsBoundaryUsageCount: s.PermissionsBoundaryUsageCount, IsAttachable: s.IsAttachable,
		CreateDate: s.CreateDate, UpdateDate: s.UpdateDate, PolicyVersionList: []iamapi.PolicyVersion{},
	}
	for v := range p.versions() {
		x.PolicyVersionList = append(x.PolicyVersionList, v.withDocument())
	}
	return x
}

func xInline(a *state.Account, owner string) []iamapi.PolicyDetail {
	x := []iamapi.PolicyDetail{}
	for p := range a.InlinePolicies(owner, "") {
		x = append(x, iamapi.PolicyDetail{PolicyName: &p.Name, PolicyDocument: &p.Document})
	}
	return x
}
