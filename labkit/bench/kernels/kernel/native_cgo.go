//go:build cgo

package kernel

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -lm
#include <math.h>

// The loop as it is often printed.
static void process_audio(const float *in, float *out, int frames) {
	for (int i = 0; i < frames; i++) {
		out[i] = tanhf(in[i] * 1.2f);
	}
}

// Not inlined away: Go calls it through cgo's own stub.
static unsigned long next(unsigned long x) { return x + 1; }
*/
import "C"

import (
	"fmt"
	"unsafe"
)

func cgoKernels() []Kernel {
	return []Kernel{
		single(Kernel{
			Name:      "tanhf-c",
			Title:     "out[i] = tanhf(1.2f in[i]) over 4096 samples, by the C library, one cgo call a frame",
			Checked:   saturationChecked,
			Family:    "cgo",
			Operation: "frame",
			RealTime:  frameTime,
			Setup:     func() (Instance, error) { return &saturationC{newSaturated()}, nil },
		}),
		single(Kernel{
			Name:      "cgo-call",
			Title:     "one call of a C function that adds 1",
			Checked:   "as many ones were added as calls made",
			Family:    "cgo",
			Operation: "call",
			Setup:     func() (Instance, error) { return &call{}, nil },
		}),
	}
}

func missingCgo() []Missing { return nil }

// saturationC is the loop in C.
type saturationC struct{ saturated }

func (k *saturationC) Run(n int) error {
	in, out := (*C.float)(unsafe.Pointer(&k.in[0])), (*C.float)(unsafe.Pointer(&k.out[0]))
	for ; n > 0; n-- {
		C.process_audio(in, out, frameLength)
	}
	return nil
}

func (k *saturationC) Check() error { return once(k) }

// call is the way into C and back, with next to nothing in between.
type call struct {
	count C.ulong
	calls int
}

func (k *call) Run(n int) error {
	k.calls += n
	for ; n > 0; n-- {
		k.count = C.next(k.count)
	}
	return nil
}

func (k *call) Check() error { return once(k) }

func (k *call) verify() error {
	if uint64(k.count) != uint64(k.calls) {
		return fmt.Errorf("%d calls added %d", k.calls, uint64(k.count))
	}
	return nil
}

func (k *call) PayloadBytes() int { return 8 }
func (k *call) Close()            {}
