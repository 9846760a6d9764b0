// Package gatehouse is package policy in the comparison.
package gatehouse
