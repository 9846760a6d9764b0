package clients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mirror finds a directory that holds the AWS provider for terraform, so that nothing is downloaded. GATEHOUSE_TF_MIRROR names one.
func mirror() (string, error) {
	candidates := []string{os.Getenv("GATEHOUSE_TF_MIRROR")}
	for _, pattern := range []string{"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*"} {
		found, _ := filepath.Glob(pattern)
		candidates = append(candidates, found...)
	}
	if home, err := os.UserHomeDir(); err == nil {
		candidates = append(candidates, filepath.Join(home, ".terraform.d", "plugins"))
	}
	for _, dir := range candidates {
		if found, _ := filepath.Glob(filepath.Join(dir, "registry.terraform.io", "hashicorp", "aws", "5.100.0", "*")); dir != "" && len(found) > 0 {
			return dir, nil
		}
	}
	return "", errors.New("no mirror with hashicorp/aws 5.100.0 found; name one with GATEHOUSE_TF_MIRROR")
}

// terraform runs terraform in a directory of its own, with the files of testdata/terraform that it is given.
func (s *server) terraform(t *testing.T, plugins string, files ...string) (run func(args ...string) string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join("testdata", "terraform", f))
		if err != nil {
			t.Fatal(err)
		}
		write(f, text)
	}
	write("terraformrc", fmt.Appendf(nil, "provider_installation {\n  filesystem_mirror { path = %q }\n}\n", plugins))
	env := append(s.environment(t, root), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraformrc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	run = func(args ...string) string {
		t.Helper()
		out, msg, err := command(t, dir, env, "terraform", append(args, "-no-color")...)
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s\n%s", strings.Join(args, " "), err, out, msg)
		}
		return out
	}
	run("init")
	return run
}

// TestTerraform applies, plans nothing, changes in place, plans nothing, imports all of it into an empty state, plans nothing, destroys, and
// looks for what is left.
func TestTerraform(t *testing.T) {
	t.Parallel()
	plugins := ""
	need(t, "terraform", func() error {
		if _, err := exec.LookPath("terraform"); err != nil {
			return err
		}
		var err error
		plugins, err = mirror()
		return err
	})
	s := start(t, "dev")
	terraform := s.terraform(t, plugins, "main.tf")
	says := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("want %q in:\n%s", w, out)
			}
		}
	}
	says(terraform("apply", "-auto-approve"), "18 added, 0 changed, 0 destroyed", "arn:aws:iam::"+account+":root")
	terraform("plan", "-detailed-exitcode") // exit code 2 if anything would change
	says(terraform("apply", "-auto-approve", "-var", "team=green"), "0 added, 11 changed, 0 destroyed")
	terraform("plan", "-detailed-exitcode", "-var", "team=green")

	client := s.iam(root)
	listed, err := client.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("app")})
	if err != nil || len(listed.AccessKeyMetadata) != 1 {
		t.Fatalf("the keys of app: %v, %v", listed, err)
	}
	key := "key=" + *listed.AccessKeyMetadata[0].AccessKeyId
	again := s.terraform(t, plugins, "main.tf", "import.tf")
	says(again("apply", "-auto-approve", "-var", "team=green", "-var", key), "17 imported, 1 added, 0 changed, 0 destroyed")
	again("plan", "-detailed-exitcode", "-var", "team=green", "-var", key)
	says(again("destroy", "-auto-approve", "-var", "team=green", "-var", key), "18 destroyed")

	left, err := client.GetAccountAuthorizationDetails(t.Context(), &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{
		types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy,
	}})
	if err != nil || len(left.UserDetailList)+len(left.GroupDetailList)+len(left.RoleDetailList)+len(left.Policies) != 0 {
		t.Errorf("left behind: %+v, %v", left, err)
	}
	aliases, err := client.ListAccountAliases(t.Context(), &iam.ListAccountAliasesInput{})
	if err != nil || len(aliases.AccountAliases) != 0 {
		t.Errorf("left behind: %+v, %v", aliases, err)
	}
}
