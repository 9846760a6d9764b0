package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// changesOf prints what Explain would change, a change a line.
func changesOf(s *policy.Sets, r *policy.Request) string {
	var out []string
	for _, c := range policy.Explain(s, r).Changes {
		line := fmt.Sprintf("%s %s %d", c.Kind, c.Layer, c.Level)
		if c.Policy != nil {
			line += " " + c.Policy.Name
		}
		if c.Kind == policy.RemoveStatement {
			line += fmt.Sprintf("#%d", c.Statement)
		}
		out = append(out, strings.TrimSpace(line+" ("+c.Side.String()+") "+c.Text))
	}
	return strings.Join(out, "\n")
}

const (
	bucketPolicy = `{"Effect":"Allow","Principal":{"AWS":["333333333333"]},"Action":"s3:*","Resource":"*"}`
	getObject    = `"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/k"]}`
	addIdentity  = `add statement identity 0 (caller's account) {"Effect":"Allow",` + getObject
	addSession   = `add statement session 0 (maker of the session) {"Effect":"Allow",` + getObject
	addBoundary  = `add statement boundary 0 p (caller's account) {"Effect":"Allow",` + getObject
)

func addResource(principal string) string {
	return `add statement resource 0 p (resource's account) {"Effect":"Allow","Principal":` + principal + `,` + getObject
}

func TestChangesGrantWithTheFewestStatements(t *testing.T) {
	t.Parallel()
	silent := policy.NewSet(loadKind(t, policy.Identity, statement(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)))
	open := policy.NewSet(loadKind(t, policy.Identity, statement(`{"Effect":"Allow","Action":"*","Resource":"*"}`)))
	bucket := loadKind(t, policy.Resource, statement(bucketPolicy))
	role := loadKind(t, policy.Trust, statement(`{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"sts:*"}`))
	toRole := loadKind(t, policy.Resource, statement(`{"Effect":"Allow","Principal":{"AWS":"`+appRole+`"},"Action":"*","Resource":"*"}`))
	toAccount := loadKind(t, policy.Resource, statement(`{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"*","Resource":"*"}`))
	toAccountFirst := loadKind(t, policy.Resource, statement(`[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"*","Resource":"*"},`+bucketPolicy+`]`))
	linked, root, fed := app, policy.Caller{Kind: policy.RootCaller, Account: own}, alice
	linked.ServiceLinked = true
	fed.Kind, fed.Session = policy.FederatedCaller, "arn:aws:sts::111111111111:federated-user/fed"
	byRoot := policy.Caller{Kind: policy.FederatedCaller, Account: own, Session: fed.Session}
	provider := policy.Caller{Kind: policy.ProviderCaller, Names: []string{"accounts.google.com"}}
	service := policy.Caller{Kind: policy.ServiceCaller, Names: []string{"*", "x.amazonaws.com", "y.amazonaws.com"}}
	tests := []struct {
		name string
		sets policy.Sets
		r    policy.Request
		want string
	}{
		{"identity alone", policy.Sets{Caller: alice}, policy.Request{}, addIdentity},
		{"identity before the resource", policy.Sets{Caller: alice, Identity: silent}, policy.Request{ResourcePolicy: bucket}, addIdentity},
		{"boundary alone", policy.Sets{Caller: alice, Identity: open, Boundary: silent}, policy.Request{ResourcePolicy: bucket}, addBoundary},
		{"an empty boundary", policy.Sets{Caller: alice, Identity: open, Boundary: policy.NewSet()}, policy.Request{}, strings.Replace(addBoundary, " p ", " ", 1)},
		{"session alone", policy.Sets{Caller: app, Identity: open, Session: silent}, policy.Request{ResourcePolicy: bucket}, addSession},
		{"one on the resource instead of two", policy.Sets{Caller: alice, Boundary: silent}, policy.Request{ResourcePolicy: bucket}, addResource(`{"AWS":["` + aliceID + `"]}`)},
		{"the role cannot be named where it is limited", policy.Sets{Caller: app, Session: silent}, policy.Request{ResourcePolicy: bucket}, addResource(`{"AWS":["` + appS1 + `"]}`)},
		{"two where the resource has no policy", policy.Sets{Caller: app, Session: silent}, policy.Request{}, addIdentity + "\n" + addSession},
		{"three where the resource has no policy", policy.Sets{Caller: app, Session: silent, Boundary: silent}, policy.Request{}, addIdentity + "\n" + addBoundary + "\n" + addSession},
		{"a named role lacks its limit", policy.Sets{Caller: app, Session: silent}, policy.Request{ResourcePolicy: toRole}, addSession},
		{"another account: both", policy.Sets{Caller: alice}, policy.Request{Owner: other, ResourcePolicy: bucket}, addIdentity + "\n" + addResource(`{"AWS":["`+aliceID+`"]}`)},
		{"another account: the resource, without policy", policy.Sets{Caller: app, Identity: open}, policy.Request{Owner: other},
			strings.Replace(addResource(`{"AWS":["`+appRole+`"]}`), " p ", " ", 1)},
		{"another account: the identity", policy.Sets{Caller: alice}, policy.Request{Owner: other, ResourcePolicy: toAccount}, addIdentity},
		{"another account: the ACL is enough", policy.Sets{Caller: alice}, policy.Request{Owner: other, ResourcePolicy: bucket, Grantees: []string{policy.AllUsers}}, addIdentity},
		{"another account: all limits", policy.Sets{Caller: app, Boundary: silent, Session: silent}, policy.Request{Owner: other, ResourcePolicy: toRole},
			addIdentity + "\n" + addBoundary + "\n" + addSession},
		{"the account is not enough", policy.Sets{Caller: alice}, policy.Request{NeedsResourcePolicy: true, ResourcePolicy: toAccount}, addIdentity},
		{"another statement of the policy does not take it back", policy.Sets{Caller: alice}, policy.Request{NeedsResourcePolicy: true, ResourcePolicy: toAccountFirst}, addIdentity},
		{"the resource is enough", policy.Sets{Caller: alice, Identity: open}, policy.Request{NeedsResourcePolicy: true, ResourcePolicy: bucket}, addResource(`{"AWS":["` + aliceID + `"]}`)},
		{"the role is enough", policy.Sets{Caller: app}, policy.Request{NeedsResourcePolicy: true, ResourcePolicy: bucket}, addResource(`{"AWS":["` + appRole + `"]}`)},
		{"root", policy.Sets{Caller: root, Root: true}, policy.Request{NeedsResourcePolicy: true, ResourcePolicy: bucket}, addResource(`{"AWS":["111111111111"]}`)},
		{"root of another account", policy.Sets{Caller: root, Root: true}, policy.Request{Owner: other, ResourcePolicy: bucket}, addResource(`{"AWS":["111111111111"]}`)},
		{"AssumeRoot", policy.Sets{Caller: root, Root: true, Session: silent, Boundary: silent}, policy.Request{ResourcePolicy: bucket}, addSession},
		{"federated without session policy", policy.Sets{Caller: fed, Identity: open}, policy.Request{ResourcePolicy: bucket}, addSession},
		{"federated without anything", policy.Sets{Caller: fed}, policy.Request{ResourcePolicy: bucket}, addResource(`{"AWS":["` + fed.Session + `"]}`)},
		{"federated by root", policy.Sets{Caller: byRoot, Root: true}, policy.Request{Owner: other, ResourcePolicy: bucket}, addSession + "\n" + addResource(`{"AWS":["`+fed.Session+`"]}`)},
		{"federated, of another account", policy.Sets{Caller: fed, Identity: open, Session: open}, policy.Request{Owner: other, ResourcePolicy: bucket}, addResource(`{"AWS":["` + aliceID + `"]}`)},
		{"service-linked role", policy.Sets{Caller: linked, Boundary: silent, SCP: []*policy.Set{nil}}, policy.Request{}, strings.Replace(addResource(`{"AWS":["`+appRole+`"]}`), " p ", " ", 1)},
		{"service-linked role, limited", policy.Sets{Caller: linked, Identity: open, Session: silent}, policy.Request{ResourcePolicy: bucket}, addSession},
		{"service-linked role of another account", policy.Sets{Caller: linked}, policy.Request{Owner: other, ResourcePolicy: toRole}, strings.Replace(addIdentity, "caller's account", "service of the role", 1)},
		{"service", policy.Sets{Caller: service, Identity: silent}, policy.Request{ResourcePolicy: bucket}, addResource(`{"Service":["x.amazonaws.com"]}`)},
		{"service of no name", policy.Sets{Caller: policy.Caller{Kind: policy.ServiceCaller}}, policy.Request{ResourcePolicy: bucket}, addResource(`"*"`)},
		{"anonymous", policy.Sets{Caller: policy.Caller{Kind: policy.AnonymousCaller}}, policy.Request{}, strings.Replace(addResource(`"*"`), " p ", " ", 1)},
		{"nobody in particular", policy.Sets{}, policy.Request{}, addIdentity},
		{"nobody in particular, elsewhere", policy.Sets{Identity: open}, policy.Request{Owner: other, ResourcePolicy: bucket}, addResource(`"*"`)},
		{"who cannot be named", policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: own, ARN: "arn:aws:iam::1:user/\xff"}, Identity: open}, policy.Request{Owner: other, ResourcePolicy: bucket}, addResource(`"*"`)},
		{"provider", policy.Sets{Caller: provider}, policy.Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: appRole, NeedsResourcePolicy: true, ResourcePolicy: role},
			`add statement trust 0 p (resource's account) {"Effect":"Allow","Principal":{"Federated":["accounts.google.com"]},"Action":["sts:AssumeRoleWithWebIdentity"]}`},
		{"provider without policy", policy.Sets{Caller: provider}, policy.Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: appRole},
			`add statement trust 0 (resource's account) {"Effect":"Allow","Principal":{"Federated":["accounts.google.com"]},"Action":["sts:AssumeRoleWithWebIdentity"]}`},
		{"provider at a bucket", policy.Sets{Caller: provider}, policy.Request{ResourcePolicy: bucket}, addResource(`"*"`)},
		{"a role", policy.Sets{Caller: alice, Identity: open}, policy.Request{Action: "sts:AssumeRole", Resource: appRole, NeedsResourcePolicy: true, ResourcePolicy: role},
			`add statement trust 0 p (resource's account) {"Effect":"Allow","Principal":{"AWS":["` + aliceID + `"]},"Action":["sts:AssumeRole"]}`},
		{"no resource", policy.Sets{Caller: alice}, policy.Request{Action: "s3:ListAllMyBuckets", Resource: "*", Owner: other},
			`add statement identity 0 (caller's account) {"Effect":"Allow","Action":["s3:ListAllMyBuckets"],"Resource":["*"]}`},
		{"allowed", policy.Sets{Caller: alice, Identity: open}, policy.Request{}, ""},
	}
	for _, tt := range tests {
		if tt.r.Action == "" {
			tt.r.Action, tt.r.Resource = "s3:GetObject", "arn:aws:s3:::b/k"
		}
		if got := changesOf(&tt.sets, &tt.r); got != tt.want {
			t.Errorf("%s: %+v, changes\n%s\nwant\n%s", tt.name, policy.Decide(&tt.sets, &tt.r), got, tt.want)
		}
	}
}

// Denies go in every layer, guard rails that are silent get an Allow, each at its own place.
func TestChangesInEveryLayer(t *testing.T) {
	t.Parallel()
	deny := func(kind policy.Kind, name, principal string) *policy.Attached {
		a := loadKind(t, kind, statement(`[{"Effect":"Deny",`+principal+`"Action":"ec2:*","Resource":"*"},{"Effect":"Deny",`+principal+`"Action":"s3:*","Resource":"*"},
			{"Effect":"Deny",`+principal+`"Action":"*","Resource":"*"}]`))
		a.Name = name
		return a
	}
	set := policy.NewSet
	const anyone = `"Principal":"*",`
	s := policy.Sets{
		Caller: alice, Identity: set(deny(policy.Identity, "i1", ""), deny(policy.Identity, "i2", "")), Boundary: set(deny(policy.Boundary, "b", "")), Session: set(deny(policy.Session, "s", "")),
		SCP: []*policy.Set{set(deny(policy.SCP, "s0", "")), nil, set(deny(policy.SCP, "s2", ""))},
	}
	r := policy.Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", RCP: []*policy.Set{set(deny(policy.RCP, "r0", anyone))},
		Endpoint: deny(policy.Endpoint, "e", anyone), ResourcePolicy: deny(policy.Resource, "r", anyone),
	}
	var want []string
	for _, place := range []string{
		"SCP 0 s0#%d (organization's management)", "SCP 2 s2#%d (organization's management)", "RCP 0 r0#%d (organization's management)", "endpoint 0 e#%d (owner of the endpoint)",
		"identity 0 i1#%d (caller's account)", "identity 0 i2#%d (caller's account)", "boundary 0 b#%d (caller's account)", "session 0 s#%d (maker of the session)",
		"resource 0 r#%d (resource's account)",
	} {
		want = append(want, "remove statement "+fmt.Sprintf(place, 1), "remove statement "+fmt.Sprintf(place, 2))
	}
	for level := range 3 {
		want = append(want, fmt.Sprintf(`add statement SCP %d (organization's management) {"Effect":"Allow",%s`, level, getObject))
	}
	want = append(want, `add statement RCP 0 (organization's management) {"Effect":"Allow","Principal":"*","Action":["*"],"Resource":["*"]}`)
	resource := strings.Replace(addResource(`{"AWS":["`+aliceID+`"]}`), " p ", " r ", 1)
	endpoint := strings.NewReplacer("resource 0 r", "endpoint 0 e", "resource's account", "owner of the endpoint").Replace(resource)
	if got := changesOf(&s, &r); got != strings.Join(append(want, endpoint, resource), "\n") {
		t.Errorf("got\n%s\nwant\n%s\n%s\n%s", got, strings.Join(want, "\n"), endpoint, resource)
	}
	r.Gateway = true
	endpoint = strings.Replace(endpoint, `{"AWS":["`+aliceID+`"]}`, `"*"`, 1)
	if got := changesOf(&s, &r); got != strings.Join(append(want, endpoint, resource), "\n") {
		t.Errorf("at a gateway: got\n%s\nwant\n%s\n%s\n%s", got, strings.Join(want, "\n"), endpoint, resource)
	}
}

// A policy that stands in several layers, or is attached twice, is changed once. One of the same text is another policy.
func TestChangesNameAPolicyOnce(t *testing.T) {
	t.Parallel()
	p := loadKind(t, policy.Managed, statement(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]`)).Policy
	managed := func(name string) *policy.Attached {
		return &policy.Attached{Policy: p, ARN: "arn:aws:iam::111111111111:policy/" + name, Name: name}
	}
	s := policy.Sets{Caller: alice, Identity: policy.NewSet(managed("m"), managed("n"), managed("m")), Boundary: policy.NewSet(managed("m"))}
	const want = "remove statement identity 0 m#1 (caller's account)\nremove statement identity 0 m#2 (caller's account)\n" +
		"remove statement identity 0 n#1 (caller's account)\nremove statement identity 0 n#2 (caller's account)"
	if got := changesOf(&s, &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The statement that is added matches the resource, and no other where the document can say so.
func TestChangesAllowExactlyTheResource(t *testing.T) {
	t.Parallel()
	const v2012, v2008 = policy.Version2012, policy.Version2008
	for _, tt := range []struct{ version, resource, want, other string }{
		{v2012, "arn:aws:s3:::b/k", "arn:aws:s3:::b/k", "arn:aws:s3:::b/kk"},
		{v2012, "arn:aws:s3:::b*/?/${x:y}$", "arn:aws:s3:::b${*}/${?}/${$}{x:y}${$}", "arn:aws:s3:::bb/?/${x:y}$"},
		{v2012, "arn:aws:s3:::b*/?/${x:y}$", "arn:aws:s3:::b${*}/${?}/${$}{x:y}${$}", "arn:aws:s3:::b*/a/${x:y}$"},
		{v2012, "arn:aws:s3:::b*/?/${x:y}$", "arn:aws:s3:::b${*}/${?}/${$}{x:y}${$}", "arn:aws:s3:::b*/?/$"},
		{v2008, "arn:aws:s3:::b*/${x:y}", "arn:aws:s3:::b*/${x:y}", "arn:aws:s3:::b*/x"},
		{v2012, "arn:aws:s3:*:?:*", "arn:aws:s3:*:?:${*}", "arn:aws:s3:*:?:x"},
		{v2012, "a?b*", "a?b*", "a"}, {v2012, "a:${*}", "a:${*}", "a:$"},
		{v2012, `arn:aws:s3:::"\é` + "\n", `arn:aws:s3:::\"\\é\u000a`, `arn:aws:s3:::"`},
	} {
		boundary := loadKind(t, policy.Boundary, `{"Version":"`+tt.version+`","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`)
		s := policy.Sets{Caller: alice, Identity: policy.NewSet(load(t, allowAll)), Boundary: policy.NewSet(boundary)}
		r := policy.Request{Action: "s3:G*?", Resource: tt.resource}
		changes := policy.Explain(&s, &r).Changes
		if want := `{"Effect":"Allow","Action":["s3:G*?"],"Resource":["` + tt.want + `"]}`; len(changes) != 1 || changes[0].Text != want {
			t.Errorf("%s: %+v, want %s", tt.resource, changes, want)
			continue
		}
		s.Boundary = policy.NewSet(loadKind(t, policy.Boundary, `{"Version":"`+tt.version+`","Statement":`+changes[0].Text+`}`))
		if d := policy.Decide(&s, &r); d.Effect != policy.Allow {
			t.Errorf("%s in %s: %+v", tt.resource, tt.version, d)
		}
		if r.Resource = tt.other; policy.Decide(&s, &r).Effect == policy.Allow {
			t.Errorf("%s in %s allows %s too", tt.resource, tt.version, tt.other)
		}
	}
}

// A provider that serves everybody is trusted with the tenant that asks, so that the policy is one that may be stored.
func TestChangesTrustOneTenant(t *testing.T) {
	t.Parallel()
	const github, cognito = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com", "cognito-identity.amazonaws.com"
	one := func(key string, values ...string) []policy.Entry { return []policy.Entry{{Key: key, Values: values}} }
	for _, tt := range []struct {
		name, provider     string
		context, forPolicy []policy.Entry
		want               string // the condition; "" if there is none
		valid              bool
	}{
		{"subject", github, one("token.actions.githubusercontent.com:sub", "repo:o/r:ref:refs/heads/main"), nil,
			`{"StringEquals":{"token.actions.githubusercontent.com:sub":["repo:o/r:ref:refs/heads/main"]}}`, true},
		{"the other claim", github, one("Token.actions.githubusercontent.com:JOB_workflow_ref", "o/r"), nil,
			`{"StringEquals":{"token.actions.githubusercontent.com:job_workflow_ref":["o/r"]}}`, true},
		{"literally", github, one("token.actions.githubusercontent.com:sub", "*"), nil, `{"StringEquals":{"token.actions.githubusercontent.com:sub":["${*}"]}}`, true},
		{"what the policy reads", cognito, one(cognito+":aud", "other"), one(cognito+":aud", "pool"), `{"StringEquals":{"cognito-identity.amazonaws.com:aud":["pool"]}}`, true},
		{"no tenant", github, one("token.actions.githubusercontent.com:aud", "x"), nil, "", false},
		{"several", github, one("token.actions.githubusercontent.com:sub", "x", "y"), nil, "", false},
		{"absent", github, one("token.actions.githubusercontent.com:sub"), nil, "", false},
		{"of one tenant", "accounts.google.com", one("accounts.google.com:sub", "x"), nil, "", true},
	} {
		s := policy.Sets{Caller: policy.Caller{Kind: policy.ProviderCaller, Names: []string{tt.provider}}}
		r := policy.Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: appRole, Context: tt.context, PolicyContext: tt.forPolicy}
		changes := policy.Explain(&s, &r).Changes
		want := `{"Effect":"Allow","Principal":{"Federated":["` + tt.provider + `"]},"Action":["sts:AssumeRoleWithWebIdentity"]`
		if tt.want != "" {
			want += `,"Condition":` + tt.want
		}
		if len(changes) != 1 || changes[0].Text != want+"}" {
			t.Errorf("%s: %+v, want %s}", tt.name, changes, want)
			continue
		}
		text := `{"Version":"2012-10-17","Statement":` + changes[0].Text + `}`
		if _, err := policy.Parse(text, policy.Trust); (err == nil) != tt.valid {
			t.Errorf("%s: %s is stored: %v", tt.name, text, err)
		}
		r.ResourcePolicy = loadKind(t, policy.Trust, text)
		if d := policy.Decide(&s, &r); d.Effect != policy.Allow {
			t.Errorf("%s: %s: %+v", tt.name, text, d)
		}
	}
}
