package kernel

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"labkit.dev/kernels/usage"
)

const faultBytes = 16 << 20

func faultKernels() []Kernel {
	return []Kernel{{
		Name:              "page-faults",
		Title:             "allocate 16 MiB, touch every page, drop it and give it back to the system",
		Checked:           "what is allocated again is zero, and each page holds what was written",
		Family:            "faults",
		Operation:         "cycle",
		Threads:           1, // the collector, which every cycle runs, has threads of its own
		RefusedTranslated: true,
		Arms:              []string{"GODEBUG=madvdontneed=0", "GODEBUG=madvdontneed=1"},
		Setup:             func() (Instance, error) { return &faults{page: os.Getpagesize()}, nil },
	}}
}

// faults is Go's heap as it grows and shrinks. How the runtime gives memory back is GODEBUG's madvdontneed (Linux and BSD;
// macOS has another way and ignores it): with 1 a page is taken at once, and touching it again is a fault; with 0 it is
// taken when memory runs short.
type faults struct {
	page   int
	block  []byte
	dirty  bool
	faults int64
	cycles int64
}

func (k *faults) Run(n int) error {
	before, err := usage.Read()
	if err != nil {
		return err
	}
	for i := 0; i < n; i++ {
		k.block = make([]byte, faultBytes)
		k.touch()
		k.block = nil
		debug.FreeOSMemory()
	}
	after, err := usage.Read()
	k.faults += after.MinorFaults - before.MinorFaults
	k.cycles += int64(n)
	return err
}

// touch writes and does not read: a page that is read first faults twice, once for the system's page of zeros.
func (k *faults) touch() {
	for at := 0; at < faultBytes; at += k.page {
		k.block[at] = byte(at/k.page) | 1
	}
}

func (k *faults) Check() error {
	if err := k.Run(2); err != nil { // twice, so that the second finds what the first has left
		return err
	}
	k.block = make([]byte, faultBytes)
	for _, b := range k.block {
		k.dirty = k.dirty || b != 0
	}
	k.touch()
	return k.verify()
}

func (k *faults) verify() error {
	if k.dirty {
		return errors.New("memory that was given back came again with something in it")
	}
	for page := 0; page < faultBytes/k.page; page++ {
		if got, want := k.block[page*k.page], byte(page)|1; got != want {
			return fmt.Errorf("page %d holds %d, not %d", page, got, want)
		}
	}
	return nil
}

// Counts returns the minor faults of a cycle, the check's included.
func (k *faults) Counts() map[string]float64 {
	return map[string]float64{"minor-faults": float64(k.faults) / float64(max(k.cycles, 1))}
}

func (k *faults) PayloadBytes() int { return faultBytes }
func (k *faults) Close()            {}
