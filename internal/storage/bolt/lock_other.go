//go:build !unix

package bolt

import (
	"os"
	"time"
)

// lock does nothing: bbolt's own lock comes after the check of the file, so a second process may find the file damaged that another writes,
// instead of in use. It never writes it.
func lock(*os.File, time.Duration) error { return nil }
