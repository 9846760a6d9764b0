package catalog

import (
	"slices"
	"strings"
	"testing"
)

// A row about what does not exist would never be noticed otherwise: it is read when its service is first asked for.
func TestAdditionsNameWhatExists(t *testing.T) {
	t.Parallel()
	c, set := Builtin(), additions()
	for prefix, rows := range set.services {
		s := c.Service(prefix)
		if s == nil {
			t.Errorf("line %d: there is no service %s", rows[0].line, prefix)
			continue
		}
		for _, row := range rows {
			if row.kind != "dependent" {
				continue
			}
			if a := c.Action(row.words[1]); a == nil || a.String() != row.words[1] {
				t.Errorf("line %d: there is no action %s", row.line, row.words[1])
			}
		}
	}
	for _, k := range GlobalKeys() {
		if !slices.Contains(keyTypes, strings.TrimPrefix(k.Type, "ArrayOf")) {
			t.Errorf("global key %s has the type %s", k.Name, k.Type)
		}
	}
	for _, k := range allKeys().list { // those that services list are global too, and of the same type
		if strings.HasPrefix(k.Name, "aws:") && set.globals[fold(k.Name)] != k.Type {
			t.Errorf("the key %s is a global one of the type %s, and %s by additions.txt", k.Name, k.Type, set.globals[fold(k.Name)])
		}
	}
}

// docs/spec/evaluation.md 6.2, item 2.
func TestRCPServices(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range all(t) {
		if s.RCP {
			got = append(got, s.Prefix)
		}
	}
	want := []string{"aoss", "dynamodb", "ecr", "events", "firehose", "kms", "logs", "s3", "secretsmanager", "sqs", "sts"}
	if !slices.Equal(got, want) {
		t.Errorf("resource control policies reach %v, want %v", got, want)
	}
}

// The calls of docs/spec/evaluation.md 13 that are several checks.
func TestDependent(t *testing.T) {
	t.Parallel()
	for action, want := range map[string][]string{
		"ec2:RunInstances":                 {"ec2:CreateTags", "iam:PassRole"},          // M04, M05
		"sts:AssumeRole":                   {"sts:SetSourceIdentity", "sts:TagSession"}, // M06 to M10
		"sts:AssumeRoleWithSAML":           {"sts:SetSourceIdentity", "sts:TagSession"}, // section 7, item 5
		"sts:GetFederationToken":           {"sts:TagSession"},                          // section 8.4
		"s3:GetObject":                     {"kms:Decrypt"},                             // M13
		"iam:CreateUser":                   {"iam:TagUser"},                             // section 7, item 6
		"iam:CreateRole":                   {"iam:TagRole"},                             //
		"iam:CreatePolicy":                 {"iam:TagPolicy"},                           //
		"iam:AddRoleToInstanceProfile":     {"iam:PassRole"},                            //
		"organizations:CreateOrganization": {"iam:CreateServiceLinkedRole"},             //
		"s3:ListBucket":                    nil,
	} {
		var got []string
		for _, d := range Builtin().Action(action).Dependent {
			if d.When == "" {
				t.Errorf("%s: %s has no word of when", action, d.Action)
			}
			got = append(got, d.Action)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s needs %v, want %v", action, got, want)
		}
	}
	for _, name := range []string{"image", "instance", "network-interface", "security-group", "subnet", "volume"} { // M01
		if !Builtin().Action("ec2:RunInstances").actsOn(Builtin().Service("ec2").ResourceType(name)) {
			t.Errorf("ec2:RunInstances does not act on the type %s", name)
		}
	}
}

func TestWrongAdditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"rcp | s3":                        "line 1: not a row of a known kind",
		"rcp | s3 | ":                     "line 1: not a row of a known kind",
		"# c\n\nrpc | s3 | x":             "line 3: not a row of a known kind",
		"acts | s3:GetObject | x | y | z": "line 1: not a row of a known kind",
		"global | aws:a | String | x\nglobal | AWS:A | String | x": "line 2: key AWS:A stands twice",
	} {
		if _, err := parseAdditions(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	service := func() *serviceText {
		return &serviceText{
			Prefix: "x", Name: "X", ResourceTypes: []typeText{{Name: "t", ARN: "arn:${Partition}:x:::t"}},
			Actions: []actionText{{Name: "Do", Level: "Write"}},
		}
	}
	for text, want := range map[string]string{
		"needs | x | u | s":                         "line 1: the service has no such resource type",
		"form | x | u | arn:a | s":                  "line 1: the service has no such resource type",
		"acts | x:do | t | s":                       "line 1: the service has no such action",
		"acts | x:Do | u | s":                       `"u" is no resource type of the service`,
		"acts | x:Do | t | s\nacts | x:Do | t | s":  `"t" stands twice`,
		"dependent | x:Make | a:B | w | s":          "line 1: the service has no such action",
		"type | x | t | arn:${Partition}:x:::u | s": `"t" stands twice`,
		"form | x | t | arn:x | s":                  "is not of the form",
		"rcp | x | s":                               "",
		"rcp | y | s":                               "",
	} {
		set, err := parseAdditions(text)
		if err != nil {
			t.Fatal(err)
		}
		s := service()
		if err = set.apply(s); err == nil {
			_, err = build(s, false)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
