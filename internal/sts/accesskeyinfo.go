package sts

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// getAccessKeyInfo names the account of any key id: one brought from outside stands in the directory, others say it themselves, whether
// or not the key is still there (docs/spec/wire.md 5.2).
func getAccessKeyInfo(_ *service.Call, r state.Reader, in *stsapi.GetAccessKeyInfoRequest) (*stsapi.GetAccessKeyInfoResponse, error) {
	if account := r.Directory().AccountOfKey(*in.AccessKeyId); account != "" {
		return &stsapi.GetAccessKeyInfoResponse{Account: &account}, nil
	}
	account, ok := keyring.AccountOfAccessKeyID(*in.AccessKeyId)
	if !ok {
		return nil, wire.ValidationError.New("Invalid access key id")
	}
	return &stsapi.GetAccessKeyInfoResponse{Account: &account}, nil
}
