package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestPrincipalID(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{
		"AIDAQNZGKIQY56JQ7WML2": true, "AROAQNZGKIQY56JQ7WML2": true, "AIDACKCEVSQ6C2EXAMPLE": true, "AIDA" + strings.Repeat("A", 12): true, "AROA" + strings.Repeat("9", 124): true,
		"AIDA" + strings.Repeat("A", 11): false, "AIDA" + strings.Repeat("A", 125): false, "": false, "AIDA": false, "AGPAQNZGKIQY56JQ7WML2": false, "aidaQNZGKIQY56JQ7WML2": false,
		"AIDAQNZGKIQY56JQ7WML*": false, "AROAQNZGKIQY56JQ7WML2:session": false, "111111111111": false,
	} {
		if got := policy.PrincipalID(v); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

func TestRestorePrincipals(t *testing.T) {
	t.Parallel()
	const id = "AIDAQNZGKIQY56JQ7WML2"
	arn := func(string) string { return "arn:aws:iam::111111111111:user/é\"" }
	tests := []struct{ text, want string }{
		{trust(`{"AWS":"` + id + `"}`), trust(`{"AWS":"arn:aws:iam::111111111111:user/é\""}`)},
		{trust(`{"AWS":["\u0041IDAQNZGKIQY56JQ7WML2"]}`), trust(`{"AWS":["arn:aws:iam::111111111111:user/é\""]}`)},
		{trust(`{"Service":"` + id + `"}`), trust(`{"Service":"` + id + `"}`)},
		{document(`"Sid":"` + id + `","Effect":"Deny","NotPrincipal":{"AWS":["*","` + id + `"]},"Action":"sts:*"`), document(`"Sid":"` + id + `","Effect":"Deny","NotPrincipal":{"AWS":["*","arn:aws:iam::111111111111:user/é\""]},"Action":"sts:*"`)},
		{trust(`{"AWS":"111111111111"}`), trust(`{"AWS":"111111111111"}`)},
		{trust(`{"AWS":"AROAQNZGKIQY56JQ7WML2"}`), trust(`{"AWS":"arn:aws:iam::111111111111:user/é\""}`)},
		{`{"AIDA`, `{"AIDA`},
	}
	for _, tt := range tests {
		if got := policy.RestorePrincipals(tt.text, policy.Trust, arn); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// A read of a policy without ids costs no decoding.
func TestRestorePrincipalsAllocatesNothing(t *testing.T) {
	text := trust(`{"AWS":"111111111111"}`)
	if n := testing.AllocsPerRun(100, func() {
		if policy.RestorePrincipals(text, policy.Trust, nil) != text {
			t.Error("the text changed")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The bounds of each form in docs/spec/policy-language.md 8.1.
func TestPrincipalForms(t *testing.T) {
	t.Parallel()
	const (
		iam      = "arn:aws:iam::111111111111:"
		sts      = "arn:aws:sts::111111111111:"
		n32, n64 = "abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345ABCDEFGHIJKLMNOPQRSTUVWXYZ+=,.@-"
	)
	long := func(n int) string { return strings.Repeat("p", n) }
	tests := []struct {
		kind  string
		value string
		want  bool
	}{
		{"AWS", iam + "role/" + n64, true}, {"AWS", iam + "role/" + n64 + "_", false}, {"AWS", iam + "user/a", true}, {"AWS", iam + "user/", false}, {"AWS", iam + "user", false}, {"AWS", iam + "role/a b", false},
		{"AWS", iam + "role/!/~/a", true}, {"AWS", iam + "role/ /a", false}, {"AWS", iam + "role/\u007f/a", false}, {"AWS", iam + "role/é/a", false}, {"AWS", iam + "role/?/a", false}, {"AWS", iam + "role/*/a", false},
		{"AWS", iam + "role/" + long(511) + "/a", true}, {"AWS", iam + "role/" + long(512) + "/a", false},
		{"AWS", iam + "root", true}, {"AWS", iam + "roots", false}, {"AWS", iam + "group/a", false}, {"AWS", iam + "saml-provider/a", false},
		{"AWS", "arn:aws:s3::111111111111:root", false}, {"AWS", "arn:aws:s3::111111111111:role/a", false}, {"AWS", "arn:aws:sts::111111111111:root", false}, {"AWS", "arn:aws:sts::111111111111:role/a", false},
		{"AWS", "urn:aws:iam::111111111111:root", false}, {"AWS", "arn::iam::111111111111:root", false}, {"AWS", "arn:aws:iam:x:111111111111:root", false}, {"AWS", "arn:aws:iam::1111111111112:root", false}, {"AWS", "arn:aws:iam::11111111111a:root", false},
		{"AWS", "arn:aws-us-gov:iam::111111111111:root", true}, {"AWS", "111111111111", true}, {"AWS", "1111111111112", false},
		{"AWS", sts + "assumed-role/" + n64 + "/" + n64, true}, {"AWS", sts + "assumed-role/a/s", false}, {"AWS", sts + "assumed-role/a/ss", true}, {"AWS", sts + "assumed-role/a/" + n64 + "x", false}, {"AWS", sts + "assumed-role//ss", false},
		{"AWS", iam + "assumed-role/a/ss", false}, {"AWS", sts + "federated-user/ab", true}, {"AWS", sts + "federated-user/a", false}, {"AWS", sts + "federated-user/" + n32, true}, {"AWS", sts + "federated-user/" + n32 + "x", false}, {"AWS", iam + "federated-user/ab", false},
		{"Service", "a.b", true}, {"Service", "a-1.b", true}, {"Service", "ab", false}, {"Service", "-a.b", false}, {"Service", "a-.b", false}, {"Service", ".a.b", false}, {"Service", "a.b.", false}, {"Service", "a_b.c", false}, {"Service", "", false},
		{"Service", strings.Repeat("a.", 126) + "b", true}, {"Service", strings.Repeat("a.", 126) + "bb", false},
		{"Federated", iam + "saml-provider/" + strings.Repeat("A_", 62) + ".-.-", true}, {"Federated", iam + "saml-provider/" + strings.Repeat("A", 129), false}, {"Federated", iam + "saml-provider/", false}, {"Federated", iam + "saml-provider/a b", false}, {"Federated", iam + "saml-provider/a/b", false},
		{"Federated", iam + "oidc-provider/" + strings.Repeat("a", 255), true}, {"Federated", iam + "oidc-provider/" + strings.Repeat("a", 256), false}, {"Federated", iam + "oidc-provider/a b", false}, {"Federated", iam + "oidc-provider", false}, {"Federated", iam + "role/a", false},
		{"Federated", "urn:aws:iam::111111111111:saml-provider/a", false}, {"Federated", "arn:x:iam::111111111111:saml-provider/a", false}, {"Federated", "arn:aws:sts::111111111111:saml-provider/a", false},
		{"Federated", "arn:aws:iam:r:111111111111:saml-provider/a", false}, {"Federated", "arn:aws:iam::aws:saml-provider/a", false}, {"Federated", "arn:aws:iam::111111111111", false}, {"Federated", "111111111111", false},
		{"Federated", "graph.facebook.com", true}, {"Federated", "login.example.com", false},
	}
	for _, tt := range tests {
		text := trust(`{"` + tt.kind + `":"` + tt.value + `"}`)
		for _, kind := range []policy.Kind{policy.Trust, policy.Resource} {
			if _, err := policy.Parse(text, kind); (err == nil) != tt.want {
				t.Errorf("%s %q in a %s policy: %v, want %v", tt.kind, tt.value, kind, err, tt.want)
			}
		}
	}
	for value, want := range map[string]bool{long(64): false, strings.Repeat("f0", 32): true, strings.Repeat("f", 63): false, strings.Repeat("f", 65): false} {
		if _, err := policy.Parse(trust(`{"CanonicalUser":"`+value+`"}`), policy.Resource); (err == nil) != want {
			t.Errorf("CanonicalUser %q: %v, want %v", value, err, want)
		}
	}
}
