// Package statetest opens stores for the tests of what stands above state. It knows nothing of what they put into them.
package statetest
