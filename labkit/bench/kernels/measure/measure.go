// Package measure times one kernel in this process: check, warm-up with calibration, then slices of a fixed length. It
// summarises nothing; statistics are made over processes, by the runner.
package measure

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"labkit.dev/kernels/kernel"
	"labkit.dev/kernels/usage"
)

// Schema numbers the JSON shape of Document and List.
const Schema = 2

// ErrCheck is wrapped by the error of a kernel whose result is wrong: nothing was timed.
var ErrCheck = errors.New("check failed")

// Slice is one timed stretch.
type Slice struct {
	Iterations int   `json:"iterations"`
	WallTimeNs int64 `json:"wall_time_ns"`
	CPUTimeNs  int64 `json:"cpu_time_ns"` // user and system, of the whole process
}

// Document is what one process has to say.
type Document struct {
	Schema              int     `json:"schema"`
	SuiteVersion        int     `json:"suite_version"`
	Kernel              string  `json:"kernel"`
	Title               string  `json:"title"`
	Checked             string  `json:"checked"`
	SingleThreaded      bool    `json:"single_threaded"`
	PayloadBytes        int     `json:"payload_bytes"`
	GOOS                string  `json:"goos"`
	GOARCH              string  `json:"goarch"`
	GoVersion           string  `json:"go_version"`
	GOMAXPROCS          int     `json:"gomaxprocs"`
	Translated          *bool   `json:"translated"` // sysctl.proc_translated; null where there is no such thing
	Slices              []Slice `json:"slices"`
	AllocatedBytesPerOp float64 `json:"allocated_bytes_per_op"`
	AllocationsPerOp    float64 `json:"allocations_per_op"`
	InvoluntarySwitches int64   `json:"involuntary_switches"` // while the slices ran
	MinorFaults         int64   `json:"minor_faults"`         // likewise: pages that were mapped without reading a disk
	PeakMemoryBytes     int64   `json:"peak_memory_bytes"`    // resident, of the process's whole life
}

// Run sets a kernel up, checks it and times it: slices of about sliceTime each, all with the same number of iterations.
func Run(k kernel.Kernel, slices int, sliceTime time.Duration) (*Document, error) {
	instance, err := k.Setup()
	if err != nil {
		return nil, fmt.Errorf("%s: set-up failed: %w", k.Name, err)
	}
	defer instance.Close()
	if err := instance.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", k.Name, ErrCheck, err)
	}
	iterations, err := calibrate(func(n int) (Slice, error) { return timed(instance, n) }, sliceTime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	runtime.GC() // every process starts its slices with a swept heap
	document := &Document{
		Schema: Schema, SuiteVersion: kernel.SuiteVersion,
		Kernel: k.Name, Title: k.Title, Checked: k.Checked, SingleThreaded: k.SingleThreaded,
		PayloadBytes: instance.PayloadBytes(),
		GOOS:         runtime.GOOS, GOARCH: runtime.GOARCH, GoVersion: runtime.Version(),
		GOMAXPROCS: runtime.GOMAXPROCS(0), Translated: usage.Translated(),
		Slices: make([]Slice, slices),
	}
	if err := document.fill(instance, iterations); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	return document, nil
}

// fill runs the slices; what is counted beside their times is counted around all of them, not within.
func (d *Document) fill(instance kernel.Instance, iterations int) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	first, err := usage.Read()
	if err != nil {
		return err
	}
	for i := range d.Slices {
		if d.Slices[i], err = timed(instance, iterations); err != nil {
			return err
		}
	}
	last, err := usage.Read()
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	operations := float64(iterations) * float64(len(d.Slices))
	d.AllocatedBytesPerOp = float64(after.TotalAlloc-before.TotalAlloc) / operations
	d.AllocationsPerOp = float64(after.Mallocs-before.Mallocs) / operations
	d.InvoluntarySwitches = last.InvoluntarySwitches - first.InvoluntarySwitches
	d.MinorFaults = last.MinorFaults - first.MinorFaults
	d.PeakMemoryBytes, err = usage.PeakMemoryBytes()
	return err
}

// timed runs one slice.
func timed(instance kernel.Instance, iterations int) (Slice, error) {
	before, err := usage.Read()
	if err != nil {
		return Slice{}, err
	}
	start := time.Now()
	if err := instance.Run(iterations); err != nil {
		return Slice{}, err
	}
	wall := time.Since(start)
	after, err := usage.Read()
	if err != nil {
		return Slice{}, err
	}
	return Slice{
		Iterations: iterations, WallTimeNs: wall.Nanoseconds(), CPUTimeNs: (after.CPUTime - before.CPUTime).Nanoseconds(),
	}, nil
}

// calibrate warms the kernel up and returns how many iterations fill a slice. It counts the lesser of wall and CPU time:
// on a busy host wall time would make slices with little work in them, and a kernel with several threads spends more CPU
// time than wall time.
func calibrate(try func(iterations int) (Slice, error), sliceTime time.Duration) (int, error) {
	for n := 1; n < 1<<40; n *= 2 {
		slice, err := try(n)
		if err != nil {
			return 0, err
		}
		spent := time.Duration(min(slice.WallTimeNs, slice.CPUTimeNs))
		if spent >= sliceTime/2 {
			return max(1, int(float64(n)*float64(sliceTime)/float64(spent))), nil
		}
	}
	return 0, errors.New("calibration: the clocks do not advance")
}
