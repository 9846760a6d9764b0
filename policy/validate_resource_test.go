package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestResourceAccepts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		document(`"Sid":"with spaces, and more","Effect":"Allow","Principal":"*","Action":"s3:GetObject"`),
		`{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*"},{"Sid":"a","Effect":"Deny","Principal":{"AWS":"*"},"Action":"*"}]}`,
		document(`"Effect":"Deny","NotPrincipal":{"AWS":["111111111111","arn:aws:sts::111111111111:assumed-role/app/s1"]},"NotAction":"s3:*","NotResource":"arn:aws:s3:::b"`),
		document(`"Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":[]`),
		document(`"Effect":"Allow","Principal":{"AWS":[]},"Action":"s3:*","Resource":"arn:aws:s3"`),
		document(`"Effect":"Allow","Principal":{"CanonicalUser":"` + strings.Repeat("0a", 32) + `","Service":["s3.amazonaws.com"]},"Action":"s3:*","Resource":"*"`),
		document(`"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"s3:*"`), // 8.5 is about trust policies
	} {
		d, err := policy.Parse(text, policy.Resource)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if err := d.Validate(); err != nil || d.Text() != text {
			t.Errorf("%s\nText %s\nValidate %v", text, d.Text(), err)
		}
	}
}

// The principals of a resource policy, NotPrincipal too, are stored by their ids (docs/spec/policy-language.md 8.4).
func TestResourceResolves(t *testing.T) {
	t.Parallel()
	text := document(`"Effect":"Deny","NotPrincipal":{"CanonicalUser":"` + strings.Repeat("0a", 32) + `","AWS":["arn:aws:iam::111111111111:user/bob","111111111111"]},"Action":"*"`)
	d, err := policy.ParseWith(text, policy.Resource, policy.Options{Resolve: func(v policy.PrincipalValue) (string, bool) {
		return strings.Replace(v.Value, "arn:aws:iam::111111111111:user/bob", `AIDA"QUOTED`, 1), v.Type == "AWS"
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(text, "arn:aws:iam::111111111111:user/bob", `AIDA\"QUOTED`, 1); d.Text() != want {
		t.Errorf("stored %s\nwant   %s", d.Text(), want)
	}
	if v := d.Statements[0].Principal.Values; len(v) != 3 || v[1].Value != `AIDA"QUOTED` || v[2].Value != "111111111111" {
		t.Errorf("the document says %+v", v)
	}
}
