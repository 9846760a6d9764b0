package policy

import (
	"fmt"
	"strings"
)

// Messages of docs/spec/policy-language.md 8.5. AWS's text for providers other than GitHub's is inferred from that one.
const (
	messageUnscoped = "Trust policy with trusted principal %s must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, %s which is not scoped to all."
	messageCognito  = "A condition block must be present for the Cognito provider"
)

// sharedProviders are the OIDC issuers that serve everybody, each with the claims of which one must be tested.
var sharedProviders = map[string][]string{
	"token.actions.githubusercontent.com":   {"sub", "job_workflow_ref"},
	"vstoken.actions.githubusercontent.com": {"sub"},
	"gitlab.com":                            {"sub"},
	"app.terraform.io":                      {"sub"},
	"agent.buildkite.com":                   {"sub"},
	"oidc.codefresh.io":                     {"sub"},
	"studio.datachain.ai/api":               {"sub"},
	"scalr.io":                              {"sub"},
	"tokens.cloud.shisho.dev":               {"sub"},
	"proidc.upbound.io":                     {"sub"},
	"api.pulumi.com/oidc":                   {"aud"},
	"sandboxes.cloud":                       {"aud"},
	"oidc.vercel.com":                       {"aud"},
}

// validateProviders refuses an Allow for a shared provider without a condition on its tenant.
func (d *Document) validateProviders() *Error {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Denies() || s.Principal == nil {
			continue
		}
		var scoped map[string]bool // made once it is needed
		for _, v := range s.Principal.Values {
			keys, message := tenantKeys(&v)
			if len(keys) == 0 {
				continue
			}
			if scoped == nil {
				scoped = s.scopedKeys(d.Variables())
			}
			found := false
			for _, key := range keys {
				found = found || scoped[key]
			}
			if !found {
				return malformed(v.Start, message)
			}
		}
	}
	return nil
}

// tenantKeys are the condition keys, in lower case, of which a statement must test one when it trusts v, with the message for one that
// does not; none for a provider of one tenant.
func tenantKeys(v *PrincipalValue) (keys []string, message string) {
	const cognito = "cognito-identity.amazonaws.com"
	if v.Type != "Federated" {
		return nil, ""
	}
	if v.Value == cognito {
		return []string{cognito + ":aud"}, messageCognito
	}
	url, _ := providerARN(v.Value) // what it refuses has no shared provider's
	name := strings.ToLower(url)
	for _, claim := range sharedProviders[name] {
		keys = append(keys, name+":"+claim)
	}
	return keys, fmt.Sprintf(messageUnscoped, v.Value, strings.Join(keys, " or "))
}

// scopedKeys are the condition keys, in lower case, that the statement compares with text of its own. An operator that is true without
// the key does not count.
func (s *Statement) scopedKeys(variables bool) map[string]bool {
	keys := make(map[string]bool, len(s.Conditions))
	for i := range s.Conditions {
		c := &s.Conditions[i]
		switch c.Operator {
		case StringEquals, StringLike, StringEqualsIgnoreCase:
		default:
			continue
		}
		if c.IfExists || c.Set == ForAllValues || len(c.Values) == 0 {
			continue
		}
		scoped := true
		for _, v := range c.Values { // they are alternatives, so the widest counts
			scoped = scoped && !matchesAll(v, variables)
		}
		if scoped {
			keys[strings.ToLower(c.Key)] = true
		}
	}
	return keys
}

// matchesAll says whether v is made of nothing but wildcards, and of variables, which may be the tested key itself.
func matchesAll(v string, variables bool) bool {
	if v == "" {
		return false
	}
	for v != "" {
		end := 0
		if variables && strings.HasPrefix(v, "${") {
			end = strings.IndexByte(v, '}') + 1
		}
		switch {
		case end > 0:
			if token := v[:end]; token == "${*}" || token == "${?}" || token == "${$}" {
				return false // a character that is meant
			}
			v = v[end:]
		case v[0] == '*' || v[0] == '?':
			v = v[1:]
		default:
			return false
		}
	}
	return true
}
