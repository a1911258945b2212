// Package memory maps memory outside Go's heap, and asks how large the caches are. It is a package of its own so that what
// differs by system compiles for every platform without gRPC.
package memory

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Memory is a piece of anonymous memory: its pages are the system's, none moves, nothing scans it.
type Memory struct {
	Size   int64
	mapped []byte
	start  unsafe.Pointer
}

// New maps size bytes that begin on a boundary of huge pages. With huge, Linux is asked for huge pages, so that a walk
// shows caches more than the TLB; without, it is asked for small ones. macOS has only its own pages.
func New(size int64, huge bool) (*Memory, error) {
	const boundary = 2 << 20
	mapped, err := syscall.Mmap(-1, 0, int(size)+boundary, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("no memory of %d bytes: %w", size, os.NewSyscallError("mmap", err))
	}
	advise(mapped, huge)
	start := unsafe.Pointer(&mapped[0])
	return &Memory{Size: size, mapped: mapped, start: unsafe.Add(start, -uintptr(start)&(boundary-1))}, nil
}

// At returns the address of an offset.
func (m *Memory) At(offset int64) unsafe.Pointer { return unsafe.Add(m.start, offset) }

// Offset is the other way; what lies outside has an offset below 0 or of Size and more.
func (m *Memory) Offset(at unsafe.Pointer) int64 { return int64(uintptr(at) - uintptr(m.start)) }

// Floats returns the memory as an array.
func (m *Memory) Floats() []float64 { return unsafe.Slice((*float64)(m.start), m.Size/8) }

// Close gives the memory back.
func (m *Memory) Close() { _ = syscall.Munmap(m.mapped) }
