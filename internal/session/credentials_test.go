package session

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func TestCredentialsOf(t *testing.T) {
	t.Parallel()
	plain, factor := &Session{}, &Session{Claims: Claims{MFA: time.Unix(1, 0)}}
	for _, c := range []struct {
		kind        state.PrincipalKind
		session     *Session
		assumedRoot bool
		want        product.Credentials
	}{
		{state.RootUser, nil, false, product.LongTermKey},
		{state.RootUser, plain, false, product.OwnSession},
		{state.RootUser, factor, false, product.OwnMFASession},
		{state.RootUser, plain, true, product.AssumedRoot},
		{state.IAMUser, nil, false, product.LongTermKey},
		{state.IAMUser, plain, false, product.OwnSession},
		{state.IAMUser, factor, false, product.OwnMFASession},
		{state.RoleSession, nil, false, product.AssumedRole},
		{state.RoleSession, factor, false, product.AssumedRole},
		{state.FederatedUser, plain, false, product.FederatedToken},
		{state.FederatedUser, factor, false, product.FederatedToken},
	} {
		if got := CredentialsOf(c.kind, c.session, c.assumedRoot); got != c.want {
			t.Errorf("kind %d, session %+v, assumed root %t: %b; want %b", c.kind, c.session, c.assumedRoot, got, c.want)
		}
	}
}
