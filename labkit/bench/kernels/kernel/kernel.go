// Package kernel holds the pieces of work that labkit times. A kernel has fixed, seeded inputs and checks its own
// result; timing is package measure's. The code keeps to Go 1.21, the oldest Go of labkit's own sets.
package kernel

// SuiteVersion is raised whenever a kernel's work or input changes: samples of different versions are not comparable.
const SuiteVersion = 2

// seed makes every input; it is part of the suite, not a parameter.
const seed = 20240229

// Kernel describes one piece of work.
type Kernel struct {
	Name    string // stable: records and command lines use it
	Title   string
	Checked string // what Instance.Check verifies
	// SingleThreaded says that Run works on one thread (the garbage collector apart), so that CPU time well below
	// wall time means a busy host.
	SingleThreaded bool
	Setup          func() (Instance, error)
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

// All returns every kernel, in the order of the suite.
func All() []Kernel {
	return append(append(protobufKernels(), echoKernels()...), fourierKernels()...)
}

// Find returns the kernel of a name.
func Find(name string) (Kernel, bool) {
	for _, k := range All() {
		if k.Name == name {
			return k, true
		}
	}
	return Kernel{}, false
}
