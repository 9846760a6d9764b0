// Package reference decides requests a second time, slowly, from the text of the specification: one file per chapter, no compiled
// form, no fast path. It is the oracle that package policy is compared with, by case files, fuzzing and a seeded generator.
//
// It imports nothing of policy but its types, and shares no code with it. It evaluates docs/spec/policy-language.md 3 to 11 and
// docs/spec/evaluation.md 3, 4.2, 5, 6.3, 6.6, 8.1, 10.2 and 10.3 for identity, boundary, session, resource and trust policies. Service
// control, resource control and endpoint policies, ACLs and the exempt calls of evaluation.md 4.4 are not in it.
package reference
