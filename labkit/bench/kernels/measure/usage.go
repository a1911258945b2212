package measure

import (
	"fmt"
	"syscall"
	"time"
)

// usage is what the system has counted of this process.
type usage struct {
	cpuTime             time.Duration // user and system
	involuntarySwitches int64
	maxResident         int64 // bytes on macOS, kilobytes on Linux: getrusage(2) of each
}

func readUsage() (usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}, fmt.Errorf("getrusage: %w", err)
	}
	return usage{
		cpuTime:             time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		involuntarySwitches: int64(r.Nivcsw),
		maxResident:         int64(r.Maxrss),
	}, nil
}
