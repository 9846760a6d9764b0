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
		"ec2:RunInstances": { // M04, M05
			"ec2:CreateTags", "iam:PassRole", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext",
			"kms:ReEncryptFrom", "kms:ReEncryptTo", "ssm:GetParameters",
		},
		"lambda:UpdateFunctionConfiguration": {
			"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "iam:PassRole", "lambda:GetLayerVersion",
		},
		"s3:CreateBucket": {
			"s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketVersioning",
		},
		"kms:ReplicateKey":                 {"iam:CreateServiceLinkedRole", "kms:CreateKey", "kms:PutKeyPolicy", "kms:TagResource"},
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

// What the package lacks, with the resources that AWS names in denials, guides and managed policies, and neighbours that stay wrong.
func TestVerdictOfAdditions(t *testing.T) {
	t.Parallel()
	const at = ":us-east-1:111111111111:"
	for _, tt := range []struct {
		action, resource string
		want             Verdict
	}{
		// Two pages of the reference with one prefix.
		{"elasticloadbalancing:CreateLoadBalancer", "arn:aws:elasticloadbalancing" + at + "loadbalancer/app/x/*", Known},
		{"elasticloadbalancing:DeleteLoadBalancer", "arn:aws:elasticloadbalancing" + at + "loadbalancer/net/x/50dc6c495c0c9188", Known},
		{"elasticloadbalancing:DeleteLoadBalancer", "arn:aws:elasticloadbalancing" + at + "loadbalancer/classic", Known},
		{"elasticloadbalancing:DeleteLoadBalancer", "arn:aws:elasticloadbalancing" + at + "targetgroup/x/50dc6c495c0c9188", WrongResource},
		{"elasticloadbalancing:AddTags", "arn:aws:elasticloadbalancing" + at + "targetgroup/x/50dc6c495c0c9188", Known},
		{"elasticloadbalancing:SetWebAcl", "arn:aws:elasticloadbalancing" + at + "loadbalancer/app/x/50dc6c495c0c9188", Known},
		{"ses:TagResource", "arn:aws:ses" + at + "mailmanager-rule-set/r1", Known},
		{"aws-marketplace:TagResource", "arn:aws:aws-marketplace" + at + "AWSMarketplace/ChangeSet/c1", Known},
		{"greengrass:TagResource", "arn:aws:greengrass" + at + "components:c1", Known},
		{"lex:TagResource", "arn:aws:lex" + at + "test-set/t1", Known},
		// What AWS owns.
		{"ssm:GetParameter", "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", Known},
		{"ssm:GetParameter", "arn:aws:ssm" + at + "parameter/a/b", Known},
		{"ssm:GetParameter", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript", WrongResource},
		{"ssm:StartAutomationExecution", "arn:aws:ssm:us-east-1::automation-definition/AWS-StartEC2Instance:$DEFAULT", Known},
		{"securityhub:BatchImportFindings", "arn:aws:securityhub:us-east-1::product/aquasecurity/aquasecurity", Known},
		{"cloudformation:CreateChangeSet", "arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31", Known},
		{"cloudformation:DescribeStacks", "arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31", WrongResource},
		{"organizations:AttachPolicy", "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", Known},
		{"organizations:DetachPolicy", "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", Known},
		{"organizations:UpdatePolicy", "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", WrongResource},
		{"resource-explorer-2:Search", "arn:aws:resource-explorer-2:us-east-1::view/AWSServiceViewForApplicationSignals/service-view", Known},
		// Other forms.
		{"s3:GetObject", "arn:aws:s3::111111111111:accesspoint/mfzwi23gnjvgw.mrap/object/a/b", Known},
		{"s3:ListBucket", "arn:aws:s3::111111111111:accesspoint/mfzwi23gnjvgw.mrap", Known},
		{"s3:GetObject", "arn:aws:s3::111111111111:accesspoint/mfzwi23gnjvgw.mrap", WrongResource},
		{"s3:ListBucketMultipartUploads", "arn:aws:s3" + at + "accesspoint/p", Known},
		{"execute-api:Invoke", "arn:aws:execute-api" + at + "abc/prod/$connect", Known},
		{"execute-api:Invoke", "arn:aws:execute-api" + at + "abc/prod/GET/a/b", Known},
		{"apigateway:GET", "arn:aws:apigateway:us-east-1::/sdktypes/java", Known},
		{"apigateway:POST", "arn:aws:apigateway:us-east-1::/sdktypes", WrongResource},
		{"quicksight:CreateUser", "arn:aws:quicksight::111111111111:user/AIDAEXAMPLE", Known},
		{"codepipeline:PollForJobs", "arn:aws:codepipeline:us-east-1::actionType:custom/Build/MyBuildProject/1/", Known},
		{"ec2:CopySnapshot", "arn:aws:ec2" + at + "snapshot/snap-1", Known},
		{"ssmmessages:OpenDataChannel", "arn:aws:ssm" + at + "session/alice-1", Known},
		{"states:DescribeExecution", "arn:aws:states" + at + "execution:machine/label:0d4c", Known},
		{"states:SendTaskSuccess", "arn:aws:states" + at + "activity:a", Known},
		{"states:StartExecution", "arn:aws:states" + at + "activity:a", WrongResource},
		// What AWS's own denials name.
		{"eks:CreateCluster", "arn:aws:eks" + at + "cluster/c", Known},
		{"eks:ListClusters", "arn:aws:eks" + at + "cluster/*", Known},
		{"eks:CreateCluster", "arn:aws:eks" + at + "nodegroup/c/n/1", WrongResource},
		{"acm:RequestCertificate", "arn:aws:acm" + at + "certificate/*", Known},
		{"cloudformation:ListStacks", "arn:aws:cloudformation" + at + "stack/*/*", Known},
		{"cloudfront:CreateDistribution", "arn:aws:cloudfront::111111111111:distribution/*", Known},
		{"dynamodb:ListTables", "arn:aws:dynamodb" + at + "table/*", Known},
		{"elasticmapreduce:RunJobFlow", "arn:aws:elasticmapreduce" + at + "cluster/*", Known},
		{"logs:DescribeLogGroups", "arn:aws:logs" + at + "log-group::log-stream:", Known},
		{"sns:ListTopics", "arn:aws:sns" + at + "*", Known},
		{"states:ListStateMachines", "arn:aws:states" + at + "stateMachine:*", Known},
		{"cognito-identity:ListIdentityPools", "arn:aws:cognito-identity" + at + "identitypool/", Known},
		{"kafka:ListClustersV2", "arn:aws:kafka" + at + "/api/v2/clusters", Known},
		{"ssm:DescribeParameters", "arn:aws:ssm" + at + "*", Known},
		{"ssm:GetCommandInvocation", "arn:aws:ssm" + at + "*", Known},
		{"ssm:DescribeParameters", "arn:aws:sqs" + at + "*", WrongResource},
		{"ssm:PutParameter", "arn:aws:ssm" + at + "*", WrongResource},
		// What managed policies write.
		{"rolesanywhere:CreateTrustAnchor", "arn:aws:rolesanywhere" + at + "trust-anchor/*", Known},
		{"datazone:GetProject", "arn:aws:datazone" + at + "domain/d", Known},
		{"fsx:DescribeBackups", "arn:aws:fsx" + at + "backup/*", Known},
		{"ram:CreateResourceShare", "arn:aws:ram" + at + "resource-share/*", Known},
		{"grafana:TagResource", "arn:aws:grafana" + at + "/workspaces", Known},
		{"grafana:DeleteWorkspace", "arn:aws:grafana" + at + "/workspaces", WrongResource},
	} {
		if got := Builtin().Verdict(tt.action, tt.resource); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.action, tt.resource, got, tt.want)
		}
	}
}

// A row that changes nothing says something that is there already, or names another thing than was meant.
func TestEveryAdditionOfFormsCounts(t *testing.T) {
	t.Parallel()
	for prefix, rows := range additions().services {
		var text serviceText
		entry := Builtin().builtin[prefix].entry
		if err := readEntry(entry, &text); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			switch row := &rows[i]; row.kind {
			case "form":
				if rt := text.resourceType(row.words[1]); rt != nil && slices.Contains(strings.Split(rt.ARN, separator), row.words[2]) {
					t.Errorf("line %d: the type %s has this form without the row", row.line, row.words[1])
				}
			case "acts":
				_, name, _ := strings.Cut(row.words[0], ":")
				if text.action(name).actsOn(row.words[1]) {
					t.Errorf("line %d: %s acts on %s without the row", row.line, row.words[0], row.words[1])
				}
			}
		}
	}
}

// Two rows about one pair would say twice when an action is needed.
func TestNoDependentRowStandsTwice(t *testing.T) {
	t.Parallel()
	lines := map[[2]string]int{}
	for _, rows := range additions().services {
		for _, row := range rows {
			if row.kind != "dependent" {
				continue
			}
			pair := [2]string{row.words[0], row.words[1]}
			if lines[pair] != 0 {
				t.Errorf("line %d: %s and %s stand on line %d too", row.line, pair[0], pair[1], lines[pair])
			}
			lines[pair] = row.line
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
