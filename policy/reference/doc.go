// Package reference decides requests a second time, slowly, from the text of the specification: one file per chapter, no compiled
// form, no fast path. It is the oracle that package policy is compared with, by case files, fuzzing and a seeded generator.
//
// It imports nothing of policy but its types, and shares no code with it. It evaluates what docs/spec/policy-language.md 3 (escapes), 4, 5
// and 7 and docs/spec/evaluation.md 3 and 4.2 say about identity policies; a document with anything else is an error.
package reference
