package policy

import (
	"slices"
	"testing"
)

// TestContextKeys: wherever a key can stand in a policy, it is among its keys.
func TestContextKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document string
		want     []string
	}{
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, nil},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"AWS:SecureTransport":"true"},"Null":{"s3:prefix":"true"}}}}`,
			[]string{"AWS:SecureTransport", "s3:prefix"}},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::b/${aws:username}/${aws:PrincipalTag/team, 'none'}/${*}","arn:aws:s3:::c"]}}`,
			[]string{"aws:username", "aws:PrincipalTag/team"}},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:userid}"}}`, []string{"aws:userid"}},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"s3:prefix":["${aws:username}/*","x"]},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:userid}"}}}}`,
			[]string{"s3:prefix", "aws:SourceArn", "aws:username", "aws:userid"}},
		{`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`, nil},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::${aws:userid}","arn:aws:s3:::${aws:username}${aws:ResourceTag/}"]}}`,
			[]string{"aws:userid", "aws:username"}},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/":"x","s3:prefix":["${aws:PrincipalTag/}","${aws:userid}"]}}}}`,
			[]string{"s3:prefix", "aws:userid"}},
	} {
		p, err := Load(c.document, Identity)
		if err != nil {
			t.Errorf("%s: %v", c.document, err)
			continue
		}
		got := slices.Collect(p.ContextKeys())
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.document, got, c.want)
		}
		if len(got) > 0 && !p.UsesContext() {
			t.Errorf("%s reads keys, and says that it reads no context", c.document)
		}
		for n := range len(got) { // a walk may end early
			for range p.ContextKeys() {
				if n--; n < 0 {
					break
				}
			}
		}
	}
}
