package kernel

import (
	"fmt"
	"sync"
	"unsafe"
)

// apart keeps what stands between two of them off each other's lines, whatever a line's length on the chips at hand.
const apart = 256

func sharingKernels() []Kernel {
	if !severalProcessors() {
		return nil
	}
	return sharing()
}

func sharing() []Kernel {
	return []Kernel{swept(Kernel{
		Name:              "false-sharing",
		Title:             "two goroutines, each adding to a counter of its own, so many bytes apart",
		Checked:           "each counter is what its goroutine added",
		Family:            "sharing",
		Operation:         "increment",
		Threads:           2,
		NeedsWallTime:     true,
		RefusedTranslated: true,
	}, "bytes", 8, []int64{8, 64, 128, 256}, newNeighbours)}
}

// neighbours are two counters; the first stands at the start of a line of any length.
type neighbours struct {
	block         []uint64
	first, second *uint64
	added         uint64
}

func newNeighbours(distance int64) (Instance, error) {
	if distance < 8 || distance%8 != 0 || distance > 1<<20 {
		return nil, fmt.Errorf("%d bytes apart: a multiple of 8 up to 1 MiB is needed", distance)
	}
	block := make([]uint64, (3*apart+distance)/8)
	start := unsafe.Pointer(&block[0])
	first := unsafe.Add(start, -uintptr(start)&(apart-1))
	return &neighbours{block: block, first: (*uint64)(first), second: (*uint64)(unsafe.Add(first, distance))}, nil
}

func (k *neighbours) Run(n int) error {
	together(func() { increment(k.second, n) }, func() { increment(k.first, n) })
	k.added += uint64(n)
	return nil
}

func (k *neighbours) Check() error { return once(k) }

func (k *neighbours) verify() error {
	if *k.first != k.added || *k.second != k.added {
		return fmt.Errorf("the counters are %d and %d, not %d", *k.first, *k.second, k.added)
	}
	return nil
}

func (k *neighbours) PayloadBytes() int { return 16 }
func (k *neighbours) Close()            {}

// increment reads, adds and writes each time: Go's compiler keeps no counter behind a pointer in a register.
//
//go:noinline
func increment(counter *uint64, n int) {
	for ; n > 0; n-- {
		*counter++
	}
}

// together runs two pieces of work at the same time.
func together(other, own func()) {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		other()
	}()
	own()
	done.Wait()
}
