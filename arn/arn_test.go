package arn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/arn"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want arn.ARN
		err  error
	}{
		{in: "arn:aws:iam::111111111111:user/a/b", want: arn.ARN{Partition: "aws", Service: "iam", Account: "111111111111", Resource: "user/a/b"}},
		{in: "arn:aws:s3:::b/k:1:2", want: arn.ARN{Partition: "aws", Service: "s3", Resource: "b/k:1:2"}},
		{in: "arn:aws-cn:sqs:cn-north-1:1:q", want: arn.ARN{Partition: "aws-cn", Service: "sqs", Region: "cn-north-1", Account: "1", Resource: "q"}},
		{in: "arn:aws:s3::::", want: arn.ARN{Partition: "aws", Service: "s3", Resource: ":"}},
		{in: "", err: arn.ErrPrefix},
		{in: "arn", err: arn.ErrPrefix},
		{in: "Arn:aws:s3:::b", err: arn.ErrPrefix},
		{in: "*", err: arn.ErrPrefix},
		{in: "arn:aws:s3::b", err: arn.ErrParts},
		{in: "arn::s3:::b", err: arn.ErrPartition},
		{in: "arn:aws::::b", err: arn.ErrService},
		{in: "arn:aws:s3:::", err: arn.ErrResource},
		{in: "arn:aws:s3:::" + strings.Repeat("k", arn.MaxLength), err: arn.ErrLength},
	}
	for _, tt := range tests {
		got, err := arn.Parse(tt.in)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("Parse(%.60q) = %+v, %v; want %+v, %v", tt.in, got, err, tt.want, tt.err)
		}
		if err == nil && got.String() != tt.in {
			t.Errorf("Parse(%q).String() = %q", tt.in, got.String())
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	s := "arn:aws:iam::111111111111:user/a/b"
	if n := testing.AllocsPerRun(100, func() { _, _ = arn.Parse(s) }); n != 0 {
		t.Errorf("Parse allocates %v times", n)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"": 1, "*": 1, "arn:aws": 2, "arn:aws:s3": 3, "a:b:c:d:e:f:g:h": 6, ":::::": 6} {
		parts, n := arn.Split(in)
		if n != want || strings.Join(parts[:n], ":") != in {
			t.Errorf("Split(%q) = %q, %d; want %d parts", in, parts, n, want)
		}
	}
}

// The forms are those of docs/spec/wire.md 5.4.
func TestBuilders(t *testing.T) {
	t.Parallel()
	const a = "111111111111"
	tests := []struct{ got, want string }{
		{arn.Root("aws", a), "arn:aws:iam::111111111111:root"},
		{arn.User("aws", a, "/", "alice"), "arn:aws:iam::111111111111:user/alice"},
		{arn.User("aws-cn", a, "/x/y/", "alice"), "arn:aws-cn:iam::111111111111:user/x/y/alice"},
		{arn.Group("aws", a, "/", "g"), "arn:aws:iam::111111111111:group/g"},
		{arn.Role("aws", a, "/aws-service-role/ec2.amazonaws.com/", "R"), "arn:aws:iam::111111111111:role/aws-service-role/ec2.amazonaws.com/R"},
		{arn.Policy("aws", "aws", "/job-function/", "Billing"), "arn:aws:iam::aws:policy/job-function/Billing"},
		{arn.InstanceProfile("aws", a, "/", "p"), "arn:aws:iam::111111111111:instance-profile/p"},
		{arn.ServerCertificate("aws", a, "/c/", "s"), "arn:aws:iam::111111111111:server-certificate/c/s"},
		{arn.MFA("aws", a, "/", "root-account-mfa-device"), "arn:aws:iam::111111111111:mfa/root-account-mfa-device"},
		{arn.U2F("aws", a, "alice", "key", "ID7"), "arn:aws:iam::111111111111:u2f/user/alice/key-ID7"},
		{arn.SMSMFA("aws", a, "s"), "arn:aws:iam::111111111111:sms-mfa/s"},
		{arn.OIDCProvider("aws", a, "idp.example.com/path/"), "arn:aws:iam::111111111111:oidc-provider/idp.example.com/path/"},
		{arn.SAMLProvider("aws", a, "adfs"), "arn:aws:iam::111111111111:saml-provider/adfs"},
		{arn.AccessReport("aws", a, "o-1/r-1"), "arn:aws:iam::111111111111:access-report/o-1/r-1"},
		{arn.AssumedRole("aws", a, "app", "s1"), "arn:aws:sts::111111111111:assumed-role/app/s1"},
		{arn.FederatedUser("aws", a, "fed1"), "arn:aws:sts::111111111111:federated-user/fed1"},
		{arn.AssumedRoot("aws", a), "arn:aws:sts::111111111111:assumed-root"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
		if p, err := arn.Parse(tt.got); err != nil || p.String() != tt.want {
			t.Errorf("%s does not parse again: %v", tt.got, err)
		}
	}
}

func TestEntity(t *testing.T) {
	t.Parallel()
	tests := []struct {
		resource, kind, path, name string
		ok                         bool
	}{
		{"user/alice", "user", "/", "alice", true},
		{"role/a/b/app", "role", "/a/b/", "app", true},
		{"root", "", "", "", false},
		{"user/", "", "", "", false},
		{"/alice", "", "", "", false},
		{"", "", "", "", false},
	}
	for _, tt := range tests {
		kind, path, name, ok := arn.ARN{Resource: tt.resource}.Entity()
		if kind != tt.kind || path != tt.path || name != tt.name || ok != tt.ok {
			t.Errorf("Entity(%q) = %q %q %q %v", tt.resource, kind, path, name, ok)
		}
	}
}

func TestKnownPartition(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]bool{"aws": true, "aws-us-gov": true, "aws-eusc": true, "": false, "*": false, "AWS": false, "aws-": false} {
		if got := arn.KnownPartition(p); got != want {
			t.Errorf("KnownPartition(%q) = %v", p, got)
		}
	}
}

func FuzzARN(f *testing.F) {
	for _, s := range []string{"", "arn:aws:s3:::b/k", "arn:aws:iam::111111111111:user/a/b", "a:b:c:d:e:f:g", "arn:::::", "arn:\xff:x:::y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, n := arn.Split(s)
		if strings.Join(parts[:n], ":") != s {
			t.Fatalf("Split(%q) lost text: %q", s, parts[:n])
		}
		a, err := arn.Parse(s)
		if err != nil {
			if a != (arn.ARN{}) {
				t.Fatalf("Parse(%q) failed and returned %+v", s, a)
			}
			return
		}
		if a.String() != s {
			t.Fatalf("Parse(%q).String() = %q", s, a.String())
		}
		if kind, path, name, ok := a.Entity(); ok && kind+path+name != a.Resource {
			t.Fatalf("Entity of %q lost text: %q %q %q", s, kind, path, name)
		}
	})
}

func ExampleParse() {
	a, err := arn.Parse("arn:aws:iam::111111111111:user/teams/red/alice")
	if err != nil {
		panic(err)
	}
	kind, path, name, _ := a.Entity()
	fmt.Println(a.Service, a.Account, kind, path, name)
	// Output: iam 111111111111 user /teams/red/ alice
}

func ExampleUser() {
	fmt.Println(arn.User("aws", "111111111111", "/teams/red/", "alice"))
	// Output: arn:aws:iam::111111111111:user/teams/red/alice
}
