package kernel

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

const lineBytes = 64 // the least line of the chips at hand; where it is 128, two steps share a line, and in random order

// memory is a piece of anonymous memory outside Go's heap: its pages are the system's, none moves, nothing scans it.
type memory struct {
	mapped []byte
	start  unsafe.Pointer
	size   int64
}

// newMemory maps size bytes that begin on a boundary of huge pages. With huge, Linux is asked for huge pages, so that a
// walk shows caches more than the TLB; without, it is asked for small ones. macOS has only its own pages.
func newMemory(size int64, huge bool) (*memory, error) {
	const boundary = 2 << 20
	mapped, err := syscall.Mmap(-1, 0, int(size)+boundary, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("no memory of %d bytes: %w", size, os.NewSyscallError("mmap", err))
	}
	advise(mapped, huge)
	start := unsafe.Pointer(&mapped[0])
	return &memory{mapped, unsafe.Add(start, -uintptr(start)&(boundary-1)), size}, nil
}

// at returns the address of an offset.
func (m *memory) at(offset int64) unsafe.Pointer { return unsafe.Add(m.start, offset) }

// floats returns the memory as an array.
func (m *memory) floats() []float64 { return unsafe.Slice((*float64)(m.start), m.size/8) }

// Close gives the memory back.
func (m *memory) Close() { _ = syscall.Munmap(m.mapped) }
