package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// with is what is built in, with files.
func with(t *testing.T, files ...string) *Catalog {
	t.Helper()
	c := Builtin()
	for _, text := range files {
		var err error
		if c, err = c.With(readAll(t, text)...); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// portals adds to API Gateway what a newer reference might have.
const portals = `{"services":[{"extends":"apigateway",
	"keys":[{"name":"apigateway:Request/Theme","type":"String"},{"name":"apigateway:Request/ApiName","type":"String"},{"name":"ec2:Vpc","type":"ARN"}],
	"resourceTypes":[
		{"name":"Theme","arn":"arn:${Partition}:apigateway:${Region}::/themes/${ThemeId}","keys":["apigateway:Request/Theme"]},
		{"name":"account","arn":"arn:${Partition}:apigateway:${Region}::/accounts/${Name}","keys":["ec2:Vpc"]}],
	"actions":[
		{"name":"Paint","level":"Write","resources":[{"type":"Theme","required":true}],"dependent":[{"action":"apigateway:GET","when":"always"}]},
		{"name":"GET","resources":[{"type":"theme"}],"keys":["apigateway:Request/Theme"],"dependent":[{"action":"iam:PassRole","when":"a role is named"}]}]}]}`

func TestExtend(t *testing.T) {
	t.Parallel()
	c := with(t, portals)
	const theme, account = "arn:aws:apigateway:us-east-1::/themes/t", "arn:aws:apigateway:us-east-1::/accounts/a"
	for _, tt := range []struct {
		action, resource string
		before, after    Verdict
	}{
		{"apigateway:GET", theme, WrongResource, Known},
		{"apigateway:get", "arn:aws:apigateway:us-east-1::/restapis/r", Known, Known},
		{"apigateway:POST", theme, WrongResource, WrongResource},
		{"apigateway:Paint", theme, UnknownAction, Known},
		{"apigateway:Paint", account, UnknownAction, WrongResource},
		{"apigateway:GET", account, WrongResource, Known},
		{"apigateway:PATCH", account, WrongResource, Known},
		{"s3:GetObject", "arn:aws:s3:::b/k", Known, Known},
	} {
		if got := Builtin().Verdict(tt.action, tt.resource); got != tt.before {
			t.Errorf("%s on %s without it: %s, want %s", tt.action, tt.resource, got, tt.before)
		}
		if got := c.Verdict(tt.action, tt.resource); got != tt.after {
			t.Errorf("%s on %s: %s, want %s", tt.action, tt.resource, got, tt.after)
		}
	}
	s := c.Service("APIGateway")
	old := Builtin().Service("apigateway")
	if s.Name != old.Name || len(s.Actions()) != len(old.Actions())+1 || len(s.ResourceTypes()) != len(old.ResourceTypes())+1 {
		t.Errorf("%s has %d actions and %d types", s.Name, len(s.Actions()), len(s.ResourceTypes()))
	}
	if !slices.Equal(c.Prefixes(), Builtin().Prefixes()) {
		t.Error("the prefixes have changed")
	}
	get := c.Action("apigateway:GET")
	if !get.TakesKey("apigateway:request/theme") || !c.Action("apigateway:PATCH").TakesKey("ec2:Vpc") || !c.KnowsKey("apigateway:Request/Theme") {
		t.Error("a key that was added is not taken")
	}
	if len(get.Dependent) != 1 || get.Dependent[0].Action != "iam:PassRole" {
		t.Errorf("dependent actions: %v", get.Dependent)
	}
	if typ := s.ResourceType("Theme"); get.TypeOf(theme) != typ || !typ.Match(theme) || typ.Match(account) || get.Service != s {
		t.Error("the type that was added is not found")
	}
	if near, _ := c.NearestAction("apigateway:Piant"); near != "apigateway:Paint" {
		t.Errorf("nearest is %q", near)
	}
	if Builtin().Action("apigateway:Paint") != nil || Builtin().Action("apigateway:GET").TakesKey("ec2:Vpc") {
		t.Error("the catalogue that was added to has changed")
	}
}

// A type that is added stands in the place of the only one that was required, and beside several.
func TestExtendRelaxesWhatIsRequired(t *testing.T) {
	t.Parallel()
	c := with(t, `{"services":[{"extends":"ec2","actions":[{"name":"RunInstances","resources":[{"type":"vpc"}]},{"name":"DeleteVpc","resources":[{"type":"subnet"}]},
		{"name":"DeleteSubnet","resources":[{"type":"subnet"}]}]}]}`)
	for name, relaxed := range map[string]bool{"ec2:RunInstances": false, "ec2:DeleteVpc": true, "ec2:DeleteSubnet": false} {
		required := func(a *Action) (n int) {
			for _, r := range a.Resources {
				if r.Required {
					n++
				}
			}
			return n
		}
		old, now := required(Builtin().Action(name)), required(c.Action(name))
		if old == 0 || relaxed && now != 0 || !relaxed && now != old {
			t.Errorf("%s requires %d types, before %d", name, now, old)
		}
	}
}

// Several files add up, in every order, and the same twice is the same once.
func TestExtendTwice(t *testing.T) {
	t.Parallel()
	const first = `{"services":[{"extends":"sqs","resourceTypes":[{"name":"topic","arn":"arn:${Partition}:sqs:${Region}:${Account}:topic/${Name}"}],"actions":[{"name":"A","level":"Read"}]}]}`
	const second = `{"services":[{"extends":"sqs","actions":[{"name":"SendMessage","keys":["aws:PrincipalOrgID"]},{"name":"B","level":"Read"}],"keys":[{"name":"aws:PrincipalOrgID","type":"String"}]}]}`
	for _, files := range [][]string{{first, second}, {second, first}, {first, second, first, second}} {
		c := with(t, files...)
		s := c.Service("sqs")
		if s.Action("A") == nil || s.Action("B") == nil || s.ResourceType("topic") == nil || len(s.Actions()) != len(Builtin().Service("sqs").Actions())+2 {
			t.Errorf("%d actions, %d types", len(s.Actions()), len(s.ResourceTypes()))
		}
		if keys := s.Action("SendMessage").Keys; !slices.Contains(keys, "aws:PrincipalOrgID") {
			t.Errorf("keys %v", keys)
		}
	}
	own := append(readAll(t, first), readAll(t, second)...)
	c, err := Builtin().With(own...)
	if err != nil || c.Action("sqs:A") == nil || c.Action("sqs:B") == nil {
		t.Errorf("both in one call: %v", err)
	}
	other := readAll(t, `{"services":[{"extends":"sqs","actions":[{"name":"A","level":"Write"}]}]}`)
	if _, err := c.With(other...); err == nil || err.Error() != `catalog: service "sqs", with what extends it already: actions[0]: "A" is there already, with the level Read` {
		t.Errorf("another A: %v", err)
	}
	missing := readAll(t, `{"services":[{"extends":"sqs","actions":[{"name":"SendMessage","dependent":[{"action":"sqs:None","when":"never"}]}]}]}`)
	if _, err := Builtin().With(missing...); err == nil || !strings.HasSuffix(err.Error(), `service "sqs": action "SendMessage": the dependent action "sqs:None" is not known`) {
		t.Errorf("a dependent action that is not: %v", err)
	}
}

// The keys of an action on a type are added to those that it had: its own, or where it has none those of the type.
func TestExtendKeysOnType(t *testing.T) {
	t.Parallel()
	const text = `{"services":[{"extends":"iam","keys":[{"name":"iam:New","type":"String"}],"actions":[
		{"name":"GetRole","resources":[{"type":"role","keys":["iam:new"]}],"dependent":[{"action":"iam:ListRoles","when":"always"}]},
		{"name":"PassRole","resources":[{"type":"role","keys":["iam:New"]}],"keys":["iam:New"]}]}]}`
	for _, files := range [][]string{{text}, {text, text}} {
		c := with(t, files...)
		for _, name := range []string{"GetRole", "PassRole"} {
			old, now := Builtin().Service("iam").Action(name), c.Service("iam").Action(name)
			had := old.Resources[0].Keys
			if len(had) == 0 {
				had = old.Resources[0].Type.Keys
			}
			r := now.Resources[0]
			if want := append(slices.Clone(had), "iam:New"); len(now.Resources) != 1 || !r.Required || !slices.Equal(r.Keys, want) {
				t.Errorf("%s acts on %d types, required %t, with the keys %v, want %v", name, len(now.Resources), r.Required, r.Keys, want)
			}
			if slices.Contains(r.Type.Keys, "iam:New") || slices.Contains(old.Resources[0].Keys, "iam:New") {
				t.Error("another list of keys has changed")
			}
		}
		if a := c.Action("iam:GetRole"); len(a.Dependent) != 1 || len(a.Keys) != len(Builtin().Action("iam:GetRole").Keys) {
			t.Errorf("GetRole needs %v and has the keys %v", a.Dependent, a.Keys)
		}
		if got, want := c.Action("iam:PassRole").Keys, append(slices.Clone(Builtin().Action("iam:PassRole").Keys), "iam:New"); !slices.Equal(got, want) {
			t.Errorf("PassRole has the keys %v, want %v", got, want)
		}
	}
}

func TestExtendErrors(t *testing.T) {
	t.Parallel()
	sqs := func(members string) string { return `{"services":[{"extends":"sqs",` + members + `}]}` }
	kind := func(members string) string { return sqs(`"resourceTypes":[{"name":"queue",` + members + `}]`) }
	send := func(members string) string { return sqs(`"actions":[{"name":"SendMessage",` + members + `}]`) }
	many := func(n int, one string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(one, i))
		}
		return strings.Join(list, ",")
	}
	for _, tt := range []struct{ text, want string }{
		{`{"services":[{"extends":"gatehouse"}]}`, `services[0] ("gatehouse"): Gatehouse's own service cannot be extended`},
		{`{"services":[{"extends":"sqsx"}]}`, `services[0] ("sqsx"): AWS has no service "sqsx" that could be extended`},
		{`{"services":[{"extends":"SQS"}]}`, `AWS has no service "SQS" that could be extended`},
		{`{"services":[{"prefix":"x","name":"X"},{"extends":"x"}]}`, `services[1] ("x"): AWS has no service "x"`},
		{`{"services":[{"extends":"sqs"},{"extends":"sqs"}]}`, `services[1]: "sqs" stands twice`},
		{`{"services":[{"extends":7}]}`, "services.extends is not what it should be"},
		{sqs(`"prefix":"sqs"`), `services[0] ("sqs"): what extends a service has no prefix of its own`},
		{sqs(`"name":"Queues"`), "what extends a service has no name of its own"},
		{`{"services":[{"extends":"ec2","rcp":true}]}`, "whether resource control policies reach a service of AWS's is not for an extension to say"},
		// Keys.
		{sqs(`"keys":[{"name":"sqs:a","type":"String"},{"name":"SQS:A","type":"String"}]`), `keys[1]: "SQS:A" stands twice`},
		{sqs(`"keys":[{"name":"shop:a","type":"String"}]`), `keys[0]: "shop:a" is neither a key of AWS's nor one that begins with "sqs:"`},
		{sqs(`"keys":[{"name":"sqs:a","type":"Text"}]`), `keys[0]: "sqs:a": type "Text" is none of`},
		{sqs(`"keys":[{"name":"aws:tagkeys","type":"String"}]`), `keys[0]: "aws:tagkeys" is there already, with the type ArrayOfString`},
		// Types.
		{kind(`"arn":"x"`), `resourceTypes[0]: "queue": the form of the ARN is not of the form`},
		{kind(`"arn":"arn:${Partition}:sqs:::` + strings.Repeat("a", 2030) + `"`), `"queue": the form of the ARN has more than 2048 bytes`},
		{kind(`"keys":["sqs:a"]`), `"queue": "sqs:a" is not among the keys of the service`},
		{kind(`"needsResourcePolicy":true`), `"queue" is there already, and does not need a policy of the resource`},
		{sqs(`"resourceTypes":[{"name":"queue"},{"name":"Queue"}]`), `resourceTypes[1]: "Queue" stands twice`},
		{sqs(`"resourceTypes":[{"name":"topic"}]`), `resourceTypes[0]: "topic": the form of the ARN is not of the form`},
		// Actions.
		{send(`"level":"Read"`), `actions[0]: "SendMessage" is there already, with the level Write`},
		{sqs(`"actions":[{"name":"Do"}]`), `actions[0]: "Do": level "" is none of`},
		{sqs(`"actions":[{"name":"SendMessage"},{"name":"sendMessage"}]`), `actions[1]: "sendMessage" stands twice`},
		{send(`"keys":["sqs:a"]`), `"SendMessage": "sqs:a" is not among the keys of the service`},
		{send(`"resources":[{"type":"topic","required":true}]`), `"SendMessage": resources[0]: "topic" is no resource type of the service`},
		{send(`"resources":[{"type":"queue"},{"type":"queue"}]`), `resources[1]: "queue" stands twice`},
		{send(`"resources":[{"type":"queue","keys":["sqs:a"]}]`), `resources[0]: "sqs:a" is not among the keys`},
		{sqs(`"resourceTypes":[{"name":"topic","arn":"arn:${Partition}:sqs:::t"}],"actions":[{"name":"SendMessage","resources":[{"type":"topic","required":true}]}]`),
			`actions[0]: "SendMessage": resources[0]: "topic" cannot be required: there are calls of the action without one`},
		{send(`"dependent":[{"action":"PassRole","when":"always"}]`), `dependent[0]: "PassRole" is not an action`},
		{send(`"dependent":[` + many(51, `{"action":"iam:PassRole","when":"%d"}`) + `]`), `"SendMessage": 53 dependent actions are more than 50`},
		// Bounds, with what AWS's part has.
		{sqs(`"actions":[` + many(maxActions, `{"name":"A%d","level":"Read"}`) + `]`), "actions are more than 10000"},
		{sqs(`"resourceTypes":[` + many(maxTypes, `{"name":"t%d","arn":"arn:${Partition}:sqs:::t"}`) + `]`), "1001 resource types are more than 1000"},
		{sqs(`"keys":[` + many(maxKeys+1, `{"name":"sqs:k%d","type":"String"}`) + `]`), "1001 condition keys are more than 1000"},
	} {
		_, err := Read(strings.NewReader(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), "catalog: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.200s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// What AWS's part has may be said again.
func TestExtendSaysAgain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"services":[{"extends":"s3","rcp":true}]}`,
		`{"services":[{"extends":"kms","resourceTypes":[{"name":"key","arn":"arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}","needsResourcePolicy":true}]}]}`,
		`{"services":[{"extends":"sqs","keys":[{"name":"aws:TagKeys","type":"ArrayOfString"}],"resourceTypes":[{"name":"Queue"}],
			"actions":[{"name":"sendmessage","level":"Write","resources":[{"type":"queue","required":true}]}]}]}`,
	} {
		c := with(t, text)
		for _, s := range readAll(t, text) {
			old := Builtin().Service(s.Prefix)
			if now := c.Service(s.Prefix); fmt.Sprint(now.Keys()) != fmt.Sprint(old.Keys()) || len(now.Actions()) != len(old.Actions()) || len(now.ResourceTypes()) != len(old.ResourceTypes()) {
				t.Errorf("%s is no longer the same", s.Prefix)
			}
		}
	}
}

// Whatever an extension adds, what was Known stays Known, of the same type.
func TestExtendTakesNothing(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"s3", "kms", "sts", "iam", "apigateway", "logs", "secretsmanager", "ssm", "dynamodb", "lambda"} {
		old := Builtin().Service(prefix)
		var types []string
		var arns []string
		for i, typ := range old.ResourceTypes() {
			types = append(types, fmt.Sprintf(`{"name":"added%d","arn":%q,"needsResourcePolicy":true}`, i, typ.ARN)) // the same forms, to everybody
			for form := range strings.SplitSeq(typ.ARN, separator) {
				for _, name := range []string{"n", "n/m", "n:m", "*"} {
					arns = append(arns, fill(form, name))
				}
			}
		}
		types = append(types, `{"name":"any","arn":"arn:${Partition}:*:*:*:*, arn:${Partition}:*:*:*:${A}/${B}, arn:${Partition}:*:*:*:${A}","needsResourcePolicy":true}`)
		var resources []string
		for i := range old.ResourceTypes() {
			resources = append(resources, fmt.Sprintf(`{"type":"added%d"}`, i))
		}
		var actions []string
		for i, a := range old.Actions() {
			acts := `[{"type":"any"}]`
			if i%2 == 0 {
				acts = "[" + strings.Join(resources, ",") + "]"
			}
			actions = append(actions, fmt.Sprintf(`{"name":%q,"resources":%s}`, a.Name, acts))
		}
		for _, acting := range []string{"", strings.Join(actions, ",")} {
			c := with(t, `{"services":[{"extends":"`+prefix+`","resourceTypes":[`+strings.Join(types, ",")+`],"actions":[`+acting+`]}]}`)
			now, known := c.Service(prefix), 0
			for _, a := range old.Actions() {
				b := now.Action(a.Name)
				if v := b.Verdict("*"); v != Known {
					t.Errorf("%s on *: %s", b, v)
				}
				for _, arn := range arns {
					was := a.TypeOf(arn)
					if was == nil {
						continue
					}
					known++
					if is := b.TypeOf(arn); is == nil || is.Name != was.Name || a.NeedsResourcePolicy(arn) != b.NeedsResourcePolicy(arn) {
						t.Errorf("%s on %s: it was of the type %s, and is of %+v", a, arn, was.Name, is)
					}
				}
			}
			if known == 0 {
				t.Errorf("%s: no action acts on anything", prefix)
			}
		}
	}
}

// fill puts a name into all variables of a form's last part.
func fill(form, name string) string {
	parts := strings.SplitN(form, ":", 6)
	for i, p := range parts {
		value := "x"
		if i == len(parts)-1 {
			value = name
		}
		var b strings.Builder
		for {
			before, after, ok := strings.Cut(p, "${")
			b.WriteString(before)
			if !ok {
				break
			}
			b.WriteString(value)
			_, p, _ = strings.Cut(after, "}")
		}
		parts[i] = b.String()
	}
	return strings.Join(parts, ":")
}
