package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
)

// Tests of POST /gatehouse/v1/who-can through the whole server.

const whoCanPath = "/gatehouse/v1/who-can"

func (x *apiTest) whoCan(by caller, question string) string {
	x.Helper()
	return x.jsonText(x.send(x.questionTo(whoCanPath, by, question)))
}

// holders are an answer's principals, each with its roles and what its steps rest on.
func (x *apiTest) holders(by caller, question string) (list []string, out ghapi.WhoCanResponse) {
	x.Helper()
	text := x.whoCan(by, question)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		x.Fatal(text, err)
	}
	for _, p := range out.Principals {
		line := *p.Arn
		for _, s := range p.Steps {
			line += " | " + *s.Principal + " " + *s.Action + " " + *s.Resource
			for _, g := range s.Grants {
				line += " by " + *g.Layer
				if g.Policy != nil {
					for _, part := range []*string{g.Policy.Arn, g.Policy.Name, g.Policy.Owner, g.GroupArn} {
						if part != nil {
							line += " " + *part
						}
					}
					line += fmt.Sprint(" ", *g.Statement.Index)
				}
			}
		}
		list = append(list, line)
	}
	return list, out
}

// peopled is an account with every way to read the bucket.
func peopled(t *testing.T) *apiTest {
	t.Helper()
	x := openAPI(t)
	for _, name := range []string{"alice", "bob", "carol", "dave", "eve"} {
		x.user(x.root, name)
	}
	x.policy(x.root, "alice", "own", "Deny s3:PutObject *", "Allow s3:GetObject *")
	x.group(x.root, "readers", "bob")
	x.groupPolicy(x.root, "readers", "read", "Allow s3:Get* *")
	x.group(x.root, "others", "carol")
	x.ok(x.root, "AttachGroupPolicy", "GroupName", "others", "PolicyArn", x.managedPolicy(x.root, "reads", "Allow s3:* *"))
	x.role(x.root, "Reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["`+arnHere+`user/dave","`+testAccount+`"]},"Action":"sts:AssumeRole"}}`)
	x.rolePolicy(x.root, "Reader", "r", `{"Version":"2012-10-17","Statement":{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`)
	x.role(x.root, "Step", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+arnHere+`user/eve"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}}`)
	x.rolePolicy(x.root, "Step", "s", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)
	return x
}

func TestWhoCan(t *testing.T) {
	t.Parallel()
	x := peopled(t)
	reads := " s3:GetObject " + bucketARN
	reader := arnHere + "role/Reader"
	root := arnHere + "root | " + arnHere + "root" + reads + " by identity"
	alice := arnHere + "user/alice | " + arnHere + "user/alice" + reads + " by identity own " + arnHere + "user/alice 1"
	bob := arnHere + "user/bob | " + arnHere + "user/bob" + reads + " by identity read " + arnHere + "group/readers " + arnHere + "group/readers 0"
	carol := arnHere + "user/carol | " + arnHere + "user/carol" + reads + " by identity " + arnHere + "policy/reads reads " + arnHere + "group/others 0"
	byReader := " | " + reader + reads + " by identity r " + reader + " 0"
	dave := arnHere + "user/dave | " + arnHere + "user/dave sts:AssumeRole " + reader + " by trust " + reader + " 0" + byReader
	step := arnHere + "role/Step"
	byStep := " | " + step + " sts:AssumeRole " + reader + " by identity s " + step + " 0 by trust " + reader + " 0" + byReader
	eve := arnHere + "user/eve | " + arnHere + "user/eve sts:AssumeRole " + step + " by trust " + step + " 0" + byStep
	for _, c := range []struct {
		more    string
		want    []string
		missing []string
	}{
		{``, []string{root, alice, bob, carol, dave, reader + byReader, step + byStep}, []string{"sts:ExternalId"}},
		{`,"Context":{"sts:ExternalId":"x"}`, []string{root, alice, bob, carol, dave, eve, reader + byReader, step + byStep}, nil},
	} {
		got, out := x.holders(x.root, `{`+asksBucket+c.more+`}`)
		if !slices.Equal(got, c.want) || !slices.Equal(out.MissingContextKeys, c.missing) {
			t.Errorf("%s:\n got %s\nwant %s\nmissing %q", c.more, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "), out.MissingContextKeys)
		}
		if *out.Total != int32(len(c.want)) || *out.Asked != 8 || *out.IsTruncated || *out.Partial || out.Marker != nil {
			t.Errorf("%s: %d of %d, %t", c.more, *out.Total, *out.Asked, *out.IsTruncated)
		}
	}
	// The bucket of another account: its policy must allow too, and names only bob.
	foreign := strings.Replace(asksBucket, testAccount, testAccount2, 1)
	got, _ := x.holders(x.root, `{`+foreign+`,"ResourcePolicy":`+jsonOf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+arnHere+`user/bob"},"Action":"s3:*","Resource":"*"}}`)+`}`)
	if want := []string{bob + " by resource ResourcePolicy 0"}; !slices.Equal(got, want) {
		t.Errorf("of another account: %q; want %q", got, want)
	}
	// Who can assume a role is known without its trust policy; a role that is not there is said.
	got, _ = x.holders(x.root, `{"Action":"sts:AssumeRole","Resource":"`+reader+`"}`)
	if len(got) != 2 || !strings.HasPrefix(got[0], arnHere+"user/dave |") || !strings.HasPrefix(got[1], step+" |") {
		t.Errorf("assume %s: %q", reader, got)
	}
	got, _ = x.holders(x.root, `{"Action":"sts:AssumeRole","Resource":"`+reader+`","ResourcePolicy":`+
		jsonOf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+arnHere+`user/bob"},"Action":"sts:AssumeRole"}}`)+`}`)
	if len(got) != 1 || !strings.HasPrefix(got[0], arnHere+"user/bob |") {
		t.Errorf("assume %s with another trust policy: %q", reader, got)
	}
}

// TestWhoCanPages: pages of two, put together, are the whole answer.
func TestWhoCanPages(t *testing.T) {
	t.Parallel()
	x := peopled(t)
	want, _ := x.holders(x.root, `{`+asksBucket+`}`)
	var list []string
	marker := ""
	for {
		got, out := x.holders(x.root, `{`+asksBucket+`,"MaxItems":2`+marker+`}`)
		list = append(list, got...)
		if !*out.IsTruncated {
			break
		}
		if len(got) != 2 || out.Marker == nil {
			t.Fatalf("%q %v", got, out.Marker)
		}
		marker = `,"Marker":` + jsonOf(*out.Marker)
	}
	if !slices.Equal(list, want) {
		t.Errorf("%q; want %q", list, want)
	}
}

func TestWhoCanIsRefused(t *testing.T) {
	t.Parallel()
	x := peopled(t)
	alice := x.key(x.root, "alice")
	x.policy(x.root, "alice", "own", "Allow s3:* *", "Allow gatehouse:Authorize *", "Allow gatehouse:WhoCan "+arnHere+"user/*")
	question := `{` + asksBucket + `}`
	denied := "403 AccessDeniedException User: " + arnHere + "user/alice is not authorized to perform: gatehouse:WhoCan on resource: " + arnHere + "root "
	if got := x.whoCan(alice, question); got != denied+"because no identity-based policy allows the gatehouse:WhoCan action" {
		t.Error(got)
	}
	x.policy(x.root, "alice", "own", "Allow gatehouse:WhoCan "+arnHere+"root")
	if got := x.whoCan(alice, question); !strings.HasPrefix(got, `{"Principals":[`) {
		t.Error(got)
	}
	for body, want := range map[string]string{
		`{"Action":"s3:GetObjekt","Resource":"` + bucketARN + `","ResourceAccount":"` + testAccount + `"}`: "400 ValidationException The service s3 has no action GetObjekt. The nearest name is s3:GetObject.",
		`{"Action":"s4:GetObject","Resource":"` + bucketARN + `","ResourceAccount":"` + testAccount + `"}`: "400 ValidationException No service has the prefix s4. ",
		`{"Action":"s3:GetObject","Resource":"` + bucketARN + `"}`:                                         "400 ValidationException ResourceAccount is required: " + bucketARN + " does not name the account that it belongs to.",
		`{"Action":"s3:GetObject","Resource":"bucket"}`:                                                    "400 ValidationException Resource bucket is neither * nor an ARN.",
		`{"Action":"sts:AssumeRole","Resource":"` + arnHere + `role/reader"}`:                              "404 ResourceNotFoundException The role " + arnHere + "role/reader cannot be found.",
		`{"Action":"iam:DeleteRole","Resource":"` + arnHere + `group/g"}`:                                  "400 ValidationException iam:DeleteRole does not act on such a resource, but on role ",
		`{"Action":"ec2:DescribeInstances","Resource":"` + arnHere + `user/alice"}`:                        "400 ValidationException Permission for ec2:DescribeInstances is asked on \"*\" only, on no single resource.",
		`{` + asksBucket + `,"Marker":"MXg"}`:                                                              "400 ValidationException Marker MXg is none that an answer had.",
		`{` + asksBucket + `,"Marker":"MXU"}`:                                                              "400 ValidationException Marker MXU is none that an answer had.",
		`{` + asksBucket + `,"Marker":"MWFi"}`:                                                             "400 ValidationException Marker MWFi is none that an answer had.",
		`{` + asksBucket + `,"Marker":"Mg"}`:                                                               "400 ValidationException Marker Mg is none that an answer had.",
		`{` + asksBucket + `,"MaxItems":0}`:                                                                "400 ValidationException ",
		`{` + asksBucket + `,"MaxItems":1001}`:                                                             "400 ValidationException ",
		`{` + asksBucket + `,"Principal":{"Anonymous":true}}`:                                              "400 ",
		`{` + asksBucket + `,"Context":{"aws:PrincipalArn":"x"}}`:                                          "400 ValidationException Context must not have aws:PrincipalArn: ",
		`{` + asksBucket + `,"ResourcePolicy":"{}"}`:                                                       "400 MalformedPolicyDocument ResourcePolicy: ",
	} {
		if got := x.whoCan(alice, body); !strings.HasPrefix(got, want) {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
}
