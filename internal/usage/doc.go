// Package usage remembers when access keys were last used, and for what. Roles, whose temporary keys come and go, stand in it by their
// unique id: what is said of keys holds for them too.
//
// Use is seen on every request and must cost next to nothing, so it never passes through a transaction: it is kept in memory, answered
// from there at once, and written every 30 seconds and at shutdown to units of its own, usage/<account id>/<node>. A crash loses what was
// not written yet. What several nodes have seen is merged as the maximum, as it arrives in the log of the store. Keys that no longer exist
// are forgotten a day after their last use (KeepOnly).
//
// The package does not know users, permissions or requests.
package usage
