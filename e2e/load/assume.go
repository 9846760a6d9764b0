package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatehouse-iam/gatehouse/internal/server"
)

// assumeRole compares AssumeRole, signed by a user whom both the role's trust policy and its own policy let in, with the echo; and counts the
// commits that it makes. There are some without it: of a start, a stop, and every half minute of use of a key.
func assumeRole() []figure {
	const clients = 8
	n, d := rounds()
	dir, err := os.MkdirTemp("", "gatehouse-load-")
	check(err)
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	start := func() *process { return launch(*binary, "serve", "--data-dir", data) }
	p := start()
	reader := makeReader(p)
	call(p, "iam", root, "PutUserPolicy", "UserName", "reader", "PolicyName", "assume", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)
	call(p, "iam", root, "CreateRole", "RoleName", "target", "AssumeRolePolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}]}`)
	p.stop()
	before := commits(filepath.Join(data, server.StoreFile))

	p = start()
	bare := launch(self(), "echo")
	plain := request(bare.addr, "iam", root, action("iam", "GetUser", "UserName", "reader"))
	assume := request(p.addr, "sts", reader, action("sts", "AssumeRole", "RoleArn", "arn:aws:iam::"+account+":role/target", "RoleSessionName", "bench"))
	var ratios, echoes []float64
	var calls int64
	for range n + 1 {
		e := drive(bare.addr, clients, d, func(int, int) []byte { return plain })
		a := drive(p.addr, clients, d, func(int, int) []byte { return assume })
		fmt.Fprintf(os.Stderr, "echo %.0f/s, AssumeRole %.0f/s\n", e.perSecond(), a.perSecond())
		echoes, ratios = append(echoes, e.perSecond()), append(ratios, a.perSecond()/e.perSecond())
		calls += a.requests
	}
	p.stop()
	bare.stop()
	made := commits(filepath.Join(data, server.StoreFile)) - before
	return []figure{
		{"AssumeRole, signed and authorized", median(ratios[1:]), "× echo", 0.5, false, fmt.Sprintf("the echo: %.0f/s", median(echoes[1:]))},
		{"AssumeRole, what a run of it commits", float64(made), "commits", 20, true, fmt.Sprintf("of %d calls; starting, stopping and last use have some", calls)},
	}
}
