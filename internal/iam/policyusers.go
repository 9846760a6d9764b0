package iam

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerPolicyUsers(r *service.Registry, _ *Service) {
	service.Read(r, iamapi.OpListEntitiesForPolicy, onListEntitiesForPolicy, listEntitiesForPolicy)
	service.Read(r, iamapi.OpListPoliciesGrantingServiceAccess, onListPoliciesGranting, listPoliciesGranting)
}

func onListEntitiesForPolicy(c *service.Call, r state.Reader, in *iamapi.ListEntitiesForPolicyRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

// onListPoliciesGranting is the user, group or role that the ARN names.
func onListPoliciesGranting(c *service.Call, r state.Reader, in *iamapi.ListPoliciesGrantingServiceAccessRequest) ([]authz.Target, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	h, err := holderAt(a, *in.Arn)
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	return []authz.Target{{ARN: *in.Arn, Tags: h.tags}}, nil
}

// holderAt is the user, group or role of the account with that ARN.
func holderAt(a *state.Account, text string) (holder, error) {
	parsed, err := arn.Parse(text)
	if err != nil {
		return holder{}, wire.ValidationError.New("ARN %s is not valid.", text)
	}
	kind, _, name, ok := parsed.Entity()
	of := map[string]kindOfHolder{"user": users, "group": groups, "role": roles}[kind]
	if !ok || of == nil || parsed.Service != "iam" {
		return holder{}, iamapi.InvalidInput.New("ARN %s is not valid.", text)
	}
	h, found := of(a, name)
	if !found || h.arn != text {
		return holder{}, absent{text}
	}
	return h, nil
}

// absent is the ARN of an entity that the account does not have.
type absent struct{ arn string }

func (e absent) Error() string { return e.arn + " cannot be found." }

func isAbsent(err error) bool { return errors.As(err, new(absent)) }

// listEntitiesForPolicy pages over groups, users and roles together, in order of their unique ids, which begin with the kind.
func listEntitiesForPolicy(c *service.Call, r state.Reader, in *iamapi.ListEntitiesForPolicyRequest) (*iamapi.ListEntitiesForPolicyResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	if _, ok := findPolicy(a, *in.PolicyArn); !ok {
		return nil, notAttachable(*in.PolicyArn)
	}
	from, err := after("entities", in.Marker)
	if err != nil {
		return nil, err
	}
	ids := slices.DeleteFunc(ownersOf(a, *in.PolicyArn, value(in.PolicyUsageFilter)), func(id string) bool {
		kind, at := entityKind(a, id)
		return id <= from || in.EntityFilter != nil && kind != *in.EntityFilter || !strings.HasPrefix(at, value(in.PathPrefix))
	})
	ids, marker := page("entities", in.MaxItems, slices.Values(ids), func(id string) string { return id })
	out := &iamapi.ListEntitiesForPolicyResponse{
		PolicyGroups: []iamapi.PolicyGroup{}, PolicyUsers: []iamapi.PolicyUser{}, PolicyRoles: []iamapi.PolicyRole{},
		IsTruncated: new(marker != nil), Marker: marker,
	}
	for _, id := range ids {
		if u := a.User(id); u != nil {
			out.PolicyUsers = append(out.PolicyUsers, iamapi.PolicyUser{UserName: &u.Name, UserId: &u.Id})
		} else if g := a.Group(id); g != nil {
			out.PolicyGroups = append(out.PolicyGroups, iamapi.PolicyGroup{GroupName: &g.Name, GroupId: &g.Id})
		} else if role := a.Role(id); role != nil {
			out.PolicyRoles = append(out.PolicyRoles, iamapi.PolicyRole{RoleName: &role.Name, RoleId: &role.Id})
		}
	}
	return out, nil
}

// ownersOf are the unique ids of those that have the policy, as usage says ("" = any way), sorted and each once.
func ownersOf(a *state.Account, policyARN, usage string) []string {
	var ids []string
	if usage != iamapi.PolicyUsageTypePermissionsBoundary {
		for t := range a.AttachmentsOf(policyARN, false) {
			ids = append(ids, t.Owner)
		}
	}
	if usage != iamapi.PolicyUsageTypePermissionsPolicy {
		for t := range a.AttachmentsOf(policyARN, true) {
			ids = append(ids, t.Owner)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// entityKind is the kind, as EntityFilter names it, and the path of a user, group or role.
func entityKind(a *state.Account, id string) (kind, at string) {
	if u := a.User(id); u != nil {
		return iamapi.EntityTypeUser, u.Path
	}
	if g := a.Group(id); g != nil {
		return iamapi.EntityTypeGroup, g.Path
	}
	if role := a.Role(id); role != nil {
		return iamapi.EntityTypeRole, role.Path
	}
	return "", ""
}

// listPoliciesGranting answers in one page: there is no MaxItems, so no marker is ever given. There is no catalog of services to look the
// namespaces up in, so one that does not exist is answered like others, not refused (docs/spec/wire.md 8 infers InvalidInput): only
// policies for all services grant it.
func listPoliciesGranting(c *service.Call, r state.Reader, in *iamapi.ListPoliciesGrantingServiceAccessRequest) (*iamapi.ListPoliciesGrantingServiceAccessResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	h, err := holderAt(a, *in.Arn)
	if isAbsent(err) {
		return nil, iamapi.NoSuchEntity.New("%s", err.Error())
	}
	if err != nil {
		return nil, err
	}
	if in.Marker != nil {
		return nil, invalidMarker()
	}
	granting := grantsOf(a, h)
	out := &iamapi.ListPoliciesGrantingServiceAccessResponse{IsTruncated: new(false)}
	for _, namespace := range in.ServiceNamespaces {
		entry := iamapi.ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: &namespace, Policies: []iamapi.PolicyGrantingServiceAccess{}}
		for _, g := range granting {
			if grants(g.document, namespace) {
				entry.Policies = append(entry.Policies, g.shown)
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, entry)
	}
	return out, nil
}

// grant is a policy that may give access to services.
type grant struct {
	shown    iamapi.PolicyGrantingServiceAccess
	document *policy.Document
}

// grantsOf are the permissions policies of a user, with those of its groups, or of a group or role. Boundaries give no access.
func grantsOf(a *state.Account, h holder) []grant {
	list := grantsOfOne(a, nil, h.kind, h.id, h.name)
	if h.kind == "user" {
		for g := range a.GroupsOf(h.id) {
			list = grantsOfOne(a, list, "group", g.Id, g.Name)
		}
	}
	return list
}

func grantsOfOne(a *state.Account, list []grant, kind, id, name string) []grant {
	for p := range a.InlinePolicies(id, "") {
		list = append(list, grant{iamapi.PolicyGrantingServiceAccess{
			PolicyName: &p.Name, PolicyType: new(iamapi.PolicyTypeInline), EntityType: new(strings.ToUpper(kind)), EntityName: &name,
		}, p.Compiled.Document()})
	}
	for t := range a.Attachments(id) {
		_, policyName := policyName(t.Policy)
		compiled := defaultVersion(a, t.Policy)
		if compiled == nil || slices.ContainsFunc(list, func(g grant) bool { return value(g.shown.PolicyArn) == t.Policy }) {
			continue
		}
		list = append(list, grant{iamapi.PolicyGrantingServiceAccess{
			PolicyName: &policyName, PolicyType: new(iamapi.PolicyTypeManaged), PolicyArn: &t.Policy,
		}, compiled.Document()})
	}
	return list
}

// defaultVersion is what a managed policy says; nil if it is not there.
func defaultVersion(a *state.Account, policyARN string) *policy.Policy {
	p, ok := findPolicy(a, policyARN)
	switch {
	case !ok:
		return nil
	case p.aws != nil:
		return awspolicy.Compiled(policyARN)
	}
	v := a.PolicyVersion(p.own.Id, p.own.DefaultVersion)
	if v == nil {
		return nil
	}
	return v.Compiled
}

// grants says whether a policy allows an action of the service, whatever its resources and conditions.
func grants(d *policy.Document, namespace string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		if s.Denies() {
			return false
		}
		if s.NotAction {
			return !slices.ContainsFunc(s.Actions, func(pattern string) bool {
				_, action, _ := strings.Cut(pattern, ":")
				return pattern == "*" || strings.Trim(action, "*") == "" && action != "" && isOfService(pattern, namespace)
			})
		}
		return slices.ContainsFunc(s.Actions, func(pattern string) bool { return isOfService(pattern, namespace) })
	})
}

// isOfService says whether an action pattern reaches actions of the service. Before the colon only letters, digits, "-", "." and wildcards
// can stand (docs/spec/policy-language.md 5), so path.Match finds nothing else in it.
func isOfService(pattern, namespace string) bool {
	service, _, _ := strings.Cut(pattern, ":")
	ok, err := path.Match(strings.ToLower(service), strings.ToLower(namespace))
	return ok && err == nil
}
