package policy_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// everyLayer are sets and a request with one statement in each layer, and two levels of each chain of which the second is nil.
func everyLayer(t testing.TB, c policy.Caller) (policy.Sets, policy.Request) {
	s := `{"Sid":"Only","Effect":"Allow","Action":"s3:Get*","Resource":"*"}`
	named := strings.Replace(s, `"Action"`, `"Principal":"*","Action"`, 1)
	set := func(kind policy.Kind, text string) *policy.Set {
		return policy.NewSet(loadKind(t, kind, statement(text)))
	}
	return policy.Sets{
			Caller: c, Identity: set(policy.Identity, s), Boundary: set(policy.Boundary, s), Session: set(policy.Session, s),
			SCP: []*policy.Set{set(policy.SCP, s), nil},
		}, policy.Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: other, Endpoint: loadKind(t, policy.Endpoint, statement(named)),
			RCP: []*policy.Set{set(policy.RCP, named), nil}, ResourcePolicy: loadKind(t, policy.Resource, statement(named)), Grantees: []string{policy.AllUsers},
		}
}

func layersOf(e *policy.Explanation) string {
	var out []string
	for i := range e.Layers {
		l := &e.Layers[i]
		out = append(out, fmt.Sprintf("%s %d %s %d", l.Layer, l.Level, l.Effect, len(l.Statements)))
	}
	return strings.Join(out, ", ")
}

func TestExplainHasTheLayersThatTakePart(t *testing.T) {
	t.Parallel()
	const all = "SCP 0 ALLOW 1, SCP 1 DENY-I 0, RCP 0 ALLOW 1, RCP 1 DENY-I 0, endpoint 0 ALLOW 1, identity 0 ALLOW 1, boundary 0 ALLOW 1, session 0 ALLOW 1, resource 0 ALLOW 1, ACL 0 ALLOW 0"
	linked, root, fed, service := app, policy.Caller{Kind: policy.RootCaller, Account: own}, alice, policy.Caller{Kind: policy.ServiceCaller, Names: []string{"x"}}
	linked.ServiceLinked = true
	fed.Kind, fed.Session = policy.FederatedCaller, "arn:aws:sts::111111111111:federated-user/fed"
	drop := func(layers ...string) string {
		return strings.Join(slices.DeleteFunc(strings.Split(all, ", "), func(l string) bool {
			return slices.ContainsFunc(layers, func(d string) bool { return strings.HasPrefix(l, d) })
		}), ", ")
	}
	tests := []struct {
		name   string
		caller policy.Caller
		change func(s *policy.Sets, r *policy.Request)
		want   string
	}{
		{"all", alice, nil, all},
		{"nobody in particular", policy.Caller{}, nil, strings.Replace(all, "ACL 0 ALLOW", "ACL 0 DENY-I", 1)},
		{"service-linked role", linked, nil, drop("SCP", "RCP", "boundary")},
		{"root", root, nil, drop("boundary")},
		{"service with an identity set", service, nil, strings.Replace(drop("SCP"), "ACL 0 ALLOW", "ACL 0 DENY-I", 1)},
		{"service", service, func(s *policy.Sets, _ *policy.Request) { *s = policy.Sets{Caller: service} }, "RCP 0 ALLOW 1, RCP 1 DENY-I 0, endpoint 0 ALLOW 1, resource 0 ALLOW 1, ACL 0 DENY-I 0"},
		{"service with an identity of root", service, func(s *policy.Sets, r *policy.Request) { *s, r.RCP = policy.Sets{Caller: service, Root: true}, nil },
			"endpoint 0 ALLOW 1, identity 0 ALLOW 0, resource 0 ALLOW 1, ACL 0 DENY-I 0"},
		{"same account", alice, func(_ *policy.Sets, r *policy.Request) { r.Owner = own }, drop("ACL")},
		{"account not given", alice, func(_ *policy.Sets, r *policy.Request) { r.Owner = "" }, drop("ACL")},
		{"no resource", alice, func(_ *policy.Sets, r *policy.Request) { r.Resource = "*" }, drop("ACL")},
		{"no policy of the resource", alice, func(_ *policy.Sets, r *policy.Request) { r.ResourcePolicy = nil }, strings.Replace(all, "resource 0 ALLOW 1", "resource 0 DENY-I 0", 1)},
		{"no policy of the own resource", alice, func(_ *policy.Sets, r *policy.Request) { r.ResourcePolicy, r.Owner = nil, own }, drop("resource", "ACL")},
		{"no policy of the own resource that needs one", alice, func(_ *policy.Sets, r *policy.Request) {
			r.ResourcePolicy, r.Owner, r.NeedsResourcePolicy = nil, own, true
		},
			strings.Replace(drop("ACL"), "resource 0 ALLOW 1", "resource 0 DENY-I 0", 1)},
		{"no ACL", alice, func(_ *policy.Sets, r *policy.Request) { r.Grantees = nil }, drop("ACL")},
		{"nothing of the caller", alice, func(s *policy.Sets, r *policy.Request) { *s, r.Owner, r.RCP = policy.Sets{Caller: alice}, own, nil }, "endpoint 0 ALLOW 1, identity 0 DENY-I 0, resource 0 ALLOW 1"},
		{"federated without session policy", fed, func(s *policy.Sets, r *policy.Request) {
			*s, r.Owner, r.RCP = policy.Sets{Caller: fed, Root: true}, own, nil
		},
			"endpoint 0 ALLOW 1, identity 0 ALLOW 0, session 0 DENY-I 0, resource 0 ALLOW 1"},
		{"trust", alice, func(s *policy.Sets, r *policy.Request) {
			*s = policy.Sets{Caller: alice}
			*r = policy.Request{Action: "sts:AssumeRole", Resource: appRole, ResourcePolicy: loadKind(t, policy.Trust, statement(`{"Effect":"Deny","Principal":"*","Action":"*"}`))}
		}, "identity 0 DENY-I 0, trust 0 DENY-E 1"},
		{"root's deny", root, func(s *policy.Sets, r *policy.Request) {
			*s = policy.Sets{Caller: root, Root: true, Identity: policy.NewSet(load(t, statement(`[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]`)))}
			*r = policy.Request{Action: "s3:Get", Resource: "*"}
		}, "identity 0 DENY-E 2"},
		{"exempt", alice, func(s *policy.Sets, r *policy.Request) { r.Exempt, s.Identity = true, policy.NewSet(nil) }, "exempt 0 ALLOW 0"},
	}
	for _, tt := range tests {
		s, r := everyLayer(t, tt.caller)
		if tt.change != nil {
			tt.change(&s, &r)
		}
		e := policy.Explain(&s, &r)
		if got := layersOf(e); got != tt.want || e.Decision != policy.Decide(&s, &r) || e.Obstacle != policy.ObstacleNone {
			t.Errorf("%s: %+v, %s\n%s\nwant\n%s", tt.name, e.Decision, e.Obstacle, got, tt.want)
		}
		var sources []*policy.Statement
		for round := range 2 { // the second time they are remembered
			k := 0
			for i := range e.Layers {
				for j := range e.Layers[i].Statements {
					v := &e.Layers[i].Statements[j]
					if round == 0 {
						sources = append(sources, e.Statement(v))
					}
					if got := e.Statement(v); got != sources[k] || !reflect.DeepEqual(*got, v.Policy.Policy.Document().Statements[v.Statement]) {
						t.Errorf("%s: statement %+v", tt.name, got)
					}
					k++
				}
			}
		}
	}
}

// A gateway endpoint is asked as one, and only the endpoint.
func TestExplainAtAGateway(t *testing.T) {
	t.Parallel()
	s, r := everyLayer(t, alice)
	text := statement(`{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"*","Resource":"*"}`)
	r.Gateway, r.Endpoint, r.ResourcePolicy = true, loadKind(t, policy.Endpoint, text), loadKind(t, policy.Resource, text)
	const want = "endpoint 0 DENY-I 1, identity 0 ALLOW 1, boundary 0 ALLOW 1, session 0 ALLOW 1, resource 0 ALLOW 1, ACL 0 ALLOW 0"
	if got := layersOf(policy.Explain(&s, &r)); !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// What cannot be decided cannot be explained or changed, and says why.
func TestExplainSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(s *policy.Sets, r *policy.Request)
		want   policy.Obstacle
	}{
		{func(_ *policy.Sets, r *policy.Request) { r.Action = "s3" }, policy.ObstacleRequest},
		{func(_ *policy.Sets, r *policy.Request) { r.Action, r.Exempt = "s3", true }, policy.ObstacleRequest},
		{func(s *policy.Sets, r *policy.Request) { r.Resource, s.Identity = "", policy.NewSet(nil) }, policy.ObstacleRequest},
		{func(_ *policy.Sets, r *policy.Request) { r.Context = make([]policy.Entry, policy.MaxContext+1) }, policy.ObstacleRequest},
		{func(s *policy.Sets, _ *policy.Request) { s.Identity = policy.NewSet(nil) }, policy.ObstaclePolicy},
		{func(s *policy.Sets, _ *policy.Request) { s.SCP[1] = policy.NewSet(&policy.Attached{}) }, policy.ObstaclePolicy},
		{func(_ *policy.Sets, r *policy.Request) { r.Endpoint = r.ResourcePolicy }, policy.ObstaclePolicy},
		{func(_ *policy.Sets, r *policy.Request) { r.RCP[0] = policy.NewSet(r.ResourcePolicy) }, policy.ObstaclePolicy},
	} {
		s, r := everyLayer(t, alice)
		tt.change(&s, &r)
		e := policy.Explain(&s, &r)
		if e.Decision != (policy.Decision{}) || e.Obstacle != tt.want || e.Layers != nil || e.Changes != nil || e.Missing != nil {
			t.Errorf("%+v, want %s", e, tt.want)
		}
	}
}

func TestExplainWords(t *testing.T) {
	t.Parallel()
	got := fmt.Sprintf("%q", []fmt.Stringer{
		policy.ObstacleNone, policy.ObstacleRequest, policy.ObstaclePolicy, policy.Obstacle(3),
		policy.ElementNone, policy.ElementAction, policy.ElementResource, policy.ElementPrincipal, policy.ElementCondition, policy.Element(5),
		policy.ReachNone, policy.ReachAccount, policy.ReachIssuer, policy.ReachDirect, policy.Reach(4),
		policy.ChangeKind(0), policy.AddStatement, policy.RemoveStatement, policy.ChangeKind(3),
		policy.Side(0), policy.SideCaller, policy.SideService, policy.SideSession, policy.SideResource, policy.SideEndpoint, policy.SideOrganization, policy.Side(7),
	})
	const want = `["" "the request is malformed or outside its bounds" "a policy cannot be evaluated" "" "" "Action" "Resource" "Principal" "Condition" "" ` +
		`"none" "account" "issuer" "direct" "none" "" "add statement" "remove statement" "" ` +
		`"" "caller's account" "service of the role" "maker of the session" "resource's account" "owner of the endpoint" "organization's management" ""]`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is listed of values is bounded, for each list and for all of them.
func TestExplainBoundsWhatItShows(t *testing.T) {
	t.Parallel()
	values := func(n int, value string) string { return strings.TrimSuffix(strings.Repeat(`"`+value+`",`, n), ",") }
	show := func(s string, context ...policy.Entry) []policy.StatementVerdict {
		sets := policy.Sets{Identity: policy.NewSet(loadKind(t, policy.Identity, `{"Version":"2012-10-17","Statement":`+s+`}`))}
		return policy.Explain(&sets, &policy.Request{Action: "s3:Get", Resource: "*", Context: context}).Layers[0].Statements
	}
	one := func(expected string, seen ...string) *policy.ConditionVerdict {
		return show(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"k:k":[`+expected+`]}}}`,
			policy.Entry{Key: "k:k", Values: seen, Multi: true}, single("v:v", strings.Repeat("v", 1025)))[0].Condition
	}
	if c := one(values(100, "x"), slices.Repeat([]string{"y"}, 100)...); len(c.Expected) != 100 || len(c.Seen) != 100 || c.Cut {
		t.Errorf("100 values: %d and %d, cut %v", len(c.Expected), len(c.Seen), c.Cut)
	}
	if c := one(values(101, "x"), "y"); len(c.Expected) != 100 || !c.Cut {
		t.Errorf("101 expected values: %d, cut %v", len(c.Expected), c.Cut)
	}
	if c := one(`"x"`, slices.Repeat([]string{"y"}, 101)...); len(c.Seen) != 100 || !c.Cut {
		t.Errorf("101 seen values: %d, cut %v", len(c.Seen), c.Cut)
	}
	long := strings.Repeat("a", 1023)
	for _, tt := range []struct {
		text, want string
		cut        bool
	}{
		{long + "b", long + "b", false}, {long + "bc", long + "b", true}, {long + "é", long, true}, {long[1:] + "€", long[1:], true},
		{"${v:v}", strings.Repeat("v", 1024), true}, {long + "${a:a, 'bc'}", long + "b", true}, {long + "${a:a, 'b'}", long + "b", false},
		{long + "b${a:a, ''}", long + "b", false}, {long + "b${a:a, ''}c", long + "b", true},
	} {
		if c := one(`"`+tt.text+`"`, "y"); c.Expected[0] != tt.want || c.Cut != tt.cut {
			t.Errorf("%.10s… of %d bytes: %d, cut %v", tt.text, len(tt.text), len(c.Expected[0]), c.Cut)
		}
	}
	if c := one(`"x"`, long+"é"); c.Seen[0] != long || !c.Cut {
		t.Errorf("a long value of the request: %d, cut %v", len(c.Seen[0]), c.Cut)
	}
	// Each value counts 64 more than it has, and as many as are shown count 256 KiB, all but one byte of it, or one byte more.
	for i, first := range []string{"${v:v}", "${v:v}x", "${w:w}"} {
		s := `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k:k":[%s` + values(99, "${v:v}") + `]}}}`
		rest := fmt.Sprintf(s, `"${v:v}",`)
		list := show(`[`+fmt.Sprintf(s, `"`+first+`",`)+`,`+rest+`,`+rest+`,`+rest+`]`, single("v:v", strings.Repeat("v", 960)), single("w:w", strings.Repeat("w", 959)))
		for j, want := range []int{100, 100, []int{56, 56, 57}[i], 0} {
			if c := list[j].Condition; len(c.Expected) != want || c.Cut != (want < 100) || c.Seen != nil {
				t.Errorf("%s, statement %d: %d expected, %q seen, cut %v", first, j, len(c.Expected), c.Seen, c.Cut)
			}
		}
	}
	seen := `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"v:v":[` + values(100, "${w:w}") + `]}}}`
	list := show(`[`+seen+`,`+seen+`,`+seen+`]`, single("v:v", strings.Repeat("v", 960)), single("w:w", strings.Repeat("w", 959)))
	if c := list[2].Condition; c.Seen == nil || len(c.Seen) != 0 || !c.Cut {
		t.Errorf("what is there and cannot be shown is not absent: %+v", c)
	}
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// A megabyte of policies whose conditions all fail, all variables long, and each statement with keys of its own.
func TestExplainOfHostilePoliciesIsBounded(t *testing.T) {
	t.Parallel()
	var attached []*policy.Attached
	bytes := 0
	for i := range 8 {
		var statements []string
		for j, size := 0, 0; size < policy.MaxText-1000; j++ {
			s := fmt.Sprintf(`{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::${x%d:%d}/*","Condition":{"StringLike":{"v:v":["${v:v}${v:v}${v:v}x","${k:%d%d}"]}}}`, i, j, i, j)
			if j%2 == 0 {
				s = fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"v:v":["${v:v}${v:v}${v:v}x","${k:%d%d}"]}}}`, i, j)
			}
			statements, size = append(statements, s), size+len(s)+1
		}
		text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		bytes += len(text)
		attached = append(attached, loadKind(t, policy.Identity, text))
	}
	r := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b/k", Context: []policy.Entry{single("v:v", strings.Repeat("v", 200_000))}}
	begin := time.Now()
	e := policy.Explain(&policy.Sets{Caller: alice, Identity: policy.NewSet(attached...)}, &r)
	took := time.Since(begin)
	shown, cut := 0, 0
	for _, v := range e.Layers[0].Statements {
		if v.Condition == nil {
			continue
		}
		cut += oneIf(v.Condition.Cut)
		for _, text := range append(v.Condition.Expected, v.Condition.Seen...) {
			shown += len(text)
		}
	}
	t.Logf("%d bytes, %d statements: %s, shown %d bytes, %d cut, %d keys missing", bytes, len(e.Layers[0].Statements), took, shown, cut, len(e.Missing))
	if shown > 260<<10 || cut < 1000 || took > 5*time.Second {
		t.Errorf("shown %d bytes, %d cut, %s", shown, cut, took)
	}
}
