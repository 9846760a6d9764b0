// Package wiretest holds the tests that every generated API passes: random values of every input and output go through the codecs
// of package wire and come back unchanged. It knows the shapes of package wire, and has its own, slow encoders and decoders so
// that the two sides do not share their mistakes.
package wiretest
