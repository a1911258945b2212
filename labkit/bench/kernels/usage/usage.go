// Package usage asks the system what this process has used.
package usage

import (
	"fmt"
	"syscall"
	"time"
)

// Usage is what the system has counted of this process so far.
type Usage struct {
	CPUTime             time.Duration // user and system, of all threads; in whole microseconds
	InvoluntarySwitches int64
}

// Read returns the counts of now, by getrusage(2).
func Read() (Usage, error) {
	r, err := read()
	return Usage{
		CPUTime:             time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		InvoluntarySwitches: int64(r.Nivcsw),
	}, err
}

func read() (syscall.Rusage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return r, fmt.Errorf("getrusage: %w", err)
	}
	return r, nil
}
