// Package offline answers questions about policies in files, without a server: what they would decide (Suite, Question), what is wrong with
// them (Validate), and what the service catalogue knows (Search). It is what the commands `gatehouse simulate`, `gatehouse validate` and
// `gatehouse catalog` do; docs/simulate.md and docs/validate.md describe them for users.
//
// It reads policies, test suites (YAML) and dumps of accounts (the answer of iam:GetAccountAuthorizationDetails), all of them untrusted: every
// size, depth and number is bounded (limits.go), and a fault is told with file, line and column. Decisions are those of package simulate.
//
// The package knows no flags, no exit codes and no server. Files come through a Files, answers go to an io.Writer.
package offline
