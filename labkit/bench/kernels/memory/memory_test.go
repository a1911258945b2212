package memory

import (
	"os"
	"testing"
)

func TestMemoryIsZeroAlignedAndItsOwn(t *testing.T) {
	for _, huge := range []bool{false, true} {
		m, err := New(3<<20, huge)
		if err != nil {
			t.Fatal(err)
		}
		if uintptr(m.At(0))%(2<<20) != 0 || uintptr(m.At(0))%uintptr(os.Getpagesize()) != 0 {
			t.Errorf("it begins at %x", m.At(0))
		}
		if m.Offset(m.At(4711)) != 4711 {
			t.Errorf("offset %d", m.Offset(m.At(4711)))
		}
		floats := m.Floats()
		if len(floats) != 3<<17 {
			t.Errorf("%d numbers", len(floats))
		}
		for i := range floats {
			if floats[i] != 0 {
				t.Fatalf("number %d is %g", i, floats[i])
			}
			floats[i] = float64(i)
		}
		m.Close()
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	if m, err := New(1<<60, false); err == nil {
		m.Close()
		t.Error("an EiB was mapped")
	}
}

func TestACacheIsOfAPlausibleSizeOrUnknown(t *testing.T) {
	if size := LastLevelCacheBytes(); size != 0 && (size < 4<<10 || size > 16<<30) {
		t.Errorf("%d bytes", size)
	}
}
