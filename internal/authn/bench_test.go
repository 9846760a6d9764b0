package authn

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// BenchmarkAuthenticate is a request by credentials that were seen before.
func BenchmarkAuthenticate(b *testing.B) {
	k := newKit(b)
	for _, name := range []string{"user key", "role session"} {
		b.Run(name, func(b *testing.B) {
			q, claim, claimErr := k.request(k.held[name], "sts", "GetCallerIdentity", false)
			v := k.store.View()
			b.ReportAllocs()
			for b.Loop() {
				c := claim
				if caller, fault := k.auth.Authenticate(v, q, &c, claimErr, k.at); fault != nil || caller.Kind == state.RootUser {
					b.Fatal(fault)
				}
			}
		})
	}
}
