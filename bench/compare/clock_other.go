//go:build !linux

package compare

import "time"

var start = time.Now()

// threadTime is the clock on the wall where there is no clock for a thread.
func threadTime() time.Duration { return time.Since(start) }
