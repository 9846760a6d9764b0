// Package plain is what anybody would write who needs an answer today: a loop over all statements, which compares actions, resources and
// conditions as they stand in the JSON. It knows the operators that the workloads use, and nothing else of the language.
package plain
