package state

import (
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Membership is an account's place in its organization, and the organization's policies above it (docs/spec/evaluation.md 6.1, 6.2). It never
// changes; siblings share what they have in common.
type Membership struct {
	Organization string // "o-…"
	Management   bool   // the account is the management account: neither SCPs nor RCPs apply to it
	Path         string // the account's OrgPath, "o-id/r-id/ou-id/"
	// SCP and RCP have one set for each node from the root down to the account; nil where the type is not enabled, or for the management
	// account.
	SCP, RCP []*policy.Set
	Epoch    storage.Rev // rises with every change of the tree, its policies, attachments and enabled types
}
