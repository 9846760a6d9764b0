package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// docs/spec/policy-language.md 12.5 in the language of 2025, and 12.6 for endpoints.
func TestOrganizationAccepts(t *testing.T) {
	t.Parallel()
	for kind, texts := range map[policy.Kind][]string{
		policy.SCP: {
			document(`"Sid":"a1","Effect":"Allow","Action":"*","Resource":"*"`),
			document(`"Effect":"Allow","Action":["s3:*Object","ec2:Describe*Tags"],"Resource":["arn:aws:s3:::b/*","arn:aws:ec2:*"],"Condition":{"Bool":{"aws:SecureTransport":true}}`),
			document(`"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:iam::*:role/x"`),
			document(`"Effect":"Deny","NotAction":"sts:*","Resource":"arn:aws:s3:::${aws:PrincipalAccount}-*"`),
		},
		policy.RCP: {
			document(`"Effect":"Deny","Principal":"*","Action":["s3:*","sts:AssumeRole"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}`),
			document(`"Effect":"Deny","Principal":"*","Action":"s3:*","NotResource":"arn:aws:s3:::public/*"`),
		},
		policy.Endpoint: {
			`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
			document(`"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"`),
		},
	} {
		for _, text := range texts {
			d, err := policy.Parse(text, kind)
			if err != nil {
				t.Errorf("%s as %s: %v", text, kind, err)
				continue
			}
			if err := d.Validate(); err != nil {
				t.Errorf("%s as %s: Validate: %v", text, kind, err)
			}
			if p, err := policy.Compile(d); err != nil || p.Kind() != kind || p.Text() != text {
				t.Errorf("%s as %s: compiled %v, %v", text, kind, p, err)
			}
		}
	}
}
