package server

import (
	"strings"
	"testing"
)

// TestDecisionIDs: what a decision denied has its id; no other error has one.
func TestDecisionIDs(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "/p/target", trusting(testAccount2, ""))
	stranger := bob
	stranger.SecretAccessKey = strings.Repeat("x", 40)
	question := jsonOf(jsonObject{"Principal": jsonObject{"Arn": arnBob}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k", "ResourceAccount": testAccount})
	for _, c := range []struct {
		name   string
		answer *answer
		action string // that was denied, "" for none
	}{
		{"a read", x.call(bob, "ListUsers", nil), "iam:ListUsers"},
		{"a write", x.call(bob, "CreateUser", ps("UserName", "new")), "iam:CreateUser"},
		{"one with work beside the transaction", x.call(bob, "CreateAccessKey", ps("UserName", "bob")), "iam:CreateAccessKey"},
		{"a trust policy", x.call(bob, "AssumeRole", ps("RoleArn", arnTarget, "RoleSessionName", "s1")), "sts:AssumeRole"},
		{"another protocol", x.send(x.question(bob, question)), "gatehouse:Authorize"},
		{"allowed", x.call(x.root, "ListUsers", nil), ""},
		{"an answer that denies others", x.send(x.question(x.root, question)), ""},
		{"no such entity", x.call(x.root, "GetUser", ps("UserName", "nobody")), ""},
		{"a bad signature", x.call(stranger, "ListUsers", nil), ""},
		{"refused before any decision", x.call(x.root, "AssumeRole", ps("RoleArn", arnTarget, "RoleSessionName", "s1")), ""},
	} {
		id := c.answer.header.Get("X-Gatehouse-Decision-Id")
		if (id == "") != (c.action == "") {
			t.Errorf("%s: decision %q\n%s", c.name, id, c.answer.body)
		}
	}
}
