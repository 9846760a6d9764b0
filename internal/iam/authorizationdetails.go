package iam

import (
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerAuthorizationDetails(r *service.Registry, _ *Service) {
	service.Read(r, iamapi.OpGetAccountAuthorizationDetails, service.Account, getAuthorizationDetails)
}

// detail is one entry of the combined sequence.
type detail struct {
	place string // what a marker remembers: a letter for the part, and the place in it
	add   func(*iamapi.GetAccountAuthorizationDetailsResponse)
}

// part is a stretch of the sequence: entities of one kind, in the order of their list.
type part struct {
	letter string
	kind   string // as Filter names it
	walk   func(a *state.Account, after string) iter.Seq[detail]
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
	details, marker := page("details", in.MaxItems, detailsAfter(a, from, in.Filter), func(d detail) string { return d.place })
	out := &iamapi.GetAccountAuthorizationDetailsResponse{
		UserDetailList: []iamapi.UserDetail{}, GroupDetailList: []iamapi.GroupDetail{}, RoleDetailList: []iamapi.RoleDetail{},
		Policies: []iamapi.ManagedPolicyDetail{}, IsTruncated: new(marker != nil), Marker: marker,
	}
	for _, d := range details {
		d.add(out)
	}
	return out, nil
}

func detailsAfter(a *state.Account, place string, kinds []string) iter.Seq[detail] {
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
			for d := range p.walk(a, behind) {
				d.place = p.letter + d.place
				if !yield(d) {
					return
				}
			}
		}
	}
}

func userDetails(a *state.Account, behind string) iter.Seq[detail] {
	return mapped(a.Users(behind), func(u *state.User) detail {
		return detail{u.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.UserDetailList = append(out.UserDetailList, xUserDetail(a, u))
		}}
	})
}

func groupDetails(a *state.Account, behind string) iter.Seq[detail] {
	return mapped(a.Groups(behind), func(g *state.Group) detail {
		return detail{g.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.GroupDetailList = append(out.GroupDetailList, xGroupDetail(a, g))
		}}
	})
}

func roleDetails(a *state.Account, behind string) iter.Seq[detail] {
	return mapped(a.Roles(behind), func(role *state.Role) detail {
		return detail{role.Name, func(out *iamapi.GetAccountAuthorizationDetailsResponse) {
			out.RoleDetailList = append(out.RoleDetailList, xRoleDetail(a, role))
		}}
	})
}

func localPolicyDetails(a *state.Account, behind string) iter.Seq[detail] {
	place := ""
	if behind != "" {
		place = "l" + behind
	}
	return mapped(policiesAfter(a, place, true, false), func(p managedPolicy) detail { return policyDetail(p, p.own.Name) })
}

// awsPolicyDetails are those of AWS's policies that are attached, or are somebody's boundary: public dumps of real accounts hold no others.
func awsPolicyDetails(a *state.Account, behind string) iter.Seq[detail] {
	used := filter(policiesAfter(a, behind, false, true), func(p managedPolicy) bool { return p.isUsed(false) || p.isUsed(true) })
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

// xUserDetail leaves out the list of inline policies if there are none, unlike those of groups and roles: so public dumps of real accounts
// have it.
func xUserDetail(a *state.Account, u *state.User) iamapi.UserDetail {
	x := iamapi.UserDetail{
		Path: &u.Path, UserName: &u.Name, UserId: &u.Id, Arn: new(u.ARN(a.ID)), CreateDate: xTime(u.Created),
		GroupList: []string{}, AttachedManagedPolicies: xAttached(slices.Collect(a.Attachments(u.Id))),
		PermissionsBoundary: xBoundaryDetail(a, u.Id), Tags: xTags(u.Tags),
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

func xRoleDetail(a *state.Account, role *state.Role) iamapi.RoleDetail {
	return iamapi.RoleDetail{
		Path: &role.Path, RoleName: &role.Name, RoleId: &role.Id, Arn: new(role.ARN(a.ID)), CreateDate: xTime(role.Created),
		AssumeRolePolicyDocument: new(trustShown(a, role)), InstanceProfileList: []iamapi.InstanceProfile{}, RolePolicyList: xInline(a, role.Id),
		AttachedManagedPolicies: xAttached(slices.Collect(a.Attachments(role.Id))),
		PermissionsBoundary:     xBoundaryDetail(a, role.Id), Tags: xTags(role.Tags), RoleLastUsed: &iamapi.RoleLastUsed{},
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

func xBoundaryDetail(a *state.Account, owner string) *iamapi.AttachedPermissionsBoundary {
	b := a.Boundary(owner)
	if b == nil {
		return nil
	}
	return &iamapi.AttachedPermissionsBoundary{PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: &b.Policy}
}

// trustShown is a role's trust policy with the ARNs of the principals that stand in it by their unique ids.
func trustShown(a *state.Account, role *state.Role) string {
	return policy.RestorePrincipals(role.Trust, policy.Trust, func(id string) string {
		if u := a.User(id); u != nil {
			return u.ARN(a.ID)
		}
		if other := a.Role(id); other != nil {
			return other.ARN(a.ID)
		}
		return id
	})
}
