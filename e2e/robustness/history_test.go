package robustness

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The names that all clients of TestHistory fight for. Users are renamed within a pair only, so that each pair has a history of its own: to
// look for an order among the calls of all would take too long.
var pairs = [][2]string{{"amber", "birch"}, {"cedar", "dogwood"}, {"elder", "fir"}, {"gingko", "hazel"}}

// act is a call of TestHistory. Each user has a path of its own, which it keeps when it is renamed: what a name holds is the path of its
// user, "" if there is none.
type act struct {
	op   string
	pair int
	name int    // within the pair; a rename goes to the other one
	path string // of a new user
}

// seen is what a call was answered.
type seen struct {
	lost bool // no answer came: it happened before the kill, or never
	code string
	path string    // GetUser
	all  registers // ListUsers
}

// registers are the paths of the users with the names of a pair.
type registers [2]string

// model is how the names behave. A call without an answer may take place at any later time; behind the last read of a history that means
// never.
var model = porcupine.Model{
	Init: func() any { return registers{} }, Step: step,
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

// step gives the next state, and false if the answer cannot have been given in this one.
func step(state, input, output any) (bool, any) {
	s, a, o := state.(registers), input.(act), output.(seen)
	after, code := s, ""
	held := s[a.name] != ""
	switch a.op {
	case "CreateUser":
		if held {
			code = "EntityAlreadyExists"
		}
		after[a.name] = a.path
	case "DeleteUser":
		if !held {
			code = "NoSuchEntity"
		}
		after[a.name] = ""
	case "UpdateUser":
		switch {
		case !held:
			code = "NoSuchEntity"
		case s[1-a.name] != "":
			code = "EntityAlreadyExists"
		}
		after[1-a.name], after[a.name] = s[a.name], ""
	case "GetUser":
		if !held {
			code = "NoSuchEntity"
		} else if !o.lost && o.code == "" && o.path != s[a.name] {
			return false, s
		}
	case "ListUsers":
		if !o.lost && o.all != s {
			return false, s
		}
	}
	switch {
	case o.code == "Throttling": // says that nothing was done
		return true, s
	case o.lost && code == "":
		return true, after
	case o.lost:
		return true, s
	}
	if code != "" {
		after = s
	}
	return o.code == code, after
}

// TestHistory lets 16 clients create, delete, rename and read users of a few names at the same time, kills the server in between, and
// looks for one order of all calls that explains every answer: each call takes place at a moment between its sending and its answer. A call
// without an answer took place before the server was read after the kill, or never.
func TestHistory(t *testing.T) {
	thorough(t)
	t.Parallel()
	const clients, kills, each = 16, 12, 200
	rng := random(t, 20)
	dir := filepath.Join(workDir(t), "data")
	s := start(t, dir, options{})
	states := make([]registers, len(pairs))
	total, lost, searched := 0, 0, time.Duration(0)
	for epoch := range kills + 1 {
		h, err := contend(s, rng, epoch, clients, each, epoch < kills)
		if err != nil {
			t.Fatalf("epoch %d: %v\n%s", epoch, err, s.err.tail())
		}
		s = start(t, dir, options{})
		c := newClient(s, root)
		for pair := range pairs {
			end, err := listPair(c, pair)
			if err != nil {
				t.Fatal(err)
			}
			one := slices.DeleteFunc(slices.Clone(h), func(op porcupine.Operation) bool { return op.Input.(act).pair != pair })
			for _, op := range one {
				if op.Output.(seen).lost {
					lost++
				}
			}
			one = append(one, porcupine.Operation{ClientId: clients, Input: act{op: "ListUsers", pair: pair}, Output: seen{all: end}, Call: afterKill, Return: afterKill + 1})
			begin, m, at := states[pair], model, time.Now()
			m.Init = func() any { return begin }
			switch result, info := porcupine.CheckOperationsVerbose(m, one, 20*time.Second); result {
			case porcupine.Illegal:
				file := filepath.Join(t.ArtifactDir(), fmt.Sprintf("history-%d-%d.html", epoch, pair))
				t.Errorf("epoch %d: no order of the %d calls on %v explains their answers, beginning with %q: see %s (run with -artifacts)", epoch, len(one), pairs[pair], begin, file)
				if err := porcupine.VisualizePath(m, info, file); err != nil {
					t.Error(err)
				}
			case porcupine.Unknown:
				t.Errorf("epoch %d: whether an order of the %d calls on %v explains their answers was not found within 20 s: make the test smaller", epoch, len(one), pairs[pair])
			}
			searched += time.Since(at)
			total, states[pair] = total+len(one), end
		}
		c.close()
	}
	t.Logf("%d kills, %d clients on %d pairs of names: %d calls, %d without an answer; the orders were found in %s", kills, clients, len(pairs), total, lost, searched.Round(time.Millisecond))
	if total < kills*clients*5 || lost == 0 {
		t.Errorf("only %d calls, %d without an answer", total, lost)
	}
	s.mustStop(t)
}

// Moments of a history, in nanoseconds since its begin.
const (
	afterKill = int64(time.Hour)
	never     = 2 * int64(time.Hour)
)

// contend lets clients make calls, kills the server after some time if kill is set, and returns the history.
func contend(s *server, rng *rand.Rand, epoch, clients, each int, kill bool) ([]porcupine.Operation, error) {
	begin := time.Now()
	seeds := rng.Uint64()
	wait := time.Duration(50+rng.IntN(350)) * time.Millisecond
	histories, errs := make([][]porcupine.Operation, clients), make([]error, clients)
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			c, r := newClient(s, root), rand.New(rand.NewPCG(seeds, uint64(i)))
			defer c.close()
			for n := range each {
				a := act{pair: r.IntN(len(pairs)), name: r.IntN(2), op: []string{"CreateUser", "CreateUser", "CreateUser", "DeleteUser", "DeleteUser", "UpdateUser", "UpdateUser", "GetUser", "GetUser", "ListUsers"}[r.IntN(10)]}
				if a.op == "CreateUser" {
					a.path = fmt.Sprintf("%s%d-%d-%d/", home(a.pair), epoch, i, n)
				}
				call := time.Since(begin)
				o, err := a.do(c)
				if errors.Is(err, errRefused) {
					return
				}
				if err != nil {
					errs[i] = err
					return
				}
				histories[i] = append(histories[i], porcupine.Operation{ClientId: i, Input: a, Output: o, Call: int64(call), Return: int64(time.Since(begin))})
				if o.lost {
					return
				}
			}
		})
	}
	if kill {
		time.Sleep(wait)
	} else {
		running.Wait()
	}
	s.kill()
	running.Wait()
	h := slices.Concat(histories...)
	h = slices.DeleteFunc(h, func(op porcupine.Operation) bool { // a read that was not answered says nothing
		a := op.Input.(act)
		return op.Output.(seen).lost && (a.op == "GetUser" || a.op == "ListUsers")
	})
	for i := range h {
		if h[i].Output.(seen).lost {
			h[i].Return = never
		}
	}
	return h, errors.Join(errs...)
}

// home is the path of the users of a pair.
func home(pair int) string { return fmt.Sprintf("/pair-%d/", pair) }

func (a act) do(c *client) (o seen, err error) {
	p := []string{"UserName", pairs[a.pair][a.name]}
	switch a.op {
	case "CreateUser":
		p = append(p, "Path", a.path)
	case "UpdateUser":
		p = append(p, "NewUserName", pairs[a.pair][1-a.name])
	case "ListUsers":
		p = []string{"PathPrefix", home(a.pair)}
	}
	answer, err := c.iam(a.op, p...)
	if errors.Is(err, errCut) {
		return seen{lost: true}, nil
	}
	if err != nil {
		return o, err
	}
	switch o.code = answer.code; {
	case answer.status >= 500 || answer.code == "AccessDenied":
		return o, fmt.Errorf("%s: %s", a.op, answer)
	case answer.code != "":
	case a.op == "GetUser":
		var out struct {
			Path string `xml:"GetUserResult>User>Path"`
		}
		err = xml.Unmarshal(answer.body, &out)
		o.path = out.Path
	case a.op == "ListUsers":
		o.all, err = listed(a.pair, answer.body)
	}
	return o, err
}

func listPair(c *client, pair int) (registers, error) {
	o, err := act{op: "ListUsers", pair: pair}.do(c)
	if err == nil && (o.lost || o.code != "") {
		err = fmt.Errorf("ListUsers: %+v", o)
	}
	return o.all, err
}

func listed(pair int, body []byte) (all registers, err error) {
	var out struct {
		Users []struct{ UserName, Path string } `xml:"ListUsersResult>Users>member"`
	}
	if err := xml.Unmarshal(body, &out); err != nil {
		return all, err
	}
	for _, u := range out.Users {
		i := slices.Index(pairs[pair][:], u.UserName)
		if i < 0 || all[i] != "" {
			return all, fmt.Errorf("ListUsers has %s, or has it twice: %v", u.UserName, out.Users)
		}
		all[i] = u.Path
	}
	return all, nil
}

// TestHistoryModel makes sure that the check can fail.
func TestHistoryModel(t *testing.T) {
	t.Parallel()
	op := func(client int, call, back int64, a act, o seen) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: a, Output: o, Call: call, Return: back}
	}
	create, get := act{op: "CreateUser", path: "/1/"}, act{op: "GetUser"}
	rename := act{op: "UpdateUser"}
	for name, c := range map[string]struct {
		h    []porcupine.Operation
		want bool
	}{
		"in order":                     {[]porcupine.Operation{op(0, 1, 2, create, seen{}), op(1, 3, 4, get, seen{path: "/1/"})}, true},
		"a lost update":                {[]porcupine.Operation{op(0, 1, 2, create, seen{}), op(1, 3, 4, get, seen{code: "NoSuchEntity"})}, false},
		"seen before it was answered":  {[]porcupine.Operation{op(0, 1, 9, create, seen{}), op(1, 3, 4, get, seen{path: "/1/"})}, true},
		"unknown, happened":            {[]porcupine.Operation{op(0, 1, never, create, seen{lost: true}), op(1, 3, 4, get, seen{path: "/1/"})}, true},
		"unknown, did not happen":      {[]porcupine.Operation{op(0, 1, never, create, seen{lost: true}), op(1, 3, 4, get, seen{code: "NoSuchEntity"})}, true},
		"created twice":                {[]porcupine.Operation{op(0, 1, 5, create, seen{}), op(1, 1, 5, create, seen{})}, false},
		"a rename that yields both":    {[]porcupine.Operation{op(0, 1, 2, create, seen{}), op(0, 3, 4, rename, seen{}), op(0, 5, 6, act{op: "ListUsers"}, seen{all: registers{"/1/", "/1/"}})}, false},
		"a rename that yields neither": {[]porcupine.Operation{op(0, 1, 2, create, seen{}), op(0, 3, never, rename, seen{lost: true}), op(0, 5, 6, act{op: "ListUsers"}, seen{})}, false},
	} {
		if got := porcupine.CheckOperations(model, c.h); got != c.want {
			t.Errorf("%s: %v, want %v: %+v", name, got, c.want, c.h)
		}
	}
}
