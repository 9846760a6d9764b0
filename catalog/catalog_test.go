package catalog

import (
	"testing"
)

func TestBuiltinDecodesNothing(t *testing.T) {
	c := newBuiltin()
	for prefix, s := range c.builtin {
		if s.loaded.Load() != nil {
			t.Errorf("service %s is decoded before anybody asked", prefix)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	c := Builtin()
	services, actions := 0, 0
	for _, p := range c.Prefixes() {
		s := c.Service(p)
		if s.Prefix == gatehouse {
			continue
		}
		services++
		actions += len(s.Actions())
	}
	if services != 456 || actions != 22091 {
		t.Errorf("%d services with %d actions, not 456 with 22,091", services, actions)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action, resource string
		want             Verdict
	}{
		{"s3:GetObject", "arn:aws:s3:::b/k", Known},
		{"s3:GetObject", "arn:aws:s3:::b/a/b:c/d", Known},
		{"S3:GETOBJECT", "arn:aws:s3:::b/k", Known},
		{"s3:GetObject", "arn:aws:s3:::b", WrongResource},
		{"s3:GetObject", "*", Known},
		{"s3:ListBucket", "arn:aws:s3:::b", Known},
		{"s3:ListBucket", "arn:aws:s3:::b/k", WrongResource},
		{"s3:ListBucket", "arn:aws:s3:::b/a/k", WrongResource},
		{"iam:DeleteRole", "arn:aws:iam::111111111111:role/p/q/app", Known},
		{"iam:DeleteRole", "arn:aws:iam::111111111111:group/g", WrongResource},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1:111111111111:instance/*", Known},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-1", Known},
		{"ec2:DescribeInstances", "arn:aws:ec2:us-east-1:111111111111:instance/i-1", NoResource},
		{"ec2:DescribeInstances", "*", Known},
		{"s3:GetObjekt", "*", UnknownAction},
		{"s4:GetObject", "*", UnknownService},
		{"s3", "*", UnknownService},
		{"gatehouse:Authorize", "arn:aws:iam::111111111111:user/p/alice", Known},
	} {
		if got := Builtin().Verdict(tt.action, tt.resource); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.action, tt.resource, got, tt.want)
		}
	}
}

func BenchmarkVerdict(b *testing.B) {
	for name, q := range map[string][2]string{
		"object": {"s3:GetObject", "arn:aws:s3:::bucket/a/b/c.txt"},
		"role":   {"sts:AssumeRole", "arn:aws:iam::111111111111:role/p/app"},
		"wrong":  {"s3:ListBucket", "arn:aws:s3:::bucket/a/b/c.txt"},
		"ec2":    {"ec2:RunInstances", "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Builtin().Verdict(q[0], q[1])
			}
		})
	}
}
