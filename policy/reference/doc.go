// Package reference decides requests a second time, slowly, from the text of the specification: one file per chapter, no compiled
// form, no fast path. It is the oracle that package policy is compared with, by case files, fuzzing and a seeded generator.
//
// It imports nothing of policy but its types, and shares no code with it. It evaluates docs/spec/policy-language.md 3 to 11 and
// docs/spec/evaluation.md 3, 4.2, 5, 6, 8.1, 10.2 and 10.3 for every kind of policy. Whether a call is exempt (evaluation.md 4.4), and
// whether service and resource control policies apply to an account, a service or a resource (6.1.1, 6.2.1), it is told, as package policy is.
package reference
