package sts

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// maxPolicyARNs is how many managed session policies a session may have.
const maxPolicyARNs = 10

// limit puts the session policies of a call into the claims, and measures these: the claims must have their tags. Managed policies are those
// of AWS and of a, the account of the session. packed is PackedPolicySize (docs/spec/policy-language.md 13, docs/spec/wire.md 10.2).
func limit(claims *session.Claims, a *state.Account, inline *string, managed []stsapi.PolicyDescriptorType) (packed int32, err error) {
	if len(managed) > maxPolicyARNs { // text not known from AWS
		return 0, wire.ValidationError.New("A session can have at most %d managed session policies.", maxPolicyARNs)
	}
	size := 0
	if inline != nil {
		claims.Policy = *inline
		size = utf8.RuneCountInString(*inline)
	}
	for i, p := range managed {
		if p.Arn == nil {
			return 0, wire.ValidationError.New("1 validation error detected: Value null at 'policyArns.%d.member.arn' failed to satisfy constraint: Member must not be null", i+1)
		}
		claims.PolicyARNs = append(claims.PolicyARNs, *p.Arn)
		size += utf8.RuneCountInString(*p.Arn)
	}
	if size > policy.MaxSessionSize {
		return 0, tooLarge(claims, (size*100+policy.MaxSessionSize-1)/policy.MaxSessionSize)
	}
	if inline != nil {
		if err := checkInline(*inline); err != nil {
			return 0, err
		}
	}
	for _, a1 := range claims.PolicyARNs {
		if err := checkManaged(a, a1); err != nil {
			return 0, err
		}
	}
	percent := session.PackedSize(claims)
	if percent > 100 {
		return 0, tooLarge(claims, percent)
	}
	return int32(percent), nil
}

func checkInline(text string) error {
	_, err := policy.Parse(text, policy.Session)
	var e *policy.Error
	switch {
	case errors.As(err, &e) && e.Code == policy.MalformedPolicyDocument:
		return stsapi.MalformedPolicyDocument.New("%s", e.Message)
	case err != nil:
		return fmt.Errorf("a session policy: %w", err)
	}
	return nil
}

// checkManaged: AWS's texts are not known.
func checkManaged(a *state.Account, policyARN string) error {
	if _, err := arn.Parse(policyARN); err != nil {
		return wire.ValidationError.New("%s is invalid", policyARN)
	}
	if awspolicy.Is(policyARN) && awspolicy.Compiled(policyARN) != nil || a.ManagedPolicyByARN(policyARN) != nil {
		return nil
	}
	return wire.ValidationError.New("Policy %s does not exist or is not attachable.", policyARN)
}

// tooLarge is PackedPolicyTooLarge in the words for what the session has (docs/spec/wire.md 4.1).
func tooLarge(claims *session.Claims, percent int) error {
	if !claims.Limited() {
		return stsapi.PackedPolicyTooLarge.New("Packed size of session tags consumes %d%% of allotted space.", percent)
	}
	return stsapi.PackedPolicyTooLarge.New("Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
}
