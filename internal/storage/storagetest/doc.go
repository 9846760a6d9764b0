// Package storagetest holds the contract of package storage as tests. Run is what every engine, and every wrapper of one, must pass. Faulty
// is a wrapper that lets calls fail before and after their effect, for the tests of those who use an engine.
//
// The package knows the contract and nothing of how an engine keeps its bytes. It must not be imported by anything but tests.
package storagetest
