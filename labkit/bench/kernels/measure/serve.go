package measure

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"labkit.dev/kernels/kernel"
	"labkit.dev/kernels/usage"
)

// ServeSchema numbers the JSON shapes that Serve prints.
const ServeSchema = 1

// NominalUnits is the work of a kernel as it is; Order.Units is counted against it.
const NominalUnits = 100

// probeTime is how long a probe spins on each thread: several of a scheduler's shortest turns.
const probeTime = 3 * time.Millisecond

// At most so many slices, and about so long, are run before the first one that counts.
const (
	warmUpSlices = 24
	warmUpTime   = 50 * time.Millisecond
)

// ErrOrder is wrapped by the error of an order, or of a line on the standard input, that makes no sense.
var ErrOrder = errors.New("wrong order")

// Order says how Serve runs its kernel.
type Order struct {
	Iterations int           // nominal ones in each slice; 0: calibrated for SliceTime
	SliceTime  time.Duration // what a slice is calibrated for
	// Units is the work done for each NominalUnits, so that a slowdown of a known size can be made: with 105, a slice of
	// 20 nominal iterations does 21 and says that it did 20.
	Units int
}

// Greeting is the first line that Serve prints: the kernel has been set up and checked, and slices may be asked for.
type Greeting struct {
	Schema         int    `json:"schema"`
	SuiteVersion   int    `json:"suite_version"`
	Kernel         string `json:"kernel"`
	SingleThreaded bool   `json:"single_threaded"`
	Threads        int    `json:"threads"`            // that work at the same time
	NeedsWallTime  bool   `json:"needs_wall_time"`    // it waits by nature: its CPU time is not what it is about
	Refused        bool   `json:"refused_translated"` // under a translator it would tell of the host
	Iterations     int    `json:"iterations"`         // nominal ones in a slice
	Units          int    `json:"units"`
	GOOS           string `json:"goos"`
	GOARCH         string `json:"goarch"`
	GoVersion      string `json:"go_version"`
	GOMAXPROCS     int    `json:"gomaxprocs"`
	Translated     *bool  `json:"translated"`  // sysctl.proc_translated; null where there is no such thing
	CPUName        string `json:"cpu_name"`    // what CPUID says of itself; empty where there is no such instruction
	ExecutedBy     string `json:"executed_by"` // the program that the system runs: this one, or a translator; empty if unknown
}

// ServedSlice is the answer to the line "slice".
type ServedSlice struct {
	Iterations          int   `json:"iterations"` // nominal
	WallTimeNs          int64 `json:"wall_time_ns"`
	CPUTimeNs           int64 `json:"cpu_time_ns"` // user and system, of the process and of the children it waited for
	InvoluntarySwitches int64 `json:"involuntary_switches"`
}

// Probe is the answer to the line "probe N": what N threads got that did nothing but want to run.
type Probe struct {
	Threads    int   `json:"threads"`
	WallTimeNs int64 `json:"wall_time_ns"`
	CPUTimeNs  int64 `json:"cpu_time_ns"`
}

// Serve sets a kernel up, checks it, and then answers each line of in with one line of JSON, to the end of in.
func Serve(k kernel.Kernel, order Order, in io.Reader, out io.Writer) error {
	instance, err := k.Setup()
	if err != nil {
		return fmt.Errorf("%s: set-up failed: %w", k.Name, err)
	}
	defer instance.Close()
	if err := instance.Check(); err != nil {
		return fmt.Errorf("%s: %w: %w", k.Name, ErrCheck, err)
	}
	nominal, real, err := order.plan(func(n int) (Slice, error) { return timed(instance, n) })
	if err != nil {
		return fmt.Errorf("%s: %w", k.Name, err)
	}
	runtime.GC() // every process starts its slices with a swept heap
	answer := json.NewEncoder(out)
	err = answer.Encode(Greeting{
		Schema: ServeSchema, SuiteVersion: kernel.SuiteVersion, Kernel: k.Name, SingleThreaded: k.SingleThreaded,
		Threads: k.Threads, NeedsWallTime: k.NeedsWallTime, Refused: k.RefusedTranslated,
		Iterations: nominal, Units: order.Units,
		GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, GoVersion: runtime.Version(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		Translated: usage.Translated(), CPUName: usage.CPUName(), ExecutedBy: usage.ExecutedBy(),
	})
	lines := bufio.NewScanner(in)
	for err == nil && lines.Scan() {
		var said any
		if said, err = reply(instance, lines.Text(), nominal, real); err == nil {
			err = answer.Encode(said)
		}
	}
	return errors.Join(err, lines.Err())
}

func reply(instance kernel.Instance, line string, nominal, real int) (any, error) {
	if line == "slice" {
		return serveSlice(instance, nominal, real)
	}
	threads := 0
	if _, err := fmt.Sscanf(line, "probe %d", &threads); err != nil || threads < 1 || threads > 1024 {
		return nil, fmt.Errorf("%w: %q; wanted \"slice\" or \"probe THREADS\"", ErrOrder, line)
	}
	return probe(threads)
}

func serveSlice(instance kernel.Instance, nominal, real int) (ServedSlice, error) {
	before, err := usage.Read()
	if err != nil {
		return ServedSlice{}, err
	}
	start := time.Now()
	if err := instance.Run(real); err != nil {
		return ServedSlice{}, err
	}
	wall := time.Since(start)
	after, err := usage.Read()
	return ServedSlice{
		Iterations: nominal, WallTimeNs: wall.Nanoseconds(), CPUTimeNs: (after.CPUTime - before.CPUTime).Nanoseconds(),
		InvoluntarySwitches: after.InvoluntarySwitches - before.InvoluntarySwitches,
	}, err
}

// probe spins on so many threads at once. Where a kernel sleeps by nature, its own CPU share says nothing of the machine;
// that of threads that never sleep does.
func probe(threads int) (Probe, error) {
	before, err := usage.Read()
	if err != nil {
		return Probe{}, err
	}
	start := time.Now()
	var running sync.WaitGroup
	for i := 0; i < threads; i++ {
		running.Add(1)
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			defer running.Done()
			for time.Since(start) < probeTime {
			}
		}()
	}
	running.Wait()
	wall := time.Since(start)
	after, err := usage.Read()
	return Probe{
		Threads: threads, WallTimeNs: wall.Nanoseconds(), CPUTimeNs: (after.CPUTime - before.CPUTime).Nanoseconds(),
	}, err
}

// plan returns how many iterations a slice says that it did, and how many it does.
func (o Order) plan(try func(iterations int) (Slice, error)) (nominal, real int, err error) {
	if o.Units < 1 || o.Iterations < 0 || o.Iterations > 1<<40 || o.Units > 100*NominalUnits {
		return 0, 0, fmt.Errorf("%w: %d iterations of %d units", ErrOrder, o.Iterations, o.Units)
	}
	nominal = o.Iterations
	if nominal == 0 {
		if nominal, err = calibrate(try, o.SliceTime); err != nil {
			return 0, 0, err
		}
		step := NominalUnits / gcd(o.Units, NominalUnits)
		nominal = (nominal + step - 1) / step * step
	}
	if nominal*o.Units%NominalUnits != 0 {
		return 0, 0, fmt.Errorf("%w: %d iterations of %d units are not a whole number", ErrOrder, nominal, o.Units)
	}
	real = nominal * o.Units / NominalUnits
	return nominal, real, warmUp(try, real)
}

// warmUp runs slices that do not count. A process's first ones touch memory that the system has yet to map, until its
// collector has run once or twice; how many they are depends on what a slice does.
func warmUp(try func(iterations int) (Slice, error), real int) error {
	start := time.Now()
	for i := 0; i < warmUpSlices && time.Since(start) < warmUpTime; i++ {
		if _, err := try(real); err != nil {
			return err
		}
	}
	return nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
