package kernel

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

func atomicKernels() []Kernel {
	all := uncontendedAtomics()
	if severalProcessors() {
		all = append(all, contendedAtomics()...)
	}
	return all
}

// atomicWork is one of package sync/atomic's operations in a loop; it returns what verify looks at.
type atomicWork struct {
	name, title, checked string
	own                  func(word *uint64, n int) uint64
	other                func(word *uint64, n int) uint64 // what the second goroutine does
	// wrong says what is wrong with the word and with own's return after n more operations by each of so many goroutines.
	wrong func(before, after, returned uint64, n, goroutines int) bool
}

func atomicWorks() []atomicWork {
	sums := func(before, after, _ uint64, n, goroutines int) bool { return after != before+uint64(n*goroutines) }
	return []atomicWork{
		{"add", "atomic.AddUint64", "the word is the sum", atomicAdd, atomicAdd, sums},
		{"cas", "atomic.CompareAndSwapUint64 until it succeeds", "the word is the sum", atomicCAS, atomicCAS, sums},
		{
			"load", "atomic.LoadUint64", "no load gives less than the one before it, the last gives the word", atomicLoad, atomicStore,
			func(before, after, returned uint64, n, goroutines int) bool {
				if goroutines == 1 {
					return after != before || returned != before
				}
				return returned == fellBack || after != uint64(n)
			},
		},
		{
			"store", "atomic.StoreUint64", "the word is what was stored last", atomicStore, atomicStore,
			func(_, after, _ uint64, n, _ int) bool { return after != uint64(n) },
		},
	}
}

func uncontendedAtomics() []Kernel { return atomicsOf(1) }
func contendedAtomics() []Kernel   { return atomicsOf(2) }

func atomicsOf(goroutines int) []Kernel {
	var all []Kernel
	for _, w := range atomicWorks() {
		w := w // Go 1.21 has one variable a loop
		k := Kernel{
			Name: "atomic-" + w.name, Title: w.title + ", one goroutine", Checked: w.checked, Family: "atomics",
			Operation: "atomic operation", SingleThreaded: true, Threads: goroutines,
			Setup: func() (Instance, error) { return newWord(w, goroutines), nil },
		}
		if goroutines > 1 {
			k.Name, k.Title = k.Name+"-contended", w.title+", two goroutines and one word"
			k.SingleThreaded, k.NeedsWallTime = false, true
			if w.name == "load" {
				k.Title = w.title + " while another goroutine stores"
			}
		}
		all = append(all, k)
	}
	return all
}

// word is the one word that an atomic kernel works on, alone on its line.
type word struct {
	atomicWork
	goroutines              int
	block                   []uint64
	at                      *uint64
	before, after, returned uint64
	n                       int
}

func newWord(w atomicWork, goroutines int) *word {
	block := make([]uint64, 3*apart/8)
	start := unsafe.Pointer(&block[0])
	return &word{
		atomicWork: w, goroutines: goroutines, block: block, at: (*uint64)(unsafe.Add(start, -uintptr(start)&(apart-1)+apart)),
	}
}

func (k *word) Run(n int) error {
	k.before, k.n = *k.at, n
	if k.goroutines == 1 {
		k.returned = k.own(k.at, n)
	} else {
		*k.at = 0 // the storers count from 1
		k.before = 0
		together(func() { k.other(k.at, n) }, func() { k.returned = k.own(k.at, n) })
	}
	k.after = *k.at
	return nil
}

// Check does enough for two goroutines to meet: some milliseconds.
func (k *word) Check() error {
	if err := k.Run(1 << 20); err != nil {
		return err
	}
	return k.verify()
}

func (k *word) verify() error {
	if k.wrong(k.before, k.after, k.returned, k.n, k.goroutines) {
		return fmt.Errorf("after %d times %s in %d goroutines the word went from %d to %d, and %d came back",
			k.n, k.name, k.goroutines, k.before, k.after, k.returned)
	}
	return nil
}

func (k *word) PayloadBytes() int { return 8 }
func (k *word) Close()            {}

//go:noinline
func atomicAdd(word *uint64, n int) uint64 {
	last := uint64(0)
	for ; n > 0; n-- {
		last = atomic.AddUint64(word, 1)
	}
	return last
}

//go:noinline
func atomicCAS(word *uint64, n int) uint64 {
	for ; n > 0; n-- {
		for old := atomic.LoadUint64(word); !atomic.CompareAndSwapUint64(word, old, old+1); {
			old = atomic.LoadUint64(word)
		}
	}
	return 0
}

// fellBack is what atomicLoad returns when a load gave less than the one before it.
const fellBack = ^uint64(0)

//go:noinline
func atomicLoad(word *uint64, n int) uint64 {
	last, fell := uint64(0), false
	for ; n > 0; n-- {
		now := atomic.LoadUint64(word)
		fell = fell || now < last
		last = now
	}
	if fell {
		return fellBack
	}
	return last
}

//go:noinline
func atomicStore(word *uint64, n int) uint64 {
	for i := 1; i <= n; i++ {
		atomic.StoreUint64(word, uint64(i))
	}
	return 0
}
