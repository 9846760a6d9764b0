package iam

import (
	"iter"
	"strconv"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerPolicyVersions(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpCreatePolicyVersion, onNewPolicyVersion, prepareNewPolicyVersion, s.createPolicyVersion)
	service.Read(r, iamapi.OpGetPolicyVersion, onGetPolicyVersion, getPolicyVersion)
	service.Read(r, iamapi.OpListPolicyVersions, onListPolicyVersions, listPolicyVersions)
	service.Write(r, iamapi.OpDeletePolicyVersion, onDeletePolicyVersion, deletePolicyVersion)
	service.Write(r, iamapi.OpSetDefaultPolicyVersion, onSetDefaultPolicyVersion, setDefaultPolicyVersion)
}

func onNewPolicyVersion(c *service.Call, r state.Reader, in *iamapi.CreatePolicyVersionRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func onGetPolicyVersion(c *service.Call, r state.Reader, in *iamapi.GetPolicyVersionRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func onListPolicyVersions(c *service.Call, r state.Reader, in *iamapi.ListPolicyVersionsRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func onDeletePolicyVersion(c *service.Call, r state.Reader, in *iamapi.DeletePolicyVersionRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func onSetDefaultPolicyVersion(c *service.Call, r state.Reader, in *iamapi.SetDefaultPolicyVersionRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

// newVersion is the record of a policy's newest version, made when the policy was updated last.
func newVersion(p *state.ManagedPolicy, compiled *policy.Policy) *state.PolicyVersion {
	v := &state.PolicyVersion{Compiled: compiled}
	v.Policy, v.Number, v.Created, v.Document = p.Id, p.LastVersion, p.Updated, compiled.Text()
	return v
}

func prepareNewPolicyVersion(_ *service.Call, _ *state.View, in *iamapi.CreatePolicyVersionRequest) (checkedPolicy, error) {
	return checkPolicy(*in.PolicyDocument, policy.Managed), nil
}

func (s *Service) createPolicyVersion(c *service.Call, tx *state.Tx, in *iamapi.CreatePolicyVersionRequest, checked checkedPolicy) (*iamapi.CreatePolicyVersionResponse, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotUpdate)
	if err != nil {
		return nil, err
	}
	if err := s.fits(checked); err != nil {
		return nil, err
	}
	versions := 0
	for range a.PolicyVersions(p.Id) {
		versions++
	}
	if n := s.quotas.VersionsPerPolicy; versions >= n {
		return nil, iamapi.LimitExceeded.New("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", n)
	}
	changed := p.Clone()
	changed.LastVersion++
	changed.Updated = tx.Now().UnixMicro()
	if value(in.SetAsDefault) {
		changed.DefaultVersion = changed.LastVersion
	}
	v := newVersion(changed, checked.compiled)
	tx.Put(a.Unit(), changed)
	tx.Put(a.Unit(), v)
	return &iamapi.CreatePolicyVersionResponse{PolicyVersion: new(ownVersion(changed, v).shown())}, nil
}

// policyVersion is a version of a customer managed policy or of one of AWS.
type policyVersion struct {
	number    uint32
	isDefault bool
	created   time.Time
	document  *string
}

func ownVersion(p *state.ManagedPolicy, v *state.PolicyVersion) policyVersion {
	return policyVersion{v.Number, v.Number == p.DefaultVersion, time.UnixMicro(v.Created).UTC(), &v.Document}
}

// versions walks the versions of a policy, the newest first. Of AWS's policies only the default version is known.
func (p managedPolicy) versions() iter.Seq[policyVersion] {
	return func(yield func(policyVersion) bool) {
		if p.aws != nil {
			yield(policyVersion{p.aws.Version, true, p.aws.Updated(), &p.aws.Document})
			return
		}
		for v := range p.account.PolicyVersions(p.own.Id) {
			if !yield(ownVersion(p.own, v)) {
				return
			}
		}
	}
}

func (v policyVersion) shown() iamapi.PolicyVersion {
	return iamapi.PolicyVersion{VersionId: new(versionID(v.number)), IsDefaultVersion: new(v.isDefault), CreateDate: &v.created}
}

func (v policyVersion) withDocument() iamapi.PolicyVersion {
	x := v.shown()
	x.Document = v.document
	return x
}

// versionNumber reads "v12"; 0 for ids that no version has, such as those with a suffix.
func versionNumber(id string) uint32 {
	n, err := strconv.ParseUint(id[1:], 10, 32) // the id begins with v: its pattern says so
	if err != nil {
		return 0
	}
	return uint32(n)
}

func noSuchVersion(policyARN, id string) *wire.Error {
	return iamapi.NoSuchEntity.New("Policy %s version %s does not exist or is not attachable.", policyARN, id)
}

func getPolicyVersion(c *service.Call, r state.Reader, in *iamapi.GetPolicyVersionRequest) (*iamapi.GetPolicyVersionResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	if p, ok := findPolicy(a, *in.PolicyArn); ok {
		for v := range p.versions() {
			if v.number == versionNumber(*in.VersionId) {
				return &iamapi.GetPolicyVersionResponse{PolicyVersion: new(v.withDocument())}, nil
			}
		}
	}
	return nil, noSuchVersion(*in.PolicyArn, *in.VersionId)
}

func listPolicyVersions(c *service.Call, r state.Reader, in *iamapi.ListPolicyVersionsRequest) (*iamapi.ListPolicyVersionsResponse, error) {
	p, err := policyAt(c, r, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	from, err := after("policyversions", in.Marker)
	if err != nil {
		return nil, err
	}
	older := p.versions()
	if from != "" {
		last := versionNumber(from)
		older = filter(older, func(v policyVersion) bool { return v.number < last })
	}
	versions, marker := page("policyversions", in.MaxItems, older, func(v policyVersion) string { return versionID(v.number) })
	out := &iamapi.ListPolicyVersionsResponse{Versions: make([]iamapi.PolicyVersion, len(versions)), IsTruncated: new(marker != nil), Marker: marker}
	for i, v := range versions {
		out.Versions[i] = v.shown()
	}
	return out, nil
}

func deletePolicyVersion(c *service.Call, tx *state.Tx, in *iamapi.DeletePolicyVersionRequest) (*wire.Empty, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotDeleteVersion)
	if err != nil {
		return nil, err
	}
	v := a.PolicyVersion(p.Id, versionNumber(*in.VersionId))
	switch {
	case v == nil:
		return nil, noSuchVersion(*in.PolicyArn, *in.VersionId)
	case v.Number == p.DefaultVersion:
		return nil, iamapi.DeleteConflict.New("Cannot delete the default version of a policy.")
	}
	tx.Delete(a.Unit(), v)
	return nil, nil
}

func setDefaultPolicyVersion(c *service.Call, tx *state.Tx, in *iamapi.SetDefaultPolicyVersionRequest) (*wire.Empty, error) {
	a, p, err := ownPolicy(c, tx, *in.PolicyArn, cannotUpdate)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, noSuchVersion(*in.PolicyArn, *in.VersionId)
	}
	v := a.PolicyVersion(p.Id, versionNumber(*in.VersionId))
	if v == nil {
		return nil, noSuchVersion(*in.PolicyArn, *in.VersionId)
	}
	if v.Number != p.DefaultVersion {
		changed := p.Clone()
		changed.DefaultVersion = v.Number
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}
