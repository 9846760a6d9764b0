// Package audit says what happened: one event for every call that changed something, kept inside the commit that it describes.
//
// It knows the form of an event. It does not know who may see events, or how long the log is kept.
package audit
