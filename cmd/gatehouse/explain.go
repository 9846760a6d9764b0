package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/server"
)

const (
	explainPath    = "/gatehouse/v1/explain"
	maxExplanation = 16 << 20 // the server's have less
	maxProfiles    = 4 << 20
)

func (a *app) explainCommand() *cobra.Command {
	var profile, output string
	names := []string{"endpoint", "ca-file"}
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say why a running server denied a call, and what would allow it",
		Long: `Say why a running server denied a call, and what would allow it.

ID is that of the decision: the error has it as DecisionId, the answer as the header X-Gatehouse-Decision-Id, the server's log as
decision_id, and with --denial-ids the message of the error. The server keeps the last denials in memory, and explains them as of when they
were made.

The call is signed with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or else with the access key of a profile in the files
of AWS clients: --profile, AWS_PROFILE or default. The server is --endpoint, or else AWS_ENDPOINT_URL or the profile's endpoint_url. The
signer needs gatehouse:Explain on the ARN of who was denied.`,
		Example: "  gatehouse explain 3f0c8e5e-6a4e-4a1b-9d6f-0d2c8f7f2a11",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageErrorf("which decision? Give its id: gatehouse explain ID")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return usageErrorf("--output: %q is neither text nor json", output)
			}
			o := &options{}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			c, err := a.profileClient(o, profile)
			if err != nil {
				return usageError{err}
			}
			return a.explain(cmd.Context(), c, args[0], output)
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "`name` of the profile that signs")
	cmd.Flags().StringVar(&output, "output", "text", "`form` of the answer: text or json")
	complete(cmd, "output", "text", "json")
	addFlags(cmd, names...)
	return cmd
}

func (a *app) explain(ctx context.Context, c *client, id, output string) error {
	question, err := json.Marshal(map[string]string{"DecisionId": id})
	if err != nil {
		return err
	}
	answer, err := c.gatehouse(ctx, "Explain", explainPath, question)
	if err != nil {
		return err
	}
	if output == "json" {
		var b bytes.Buffer
		if err := json.Indent(&b, answer, "", "  "); err != nil {
			return fmt.Errorf("the server's answer: %w", err)
		}
		b.WriteByte('\n')
		_, err := a.stdout.Write(b.Bytes())
		return err
	}
	var e explanation
	if err := json.Unmarshal(answer, &e); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	_, err = a.stdout.Write([]byte(e.text()))
	return err
}

// profileClient signs as AWS clients do: with the variables, or else with a profile.
func (a *app) profileClient(o *options, profile string) (*client, error) {
	values, err := a.profile(profile)
	if err != nil {
		return nil, err
	}
	if o.endpoint == "" {
		o.endpoint = firstOf(a.env("AWS_ENDPOINT_URL"), values["endpoint_url"], "http://"+server.DefaultListen)
	}
	if o.caFile == "" {
		o.caFile = firstOf(a.env("AWS_CA_BUNDLE"), values["ca_bundle"])
	}
	id, secret, token := values["aws_access_key_id"], values["aws_secret_access_key"], values["aws_session_token"]
	if env := a.env("AWS_ACCESS_KEY_ID"); env != "" && profile == "" {
		id, secret, token = env, a.env("AWS_SECRET_ACCESS_KEY"), a.env("AWS_SESSION_TOKEN")
	}
	if id == "" || secret == "" {
		return nil, errors.New("an access key is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has one with --profile")
	}
	c, err := newClient(o.endpoint, o.caFile, id, keyring.NewSecret(secret))
	if err != nil {
		return nil, err
	}
	c.credentials.SessionToken = token
	return c, nil
}

// profile is what the files of AWS clients say of a profile, "" being the one they would take. A profile that was named must be there.
func (a *app) profile(name string) (map[string]string, error) {
	named := firstOf(name, a.env("AWS_PROFILE"))
	name = firstOf(named, "default")
	files := a.profileFiles()
	values, found := map[string]string{}, false
	for _, f := range []struct{ path, section string }{{files.config, strings.Trim(configSection(name), "[]")}, {files.credentials, name}} {
		text, err := readAtMost(f.path, maxProfiles)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = readProfile(string(text), f.section, values) || found
	}
	if !found && named != "" {
		return nil, fmt.Errorf("there is no profile %s in %s and %s", name, files.config, files.credentials)
	}
	return values, nil
}

// readProfile adds the settings of a section, and says whether there is one. Settings of settings, which are indented, are passed over.
func readProfile(text, section string, values map[string]string) (found bool) {
	within := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "[") {
			within = strings.Join(strings.Fields(strings.Trim(trimmed, "[]")), " ") == section
			found = found || within
			continue
		}
		key, value, ok := strings.Cut(trimmed, "=")
		if !within || !ok || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return found
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
