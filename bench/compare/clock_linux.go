package compare

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is what the calling thread has had of a processor: on a machine with other work a truer measure than the clock on the wall. What the
// collector does beside the thread is in neither.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // every Linux has it
	}
	return time.Duration(t.Nano())
}
