package audit

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/audit/auditpb"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ agent, resource, wantAgent, wantResource string }{
		"plain":      {"aws-cli/2", "arn:aws:iam::111111111111:user/é", "aws-cli/2", "arn:aws:iam::111111111111:user/é"},
		"empty":      {"", "", "", ""},
		"not UTF-8":  {"a\xffb", "x\xc3", "a?b", "x?"},
		"long":       {strings.Repeat("x", 300), "*", strings.Repeat("x", 256), "*"},
		"cut inside": {strings.Repeat("x", 255) + "é", "*", strings.Repeat("x", 255) + "?", "*"},
	} {
		e := &auditpb.Event{RequestId: "r", Time: 7, Action: "iam:CreateUser", UserAgent: c.agent, Resources: []string{c.resource}}
		b, err := Encode(e)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := Decode(b)
		want := &auditpb.Event{RequestId: "r", Time: 7, Action: "iam:CreateUser", UserAgent: c.wantAgent, Resources: []string{c.wantResource}}
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := Encode(&auditpb.Event{RequestId: "r", Time: 7, Action: "iam:CreateUser", Resources: []string{"*"}})
	f.Add(b, "agent")
	f.Add([]byte{0xff}, "\xff")
	f.Fuzz(func(t *testing.T, b []byte, agent string) {
		e, err := Decode(b)
		if err != nil {
			e = &auditpb.Event{}
		}
		e.UserAgent = agent
		again, err := Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(again)
		if err != nil || !proto.Equal(got, e) || len(got.UserAgent) > maxUserAgent || !utf8.ValidString(got.UserAgent) {
			t.Fatalf("%v, %v; want %v", got, err, e)
		}
	})
}
