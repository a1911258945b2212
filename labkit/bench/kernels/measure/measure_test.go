package measure

import (
	"errors"
	"testing"
	"time"

	"labkit.dev/kernels/kernel"
)

// busyWork spends CPU time; its check gives what the test wants.
type busyWork struct {
	checkErr, runErr error
	runs             int
	sum              uint64
}

func (w *busyWork) Check() error { return w.checkErr }

func (w *busyWork) Run(n int) error {
	w.runs += n
	for ; n > 0; n-- {
		for i := uint64(0); i < 1000; i++ {
			w.sum = w.sum*31 + i
		}
	}
	return w.runErr
}

func (w *busyWork) PayloadBytes() int { return 1 }
func (w *busyWork) Close()            {}

func asKernel(work *busyWork) kernel.Kernel {
	return kernel.Kernel{Name: "busy", Setup: func() (kernel.Instance, error) { return work, nil }}
}

func TestAFailedCheckIsNotTimed(t *testing.T) {
	work := &busyWork{checkErr: errors.New("7 is not 8")}
	document, err := Run(asKernel(work), 5, time.Millisecond)
	if !errors.Is(err, ErrCheck) || document != nil {
		t.Errorf("got %v, %v", document, err)
	}
	if work.runs != 0 {
		t.Errorf("it ran %d times", work.runs)
	}
}

func TestAFaultWhileTimingIsAnError(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Run(asKernel(&busyWork{runErr: broken}), 5, time.Millisecond); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	setup := kernel.Kernel{Name: "none", Setup: func() (kernel.Instance, error) { return nil, broken }}
	if _, err := Run(setup, 5, time.Millisecond); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestSlicesHaveOneIterationCountAndTheirTime(t *testing.T) {
	work := &busyWork{}
	document, err := Run(asKernel(work), 7, 2*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(document.Slices) != 7 {
		t.Fatalf("%d slices", len(document.Slices))
	}
	for _, s := range document.Slices {
		if s.Iterations != document.Slices[0].Iterations || s.Iterations < 1 {
			t.Errorf("%d iterations", s.Iterations)
		}
		if s.WallTimeNs <= 0 || s.CPUTimeNs <= 0 {
			t.Errorf("%d ns wall, %d ns CPU", s.WallTimeNs, s.CPUTimeNs)
		}
	}
	if document.PeakMemoryBytes < 1<<20 {
		t.Errorf("a peak of %d bytes: a Go process has more than 1 MiB", document.PeakMemoryBytes)
	}
}

func TestCalibrationAimsAtTheSliceTime(t *testing.T) {
	for name, test := range map[string]struct {
		wallNs, cpuNs int64 // of one iteration
		want          int
	}{
		"quiet host":           {1_000, 1_000, 2_000},
		"busy host":            {8_000, 1_000, 2_000},
		"two threads":          {1_000, 1_900, 2_000},
		"slower than a slice":  {5_000_000, 5_000_000, 1},
		"half a slice at once": {1_000_000, 1_000_000, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := calibrate(func(n int) (Slice, error) {
				return Slice{Iterations: n, WallTimeNs: int64(n) * test.wallNs, CPUTimeNs: int64(n) * test.cpuNs}, nil
			}, 2*time.Millisecond)
			if err != nil || got != test.want {
				t.Errorf("%d iterations, %v", got, err)
			}
		})
	}
	stopped := func(n int) (Slice, error) { return Slice{Iterations: n}, nil }
	if _, err := calibrate(stopped, time.Millisecond); err == nil {
		t.Error("clocks that stand still were accepted")
	}
}
