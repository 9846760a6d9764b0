package authz

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// BenchmarkAuthorize is a decision for a user with five policies, of which the last allows. What differs is whether they read the request's
// context, which is built only then.
func BenchmarkAuthorize(b *testing.B) {
	const condition = `,"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Bool":{"aws:SecureTransport":"true"}}`
	for _, c := range []struct{ name, condition string }{{"plain", ""}, {"conditions", condition}} {
		b.Run(c.name, func(b *testing.B) {
			s := openStore(b)
			put(b, s, func(tx *state.Tx) {
				u := &state.User{}
				u.Id, u.Name, u.Path = "AIDABOB", "bob", "/team/"
				tx.Put(state.AccountUnit(ownAccount), u)
				for i, actions := range []string{`"s3:Get*","s3:List*"`, `"ec2:Describe*"`, `"dynamodb:*"`, `"sqs:SendMessage"`, `"iam:Get*","iam:List*"`} {
					compiled, err := policy.Load(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[%s],"Resource":"*"%s}]}`, actions, c.condition), policy.Identity)
					if err != nil {
						b.Error(err)
						return
					}
					p := &state.InlinePolicy{}
					p.Owner, p.Name = "AIDABOB", fmt.Sprintf("p%d", i)
					tx.Put(state.AccountUnit(ownAccount), p.WithDocument(compiled))
				}
			})
			z, view := New(), s.View()
			p := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB", Path: "/team/", Name: "bob"}
			subject := Subject{Principal: &p, Environment: &Environment{
				Time: time.Unix(1795262400, 0), SourceIP: "203.0.113.10", UserAgent: "aws-cli/2", Region: "us-east-1", Secure: true,
			}}
			target := Target{ARN: "arn:aws:iam::111122223333:user/x"}
			b.ReportAllocs()
			for b.Loop() {
				if d := z.Authorize(view, &subject, "iam:GetUser", &target); d != nil {
					b.Fatal(d)
				}
			}
		})
	}
}
