// Package server puts Gatehouse together: it opens an engine, makes the first account, listens, and takes every request through the chain
// of handlers to the operation it names. It is the only package that names a concrete engine.
//
// It knows configuration, listeners, health, metrics and shutdown. It does not know what operations mean.
package server
