package server

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

// TestHistories lets 16 clients attach, detach, rename, create, delete and version a few users, groups and policies of one account at the
// same time, under small quotas, and looks for one order of all calls that explains every answer: the calls have taken place one after the
// other, each at a moment between its sending and its answer.
func TestHistories(t *testing.T) {
	t.Parallel()
	const clients, each = 16, 10
	histories := 24
	if raceEnabled {
		histories = 6
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			q := iam.DefaultQuotas
			for _, name := range []string{"PoliciesPerUser", "PoliciesPerGroup", "GroupsPerUser"} {
				if err := q.Set(name, 1); err != nil {
					t.Fatal(err)
				}
			}
			if err := q.Set("VersionsPerPolicy", 2); err != nil {
				t.Fatal(err)
			}
			x := openAPI(t, q)
			x.quiet = true
			var mu sync.Mutex
			var history []porcupine.Operation
			began := time.Now()
			var running sync.WaitGroup
			for client := range clients {
				running.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(client)))
					for range each {
						m := randomMove(rng)
						sent := time.Since(began)
						got := x.make(m)
						op := porcupine.Operation{ClientId: client, Input: m, Output: got, Call: int64(sent), Return: int64(time.Since(began))}
						mu.Lock()
						history = append(history, op)
						mu.Unlock()
					}
				})
			}
			running.Wait()
			// What is left must be what that order leaves.
			for _, m := range everythingRead() {
				now := int64(time.Since(began))
				history = append(history, porcupine.Operation{ClientId: clients, Input: m, Output: x.make(m), Call: now, Return: now + 1})
			}
			switch porcupine.CheckOperationsTimeout(accountModel, history, 30*time.Second) {
			case porcupine.Illegal:
				sort.Slice(history, func(i, j int) bool { return history[i].Call < history[j].Call })
				var b strings.Builder
				for _, op := range history {
					fmt.Fprintf(&b, "%8d %8d client %2d: %v -> %v\n", op.Call/1000, op.Return/1000, op.ClientId, op.Input, op.Output)
				}
				t.Fatalf("no order explains these answers:\n%s", b.String())
			case porcupine.Unknown:
				t.Error("no order was found in the time there is, and none was excluded")
			}
			codes := map[string]int{}
			for _, op := range history {
				codes[op.Output.(outcome).code]++
			}
			for _, code := range []string{"", "NoSuchEntity", "EntityAlreadyExists"} {
				if codes[code] == 0 {
					t.Errorf("no call was answered %q: %v", code, codes)
				}
			}
		})
	}
}

// move is one call: an operation on a user, group or policy by number, with a second one or a version.
type move struct {
	op   string
	a, b int
	flag bool
}

func (m move) String() string { return fmt.Sprintf("%s(%d, %d, %t)", m.op, m.a, m.b, m.flag) }

// outcome is what a call was answered: its code, and of a success what it shows.
type outcome struct{ code, shown string }

const things = 2 // users, groups and policies of each kind

var moves = []string{
	"CreateUser", "DeleteUser", "RenameUser", "CreateGroup", "DeleteGroup", "CreatePolicy", "DeletePolicy", "AddUserToGroup", "AddUserToGroup",
	"RemoveUserFromGroup", "AttachUserPolicy", "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy", "CreatePolicyVersion",
	"CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "ListAttachedUserPolicies", "ListPolicyVersions", "GetGroup",
}

func randomMove(rng *rand.Rand) move {
	m := move{op: moves[rng.IntN(len(moves))], a: rng.IntN(things), b: rng.IntN(things), flag: rng.IntN(2) == 0}
	switch m.op {
	case "DeletePolicyVersion", "SetDefaultPolicyVersion":
		m.b = 1 + rng.IntN(4)
	case "CreateUser", "CreateGroup", "CreatePolicy":
		m.a = rng.IntN(things)
	}
	return m
}

func everythingRead() (all []move) {
	for _, op := range []string{"ListAttachedUserPolicies", "ListPolicyVersions", "GetGroup"} {
		for i := range things {
			all = append(all, move{op: op, a: i})
		}
	}
	return all
}

// make sends the call of a move.
func (x *apiTest) make(m move) outcome {
	user, group := fmt.Sprint("user", m.a), fmt.Sprint("group", m.a)
	arn := func(i int) string { return fmt.Sprintf("arn:aws:iam::%s:policy/policy%d", testAccount, i) }
	var p params
	op := m.op
	switch m.op {
	case "CreateUser", "DeleteUser", "ListAttachedUserPolicies":
		p = ps("UserName", user)
	case "RenameUser":
		op, p = "UpdateUser", ps("UserName", user, "NewUserName", fmt.Sprint("user", 1-m.a))
	case "CreateGroup", "DeleteGroup", "GetGroup":
		p = ps("GroupName", group)
	case "CreatePolicy":
		p = ps("PolicyName", fmt.Sprint("policy", m.a), "PolicyDocument", document("Allow iam:GetUser *"))
	case "DeletePolicy", "ListPolicyVersions":
		p = ps("PolicyArn", arn(m.a))
	case "AddUserToGroup", "RemoveUserFromGroup":
		p = ps("UserName", user, "GroupName", fmt.Sprint("group", m.b))
	case "AttachUserPolicy", "DetachUserPolicy":
		p = ps("UserName", user, "PolicyArn", arn(m.b))
	case "AttachGroupPolicy", "DetachGroupPolicy":
		p = ps("GroupName", group, "PolicyArn", arn(m.b))
	case "CreatePolicyVersion":
		p = ps("PolicyArn", arn(m.a), "PolicyDocument", document("Allow iam:GetRole *"), "SetAsDefault", fmt.Sprint(m.flag))
	case "DeletePolicyVersion", "SetDefaultPolicyVersion":
		p = ps("PolicyArn", arn(m.a), "VersionId", fmt.Sprint("v", m.b))
	}
	answer := x.call(x.root, op, p)
	o := outcome{code: answer.code()}
	if o.code != "" {
		return o
	}
	switch m.op {
	case "CreatePolicyVersion":
		o.shown = answer.value("CreatePolicyVersionResult", "PolicyVersion", "VersionId")
	case "ListAttachedUserPolicies":
		o.shown = strings.Join(answer.all("PolicyName"), " ")
	case "GetGroup":
		o.shown = strings.Join(answer.all("UserName"), " ")
	case "ListPolicyVersions":
		ids, defaults := answer.all("VersionId"), answer.all("IsDefaultVersion")
		for i, id := range ids {
			if defaults[i] == "true" {
				id += "*"
			}
			ids[i] = id
		}
		o.shown = strings.Join(ids, " ")
	}
	return o
}

// world is the account as docs/spec/wire.md 8 says it behaves, with one policy per owner, one group per user and two versions per policy.
type world struct {
	users    [things]modelUser
	groups   [things]modelGroup
	policies [things]modelPolicy
}

// Policies and groups are numbered from 1; 0 is none.
type modelUser struct {
	exists        bool
	policy, group int
}

type modelGroup struct {
	exists bool
	policy int
}

type modelPolicy struct {
	exists        bool
	versions      [2]int // newest first; 0 = none
	chosen, given int    // default version, highest number ever given
}

var accountModel = porcupine.Model{
	Init: func() any { return world{} },
	Step: func(state, input, output any) (bool, any) {
		before := state.(world)
		after := before
		want := after.apply(input.(move))
		if want != output.(outcome) {
			return false, before
		}
		if want.code != "" {
			return true, before
		}
		return true, after
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " -> ", out) },
}

func (w *world) attached(policy int) bool {
	for i := range things {
		if w.users[i].exists && w.users[i].policy == policy || w.groups[i].exists && w.groups[i].policy == policy {
			return true
		}
	}
	return false
}

const absent = "NoSuchEntity"

// apply does the move and says what it is answered. After an error the world is to be thrown away.
func (w *world) apply(m move) outcome {
	u, g, p := &w.users[m.a], &w.groups[m.a], &w.policies[m.a]
	switch m.op {
	case "CreateUser":
		return create(&u.exists, func() { *u = modelUser{exists: true} })
	case "CreateGroup":
		return create(&g.exists, func() { *g = modelGroup{exists: true} })
	case "CreatePolicy":
		return create(&p.exists, func() { *p = modelPolicy{exists: true, versions: [2]int{1}, chosen: 1, given: 1} })
	case "DeleteUser":
		return remove(&u.exists, u.policy != 0 || u.group != 0)
	case "DeleteGroup":
		used := g.policy != 0
		for i := range w.users {
			used = used || w.users[i].exists && w.users[i].group == m.a+1
		}
		return remove(&g.exists, used)
	case "DeletePolicy":
		return remove(&p.exists, w.attached(m.a+1) || p.versions[1] != 0)
	case "RenameUser":
		other := &w.users[1-m.a]
		switch {
		case !u.exists:
			return outcome{code: absent}
		case other.exists:
			return outcome{code: "EntityAlreadyExists"}
		}
		*other, *u = *u, modelUser{}
	case "AddUserToGroup":
		switch {
		case !u.exists || !w.groups[m.b].exists:
			return outcome{code: absent}
		case u.group != 0 && u.group != m.b+1:
			return outcome{code: "LimitExceeded"}
		}
		u.group = m.b + 1
	case "RemoveUserFromGroup":
		switch {
		case !u.exists || !w.groups[m.b].exists:
			return outcome{code: absent}
		case u.group == m.b+1:
			u.group = 0
		}
	case "AttachUserPolicy":
		return w.attach(u.exists, &u.policy, m.b)
	case "AttachGroupPolicy":
		return w.attach(g.exists, &g.policy, m.b)
	case "DetachUserPolicy":
		return detach(u.exists, &u.policy, m.b)
	case "DetachGroupPolicy":
		return detach(g.exists, &g.policy, m.b)
	case "ListAttachedUserPolicies":
		switch {
		case !u.exists:
			return outcome{code: absent}
		case u.policy != 0:
			return outcome{shown: fmt.Sprint("policy", u.policy-1)}
		}
	case "GetGroup":
		if !g.exists {
			return outcome{code: absent}
		}
		var in []string
		for i := range w.users {
			if w.users[i].exists && w.users[i].group == m.a+1 {
				in = append(in, fmt.Sprint("user", i))
			}
		}
		return outcome{shown: strings.Join(in, " ")}
	default:
		return p.version(m)
	}
	return outcome{}
}

func create(exists *bool, do func()) outcome {
	if *exists {
		return outcome{code: "EntityAlreadyExists"}
	}
	do()
	return outcome{}
}

func remove(exists *bool, used bool) outcome {
	switch {
	case !*exists:
		return outcome{code: absent}
	case used:
		return outcome{code: "DeleteConflict"}
	}
	*exists = false
	return outcome{}
}

func (w *world) attach(exists bool, policy *int, b int) outcome {
	switch {
	case !exists || !w.policies[b].exists:
		return outcome{code: absent}
	case *policy != 0 && *policy != b+1:
		return outcome{code: "LimitExceeded"}
	}
	*policy = b + 1
	return outcome{}
}

func detach(exists bool, policy *int, b int) outcome {
	if !exists || *policy != b+1 {
		return outcome{code: absent}
	}
	*policy = 0
	return outcome{}
}

func (p *modelPolicy) version(m move) outcome {
	held := p.exists && slices.Contains(p.versions[:], m.b)
	switch m.op {
	case "ListPolicyVersions":
		if !p.exists {
			return outcome{code: absent}
		}
		var ids []string
		for _, v := range p.versions {
			switch {
			case v == 0:
			case v == p.chosen:
				ids = append(ids, fmt.Sprintf("v%d*", v))
			default:
				ids = append(ids, fmt.Sprint("v", v))
			}
		}
		return outcome{shown: strings.Join(ids, " ")}
	case "CreatePolicyVersion":
		switch {
		case !p.exists:
			return outcome{code: absent}
		case p.versions[1] != 0:
			return outcome{code: "LimitExceeded"}
		}
		p.given++
		p.versions = [2]int{p.given, p.versions[0]}
		if m.flag {
			p.chosen = p.given
		}
		return outcome{shown: fmt.Sprint("v", p.given)}
	case "DeletePolicyVersion":
		switch {
		case !held:
			return outcome{code: absent}
		case p.chosen == m.b:
			return outcome{code: "DeleteConflict"}
		case p.versions[0] == m.b:
			p.versions[0] = p.versions[1]
		}
		p.versions[1] = 0
	case "SetDefaultPolicyVersion":
		if !held {
			return outcome{code: absent}
		}
		p.chosen = m.b
	}
	return outcome{}
}
