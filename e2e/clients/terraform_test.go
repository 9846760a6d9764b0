package clients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
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

const terraformMain = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
}

variable "team" { default = "blue" }

resource "aws_iam_user" "app" {
  name = "app"
  path = "/services/"
  tags = { Team = var.team }
}

resource "aws_iam_access_key" "app" {
  user = aws_iam_user.app.name
}

resource "aws_iam_user_policy" "app" {
  name = "read"
  user = aws_iam_user.app.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:Get*", "iam:List*"], Resource = "arn:aws:iam::111122223333:user/${var.team}/*" }]
  })
}

resource "aws_iam_account_alias" "this" {
  account_alias = "terraformed"
}

data "aws_caller_identity" "me" {}

output "caller" { value = data.aws_caller_identity.me.arn }
`

// TestTerraform applies what this version holds, plans nothing, changes in place, plans nothing, and destroys.
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
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.tf", terraformMain)
	write("terraformrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror { path = %q }\n}\n", plugins))
	env := append(s.environment(t, root), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraformrc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	terraform := func(args ...string) string {
		t.Helper()
		out, msg, err := command(t, dir, env, "terraform", append(args, "-no-color")...)
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s\n%s", strings.Join(args, " "), err, out, msg)
		}
		return out
	}
	terraform("init")
	out := terraform("apply", "-auto-approve")
	if !strings.Contains(out, "4 added, 0 changed, 0 destroyed") || !strings.Contains(out, "arn:aws:iam::"+account+":root") {
		t.Errorf("apply:\n%s", out)
	}
	terraform("plan", "-detailed-exitcode") // exit code 2 if anything would change
	if out := terraform("apply", "-auto-approve", "-var", "team=green"); !strings.Contains(out, "0 added, 2 changed, 0 destroyed") {
		t.Errorf("change in place:\n%s", out)
	}
	terraform("plan", "-detailed-exitcode", "-var", "team=green")
	if out := terraform("destroy", "-auto-approve", "-var", "team=green"); !strings.Contains(out, "4 destroyed") {
		t.Errorf("destroy:\n%s", out)
	}
	left, err := s.iam(root).ListUsers(t.Context(), &iam.ListUsersInput{})
	if err != nil || len(left.Users) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
