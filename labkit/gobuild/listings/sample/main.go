// A program whose functions are small enough to be read as instructions: one question each.
//
// None is inlined, so that each has its own place in the program. main calls them all and prints what came of it, so
// that none is left out and a run shows that they work.
package main

import (
	"runtime"
	"sync/atomic"
)

type node struct {
	next  *node
	value int
}

var (
	word32 uint32
	word64 uint64
	root   = &node{}
)

//go:noinline
func CompareAndSwap32(p *uint32, old, new uint32) bool {
	return atomic.CompareAndSwapUint32(p, old, new)
}

//go:noinline
func CompareAndSwap64(p *uint64, old, new uint64) bool {
	return atomic.CompareAndSwapUint64(p, old, new)
}

//go:noinline
func Add32(p *uint32, delta uint32) uint32 { return atomic.AddUint32(p, delta) }

//go:noinline
func Add64(p *uint64, delta uint64) uint64 { return atomic.AddUint64(p, delta) }

//go:noinline
func Load32(p *uint32) uint32 { return atomic.LoadUint32(p) }

//go:noinline
func Load64(p *uint64) uint64 { return atomic.LoadUint64(p) }

//go:noinline
func Store32(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

//go:noinline
func Store64(p *uint64, v uint64) { atomic.StoreUint64(p, v) }

// StorePointer changes a pointer in the heap: what the compiler puts around it is the write barrier.
//
//go:noinline
func StorePointer(n, next *node) { n.next = next }

// Framed calls, so it has a frame: its prologue checks the stack and sets the frame pointer.
//
//go:noinline
func Framed(n int) int { return Leaf(n) + Leaf(n+1) }

// Leaf calls nothing.
//
//go:noinline
func Leaf(n int) int { return n*3 + 1 }

// Loop has no call within its loop, so it can be stopped only from outside.
//
//go:noinline
func Loop(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum ^= i
	}
	return sum
}

// WidenSigned, WidenUnsigned and Narrow convert between 32 and 64 bits.
//
//go:noinline
func WidenSigned(n int32) int64 { return int64(n) }

//go:noinline
func WidenUnsigned(n uint32) uint64 { return uint64(n) }

//go:noinline
func Narrow(n uint64) uint32 { return uint32(n) }

// Constant is too wide for one arm64 instruction.
//
//go:noinline
func Constant() uint64 { return 0x1234_5678_9abc_def1 }

func main() {
	n := runtime.NumGoroutine()
	if n < 0 { // never; it keeps the runtime's breakpoint in the program, to be read
		runtime.Breakpoint()
	}
	StorePointer(root, &node{value: n})
	swapped := CompareAndSwap32(&word32, 0, uint32(n)) && CompareAndSwap64(&word64, 0, uint64(n))
	refused := CompareAndSwap32(&word32, 0, 7) || CompareAndSwap64(&word64, 0, 7)
	sum := uint64(Add32(&word32, 1)) + Add64(&word64, 2) + uint64(Load32(&word32)) + Load64(&word64)
	Store32(&word32, 5)
	Store64(&word64, 6)
	sum += uint64(word32) + word64 + uint64(Framed(n)) + uint64(Loop(4)) + uint64(root.next.value)
	sum += uint64(WidenSigned(-1)+1) + WidenUnsigned(uint32(n)) + uint64(Narrow(1<<40+3)) + Constant()%16
	println(swapped, refused, sum)
}
