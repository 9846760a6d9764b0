package authz

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const askedSession = "who-can"

var askedAt = time.Unix(1795262400, 0)

// estate is an account that was made from a seed.
type estate struct {
	t       testing.TB
	r       *rand.Rand
	store   *state.Store
	records []state.Record
	users   []*state.User
	roles   []*state.Role
	sparse  bool // most policies are about something else, as in large accounts
}

func newEstate(t testing.TB, seed uint64, users, groups, roles int, sparse bool) *estate {
	t.Helper()
	e := &estate{t: t, r: rand.New(rand.NewPCG(seed, 7)), store: openStore(t), sparse: sparse}
	for i := range 4 {
		e.managed(i)
	}
	for i := range users {
		u := &state.User{}
		u.Id, u.Name, u.Path, u.Tags = fmt.Sprintf("AIDAUSER%05d", i), fmt.Sprintf("user%05d", (i*7919)%users), e.pick("/", "/", "/p/"), e.tags()
		e.users = append(e.users, u)
		e.records = append(e.records, u)
		e.policies(u.Id, 2)
		e.bound(u.Id)
	}
	for i := range groups {
		g := &state.Group{}
		g.Id, g.Name, g.Path = fmt.Sprintf("AGPAGROUP%05d", i), fmt.Sprintf("group%05d", i), "/"
		e.records = append(e.records, g)
		e.policies(g.Id, 2)
		for _, u := range e.users {
			if e.chance(4) {
				e.records = append(e.records, state.NewMember(u.Id, g.Id))
			}
		}
	}
	for i := range roles {
		role := &state.Role{}
		role.Id, role.Name, role.Path, role.Tags = fmt.Sprintf("AROAROLE%05d", i), fmt.Sprintf("role%05d", (i*31)%roles), e.pick("/", "/p/"), e.tags()
		if e.chance(20) {
			role.Path = product.ServiceLinkedPath + "x.amazonaws.com/"
		}
		e.roles = append(e.roles, role)
		e.records = append(e.records, role)
		if i%2 == 0 {
			e.policies(role.Id, 2)
			e.bound(role.Id)
		}
	}
	for i, role := range e.roles { // once all are there that it may name
		text := e.trust()
		if e.chance(2) { // a long way
			text = trusts(`{"AWS":"` + e.roles[(i+1)%len(e.roles)].ARN(ownAccount) + `"}`)
		}
		role.SetTrust(e.load(text, policy.Trust))
	}
	for list := range slices.Chunk(e.records, 90) { // a commit holds 100 operations
		put(t, e.store, func(tx *state.Tx) {
			for _, rec := range list {
				tx.Put(state.AccountUnit(ownAccount), rec)
			}
		})
	}
	return e
}

func (e *estate) pick(from ...string) string { return from[e.r.IntN(len(from))] }

// chance is true once in n times.
func (e *estate) chance(n int) bool { return e.r.IntN(n) == 0 }

func (e *estate) tags() []*statepb.Tag {
	if e.chance(2) {
		return nil
	}
	return []*statepb.Tag{{Key: "team", Value: e.pick("red", "blue")}}
}

func (e *estate) load(text string, kind policy.Kind) *policy.Policy {
	e.t.Helper()
	d, err := policy.Decode(text, kind) // stored policies name users and roles that are gone, which nobody may write
	if err != nil {
		e.t.Fatalf("%v\n%s", err, text)
	}
	p, err := policy.Compile(d)
	if err != nil {
		e.t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func (e *estate) managed(i int) {
	p, v := &state.ManagedPolicy{}, &state.PolicyVersion{Compiled: e.load(e.document(), policy.Managed)}
	p.Id, p.Name, p.Path, p.DefaultVersion, p.LastVersion = fmt.Sprintf("ANPA%d", i), fmt.Sprintf("managed%d", i), "/", 1, 1
	v.Policy, v.Number, v.Document = p.Id, 1, v.Compiled.Text()
	e.records = append(e.records, p, v)
}

func managedARN(i int) string { return fmt.Sprintf("arn:aws:iam::%s:policy/managed%d", ownAccount, i) }

func (e *estate) policies(owner string, most int) {
	for i := range e.r.IntN(most + 1) {
		e.records = append(e.records, record(owner, fmt.Sprintf("inline%d", i)).WithDocument(e.load(e.document(), policy.Identity)))
	}
	if e.chance(3) {
		at := &state.Attachment{}
		at.Owner, at.Policy = owner, managedARN(e.r.IntN(4))
		if e.chance(40) {
			at.Policy = "arn:aws:iam::" + ownAccount + ":policy/gone" // which denies everything
		}
		e.records = append(e.records, at)
	}
}

func (e *estate) bound(owner string) {
	if e.chance(6) {
		at := &state.Attachment{}
		at.Owner, at.Policy, at.Boundary = owner, managedARN(e.r.IntN(4)), true
		e.records = append(e.records, at)
	}
}

// document is that of an identity policy.
func (e *estate) document() string {
	var statements []string
	for range 1 + e.r.IntN(2) {
		action, resource := e.pick(`"s3:GetObject"`, `"s3:*"`, `"sts:AssumeRole"`, `"sts:*"`, `"sts:Assume*"`, `["sts:AssumeRole","ec2:Run*"]`, `"ec2:*"`, `"sqs:*"`), `"*"`
		if e.chance(12) {
			action = `"*"`
		}
		if e.sparse && !e.chance(5) {
			action = e.pick(`"ec2:Describe*"`, `"sqs:*"`, `"s3:Put*"`)
		}
		if e.chance(4) {
			resource = e.pick(`"arn:aws:s3:::b/*"`, `"arn:aws:s3:::other/*"`, `"arn:aws:iam::`+ownAccount+`:role/p/*"`, `"arn:aws:s3:::b/${aws:username}"`)
		}
		field := `"Action":` + action
		if e.chance(20) {
			field = `"NotAction":` + e.pick(`"s3:*"`, `"sts:*"`)
		}
		statements = append(statements, `{"Sid":"S`+fmt.Sprint(len(statements))+`","Effect":"`+e.effect(8)+`",`+field+`,"Resource":`+resource+e.condition()+`}`)
	}
	return document(statements...)
}

func (e *estate) effect(denies int) string {
	if e.chance(denies) {
		return "Deny"
	}
	return "Allow"
}

func (e *estate) condition() string {
	if !e.chance(4) {
		return ""
	}
	return `,"Condition":` + e.pick(
		`{"StringEquals":{"aws:PrincipalTag/team":"red"}}`, `{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`,
		`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, `{"StringLike":{"aws:userid":"*:who-*"}}`,
		`{"StringEquals":{"sts:RoleSessionName":"who-can"}}`, `{"StringEquals":{"sts:ExternalId":"x"}}`, `{"DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}}`)
}

// someone is a principal as policies name it, in every form, some of them gone.
func (e *estate) someone() string {
	u, role := e.users[e.r.IntN(len(e.users))], e.roles[e.r.IntN(len(e.roles))]
	sts := "arn:aws:sts::" + ownAccount + ":assumed-role/" + role.Name + "/"
	aws := e.pick(u.ARN(ownAccount), u.ARN(ownAccount), u.Id, role.ARN(ownAccount), role.ARN(ownAccount), role.Id, sts+askedSession, sts+"other",
		ownAccount, "arn:aws:iam::"+ownAccount+":root", "AIDAGONE", "AROAGONE", "999999999999", "arn:aws:iam::999999999999:user/"+u.Name, role.ARN(ownAccount), u.ARN(ownAccount))
	if e.chance(8) {
		aws = "*"
	}
	return e.pick(`{"AWS":"`+aws+`"}`, `{"AWS":["`+aws+`","`+u.Id+`"]}`, `{"AWS":"`+aws+`"}`, `{"Service":"ec2.amazonaws.com"}`,
		`{"Federated":"accounts.google.com"}`)
}

func (e *estate) trust() string {
	var statements []string
	for range 1 + e.r.IntN(2) {
		field := `"Principal":` + e.someone()
		if e.chance(25) {
			field = `"NotPrincipal":` + e.someone()
		}
		statements = append(statements, `{"Effect":"`+e.effect(10)+`",`+field+`,"Action":`+e.pick(`"sts:AssumeRole"`, `"sts:AssumeRole"`, `"sts:*"`, `"sts:AssumeRoleWithSAML"`)+e.condition()+`}`)
	}
	return document(statements...)
}

// trusts is a trust policy.
func trusts(principal string) string {
	return document(`{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`)
}

// inquiry is one about the estate.
func (e *estate) inquiry() *Inquiry {
	q := &Inquiry{Account: ownAccount, Session: askedSession, Max: 1 << 20, Check: Query{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: ownAccount, Time: askedAt}}
	c := &q.Check
	switch e.r.IntN(6) {
	case 0:
		c.Owner = accountB
	case 1: // what is asked of the roles is what their chains are made of
		role := e.roles[0]
		c.Action, c.Resource, c.Owner = assumeRole, role.ARN(ownAccount), ""
		c.ResourcePolicy, c.ResourceTags = &policy.Attached{Policy: role.CompiledTrust, Name: "trust"}, role.Tags
		return q
	}
	if e.chance(2) {
		field := `"Principal":` + e.someone()
		if e.chance(4) {
			field = `"NotPrincipal":` + e.someone()
		}
		if strings.Contains(field, "Federated") { // which only trust policies have
			field = `"Principal":"*"`
		}
		c.ResourcePolicy = &policy.Attached{Name: "bucket", Policy: e.load(document(`{"Effect":"`+e.effect(3)+`",`+field+`,"Action":"s3:*","Resource":"*"`+e.condition()+`}`), policy.Resource)}
	}
	if e.chance(3) {
		c.Context = append(c.Context, single("aws:SourceIp", e.pick("10.0.0.1", "192.0.2.1")))
	}
	if e.chance(6) {
		c.Context = append(c.Context, single(sessionName, "given"))
	}
	if e.chance(4) {
		c.ResourceTags = []*statepb.Tag{{Key: "team", Value: "red"}}
	}
	if e.chance(5) {
		c.SCP = []*policy.Set{policy.NewSet(&policy.Attached{Policy: e.load(document(statement("Allow", e.pick("*", "s3:*", "sts:*"), "*")), policy.SCP)})}
	}
	if e.chance(5) {
		c.RCP = []*policy.Set{policy.NewSet(
			&policy.Attached{Policy: e.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`, policy.RCP)},
			&policy.Attached{Policy: e.load(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"`+e.pick("sts:*", "s3:*")+`","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}}}`, policy.RCP)})}
	}
	if e.chance(6) {
		c.NeedsResourcePolicy = true
	}
	return q
}

// person is a principal of the estate as the brute force asks it.
type person struct {
	arn       string
	principal *state.Principal
	session   *session.Session
	role      *state.Role
	length    int // of the shortest way; 0: none
	next      int
}

// bruteForce asks everybody, then everybody about every role, with an authorizer of its own, and takes the shortest ways from all edges.
func (e *estate) bruteForce(view *state.View, q *Inquiry) []person {
	z := New(nil)
	people := []person{{arn: "arn:aws:iam::" + ownAccount + ":root", principal: &state.Principal{Kind: state.RootUser, Account: ownAccount, ID: ownAccount}}}
	users, roles := slices.Clone(e.users), slices.Clone(e.roles)
	slices.SortFunc(users, func(a, b *state.User) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(roles, func(a, b *state.Role) int { return strings.Compare(a.Name, b.Name) })
	for _, u := range users {
		people = append(people, person{arn: u.ARN(ownAccount), principal: &state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: u.Id, Path: u.Path, Name: u.Name}})
	}
	for _, role := range roles {
		people = append(people, person{
			arn: role.ARN(ownAccount), role: role,
			principal: &state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: role.Id, Path: role.Path, Name: role.Name, Session: askedSession},
			session:   sessionOf(role),
		})
	}
	allowed := func(p *person, check Query) bool {
		check.Principal, check.Session = p.principal, p.session
		return z.Ask(view, &check).Denial == nil
	}
	for i := range people {
		if allowed(&people[i], q.Check) {
			people[i].length = 1
		}
	}
	edges := make([][]int, len(people))
	for i := range people {
		for n := range people {
			if people[n].role != nil && allowed(&people[i], hopTo(people[n].role, q)) {
				edges[i] = append(edges[i], n)
			}
		}
	}
	for length, found := 1, true; found; length++ {
		found = false
		for i := range people {
			for _, n := range edges[i] {
				if people[i].length == 0 && people[n].length == length {
					people[i].length, people[i].next, found = length+1, n, true
				}
			}
		}
	}
	return people
}

// sessionOf is the session of a role that is asked about.
func sessionOf(role *state.Role) *session.Session {
	return &session.Session{Claims: session.Claims{Kind: state.RoleSession, Account: ownAccount, ID: role.Id, Name: askedSession, Issued: askedAt}}
}

// hopTo is the check of sts:AssumeRole on the role in the circumstances of the inquiry.
func hopTo(role *state.Role, q *Inquiry) Query {
	hop := Query{
		Action: "sts:AssumeRole", Resource: role.ARN(ownAccount), Owner: ownAccount, Time: q.Check.Time, SCP: q.Check.SCP, ResourceTags: role.Tags,
		ResourcePolicy: &policy.Attached{Policy: role.CompiledTrust}, NeedsResourcePolicy: true,
		Context: append(slices.Clone(q.Check.Context), policy.Entry{Key: "sts:RoleSessionName", Values: []string{q.Session}}),
	}
	if q.Check.Owner != accountB {
		hop.RCP = q.Check.RCP
	}
	return hop
}
