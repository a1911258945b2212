package usage

import (
	"runtime"
	"testing"
)

func TestCPUTimeAdvancesWithWork(t *testing.T) {
	before, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	sum := uint64(0)
	for after := before; after.CPUTime <= before.CPUTime; { // the test's own time limit ends a clock that stands still
		for i := uint64(0); i < 1_000_000; i++ {
			sum = sum*31 + i
		}
		if after, err = Read(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.KeepAlive(sum)
}

func TestPeakMemoryHoldsWhatWasTouched(t *testing.T) {
	const size = 64 << 20
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	peak, err := PeakMemoryBytes()
	if err != nil {
		t.Fatal(err)
	}
	// A wrong unit is off by a factor of 1024; nothing here takes 64 times what was touched.
	if peak < size || peak > 64*size {
		t.Errorf("a peak of %d bytes after %d were touched", peak, size)
	}
	runtime.KeepAlive(block)
}
