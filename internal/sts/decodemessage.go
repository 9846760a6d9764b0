package sts

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authmessage"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// decodeAuthorizationMessage opens what was sealed for the caller's account: the messages of others are none (docs/spec/wire.md 10.7).
func decodeAuthorizationMessage(c *service.Call, r state.Reader, in *stsapi.DecodeAuthorizationMessageRequest) (*stsapi.DecodeAuthorizationMessageResponse, error) {
	keyset, err := c.Vault.Account(r, r.Account(c.Caller.Account))
	if err != nil {
		return nil, err
	}
	text, err := authmessage.Open(keyset, *in.EncodedMessage)
	if err != nil {
		return nil, stsapi.InvalidAuthorizationMessage.New("Message is not valid.")
	}
	return &stsapi.DecodeAuthorizationMessageResponse{DecodedMessage: &text}, nil
}
