package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

func TestPackedSize(t *testing.T) {
	t.Parallel()
	// Recorded from AWS: docs/spec/wire.md 10.2.
	const recorded = `{"Version": "2012-10-17", "Statement": [{"Sid": "RestrictedAccess", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::example-bucket/*"]}]}`
	if len(recorded) != 163 {
		t.Fatalf("the recorded policy has %d characters", len(recorded))
	}
	tags := func(n, length int) []Tag {
		list := make([]Tag, n)
		for i := range list {
			list[i] = Tag{Key: fmt.Sprint("key-", i), Value: keyring.RandomSecret(length, keyring.Mixed).Reveal()}
		}
		return list
	}
	even := func(n int, of rune, length int) []Tag {
		list := make([]Tag, n)
		for i := range list {
			list[i] = Tag{Key: fmt.Sprint(i, strings.Repeat(string(of), 120)), Value: strings.Repeat(string(of), length)}
		}
		return list
	}
	tests := []struct {
		what        string
		claims      Claims
		least, most int
	}{
		{"nothing", Claims{}, 0, 0},
		{"recorded", Claims{Policy: recorded}, 16, 16},
		{"one managed policy", Claims{PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}}, 1, 5},
		{"ten managed policies", Claims{PolicyARNs: large().PolicyARNs}, 1, 10},
		{"an ordinary policy of the greatest length", Claims{Policy: policyOf(2048)}, 20, 80},
		{"a few tags", Claims{Tags: []Tag{{"Team", "blue", true}, {"CostCenter", "4711", false}}}, 1, 5},
		{"50 short tags", Claims{Tags: tags(50, 4)}, 30, 100},
		{"50 tags of the greatest length that pack well", Claims{Tags: even(50, 'x', 256)}, 20, 100},
		{"200 tags of the greatest length that pack well", Claims{Tags: even(200, 'ü', 256)}, 101, 500},
		{"50 long tags", Claims{Tags: tags(50, 256)}, 101, 5000},
	}
	for _, tt := range tests {
		tt.claims.Account = account
		if got := PackedSize(&tt.claims); got < tt.least || got > tt.most {
			t.Errorf("%s: %d percent, want %d to %d", tt.what, got, tt.least, tt.most)
		}
	}
}
