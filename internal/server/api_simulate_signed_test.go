package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
)

// The simulator's answer for a stored user or role is that of the real signed call: policies of every place are made from a seed, an operation is
// called for real, and simulated with the keys that the call has.

const (
	comparisons      = 360
	trustComparisons = 120
	arnWorker        = arnHere + "role/team/worker"
)

// compared is a server with the caller, a session of the role worker, and the tags that conditions ask for.
type compared struct {
	*enforcedTest
	rng    *rand.Rand
	worker caller
}

func openCompared(t *testing.T, rng *rand.Rand) *compared {
	x := &compared{enforcedTest: openEnforced(t), rng: rng}
	x.ok(x.root, "TagUser", append(tags("team", "red"), "UserName", "caller")...)
	x.ok(x.root, "TagUser", append(tags("dept", "hr"), "UserName", "victim")...)
	x.ok(x.root, "TagRole", append(tags("dept", "it"), "RoleName", "job")...)
	x.group(x.root, "/team/callers", "caller")
	x.role(x.root, "/team/worker", trusting("arn:aws:iam::"+testAccount+":root", ""), tags("team", "red")...)
	helper := x.user(x.root, "helper")
	x.policy(x.root, "helper", "p", "Allow sts:AssumeRole *")
	x.worker = x.assume(helper, arnWorker)
	return x
}

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// conditions are about the keys that a comparison gives the simulator, and some that nobody has.
var conditions = []string{
	`"StringEquals":{"aws:username":"caller"}`, `"StringNotEquals":{"aws:username":"caller"}`, `"StringNotEquals":{"aws:UserName":"x"}`,
	`"ArnLike":{"aws:PrincipalArn":"` + arnHere + `user/team/*"}`, `"StringLike":{"aws:PrincipalArn":"` + arnHere + `role/*"}`,
	`"StringEquals":{"aws:PrincipalTag/team":"red"}`, `"StringEquals":{"aws:PrincipalTag/Team":"blue"}`, `"Null":{"aws:PrincipalTag/team":"true"}`,
	`"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`, `"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]}`,
	`"Bool":{"aws:SecureTransport":"false"}`, `"Bool":{"aws:SecureTransport":true}`, `"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`,
	`"StringEquals":{"aws:ResourceTag/dept":"hr"}`, `"StringEquals":{"iam:ResourceTag/dept":["it","hr"]}`, `"StringNotEqualsIfExists":{"aws:ResourceTag/dept":"hr"}`,
	`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`,
	`"ForAllValues:StringEquals":{"aws:TagKeys":["k"]}`, `"ForAnyValue:StringEquals":{"aws:TagKeys":["k","l"]}`, `"StringEquals":{"aws:RequestTag/k":"v"}`,
	`"StringEquals":{"aws:PrincipalAccount":"` + testAccount + `"}`, `"StringEquals":{"aws:PrincipalType":"User"}`, `"StringLike":{"aws:userid":"AIDA*"}`,
	`"Null":{"aws:PrincipalServiceName":"false"}`, `"StringEquals":{"aws:RequestedRegion":"us-east-1"},"Bool":{"aws:SecureTransport":"false"}`,
	`"StringEquals":{"aws:PrincipalTag/team":"${aws:PrincipalTag/team}"}`, `"StringEquals":{"aws:username":"${aws:nobody, 'caller'}"}`,
}

// statement is one that is likely to be about the operation.
func (x *compared) statement(e *enforced) string {
	effect := pick(x.rng, "Allow", "Allow", "Allow", "Deny")
	action := pick(x.rng, e.action(), e.action(), strings.ToUpper(e.action()), serviceOf(e.op)+":*", "*", e.action()[:len(e.action())-3]+"*", e.action()+"x", "s3:*")
	resource := pick(x.rng, "*", "*", arnHere+"*", arnHere+"user/*", arnHere+"role/*", pick(x.rng, e.resources...), pick(x.rng, e.wrong...), arnHere+"*/${aws:username}")
	actions, resources := `"Action":["iam:None",`, `"Resource":[`
	switch x.rng.IntN(12) {
	case 0:
		actions = `"NotAction":["iam:None",`
	case 1:
		resources = `"NotResource":[`
	}
	condition := ""
	if x.rng.IntN(2) == 0 {
		condition = `,"Condition":{` + pick(x.rng, conditions...) + `}`
	}
	return fmt.Sprintf(`{"Effect":%q,%s%q],%s%q]%s}`, effect, actions, action, resources, resource, condition)
}

func (x *compared) document(e *enforced) string {
	statements := make([]string, 1+x.rng.IntN(3))
	for i := range statements {
		statements[i] = x.statement(e)
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// arrange gives the caller and the worker policies in some of the places where they can have them, and returns what it put there.
func (x *compared) arrange(e *enforced) (put []string) {
	note := func(place, document string) string {
		put = append(put, place+" "+document)
		return document
	}
	some := func(n int) bool { return x.rng.IntN(n) == 0 }
	if some(2) {
		x.ok(x.root, "PutUserPolicy", "UserName", "caller", "PolicyName", "p", "PolicyDocument", note("user", x.document(e)))
	}
	if some(2) {
		x.ok(x.root, "PutGroupPolicy", "GroupName", "callers", "PolicyName", "p", "PolicyDocument", note("group", x.document(e)))
	}
	if some(2) {
		x.rolePolicy(x.root, "worker", "p", note("role", x.document(e)))
	}
	if some(2) {
		arn := x.managed(x.root, "pol", note("managed", x.document(e)))
		x.ok(x.root, "AttachUserPolicy", "UserName", "caller", "PolicyArn", arn)
		x.ok(x.root, "AttachRolePolicy", "RoleName", "worker", "PolicyArn", arn)
	}
	if some(4) {
		arn := x.managed(x.root, "boundary", note("boundary", x.document(e)))
		x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "caller", "PermissionsBoundary", arn)
		x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "worker", "PermissionsBoundary", arn)
	}
	if some(4) {
		const spared = `"ArnNotEquals":{"aws:PrincipalArn":"` + arnHere + `root"}` // who simulates
		statement := pick(x.rng, `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"`+e.action()+`","Resource":"*","Condition":{`+spared+`}}`,
			`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{`+spared+`,`+pick(x.rng, conditions...)+`}}`, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
		scp := statetest.SCP(x, "p-1", "guard", note("SCP", `{"Version":"2012-10-17","Statement":[`+statement+`,{"Effect":"Allow","Action":["iam:G*","sts:*"],"Resource":"*"},`+
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"`+arnHere+`root"}}}]}`))
		(&statetest.Organization{
			ID: "o-1", Management: testAccount2, Root: "r-1", Accounts: map[string]string{testAccount: "r-1"},
			Policies: []*state.OrganizationPolicy{scp}, Attached: map[string][]string{"r-1": {"p-1", awspolicy.FullAccessRCP}},
		}).Put(x, x.cell.store)
	}
	return put
}

// simulated asks for every resource of the call by itself, since each check has the keys of its own resource.
func (x *compared) simulated(e *enforced, source string) (allowed bool, answers []string) {
	allowed = true
	for _, resource := range e.resources {
		p := ps("PolicySourceArn", source, "ActionNames.member.1", e.action(), "ResourceArns.member.1", resource)
		n := 0
		key := func(name, kind string, values ...string) {
			n++
			at := fmt.Sprintf("ContextEntries.member.%d.", n)
			p = append(p, at+"ContextKeyName", name, at+"ContextKeyType", kind)
			for i, v := range values {
				p = append(p, fmt.Sprintf("%sContextKeyValues.member.%d", at, i+1), v)
			}
		}
		key("aws:SourceIp", "ip", "192.0.2.1")
		key("aws:SecureTransport", "boolean", "false")
		key("aws:RequestedRegion", "string", "us-east-1")
		key("aws:CurrentTime", "date", time.Now().UTC().Format(time.RFC3339))
		dept := map[string]string{arnVictim: "hr", arnJob: "it"}[resource]
		if e.op == "UpdateUser" && resource != arnVictim && len(e.resources) == 2 {
			dept = "hr" // the user under its new name has its tags
		}
		if dept != "" {
			key("aws:ResourceTag/dept", "string", dept)
			key("iam:ResourceTag/dept", "string", dept)
		}
		if params := x.keys.Replace(strings.Join(e.p, " ")); strings.Contains(params, "Tags.member.1.Key k") {
			key("aws:RequestTag/k", "string", "v")
			key("aws:TagKeys", "stringList", "k")
		} else if strings.Contains(params, "TagKeys.member.1 k") {
			key("aws:TagKeys", "stringList", "k")
		}
		if source == arnWorker {
			key("aws:MultiFactorAuthPresent", "boolean", "false")
			key("aws:userid", "string", "AROA:s1")
		}
		a := x.ok(x.root, "SimulatePrincipalPolicy", p...)
		decision := a.all("EvalDecision")[0]
		allowed = allowed && decision == "allowed"
		answers = append(answers, resource+" "+decision)
	}
	return allowed, answers
}

func TestSimulatorEqualsSignedCalls(t *testing.T) {
	t.Parallel()
	type count struct{ allowed, denied int }
	counts := make(chan count, comparisons)
	t.Run("calls", func(t *testing.T) {
		for seed := range uint64(comparisons) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, 5))
				e := enforcedOperations[int(seed)%len(enforcedOperations)]
				x := openCompared(t, rng)
				put := x.arrange(&e)
				source := arnCaller
				if rng.IntN(3) == 0 && e.resources[0] != arnCaller { // what a caller does to itself only users do
					source, x.by = arnWorker, x.worker
				}
				simulated, answers := x.simulated(&e, source)
				a := x.try(&e)
				if real := a.code() != "AccessDenied"; real != simulated {
					t.Errorf("%s by %s: the call: %s\nsimulated: %q\n%s", e.op, source, a, answers, strings.Join(put, "\n"))
				}
				if simulated {
					counts <- count{allowed: 1}
				} else {
					counts <- count{denied: 1}
				}
			})
		}
	})
	close(counts)
	var sum count
	for c := range counts {
		sum.allowed, sum.denied = sum.allowed+c.allowed, sum.denied+c.denied
	}
	t.Logf("%d calls were allowed, %d denied", sum.allowed, sum.denied)
	if sum.allowed < comparisons/6 || sum.denied < comparisons/6 {
		t.Errorf("%d allowed and %d denied: too few of one to say anything", sum.allowed, sum.denied)
	}
}

// TestSimulatorEqualsAssumeRole compares sts:AssumeRole, where the trust policy is given to the simulator.
func TestSimulatorEqualsAssumeRole(t *testing.T) {
	t.Parallel()
	allowed := make(chan bool, trustComparisons)
	t.Run("calls", func(t *testing.T) {
		for seed := range uint64(trustComparisons) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, 6))
				e := enforced{op: "AssumeRole", p: ps("RoleArn", arnJob, "RoleSessionName", "s2"), resources: []string{arnJob}, wrong: []string{arnWorker, arnHere + "role/Job"}}
				x := openCompared(t, rng)
				put := x.arrange(&e)
				if rng.IntN(2) == 0 {
					x.ok(x.root, "PutUserPolicy", "UserName", "caller", "PolicyName", "q", "PolicyDocument", document("Allow sts:AssumeRole "+arnJob))
					put = append(put, "user: allowed on the role")
				}
				statement := func(effect, principal, condition string) string {
					return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":"sts:AssumeRole"%s}`, effect, principal, condition)
				}
				principal := func() string {
					return pick(rng, `{"AWS":"*"}`, `{"AWS":"`+testAccount+`"}`, `{"AWS":"`+arnCaller+`"}`, `{"AWS":"`+arnWorker+`"}`, `{"Service":"ec2.amazonaws.com"}`, `{"AWS":"`+arnVictim+`"}`)
				}
				condition := func() string {
					return pick(rng, "", "", `,"Condition":{`+pick(rng, conditions...)+`}`, `,"Condition":{"StringEquals":{"sts:RoleSessionName":"s2"}}`, `,"Condition":{"StringLike":{"sts:ExternalId":"*"}}`)
				}
				statements := []string{statement("Allow", principal(), condition())}
				if rng.IntN(2) == 0 {
					statements = append(statements, statement(pick(rng, "Allow", "Deny"), principal(), condition()))
				}
				trust := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
				x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trust)
				source := arnCaller
				if rng.IntN(3) == 0 {
					source, x.by = arnWorker, x.worker
				}
				p := ps("PolicySourceArn", source, "ActionNames.member.1", "sts:AssumeRole", "ResourceArns.member.1", arnJob, "ResourcePolicy", trust)
				entries := [][3]string{
					{"aws:SourceIp", "ip", "192.0.2.1"}, {"aws:SecureTransport", "boolean", "false"}, {"aws:RequestedRegion", "string", "us-east-1"},
					{"aws:CurrentTime", "date", time.Now().UTC().Format(time.RFC3339)}, {"aws:ResourceTag/dept", "string", "it"}, {"iam:ResourceTag/dept", "string", "it"},
					{"sts:RoleSessionName", "string", "s2"},
				}
				if source == arnWorker {
					entries = append(entries, [3]string{"aws:MultiFactorAuthPresent", "boolean", "false"}, [3]string{"aws:userid", "string", "AROA:s1"})
				}
				for i, entry := range entries {
					at := fmt.Sprintf("ContextEntries.member.%d.", i+1)
					p = append(p, at+"ContextKeyName", entry[0], at+"ContextKeyType", entry[1], at+"ContextKeyValues.member.1", entry[2])
				}
				a := x.ok(x.root, "SimulatePrincipalPolicy", p...)
				simulated := a.all("EvalDecision")[0] == "allowed"
				real := x.try(&e)
				if (real.status == 200) != simulated {
					what, _ := json.Marshal(put)
					t.Errorf("AssumeRole by %s: the call: %s\nsimulated: %s\ntrust: %s\n%s", source, real, a, trust, what)
				}
				allowed <- simulated
			})
		}
	})
	close(allowed)
	n := 0
	for a := range allowed {
		if a {
			n++
		}
	}
	t.Logf("%d of %d were allowed", n, trustComparisons)
	if n < trustComparisons/5 || n > trustComparisons*4/5 {
		t.Errorf("%d of %d were allowed: too few of one kind", n, trustComparisons)
	}
}
