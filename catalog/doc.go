// Package catalog knows which services, actions, resource types and condition keys there are: AWS's (456 services), Gatehouse's own,
// and those that somebody registers for programs of their own, or adds to AWS's.
//
// It says whether an action acts on a resource (Catalog.Verdict), which condition keys an action has, which actions a pattern means, and
// the nearest name to a misspelt one. It does not know policies and decides nothing: docs/spec/evaluation.md 7 says what follows from a
// Verdict. Nor does it check that a resource exists, or that an ARN's region and account are real.
//
// AWS's part comes from collected facts (ORIGIN.md) and from additions.txt, which is kept by hand and says of each row where it is from.
// A service is decoded when it is first asked for. All that the package returns is shared and must not be changed; it is safe
// for concurrent use.
package catalog
