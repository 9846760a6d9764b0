// Package gatehouse_test holds what must be true of the whole tree: who may import whom (deps_test.go), how files look (tree_test.go),
// that every operation of the models is either served or listed with a reason (completeness_test.go), what programs that take the public
// packages get (embed_test.go).
//
// It knows the layout of the repository and nothing of how its parts work. There is no package gatehouse beside it.
package gatehouse_test
