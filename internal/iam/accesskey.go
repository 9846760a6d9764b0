package iam

import (
	"iter"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerAccessKeys(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpCreateAccessKey, onCreateAccessKey, prepareAccessKey, s.createAccessKey)
	service.Write(r, iamapi.OpUpdateAccessKey, onUpdateAccessKey, updateAccessKey)
	service.Write(r, iamapi.OpDeleteAccessKey, onDeleteAccessKey, deleteAccessKey)
	service.Read(r, iamapi.OpListAccessKeys, onListAccessKeys, listAccessKeys)
	service.Read(r, iamapi.OpGetAccessKeyLastUsed, onGetAccessKeyLastUsed, getAccessKeyLastUsed)
}

func onCreateAccessKey(c *service.Call, r state.Reader, in *iamapi.CreateAccessKeyRequest) ([]authz.Target, error) {
	return userOrCallerTarget(c, r, in.UserName)
}

func onUpdateAccessKey(c *service.Call, r state.Reader, in *iamapi.UpdateAccessKeyRequest) ([]authz.Target, error) {
	return userOrCallerTarget(c, r, in.UserName)
}

func onDeleteAccessKey(c *service.Call, r state.Reader, in *iamapi.DeleteAccessKeyRequest) ([]authz.Target, error) {
	return userOrCallerTarget(c, r, in.UserName)
}

func onListAccessKeys(c *service.Call, r state.Reader, in *iamapi.ListAccessKeysRequest) ([]authz.Target, error) {
	return userOrCallerTarget(c, r, in.UserName)
}

// onGetAccessKeyLastUsed is the key's owner. A key that is not in the account is refused in words of their own, whoever asks
// (docs/spec/wire.md 4.3).
func onGetAccessKeyLastUsed(c *service.Call, r state.Reader, in *iamapi.GetAccessKeyLastUsedRequest) ([]authz.Target, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	key := a.AccessKey(*in.AccessKeyId)
	if key == nil {
		return nil, wire.AccessDenied.New("User: %s is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key %s",
			c.Caller.ARN(), *in.AccessKeyId)
	}
	if u := a.User(key.Owner); u != nil {
		return []authz.Target{{ARN: u.ARN(a.ID), Tags: u.Tags}}, nil
	}
	return one(arn.Root(state.Partition, a.ID)), nil
}

func prepareAccessKey(c *service.Call, v *state.View, _ *iamapi.CreateAccessKeyRequest) (*authn.NewAccessKey, error) {
	a, err := callersAccount(c, v)
	if err != nil {
		return nil, err
	}
	return c.Vault.NewAccessKey(v, a)
}

func (s *Service) createAccessKey(c *service.Call, tx *state.Tx, in *iamapi.CreateAccessKeyRequest, made *authn.NewAccessKey) (*iamapi.CreateAccessKeyResponse, error) {
	o, err := userOrCaller(c, tx, in.UserName)
	if err != nil {
		return nil, err
	}
	k := &state.AccessKey{}
	k.Id, k.Owner, k.Secret = made.ID, o.id(), made.Sealed
	k.Status, k.Created = statepb.KeyStatus_KEY_STATUS_ACTIVE, tx.Now().UnixMicro()
	count := 0
	for other := range o.account.AccessKeys(o.id()) {
		count++
		k.Seq = max(k.Seq, other.Seq+1)
	}
	if count >= s.quotas.AccessKeysPerUser {
		return nil, exceeded("AccessKeysPerUser", s.quotas.AccessKeysPerUser)
	}
	if !made.Fits(o.account) {
		return nil, state.ErrStale
	}
	tx.Put(o.account.Unit(), k)
	return &iamapi.CreateAccessKeyResponse{AccessKey: &iamapi.AccessKey{
		UserName: o.name(), AccessKeyId: &k.Id, Status: xKeyStatus(k), SecretAccessKey: new(made.Secret.Reveal()), CreateDate: xTime(k.Created),
	}}, nil
}

// keyOf is the key of an owner, or NoSuchEntity, also for a key of somebody else.
func keyOf(o owner, id string) (*state.AccessKey, error) {
	k := o.account.AccessKey(id)
	if k == nil || k.Owner != o.id() {
		return nil, iamapi.NoSuchEntity.New("The Access Key with id %s cannot be found.", id)
	}
	return k, nil
}

func updateAccessKey(c *service.Call, tx *state.Tx, in *iamapi.UpdateAccessKeyRequest) (*wire.Empty, error) {
	o, err := userOrCaller(c, tx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := keyOf(o, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	status := statepb.KeyStatus_KEY_STATUS_INACTIVE
	if *in.Status == "Active" {
		status = statepb.KeyStatus_KEY_STATUS_ACTIVE
	}
	if k.Status != status {
		changed := k.Clone()
		changed.Status = status
		tx.Put(o.account.Unit(), changed)
	}
	return nil, nil
}

// deleteAccessKey leaves the directory's entry of a key with a foreign id: GetAccessKeyInfo names the account of deleted keys too.
func deleteAccessKey(c *service.Call, tx *state.Tx, in *iamapi.DeleteAccessKeyRequest) (*wire.Empty, error) {
	o, err := userOrCaller(c, tx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := keyOf(o, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	tx.Delete(o.account.Unit(), k)
	return nil, nil
}

func listAccessKeys(c *service.Call, r state.Reader, in *iamapi.ListAccessKeysRequest) (*iamapi.ListAccessKeysResponse, error) {
	o, err := userOrCaller(c, r, in.UserName)
	if err != nil {
		return nil, err
	}
	from, err := after("accesskeys", in.Marker)
	if err != nil {
		return nil, err
	}
	behind, err := accessKeysAfter(o.account.AccessKeys(o.id()), from)
	if err != nil {
		return nil, err
	}
	keys, marker := page("accesskeys", in.MaxItems, behind, func(k *state.AccessKey) string {
		return strconv.FormatUint(uint64(k.Seq), 10) + " " + k.Id
	})
	out := &iamapi.ListAccessKeysResponse{AccessKeyMetadata: make([]iamapi.AccessKeyMetadata, len(keys)), IsTruncated: new(marker != nil), Marker: marker}
	for i, k := range keys {
		out.AccessKeyMetadata[i] = iamapi.AccessKeyMetadata{UserName: o.name(), AccessKeyId: &k.Id, Status: xKeyStatus(k), CreateDate: xTime(k.Created)}
	}
	return out, nil
}

// accessKeysAfter leaves out the keys up to the one that a marker remembers. That one may be gone, and its place taken by a new key.
func accessKeysAfter(keys iter.Seq[*state.AccessKey], from string) (iter.Seq[*state.AccessKey], error) {
	if from == "" {
		return keys, nil
	}
	place, id, _ := strings.Cut(from, " ")
	seq, err := strconv.ParseUint(place, 10, 64)
	if err != nil {
		return nil, invalidMarker()
	}
	return filter(keys, func(k *state.AccessKey) bool { return uint64(k.Seq) > seq || uint64(k.Seq) == seq && k.Id != id }), nil
}

func getAccessKeyLastUsed(c *service.Call, r state.Reader, in *iamapi.GetAccessKeyLastUsedRequest) (*iamapi.GetAccessKeyLastUsedResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetAccessKeyLastUsedResponse{AccessKeyLastUsed: &iamapi.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")}}
	if u := a.User(a.AccessKey(*in.AccessKeyId).Owner); u != nil {
		out.UserName = &u.Name
	}
	if use, ok := c.Usage.LastUse(*in.AccessKeyId); ok {
		out.AccessKeyLastUsed = &iamapi.AccessKeyLastUsed{LastUsedDate: &use.At, ServiceName: &use.Service, Region: &use.Region}
	}
	return out, nil
}

func xKeyStatus(k *state.AccessKey) *string {
	if k.Active() {
		return new("Active")
	}
	return new("Inactive")
}
