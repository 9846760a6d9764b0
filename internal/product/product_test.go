package product

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

// TestNames: what an ARN says of a resource, and which of its accounts is the id of one.
func TestNames(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]Name{
		"arn:aws:sqs:us-east-1:111111111111:q":  {"sqs", "111111111111", "q"},
		"arn:aws:s3:::b/k":                      {"s3", "", "b/k"},
		"arn:aws:iam::aws:policy/X":             {"iam", "aws", "policy/X"},
		"arn:aws:logs:r:1:log-group:g:*":        {"logs", "1", "log-group:g:*"},
		"arn:::::":                              {},
		"*":                                     {},
		"":                                      {},
		"arn:aws:sqs:us-east-1:111111111111":    {},
		"arn:aws:sqs:us-east-1":                 {},
		"urn:aws:sqs:us-east-1:111111111111:q":  {},
		"ARN:aws:sqs:us-east-1:111111111111:q":  {},
		"aws:sqs:us-east-1:111111111111:q":      {},
		":arn:sqs:us-east-1:111111111111:queue": {},
	} {
		if got := NameOf(resource); got != want {
			t.Errorf("%q: %+v; want %+v", resource, got, want)
		}
	}
	for s, want := range map[string]bool{
		"111111111111": true, "000000000000": true, "999999999999": true, "012345678901": true, "": false, "aws": false, "11111111111": false, "1111111111111": false,
		"11111111111/": false, "11111111111:": false, "/11111111111": false, ":11111111111": false, "11111a111111": false, "aaaaaaaaaaaa": false, "            ": false,
	} {
		if got := IsAccount(s); got != want {
			t.Errorf("%q: %t; want %t", s, got, want)
		}
	}
}

// TestNamesAreReadShort: what is read of ARNs and actions on the short way is what the rules say.
func TestNamesAreReadShort(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{
		"", "*", "arn", "arn:", "arn:aws", "arn:aws:s3:::b/k", "arn:aws:iam::111122223333:user/x", "arn:aws:iam::111122223333", "arn:aws:iam::111122223333:",
		"arn:aws:sqs:eu-west-1:111122223333:q:r", "arm:aws:iam::111122223333:user/x", "xarn:aws:iam::111122223333:user/x", ":::::", "arn:::::", "arn::::1:",
		"arn:aws:iam:111122223333:user/x",
	} {
		if got, want := AccountOf(resource), NameOf(resource).Account; got != want {
			t.Errorf("%q is of %q; want %q", resource, got, want)
		}
	}
	for _, action := range []string{"", ":", "s3", "S3", "s3:GetObject", "S3:GetObject", "iaM:x:y", "z:x", "Z:x", "a:x", "A:x", "@:x", "[:x", "`:x", "{:x", "é:x", "sſ:x", "\xff:x", "\x80:x", "\x7fX:x", "\u212ams:x"} {
		prefix, _, _ := strings.Cut(action, ":")
		if got, want := ServiceOf(action), strings.ToLower(prefix); got != want {
			t.Errorf("%q is of %q; want %q", action, got, want)
		}
	}
}

// TestAgreesWithCatalog: what the catalogue says of services and resource types is what decisions go by.
func TestAgreesWithCatalog(t *testing.T) {
	t.Parallel()
	c := catalog.Builtin()
	var reached []string
	for _, prefix := range c.Prefixes() {
		if c.Service(prefix).RCP {
			reached = append(reached, prefix)
		}
	}
	if want := slices.Sorted(slices.Values(rcpServices)); !slices.Equal(reached, want) {
		t.Errorf("RCPs reach %q in the catalogue; want %q", reached, want)
	}
	fill := strings.NewReplacer("${Partition}", "aws", "${Region}", "us-east-1", "${Account}", "111122223333", "${KeyId}", "k", "${Alias}", "a",
		"${RoleNameWithPath}", "p/r", "${UserNameWithPath}", "u", "${Token}", "t")
	needing := 0
	for _, service := range []string{"kms", "sts", "iam", "s3", "sqs", "lambda", "secretsmanager"} {
		for _, a := range c.Service(service).Actions() {
			for _, r := range a.Resources {
				form, _, _ := strings.Cut(r.Type.ARN, ", ")
				resource := fill.Replace(form)
				call := CallOf(a.String(), resource)
				if got, want := call.NeedsPolicy(), a.NeedsResourcePolicy(resource); got != want {
					t.Errorf("%s on %s needs a policy: %t; the catalogue says %t", a, resource, got, want)
				} else if got {
					needing++
				}
			}
		}
	}
	if needing == 0 {
		t.Error("no action needs a policy of its resource")
	}
}

func TestIsRole(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]bool{
		"arn:aws:iam::111122223333:role/r": true, "arn:aws:iam::111122223333:role/p/r": true, "arn:aws:iam::111122223333:role": false,
		"arn:aws:iam::111122223333:user/role/r": false, "arn:aws:sts::111122223333:role/r": false, "arn:aws:iam::111122223333:roles/r": false, "*": false,
	} {
		if got := NameOf(resource).IsRole(); got != want {
			t.Errorf("%q is a role: %t", resource, got)
		}
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]bool{
		"arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/r": true, "arn:aws:iam::111122223333:user/aws-service-role/u": true,
		"arn:aws:iam::111122223333:/aws-service-role/r":   true,
		"arn:aws:iam::111122223333:role/aws-service-role": false, "arn:aws:iam::111122223333:role/p/aws-service-role/r": false,
		"arn:aws:iam::111122223333:role/r": false, "arn:aws:iam::111122223333:role": false, "*": false,
	} {
		if got := NameOf(resource).Below(ServiceLinkedPath); got != want {
			t.Errorf("%q is below %s: %t", resource, ServiceLinkedPath, got)
		}
	}
}
