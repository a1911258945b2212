// Package kernel holds the pieces of work that labkit times. A kernel has fixed, seeded inputs and checks its own
// result; timing is package measure's. The code keeps to Go 1.21, the oldest Go of labkit's own sets.
package kernel

import (
	"strconv"
	"strings"
	"time"
)

// SuiteVersion is raised whenever a kernel's work or input changes: samples of different versions are not comparable.
const SuiteVersion = 4

// seed makes every input; it is part of the suite, not a parameter.
const seed = 20240229

// Kernel describes one piece of work.
type Kernel struct {
	Name    string // stable: records and command lines use it; with the point where one was asked for, as chase@65536
	Title   string
	Checked string // what Instance.Check verifies
	Family  string // protobuf, vtprotobuf, grpc, codegen, numeric, cgo, stream, structure, sharing, atomics, layout, faults
	// Operation is what Run's n counts: message, call, run, frame, element, load, increment, batch, cycle.
	Operation string
	// SingleThreaded says that Run works on one thread (the garbage collector apart), so that CPU time well below
	// wall time means a busy host.
	SingleThreaded bool
	Threads        int // goroutines that work at the same time
	// NeedsWallTime says that only wall time can judge it: it waits by nature, or its threads wait for each other.
	NeedsWallTime bool
	// BytesPerOp is what one operation reads and writes, as STREAM counts it, or puts on the wire; 0 where that says nothing.
	BytesPerOp int64
	// RealTime is how long the input of one operation lasts, as an audio frame does; 0 for none.
	RealTime time.Duration
	// RefusedTranslated says that under an emulator or Rosetta 2 it would tell of the host, not of the program.
	RefusedTranslated bool
	// Arms are environments to compare, such as GODEBUG=madvdontneed=0; the runner sets one when it starts the worker.
	Arms []string

	PointUnit    string  // bytes, pages: what the number after @ counts; empty for a kernel that takes none
	Points       []int64 // the points of a sweep; none where only DefaultPoint makes sense
	DefaultPoint int64   // what the name alone means
	Point        int64   // of this Kernel; DefaultPoint until Find is asked for another

	Setup func() (Instance, error)
	at    func(point int64) (Instance, error)
}

// Instance is a kernel with its input made, in one process.
type Instance interface {
	// Check runs the work once and verifies the result. No timing counts before it has passed.
	Check() error
	// Run does the work n times.
	Run(n int) error
	// PayloadBytes is the size of what one operation processes: the message on the wire, the frame in memory.
	PayloadBytes() int
	// Close releases what Setup took.
	Close()
}

// Counter is an Instance that counts more than time, such as page faults.
type Counter interface {
	// Counts returns figures per operation, over all of Run so far: name to figure.
	Counts() map[string]float64
}

// All returns every kernel that this worker can run here, in the order of the suite.
func All() []Kernel {
	all := append(protobufKernels(), echoKernels()...)
	for _, family := range [][]Kernel{
		fourierKernels(), vtprotobufKernels(), pluginKernels(), saturationKernels(), cgoKernels(), streamKernels(),
		structureKernels(), sharingKernels(), atomicKernels(), payloadKernels(), faultKernels(),
	} {
		all = append(all, family...)
	}
	return all
}

// Find returns the kernel of a name, or of a name and a point: chase, chase@65536. Whether a kernel takes that point is
// for its Setup to say.
func Find(name string) (Kernel, bool) {
	bare, number, pointed := strings.Cut(name, "@")
	for _, k := range All() {
		if k.Name != bare {
			continue
		}
		if !pointed {
			return k, true
		}
		point, err := strconv.ParseInt(number, 10, 64)
		if err != nil || k.at == nil || strconv.FormatInt(point, 10) != number {
			return Kernel{}, false // one spelling a point: records and comparisons go by the name
		}
		return k.AtPoint(point), true
	}
	return Kernel{}, false
}

// AtPoint returns a kernel at another point; the kernel has points.
func (k Kernel) AtPoint(point int64) Kernel {
	bare, _, _ := strings.Cut(k.Name, "@")
	k.Name, k.Point = bare+"@"+strconv.FormatInt(point, 10), point
	k.Setup = func() (Instance, error) { return k.at(point) }
	return k
}

// swept completes a kernel that takes a point.
func swept(k Kernel, unit string, standard int64, points []int64, at func(int64) (Instance, error)) Kernel {
	k.PointUnit, k.Points, k.DefaultPoint, k.Point, k.at = unit, points, standard, standard, at
	k.Setup = func() (Instance, error) { return at(standard) }
	return k
}

// single marks a kernel that works on one thread.
func single(k Kernel) Kernel {
	k.SingleThreaded, k.Threads = true, 1
	return k
}
