package awspolicy

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

var idForm = regexp.MustCompile(`^ANPA[A-Z0-9]{17}$`)

func TestEveryPolicyIsWhole(t *testing.T) {
	t.Parallel()
	ids, names := map[string]string{}, map[string]bool{}
	for _, p := range All() {
		if !idForm.MatchString(p.ID) || ids[p.ID] != "" {
			t.Errorf("%s: id %q, which %q has too or no policy can have", p.Name, p.ID, ids[p.ID])
		}
		ids[p.ID] = p.Name
		if names[strings.ToLower(p.Name)] {
			t.Errorf("%s stands there twice", p.Name)
		}
		names[strings.ToLower(p.Name)] = true
		if !strings.HasPrefix(p.Path, "/") || !strings.HasSuffix(p.Path, "/") || p.Version == 0 || p.Description == "" {
			t.Errorf("%s: path %q, version %d, description %q", p.Name, p.Path, p.Version, p.Description)
		}
		if p.Updated().Before(p.Created()) || p.Version == 1 && !p.Updated().Equal(p.Created()) || p.Created().Second() != 0 || p.Updated().Second() != 0 {
			t.Errorf("%s: made %s, version %d of %s", p.Name, p.Created(), p.Version, p.Updated())
		}
		if ByARN(p.ARN()) != p || !Is(p.ARN()) {
			t.Errorf("%s is not found by its ARN %s", p.Name, p.ARN())
		}
		if _, err := policy.Load(p.Document, policy.Managed); err != nil {
			t.Errorf("%s: %v\n%s", p.Name, err, p.Document)
		}
		if c := Compiled(p.ARN()); c == nil || c != p.Compiled() || c.Text() != p.Document {
			t.Errorf("%s: not compiled, or not once", p.Name)
		}
		var d struct{ Version string }
		if err := json.Unmarshal([]byte(p.Document), &d); err != nil || d.Version != "2012-10-17" {
			t.Errorf("%s: %v, version %q", p.Name, err, d.Version)
		}
	}
	if len(ids) != len(table) {
		t.Errorf("%d policies of %d", len(ids), len(table))
	}
}

// TestOriginListsEveryPolicy: README sends readers there.
func TestOriginListsEveryPolicy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ORIGIN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "## The policies")
	listed := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1)
	if len(listed) != len(All()) {
		t.Errorf("%d policies are listed, %d are known", len(listed), len(All()))
	}
	for _, m := range listed {
		if ByARN(Prefix+m[1]) == nil {
			t.Errorf("%s is listed, and not known", m[1])
		}
	}
}

// AWS lists AdministratorAccess and PowerUserAccess first, in this order (docs/spec/wire.md 6).
func TestOrder(t *testing.T) {
	t.Parallel()
	var got []string
	for _, p := range All()[:2] {
		got = append(got, p.Name)
	}
	if want := []string{"AdministratorAccess", "PowerUserAccess"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !slices.IsSortedFunc(All(), func(a, b *Policy) int { return a.Created().Compare(b.Created()) }) {
		t.Error("not in order of creation")
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{"", Prefix, Prefix + "NoSuchPolicy", Prefix + "administratoraccess", Prefix + "service-role/AdministratorAccess",
		"arn:aws-cn:iam::aws:policy/AdministratorAccess", "arn:aws:iam::111122223333:policy/AdministratorAccess"} {
		if ByARN(arn) != nil || Compiled(arn) != nil {
			t.Errorf("%q is known", arn)
		}
	}
}

// TestSaysWhat decides with some of the policies, so that a document set wrongly shows.
func TestSaysWhat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy, action, resource string
		want                     policy.Effect
	}{
		{"AdministratorAccess", "iam:CreateUser", "arn:aws:iam::111122223333:user/a", policy.Allow},
		{"PowerUserAccess", "s3:GetObject", "arn:aws:s3:::b/k", policy.Allow},
		{"PowerUserAccess", "iam:CreateUser", "arn:aws:iam::111122223333:user/a", policy.DenyImplicit},
		{"PowerUserAccess", "iam:ListRoles", "arn:aws:iam::111122223333:role/", policy.Allow},
		{"IAMReadOnlyAccess", "iam:GetUser", "arn:aws:iam::111122223333:user/a", policy.Allow},
		{"IAMReadOnlyAccess", "iam:DeleteUser", "arn:aws:iam::111122223333:user/a", policy.DenyImplicit},
		{"AWSDenyAll", "iam:GetUser", "arn:aws:iam::111122223333:user/a", policy.DenyExplicit},
		{"AmazonS3ReadOnlyAccess", "s3:GetObject", "arn:aws:s3:::b/k", policy.Allow},
		{"AmazonS3ReadOnlyAccess", "s3:PutObject", "arn:aws:s3:::b/k", policy.DenyImplicit},
		{"service-role/AWSLambdaBasicExecutionRole", "logs:PutLogEvents", "*", policy.Allow},
	} {
		sets := policy.Sets{
			Caller:   policy.Caller{Kind: policy.UserCaller, Account: "111122223333", ID: "AIDAEXAMPLE", ARN: "arn:aws:iam::111122223333:user/u"},
			Identity: policy.NewSet(&policy.Attached{ARN: Prefix + c.policy, Policy: Compiled(Prefix + c.policy)}),
		}
		if d := policy.Decide(&sets, &policy.Request{Action: c.action, Resource: c.resource}); d.Effect != c.want {
			t.Errorf("%s, %s on %s: effect %d, want %d", c.policy, c.action, c.resource, d.Effect, c.want)
		}
	}
}

// TestOrganizationPolicies decides with the policies that stand on every node of an organization.
func TestOrganizationPolicies(t *testing.T) {
	t.Parallel()
	for id, kind := range map[string]policy.Kind{FullAccessSCP: policy.SCP, FullAccessRCP: policy.RCP} {
		p := OrganizationPolicyByID(id)
		if p == nil || p.Kind != kind || !strings.HasSuffix(p.ARN, "_control_policy/"+id) || id != "p-"+p.Name || p.Description == "" {
			t.Fatalf("%s: %+v", id, p)
		}
		if c := p.Compiled(); c == nil || c != p.Compiled() || c.Kind() != kind || c.Text() != p.Document {
			t.Errorf("%s: not compiled, or not once", id)
		}
	}
	if n := len(OrganizationPolicies()); n != 2 || OrganizationPolicyByID("p-other") != nil || OrganizationPolicyByID("") != nil {
		t.Errorf("%d policies, or others than these", n)
	}
	level := func(id string) []*policy.Set {
		return []*policy.Set{policy.NewSet(&policy.Attached{Policy: OrganizationPolicyByID(id).Compiled()})}
	}
	user := policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: "111122223333", ID: "AIDAEXAMPLE", ARN: "arn:aws:iam::111122223333:user/u"},
		Identity: policy.NewSet(&policy.Attached{ARN: Prefix + "AmazonS3ReadOnlyAccess", Policy: Compiled(Prefix + "AmazonS3ReadOnlyAccess")}),
		SCP:      level(FullAccessSCP),
	}
	for action, want := range map[string]policy.Effect{"s3:GetObject": policy.Allow, "s3:PutObject": policy.DenyImplicit} {
		r := policy.Request{Action: action, Resource: "arn:aws:s3:::b/k", RCP: level(FullAccessRCP)}
		if d := policy.Decide(&user, &r); d.Effect != want || want != policy.Allow && d.Layer != policy.LayerIdentity {
			t.Errorf("%s: %+v, want effect %d", action, d, want)
		}
	}
}
