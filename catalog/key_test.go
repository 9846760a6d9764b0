package catalog

import "testing"

func TestTakesKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action, key string
		want        bool
	}{
		{"s3:ListBucket", "s3:prefix", true},
		{"s3:ListBucket", "S3:Prefix", true},
		{"s3:GetObject", "s3:prefix", false},
		{"s3:GetObject", "s3:ExistingObjectTag/team", true},
		{"s3:GetObject", "s3:ExistingObjectTag/${TagKey}", true},
		{"s3:GetObject", "s3:ExistingObjectTag/<key>", true},
		{"s3:GetObject", "s3:ExistingObjectTag/", false},
		{"s3:GetObject", "s3:ExistingObjectTag", false},
		{"s3:GetObject", "aws:SourceIp", true}, // global
		{"s3:GetObject", "aws:sourceip", true},
		{"s3:GetObject", "aws:PrincipalTag/a/b", true},
		{"s3:GetObject", "aws:PrincipalTag/", false},
		{"s3:GetObject", "aws:SourceIP6", false},
		{"s3:GetObject", "", false},
		{"iam:PassRole", "iam:PassedToService", true},
		{"iam:GetRole", "iam:PassedToService", false},
		{"iam:GetRole", "iam:ResourceTag/x", true},     // of the resource type
		{"ec2:RunInstances", "ec2:InstanceType", true}, // of the action on a type
		{"kms:Decrypt", "kms:EncryptionContext:app", true},
		{"sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:sub", true},
		{"s3:GetObject", "idp.example.org/realms/x:aud", true}, // kept in the session
		{"s3:GetObject", "keycloak/realms/x:sub", true},
		{"s3:GetObject", "s3:sub", false},
		{"s3:GetObject", "token.actions.githubusercontent.com:repository", false},
		{"sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:repository", true},
		{"sts:AssumeRoleWithSAML", "saml:aud", true},
		{"secretsmanager:GetSecretValue", "secretsmanager:ResourceTag/team", true}, // "ResourceTag/tag-key" in the reference
		{"ssm:DeregisterManagedInstance", "ssm:resourceTag/team", true},
	} {
		if got := Builtin().Action(tt.action).TakesKey(tt.key); got != tt.want {
			t.Errorf("%s takes %q: %t, want %t", tt.action, tt.key, got, tt.want)
		}
	}
}

func TestKnowsKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"s3:prefix": true, "S3:PREFIX": true, "s3:prefixx": false, "aws:MultiFactorAuthPresent": true, "aws:MultiFactorAuth": false,
		"ec2:ResourceTag/x": true, "saml:sub": true, "token.actions.githubusercontent.com:sub": true, "glacier:ResourceTag/team": true, // "ResourceTag/" in the reference
		"secretsmanager:ResourceTag/team": true, "secretsmanager:ResourceTag/": false, "": false, ":": false, "aws:": false,
	} {
		if got := Builtin().KnowsKey(key); got != want {
			t.Errorf("%q is known: %t, want %t", key, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]Key{
		"aws:sourceip": {"aws:SourceIp", "IPAddress"}, "aws:RequestTag/team": {"aws:RequestTag/${TagKey}", "String"}, "s3:MAX-keys": {"s3:max-keys", "Numeric"},
		"aws:TagKeys": {"aws:TagKeys", "ArrayOfString"}, "ssm:resourceTag/aws:ssmmessages:target-id": {"ssm:resourceTag/aws:ssmmessages:target-id", "String"},
		"ec2:InstanceType": {"ec2:InstanceType", "String"}, "nothing:Here": {}, "": {},
	} {
		if got, ok := Builtin().Key(key); got != want || ok != (want != Key{}) {
			t.Errorf("%q is %v (%t), want %v", key, got, ok, want)
		}
	}
	own := with(t, `{"services":[{"prefix":"shop","name":"Shop","keys":[{"name":"shop:Sum","type":"Numeric"}]},{"extends":"s3","keys":[{"name":"s3:New","type":"Bool"}]}]}`)
	for key, want := range map[string]Key{"Shop:sum": {"shop:Sum", "Numeric"}, "s3:new": {"s3:New", "Bool"}} {
		if got, ok := own.Key(key); got != want || !ok {
			t.Errorf("%q is %v (%t), want %v", key, got, ok, want)
		}
	}
}

func TestKeyMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, key string
		want      bool
	}{
		{"a:b", "A:B", true},
		{"a:b", "a:bc", false},
		{"a:${K}", "a:x", true},
		{"a:${K}", "a:", false},
		{"a:<key>", "a:${K}", true},
		{"a:x.${K}.value", "a:x.y.VALUE", true},
		{"a:x.${K}.value", "a:x.value.value", true},
		{"a:x.${K}.value", "a:x..value", false},
		{"a:x.${K}.value", "a:x.y.values", false},
		{"a.${D}.com:sub/${K}", "a.b.com:sub/c", true},
		{"a.${D}.com:sub/${K}", "a.b.org:sub/c", false},
		{"a:${K", "a:x", false},
	} {
		if got := keyMatches(tt.name, tt.key); got != tt.want {
			t.Errorf("%q is %q: %t, want %t", tt.key, tt.name, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	c := Builtin()
	for action, want := range map[string]string{
		"s3:GetObjekt": "s3:GetObject", "s3:getobjcet": "s3:GetObject", "s4:GetObject": "s3:GetObject", "iam:AssumeRole": "sts:AssumeRole",
		"dynamo:PutItem": "dynamodb:PutItem", "s3:HeadBucket": "", "nothing:LikeIt": "", "GetObject": "", "s3:": "", "lambda:InvokeFuction": "lambda:InvokeFunction",
		"ec2:RunInstance": "ec2:RunInstances", "s3:ListBuckets": "s3:ListBucket",
		"S3:getobjct": "s3:GetObject", "smt:AssumeRole": "sts:AssumeRole", "dynamdob:GetItem": "dynamodb:GetItem", // a slip in the prefix too
		"dynamo:ListTables": "dynamodb:ListTables", "nothing:ListTables": "", "dynamo:ListTabels": "", // of several services one that is named alike
		"nothing:ListProjects": "", "nothing:AssumeRoleWithSAML": "sts:AssumeRoleWithSAML", "nothing": "", "": "",
	} {
		got, ok := c.NearestAction(action)
		if got != want || ok != (want != "") {
			t.Errorf("nearest to %q: %q (%t), want %q", action, got, ok, want)
		}
	}
	for key, want := range map[string]string{
		"aws:SourceIP6": "aws:SourceIp", "aws:PrincipleArn": "aws:PrincipalArn", "s3:prefx": "s3:prefix", "aws:RequestTags/team": "aws:RequestTag/team",
		"iam:PassToService": "iam:PassedToService", "nothing:likeIt": "", "": "",
	} {
		got, ok := c.NearestKey(key)
		if got != want || ok != (want != "") {
			t.Errorf("nearest to %q: %q (%t), want %q", key, got, ok, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"abc", "ac", 1}, {"kitten", "sitting", 3}, {"abcdef", "ghijkl", maxKeyName}, {"a", "abcdefgh", maxKeyName}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	c := Builtin()
	for _, tt := range []struct {
		pattern string
		n       int
		first   string
	}{
		{"sqs:SendMessage", 1, "sqs:SendMessage"},
		{"SQS:SENDMESSAGE", 1, "sqs:SendMessage"},
		{"sts:Assume*", 4, "sts:AssumeRole"},
		{"sts:*Identity", 3, "sts:AssumeRoleWithWebIdentity"},
		{"s?s:Send*", 9, "ses:SendBounce"},
		{"iam:Get?ser", 1, "iam:GetUser"},
		{"iam:*User*Policy*", 5, "iam:AttachUserPolicy"},
		{"nothing:*", 0, ""},
		{"s3", 0, ""},
		{"", 0, ""},
		{"gatehouse:*", 3, "gatehouse:Authorize"},
	} {
		n, first := 0, ""
		for a := range c.Expand(tt.pattern) {
			if n++; n == 1 {
				first = a.String()
			}
		}
		if n != tt.n || first != tt.first {
			t.Errorf("%q: %d actions from %q, want %d from %q", tt.pattern, n, first, tt.n, tt.first)
		}
	}
	for _, pattern := range []string{"*", "*:*", "**:***"} {
		n := 0
		for range c.Expand(pattern) {
			n++
		}
		if n != 22_091+3 {
			t.Errorf("%q: %d actions, want all", pattern, n)
		}
	}
}
