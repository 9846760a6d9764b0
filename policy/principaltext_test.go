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
