package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/offline"
)

const (
	whoCanPath  = "/gatehouse/v1/who-can"
	whoCanPage  = 1000    // the most that the server lists at once
	whoCanPages = 101     // the server asks about 100,000 users and roles at most, and a root user
	maxPolicy   = 1 << 20 // bytes of a file; the server says what is too long
)

// whoCanFlags are what the flags of gatehouse who-can give.
type whoCanFlags struct {
	action, resource, owner, resourcePolicy, session string
	context, tags                                    []string
	profile, output                                  string
}

func (a *app) whoCanCommand() *cobra.Command {
	var f whoCanFlags
	names := []string{"endpoint", "ca-file"}
	cmd := &cobra.Command{
		Use:   "who-can --action ACTION --resource ARN",
		Short: "List who can do something, and by what policies, groups and roles",
		Long: `List who can do something: the root user, users and roles of the signer's account, each with what allows it. Who cannot alone, but can
assume a role that can, is listed with the shortest chain of roles.

The answer is that for a request with the context keys given. Keys that policies read and that are not given are named below the list: with
them others may be able to. Of roles it is about a session without tags, of users about calls with their access keys.

The call is signed with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or else with the access key of a profile in the files
of AWS clients: --profile, AWS_PROFILE or default. The server is --endpoint, or else AWS_ENDPOINT_URL or the profile's endpoint_url. The
signer needs gatehouse:WhoCan on the ARN of its account's root user.`,
		Example: `  gatehouse who-can --action s3:GetObject --resource arn:aws:s3:::data/x --owner 111122223333
  gatehouse who-can --action sts:AssumeRole --resource arn:aws:iam::111122223333:role/Admin --context sts:ExternalId=x`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			question, err := f.question()
			if err != nil {
				return usageError{err}
			}
			o := &options{}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			c, err := a.profileClient(o, f.profile)
			if err != nil {
				return usageError{err}
			}
			found, err := c.whoCan(cmd.Context(), question)
			if err != nil {
				return err
			}
			return a.tellHolders(found, f.output)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.action, "action", "", "`action` to ask about, prefix:Name")
	fl.StringVar(&f.resource, "resource", "", "`ARN` of the resource, or *")
	fl.StringVar(&f.owner, "owner", "", "`account` of the resource (default that in its ARN)")
	fl.StringVar(&f.resourcePolicy, "resource-policy", "", "`file` with the policy of the resource (default for a role that is assumed: its own)")
	fl.StringArrayVar(&f.tags, "resource-tag", nil, "tag of the resource, `KEY=VALUE`; may be repeated")
	fl.StringArrayVar(&f.context, "context", nil, "context key, `KEY=VALUE`, or KEY=[a,b] for a key of several values; may be repeated")
	fl.StringVar(&f.session, "session-name", "", "`name` of the sessions of roles (default who-can)")
	fl.StringVar(&f.profile, "profile", "", "`name` of the profile that signs")
	fl.StringVar(&f.output, "output", "table", "`form` of the answer: table or json")
	complete(cmd, "output", "table", "json")
	addFlags(cmd, names...)
	return cmd
}

// question is the body of the call, but for its page.
func (f *whoCanFlags) question() (map[string]any, error) {
	switch {
	case f.output != "table" && f.output != "json":
		return nil, fmt.Errorf("--output: %q is neither table nor json", f.output)
	case f.action == "":
		return nil, fmt.Errorf("who can do what? Give --action, such as s3:GetObject")
	case f.resource == "":
		return nil, fmt.Errorf("on what? Give --resource, an ARN or * (quote it, so that the shell does not read it)")
	}
	q := map[string]any{"Action": f.action, "Resource": f.resource, "MaxItems": whoCanPage}
	if f.owner != "" {
		q["ResourceAccount"] = f.owner
	}
	if f.session != "" {
		q["SessionName"] = f.session
	}
	if f.resourcePolicy != "" {
		text, err := readAtMost(f.resourcePolicy, maxPolicy)
		if err != nil {
			return nil, fmt.Errorf("--resource-policy: %w", err)
		}
		q["ResourcePolicy"] = string(text)
	}
	tags := map[string]string{}
	for _, tag := range f.tags {
		key, value, ok := strings.Cut(tag, "=")
		if _, twice := tags[key]; !ok || key == "" || twice {
			return nil, fmt.Errorf("--resource-tag: %q has not the form KEY=VALUE, or is there twice", tag)
		}
		tags[key] = value
	}
	if len(tags) > 0 {
		q["ResourceTags"] = tags
	}
	keys := map[string]any{}
	for _, text := range f.context {
		key, err := offline.ParseKey(text)
		if err != nil {
			return nil, err
		}
		if _, twice := keys[key.Name]; twice {
			return nil, fmt.Errorf("--context: %s is there twice; several values are %s=[a,b]", key.Name, key.Name)
		}
		keys[key.Name] = append([]string{}, key.Values...)
		if !key.Multi {
			keys[key.Name] = key.Values[0]
		}
	}
	if len(keys) > 0 {
		q["Context"] = keys
	}
	return q, nil
}

// holders is the server's answer: of all pages, put together.
type holders struct {
	Principals                  []holder
	IsTruncated                 bool   `json:",omitempty"`
	Marker                      string `json:",omitempty"`
	Total, Asked                int
	Partial                     bool
	MissingContextKeys          []string `json:",omitempty"`
	MissingContextKeysTruncated bool     `json:",omitempty"`
}

type holder struct {
	Arn   string
	Steps []holderStep
}

type holderStep struct {
	Principal, Action, Resource string
	Grants                      []holderGrant
}

type holderGrant struct {
	Layer  string
	Policy *struct {
		Arn   string `json:",omitempty"`
		Name  string `json:",omitempty"`
		Owner string `json:",omitempty"`
	} `json:",omitempty"`
	Statement *struct {
		Index int
		Sid   string `json:",omitempty"`
	} `json:",omitempty"`
	GroupArn string `json:",omitempty"`
}

// whoCan asks for all pages.
func (c *client) whoCan(ctx context.Context, question map[string]any) (*holders, error) {
	var found holders
	for range whoCanPages {
		body, err := json.Marshal(question)
		if err != nil {
			return nil, err
		}
		answer, err := c.gatehouse(ctx, "WhoCan", whoCanPath, body)
		if err != nil {
			return nil, err
		}
		list := found.Principals
		found = holders{}
		if err := json.Unmarshal(answer, &found); err != nil {
			return nil, fmt.Errorf("the server's answer: %w", err)
		}
		found.Principals = append(list, found.Principals...)
		if !found.IsTruncated || found.Marker == "" {
			return &found, nil
		}
		question["Marker"] = found.Marker
	}
	return nil, fmt.Errorf("the server's answer has no end")
}

func (a *app) tellHolders(found *holders, output string) error {
	if output == "json" {
		text, err := json.MarshalIndent(found, "", "  ")
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(append(text, '\n'))
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if len(found.Principals) > 0 {
		fmt.Fprintln(w, "PRINCIPAL\tCAN\tBECAUSE OF")
	}
	for i := range found.Principals {
		p := &found.Principals[i]
		name := p.Arn
		for j := range p.Steps {
			s := &p.Steps[j]
			does := s.Action
			if j < len(p.Steps)-1 {
				does = "assume " + s.Resource
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", oneLine(name), oneLine(does), oneLine(s.because()))
			name = ""
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := a.stdout.Write([]byte(found.summary()))
	return err
}

// because names what the step rests on.
func (s *holderStep) because() string {
	var parts []string
	for i := range s.Grants {
		parts = append(parts, s.Grants[i].String())
	}
	return strings.Join(parts, ", and ")
}

func (g *holderGrant) String() string {
	if g.Policy == nil || g.Statement == nil {
		switch g.Layer {
		case "identity":
			return "being the root user"
		case "exempt":
			return "nothing: no permission is needed"
		}
		return "the " + g.Layer + " of the resource"
	}
	out := fmt.Sprintf("statement %d", g.Statement.Index+1)
	if g.Statement.Sid != "" {
		out += " (" + g.Statement.Sid + ")"
	}
	switch {
	case g.Layer == "trust":
		return out + " of the trust policy"
	case g.Layer == "resource":
		return out + " of the resource's policy"
	case g.Policy.Arn == "":
		return out + " of inline policy " + g.Policy.Name + " of " + g.Policy.Owner
	case g.GroupArn != "":
		return out + " of " + g.Policy.Arn + " by " + g.GroupArn
	}
	return out + " of " + g.Policy.Arn
}

// summary is what the list does not show.
func (found *holders) summary() string {
	var b strings.Builder
	if len(found.Principals) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d of %d principals can.\n", found.Total, found.Asked)
	if len(found.MissingContextKeys) > 0 {
		b.WriteString("Policies also read keys that the question does not give: " + oneLine(strings.Join(found.MissingContextKeys, ", ")))
		if found.MissingContextKeysTruncated {
			b.WriteString(" and more")
		}
		b.WriteString(".\n")
	}
	if found.Partial {
		b.WriteString("The search for chains of roles came to its bounds: others may be able to by further roles.\n")
	}
	return b.String()
}
