// Package usage asks the system what this process has used, and the children it has waited for.
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
	MinorFaults         int64 // pages that the system had to map, without reading a disk
}

// Read returns the counts of now, by getrusage(2): this process's and those of its children that have ended.
func Read() (Usage, error) {
	own, err := read(syscall.RUSAGE_SELF)
	if err != nil {
		return Usage{}, err
	}
	children, err := read(rusageChildren)
	return counted(own).plus(counted(children)), err
}

// rusageChildren is RUSAGE_CHILDREN, which package syscall names on Linux alone; it is -1 on every system at hand.
const rusageChildren = -1

func counted(r syscall.Rusage) Usage {
	return Usage{
		CPUTime:             time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		InvoluntarySwitches: int64(r.Nivcsw),
		MinorFaults:         int64(r.Minflt),
	}
}

func (u Usage) plus(other Usage) Usage {
	return Usage{
		CPUTime:             u.CPUTime + other.CPUTime,
		InvoluntarySwitches: u.InvoluntarySwitches + other.InvoluntarySwitches,
		MinorFaults:         u.MinorFaults + other.MinorFaults,
	}
}

func read(whose int) (syscall.Rusage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(whose, &r); err != nil {
		return r, fmt.Errorf("getrusage: %w", err)
	}
	return r, nil
}
