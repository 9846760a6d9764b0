// Package casbin is Casbin in the comparison: a rule of its model for every statement, in an enforcer for every principal.
//
// The effect is Casbin's own allow-and-deny. Its built-in matchers have no * that passes over a slash, so that actions, resources and
// conditions are compared by functions registered for them, which is how Casbin is extended; they read their part of a rule once and keep it.
package casbin
