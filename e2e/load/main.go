package main

import (
	"encoding/xml"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	binary = flag.String("binary", "bin/gatehouse", "the server to measure")
	only   = flag.String("only", "", "measure only figures whose name contains this")
	report = flag.String("write", "", "put the table of figures into this file, between its markers")
	verify = flag.String("check", "", "compare with the table in this file: a figure that was met there must be met again")
	short  = flag.Bool("short", false, "few and short rounds: to see that everything runs")
)

// figure is one line of the table.
type figure struct {
	name   string
	value  float64
	unit   string
	limit  float64
	atMost bool // else at least
	note   string
}

func (f figure) met() bool {
	if f.atMost {
		return f.value <= f.limit
	}
	return f.value >= f.limit
}

func main() {
	if len(os.Args) > 2 && (os.Args[1] == "echo" || os.Args[1] == "echo-verify") {
		echo(os.Args[len(os.Args)-1], os.Args[1] == "echo-verify")
		return
	}
	flag.Parse()
	runtime.GOMAXPROCS(1) // the client needs no more, and a second thread that spins for work takes it from the server
	var figures []figure
	for _, m := range []struct {
		name    string
		measure func() []figure
	}{
		{"binary", binarySize}, {"start", startUp}, {"requests", requests}, {"assume", assumeRole}, {"list", listUsers}, {"create", createUsers}, {"users", manyUsers},
	} {
		if strings.Contains(m.name, *only) {
			fmt.Fprintf(os.Stderr, "measuring: %s\n", m.name)
			figures = append(figures, m.measure()...)
		}
	}
	table := render(figures)
	fmt.Print(table)
	missed := 0
	for _, f := range figures {
		if !f.met() {
			missed++
		}
	}
	fmt.Printf("%d met, %d missed\n", len(figures)-missed, missed)
	if *report != "" {
		check(replaceTable(*report, table))
	}
	if *verify != "" {
		os.Exit(compare(*verify, figures))
	}
}

func rounds() (int, time.Duration) {
	if *short {
		return 2, 300 * time.Millisecond
	}
	return 7, 2 * time.Second
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func binarySize() []figure {
	info, err := os.Stat(*binary)
	check(err)
	return []figure{{"size of the binary", float64(info.Size()) / 1e6, "MB", 30, true, ""}}
}

func startUp() []figure {
	n, _ := rounds()
	var dev, serve, rss []float64
	for range n {
		p := launch(*binary, "dev")
		dev = append(dev, p.ready.Seconds()*1e3)
		p.stop()
		dir, err := os.MkdirTemp("", "gatehouse-load-")
		check(err)
		p = launch(*binary, "serve", "--data-dir", filepath.Join(dir, "data"))
		serve = append(serve, p.ready.Seconds()*1e3)
		time.Sleep(200 * time.Millisecond)
		rss = append(rss, float64(p.resident())/1e6)
		p.stop()
		os.RemoveAll(dir)
	}
	return []figure{
		{"`dev` ready to serve", median(dev), "ms", 100, true, "process start to the first answer"},
		{"`serve` on an empty store ready", median(serve), "ms", 200, true, "the first start: makes keys, hashes the root password"},
		{"resident, empty", median(rss), "MB", 40, true, ""},
	}
}

// call makes one request outside of any measurement.
func call(p *process, service string, c credentials, name string, more ...string) []byte {
	k, err := dial(p.addr)
	check(err)
	defer k.c.Close()
	var body []byte
	status, err := k.do(request(p.addr, service, c, action(service, name, more...)), &body)
	check(err)
	if status != http.StatusOK {
		panic(fmt.Sprintf("%s: %d %s", name, status, body))
	}
	return body
}

// makeReader makes a user who may read, and its key.
func makeReader(p *process) credentials {
	call(p, "iam", root, "CreateUser", "UserName", "reader")
	call(p, "iam", root, "PutUserPolicy", "UserName", "reader", "PolicyName", "read", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}]}`)
	var key struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	check(xml.Unmarshal(call(p, "iam", root, "CreateAccessKey", "UserName", "reader"), &key))
	return credentials{key.ID, key.Secret}
}

func self() string {
	path, err := os.Executable()
	check(err)
	return path
}

// requests compares signed and authorized calls with the echo.
func requests() []figure {
	const clients = 8
	n, d := rounds()
	bare, checking := launch(self(), "echo"), launch(self(), "echo-verify")
	dir, err := os.MkdirTemp("", "gatehouse-load-")
	check(err)
	defer os.RemoveAll(dir)
	p := launch(*binary, "serve", "--data-dir", filepath.Join(dir, "data"))
	defer func() { bare.stop(); checking.stop(); p.stop() }()
	reader := makeReader(p)
	same := func(req []byte) func(int, int) []byte { return func(int, int) []byte { return req } }
	var echoes, echoCheck, getUser, identity []float64
	for range n + 1 {
		e := drive(bare.addr, clients, d, same(request(bare.addr, "iam", root, action("iam", "GetUser", "UserName", "reader")))).perSecond()
		v := drive(checking.addr, clients, d, same(request(checking.addr, "iam", root, action("iam", "GetUser", "UserName", "reader")))).perSecond()
		g := drive(p.addr, clients, d, same(request(p.addr, "iam", reader, action("iam", "GetUser", "UserName", "reader")))).perSecond()
		i := drive(p.addr, clients, d, same(request(p.addr, "sts", reader, action("sts", "GetCallerIdentity")))).perSecond()
		fmt.Fprintf(os.Stderr, "echo %.0f/s, with SigV4 %.0f/s, GetUser %.0f/s, GetCallerIdentity %.0f/s\n", e, v, g, i)
		echoes, echoCheck, getUser, identity = append(echoes, e), append(echoCheck, v/e), append(getUser, g/e), append(identity, i/e)
	}
	note := fmt.Sprintf("the echo: %.0f/s; the echo with a bare SigV4 check: %.2f of it", median(echoes[1:]), median(echoCheck[1:]))
	return []figure{
		{"GetUser, signed and authorized", median(getUser[1:]), "× echo", 0.75, false, note},
		{"GetCallerIdentity, signed", median(identity[1:]), "× echo", 0.75, false, note},
	}
}

func listUsers() []figure {
	p := launch(*binary, "dev")
	defer p.stop()
	forUsers(p, 1000, "CreateUser")
	req := request(p.addr, "iam", root, action("iam", "ListUsers", "MaxItems", "1000"))
	n, d := rounds()
	var cost []float64
	for range n {
		before := p.cpu()
		r := drive(p.addr, 1, d, func(int, int) []byte { return req })
		cost = append(cost, (p.cpu()-before).Seconds()*1e3/float64(r.requests))
	}
	return []figure{{"ListUsers of 1,000, processor time", median(cost), "ms", 1.5, true, "user and system, of the whole process"}}
}

// forUsers calls an operation for each of the users user-0000000 and following, with 64 clients.
func forUsers(p *process, users int, operation string) {
	const clients = 64
	each := make(chan int, users)
	for i := range users {
		each <- i
	}
	close(each)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c, err := dial(p.addr)
			check(err)
			defer c.c.Close()
			var body []byte
			for i := range each {
				status, err := c.do(request(p.addr, "iam", root, action("iam", operation, "UserName", fmt.Sprintf("user-%07d", i))), &body)
				check(err)
				if status != http.StatusOK {
					panic(string(body))
				}
			}
		})
	}
	wg.Wait()
}

// createUsers measures CreateUser into one account, every answer after its fsync. The requests are signed beforehand: what is measured is
// the server.
func createUsers() []figure {
	n, d := rounds()
	dir, err := os.MkdirTemp("", "gatehouse-load-")
	check(err)
	defer os.RemoveAll(dir)
	p := launch(*binary, "serve", "--data-dir", filepath.Join(dir, "data"), "--quota", "UsersPerAccount=100000000")
	defer p.stop()
	made := 0
	prepared := func(clients, each int) [][][]byte {
		all := make([][][]byte, clients)
		for i := range all {
			for range each {
				all[i] = append(all[i], request(p.addr, "iam", root, action("iam", "CreateUser", "UserName", fmt.Sprintf("bench-%08d", made))))
				made++
			}
		}
		return all
	}
	run := func(clients, each int) round {
		all := prepared(clients, each)
		runtime.GC()
		begin := time.Now()
		done := make(chan int, clients)
		for i := range clients {
			go func() {
				c, err := dial(p.addr)
				check(err)
				defer c.c.Close()
				var body []byte
				for _, req := range all[i] {
					status, err := c.do(req, &body)
					check(err)
					if status != http.StatusOK {
						panic(string(body))
					}
				}
				done <- len(all[i])
			}()
		}
		total := 0
		for range clients {
			total += <-done
		}
		return round{int64(total), time.Since(begin).Seconds()}
	}
	per := int(d.Seconds() * 250)
	var many, ratio, over []float64
	for range n {
		one := run(1, per*4)
		all := run(64, per)
		empty := emptyCommit(dir, per*4)
		oneCall := one.seconds / float64(one.requests)
		fmt.Fprintf(os.Stderr, "CreateUser: 64 clients %.0f/s, one %.0f/s (%.0f µs), an empty engine commit %.0f µs\n",
			all.perSecond(), one.perSecond(), oneCall*1e6, empty.Seconds()*1e6)
		many, ratio = append(many, all.perSecond()), append(ratio, all.perSecond()/one.perSecond())
		over = append(over, (oneCall-empty.Seconds())*1e6)
	}
	return []figure{
		{"CreateUser, 64 clients", median(many), "/s", 10000, false, "one account, every answer after its fsync"},
		{"CreateUser, 64 clients against one", median(ratio), "×", 3, false, ""},
		{"CreateUser, one client, over an empty engine commit", median(over), "µs", 150, true, ""},
	}
}

// manyUsers measures what 100,000 users with a key each cost in memory and at start.
func manyUsers() []figure {
	users := 100_000
	if *short {
		users = 2_000
	}
	dir, err := os.MkdirTemp("", "gatehouse-load-")
	check(err)
	defer os.RemoveAll(dir)
	args := []string{"serve", "--data-dir", filepath.Join(dir, "data"), "--quota", "UsersPerAccount=100000000"}
	p := launch(*binary, args...)
	forUsers(p, users, "CreateUser")
	forUsers(p, users, "CreateAccessKey")
	p.stop()
	p = launch(*binary, args...)
	ready := []float64{p.ready.Seconds()}
	p.stop()
	for range 2 {
		p = launch(*binary, args...)
		ready = append(ready, p.ready.Seconds())
		p.stop()
	}
	p = launch(*binary, args...)
	defer p.stop()
	empty := launch(*binary, "dev")
	defer empty.stop()
	live := func(p *process) float64 { // load makes garbage, garbage makes collections, and the gauge shows what the last one left
		req := request(p.addr, "iam", root, action("iam", "ListUsers", "MaxItems", "1000"))
		drive(p.addr, 2, 5*time.Second, func(int, int) []byte { return req })
		return p.metric("go_gc_heap_live_bytes")
	}
	perUser := (live(p) - live(empty)) / float64(users) / 1e3
	return []figure{
		{"`serve` on 100,000 users ready", median(ready), "s", 2, true, "each with a key"},
		{"live heap per user with one key", perUser, "KB", 1.2, true, "after a collection, less that of an empty server"},
	}
}
