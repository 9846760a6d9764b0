package server

import "testing"

func TestSmoke(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	x.want("", bob, "GetUser")
	x.want("", x.root, "GetUser")
	x.want("", x.root, "CreateUser", "UserName", "a", "Tags.member.1.Key", "k", "Tags.member.1.Value", "")
	x.want("", x.root, "ListUsers")
	t.Log(x.dump(x.root))
}
