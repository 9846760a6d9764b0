package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/offline"
)

// simulateFlags are what the flags of gatehouse simulate give.
type simulateFlags struct {
	identity, session, scp, rcp                     []string
	boundary, resourcePolicy, trustPolicy, endpoint string
	gateway                                         bool
	accountDetails, principal, caller, owner        string
	actions, resources, checks, context             []string
	expect, output                                  string
	suites, services                                []string
	policiesOnly, unchecked                         bool
}

func (a *app) simulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Say what policies in files would decide, and why",
		Long: `Say what policies in files would decide, and why. No server is asked.

Policies are given layer by layer, or come from a dump of an account that "aws iam get-account-authorization-details" made. --suite runs the
cases of a test suite instead; docs/simulate.md describes its format, and that of the JSON output.

--check gives the checks of one call that needs several, the operation's own first: one for each resource that it names, and the actions that
it needs besides, such as iam:PassRole. The call is allowed only if all of them are; --expect is about the call.

A policy is a file, "-" for standard input, the ARN of an AWS managed policy, or FullAWSAccess for --scp.

--scp and --rcp come in the order of levels, the organization's root first; LEVEL=FILE, counted from 0, gives one level several policies.
Every level must allow; RCPFullAWSAccess is on every level of --rcp by itself.

--caller is a user's ARN, a root user's, "ROLE-ARN as SESSION", "FEDERATED-USER-ARN by ISSUER-ARN", a session's ARN, a service such as
ec2.amazonaws.com, an identity provider's ARN, or anonymous. Without it the identity policies are asked for nobody in particular. The keys
that follow from the caller (aws:PrincipalArn, aws:username, …) are in the context; all others come from --context.

Exit codes: 0 as expected, or nothing was expected; 1 not as expected; 2 bad input.`,
		Example: `  gatehouse simulate --identity dev.json --action s3:GetObject --resource arn:aws:s3:::data/x --expect deny
  gatehouse simulate --account-details dump.json --principal arn:aws:iam::111111111111:user/alice --action iam:CreateUser
  gatehouse simulate --identity dev.json --check lambda:CreateFunction=arn:aws:lambda:eu-west-1:111111111111:function:f \
    --check iam:PassRole=arn:aws:iam::111111111111:role/app --context iam:PassedToService=lambda.amazonaws.com
  gatehouse simulate --suite policies.yaml --output junit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simulate(cmd, &f) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringArrayVar(&f.actions, "action", nil, "`action` to ask, prefix:Name; may be repeated")
	fl.StringArrayVar(&f.resources, "resource", nil, "`ARN` of the resource; may be repeated (default \"*\")")
	fl.StringArrayVar(&f.checks, "check", nil, "`ACTION[=ARN]`: a check of one call (default \"*\"); may be repeated")
	fl.StringVar(&f.caller, "caller", "", "`who` asks")
	fl.StringVar(&f.owner, "owner", "", "`account` of the resource (default that in its ARN, else the caller's)")
	fl.StringArrayVar(&f.context, "context", nil, "context key, `KEY=VALUE`, or KEY=[a,b] for a key of several values; may be repeated")
	fl.StringArrayVar(&f.identity, "identity", nil, "`file` with an identity policy; may be repeated")
	fl.StringVar(&f.boundary, "boundary", "", "`file` with the permissions boundary")
	fl.StringArrayVar(&f.session, "session", nil, "`file` with a session policy; may be repeated")
	fl.StringArrayVar(&f.scp, "scp", nil, "`[LEVEL=]file` with a service control policy; may be repeated")
	fl.StringArrayVar(&f.rcp, "rcp", nil, "`[LEVEL=]file` with a resource control policy; may be repeated")
	fl.StringVar(&f.resourcePolicy, "resource-policy", "", "`file` with the policy of the resource")
	fl.StringVar(&f.trustPolicy, "trust-policy", "", "`file` with the trust policy of the role that is the resource")
	fl.StringVar(&f.endpoint, "endpoint-policy", "", "`file` with the policy of the VPC endpoint")
	fl.BoolVar(&f.gateway, "gateway-endpoint", false, "the VPC endpoint is a gateway endpoint")
	fl.StringVar(&f.accountDetails, "account-details", "", "`file` with the output of aws iam get-account-authorization-details")
	fl.StringVar(&f.principal, "principal", "", "`ARN` of the user or role there who asks, with its policies, groups and boundary")
	fl.StringVar(&f.expect, "expect", "", "allow, deny, explicit-deny or implicit-deny: the `answer` that is right")
	fl.StringArrayVar(&f.suites, "suite", nil, "YAML `file` with a test suite; may be repeated")
	fl.StringArrayVar(&f.services, "services", nil, "JSON `file` with services of your own, or what AWS's lack; may be repeated")
	fl.BoolVar(&f.policiesOnly, "no-catalog", false, "decide by the policies alone, whether or not there is such an action")
	fl.BoolVar(&f.unchecked, "unchecked", false, "take policies that AWS would refuse today")
	fl.StringVar(&f.output, "output", "table", "`form` of the answer: table, json or junit")
	complete(cmd, "expect", "allow", "deny", "explicit-deny", "implicit-deny")
	complete(cmd, "output", "table", "json", "junit")
	return cmd
}

// complete offers the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // a flag that is not there, or twice: every test of the command sees it
	}
}

// simulation are questions that are asked together.
type simulation struct {
	suite     string // "" for those of the flags
	asker     *offline.Asker
	questions []*offline.Question
}

// simulate answers only when everything is read: what is bad input prints nothing.
func (a *app) simulate(cmd *cobra.Command, f *simulateFlags) error {
	out := bufio.NewWriter(a.stdout)
	reporter, err := offline.NewReporter(f.output, out)
	if err != nil {
		return usageErrorf("--output: %w", err)
	}
	prepare := a.askFlags
	if len(f.suites) > 0 {
		prepare = a.askSuites
	}
	simulations, err := prepare(cmd, f)
	if err != nil {
		return usageError{err}
	}
	for _, s := range simulations {
		if err := s.asker.Prepare(s.questions); err != nil {
			return usageError{err}
		}
	}
	wrong, asked := 0, 0
	for _, s := range simulations {
		if err := reporter.Begin(s.suite); err != nil {
			return err
		}
		for _, q := range s.questions {
			answer, err := s.asker.Ask(q)
			if err != nil {
				return usageError{err}
			}
			if answer.Difference != "" {
				wrong++
			}
			asked++
			if err := reporter.Answer(answer); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(reporter.Close(), out.Flush()); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d answers not as expected", wrong, asked)
	}
	return nil
}

// askSuites reads test suites, which say everything themselves.
func (a *app) askSuites(cmd *cobra.Command, f *simulateFlags) ([]*simulation, error) {
	var other string
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if flag.Name != "suite" && flag.Name != "output" {
			other = flag.Name
		}
	})
	if other != "" {
		return nil, fmt.Errorf("--%s does not go with --suite: the suite says it", other)
	}
	var out []*simulation
	files := a.files()
	for _, name := range f.suites {
		text, err := files(name, offline.MaxSuite)
		if err != nil {
			return nil, err
		}
		suite, err := offline.ReadSuite(name, text)
		if err != nil {
			return nil, err
		}
		asker, err := newAsker(files, suite.Services, suite.AccountDetails)
		if err != nil {
			return nil, err
		}
		asker.PoliciesOnly, asker.Unchecked = suite.PoliciesOnly, suite.Unchecked
		out = append(out, &simulation{suite.Name, asker, suite.Cases})
	}
	return out, nil
}

// askFlags asks every action on every resource.
func (a *app) askFlags(_ *cobra.Command, f *simulateFlags) ([]*simulation, error) {
	switch {
	case len(f.actions) == 0 && len(f.checks) == 0:
		return nil, errors.New("what is asked? Give --action, --check or --suite")
	case len(f.checks) > 0 && len(f.actions)+len(f.resources) > 0:
		return nil, errors.New("--check does not go with --action and --resource: it names both, for one call")
	case f.accountDetails != "" && f.principal == "" && f.caller == "":
		return nil, fmt.Errorf("who asks? Give --principal, the ARN of a user or role of %s", f.accountDetails)
	case f.owner != "" && (len(f.owner) != 12 || strings.Trim(f.owner, "0123456789") != ""):
		return nil, fmt.Errorf("--owner: %q is not the id of an account, 12 digits", f.owner)
	}
	base := offline.Question{Principal: f.principal, Caller: f.caller, Owner: f.owner}
	var err error
	if base.Policies, err = f.policies(); err != nil {
		return nil, err
	}
	for _, text := range f.context {
		key, err := offline.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("--context: %w", err)
		}
		base.Context = append(base.Context, key)
	}
	if f.expect != "" {
		if base.Expect, err = offline.NewExpect(f.expect); err != nil {
			return nil, fmt.Errorf("--expect: %w", err)
		}
	}
	s := &simulation{}
	if s.questions, err = f.questions(&base); err != nil {
		return nil, err
	}
	if err := f.roles(s.questions); err != nil {
		return nil, err
	}
	if s.asker, err = newAsker(a.files(), f.services, f.accountDetails); err != nil {
		return nil, err
	}
	s.asker.PoliciesOnly, s.asker.Unchecked = f.policiesOnly, f.unchecked
	return []*simulation{s}, nil
}

// questions are the call, or every action on every resource, over what all have in common.
func (f *simulateFlags) questions(base *offline.Question) ([]*offline.Question, error) {
	if len(f.checks) > 0 {
		q := *base
		for _, text := range f.checks {
			action, resource, given := strings.Cut(text, "=")
			switch {
			case action == "" || given && resource == "":
				return nil, fmt.Errorf("--check: %q has not the form ACTION=ARN", text)
			case !given:
				resource = "*"
			}
			q.Checks = append(q.Checks, &offline.Question{Action: action, Resource: resource})
		}
		return []*offline.Question{&q}, nil
	}
	resources := f.resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	if len(f.actions)*len(resources) > offline.MaxQuestions {
		return nil, fmt.Errorf("%d actions on %d resources: at most %d together", len(f.actions), len(resources), offline.MaxQuestions)
	}
	var list []*offline.Question
	for _, action := range f.actions {
		for _, resource := range resources {
			q := *base
			q.Action, q.Resource = action, resource
			list = append(list, &q)
		}
	}
	return list, nil
}

// roles refuses policies that no question would read: of roles that are assumed the trust policy counts, and of nothing else. Those of a call are
// for its operation's service.
func (f *simulateFlags) roles(questions []*offline.Question) error {
	sts := func(q *offline.Question) bool { return strings.HasPrefix(strings.ToLower(q.Action), "sts:") }
	if checks := questions[0].Checks; checks != nil && sts(checks[0]) {
		questions = checks
	}
	assumes := slices.ContainsFunc(questions, func(q *offline.Question) bool { return sts(q) && strings.Contains(q.Resource, ":role/") })
	switch {
	case f.trustPolicy != "" && !assumes:
		return errors.New("--trust-policy is for actions of sts on the ARN of a role: give both, or --resource-policy for another resource")
	case f.resourcePolicy != "" && f.trustPolicy == "" && assumes:
		return errors.New("--resource-policy is not read where a role is assumed: give its --trust-policy")
	}
	return nil
}

// policies are those of the flags.
func (f *simulateFlags) policies() (p offline.Policies, err error) {
	list := func(files []string) (refs []offline.PolicyRef) {
		for _, file := range files {
			refs = append(refs, offline.PolicyRef{File: file})
		}
		return refs
	}
	one := func(file string) *offline.PolicyRef {
		if file == "" {
			return nil
		}
		return &offline.PolicyRef{File: file}
	}
	p.Identity, p.Session = list(f.identity), list(f.session)
	p.Boundary, p.Resource, p.Trust, p.Endpoint = one(f.boundary), one(f.resourcePolicy), one(f.trustPolicy), one(f.endpoint)
	if p.Gateway = f.gateway; p.Gateway && p.Endpoint == nil {
		return p, errors.New("--gateway-endpoint goes with --endpoint-policy")
	}
	if p.SCP, err = levels("scp", f.scp); err == nil {
		p.RCP, err = levels("rcp", f.rcp)
	}
	return p, err
}

// levels reads "LEVEL=FILE", or one file for each level.
func levels(flag string, values []string) ([][]offline.PolicyRef, error) {
	var out [][]offline.PolicyRef
	numbered := 0
	for _, v := range values {
		level := len(out)
		if number, file, ok := strings.Cut(v, "="); ok {
			if n, err := strconv.ParseUint(number, 10, 8); err == nil {
				numbered++
				level, v = int(n), file
			}
		}
		if level >= offline.MaxLevels {
			return nil, fmt.Errorf("--%s: level %d: there are at most %d", flag, level, offline.MaxLevels)
		}
		for len(out) <= level {
			out = append(out, nil)
		}
		out[level] = append(out[level], offline.PolicyRef{File: v})
	}
	if numbered != 0 && numbered != len(values) {
		return nil, fmt.Errorf("--%s: give all of them with LEVEL=, or none", flag)
	}
	for level, refs := range out {
		if refs == nil {
			return nil, fmt.Errorf("--%s: level %d has no policy, and would allow nothing: give it FullAWSAccess, or number the levels from 0", flag, level)
		}
	}
	return out, nil
}

// newAsker reads what questions are asked against.
func newAsker(files offline.Files, services []string, accountDetails string) (*offline.Asker, error) {
	asker := &offline.Asker{Files: files}
	var err error
	if asker.Catalog, err = readCatalog(files, services); err != nil {
		return nil, err
	}
	if accountDetails != "" {
		text, err := files(accountDetails, offline.MaxDump)
		if err != nil {
			return nil, err
		}
		if asker.Dump, err = offline.ReadDump(accountDetails, text); err != nil {
			return nil, err
		}
	}
	return asker, nil
}

// readCatalog is the catalogue with services of one's own.
func readCatalog(files offline.Files, services []string) (*catalog.Catalog, error) {
	c := catalog.Builtin()
	for _, name := range services {
		text, err := files(name, catalog.MaxFileSize)
		if err != nil {
			return nil, err
		}
		own, err := catalog.Read(strings.NewReader(text))
		if err == nil {
			c, err = c.With(own...)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return c, nil
}

// files reads files, and standard input once, as "-".
func (a *app) files() offline.Files {
	taken := false
	return func(name string, most int64) (string, error) {
		var r io.Reader
		var size int64
		switch {
		case name != "-":
			f, err := os.Open(name)
			if err != nil {
				return "", err
			}
			defer f.Close()
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				size = min(info.Size(), most)
			}
			r = f
		case taken:
			return "", errors.New("standard input can be read once only")
		case a.stdin == nil:
			return "", errors.New("there is no standard input")
		default:
			taken, name, r = true, "standard input", a.stdin
		}
		var b strings.Builder
		b.Grow(int(size))
		n, err := io.Copy(&b, io.LimitReader(r, most+1))
		if err == nil && n > most {
			err = fmt.Errorf("%s is larger than %d bytes", name, most)
		}
		return b.String(), err
	}
}
