package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T, work *busyWork, order Order, in string) ([]json.RawMessage, error) {
	t.Helper()
	var out bytes.Buffer
	err := Serve(asKernel(work), order, strings.NewReader(in), &out)
	var lines []json.RawMessage
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var line json.RawMessage
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines, err
}

func decode[T any](t *testing.T, line json.RawMessage) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(line, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestServeAnswersEachLineToTheEndOfInput(t *testing.T) {
	work := &busyWork{}
	lines, err := serve(t, work, Order{Iterations: 40, Units: 105}, "slice\nprobe 2\nslice\n")
	if err != nil || len(lines) != 4 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	greeting := decode[Greeting](t, lines[0])
	if greeting.Schema != ServeSchema || greeting.Kernel != "busy" || greeting.Iterations != 40 || greeting.Units != 105 {
		t.Errorf("greeted with %+v", greeting)
	}
	for _, line := range []json.RawMessage{lines[1], lines[3]} {
		if slice := decode[ServedSlice](t, line); slice.Iterations != 40 || slice.WallTimeNs <= 0 {
			t.Errorf("a slice of %+v", slice)
		}
	}
	if probe := decode[Probe](t, lines[2]); probe.Threads != 2 || probe.WallTimeNs < probeTime.Nanoseconds() {
		t.Errorf("a probe of %+v", probe)
	}
	// The warm-up, and two slices: each of 40 times 105 %.
	if work.runs%42 != 0 || work.runs < 3*42 || work.runs > (warmUpSlices+2)*42 {
		t.Errorf("it ran %d times", work.runs)
	}
}

func TestServeCalibratesToWholeUnits(t *testing.T) {
	for units, step := range map[int]int{100: 1, 105: 20, 102: 50, 101: 100} {
		lines, err := serve(t, &busyWork{}, Order{SliceTime: time.Millisecond, Units: units}, "")
		if err != nil || len(lines) != 1 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		if n := decode[Greeting](t, lines[0]).Iterations; n < 1 || n%step != 0 {
			t.Errorf("%d iterations for %d units", n, units)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		work  *busyWork
		order Order
		in    string
		want  error
		lines int
	}{
		"a failed check":     {&busyWork{checkErr: errors.New("7 is not 8")}, Order{Iterations: 20, Units: 100}, "slice\n", ErrCheck, 0},
		"a fault":            {&busyWork{runErr: broken}, Order{Iterations: 20, Units: 100}, "", broken, 0},
		"half an iteration":  {&busyWork{}, Order{Iterations: 10, Units: 105}, "", ErrOrder, 0},
		"no units":           {&busyWork{}, Order{Iterations: 10}, "", ErrOrder, 0},
		"an unknown line":    {&busyWork{}, Order{Iterations: 10, Units: 100}, "walk\n", ErrOrder, 1},
		"a probe of nothing": {&busyWork{}, Order{Iterations: 10, Units: 100}, "probe 0\n", ErrOrder, 1},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := serve(t, c.work, c.order, c.in)
			if !errors.Is(err, c.want) || len(lines) != c.lines {
				t.Errorf("%d lines, %v", len(lines), err)
			}
		})
	}
}
