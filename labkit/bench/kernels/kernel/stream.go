package kernel

import (
	"fmt"

	"labkit.dev/kernels/memory"
)

const (
	scalar = 3.0
	// STREAM asks for arrays of at least four times the last cache (https://www.cs.virginia.edu/stream/ref.html). Between
	// these bounds three arrays fit into any machine and exceed the caches of those that tell nothing.
	cacheMultiple   = 4
	leastArrayBytes = 64 << 20
	mostArrayBytes  = 256 << 20
	unknownCache    = 32 << 20
)

// streamKernels are the four loops of STREAM in Go, one thread. Go's compiler makes no vector instructions of them, so that a
// core may be slower than its memory; that is what Go code of this kind gets.
func streamKernels() []Kernel {
	var all []Kernel
	for _, k := range []struct {
		name, formula string
		bytes         int64 // STREAM's count: what the formula names, no write-allocate
		loop          func(a, b, c []float64)
		want          func(i int) float64 // of the array that is written
	}{
		{"copy", "c = a", 16, func(a, _, c []float64) { copyLoop(c, a) }, valueOfA},
		{"scale", "b = 3 c", 16, func(_, b, c []float64) { scaleLoop(b, c) }, func(i int) float64 { return scalar * valueOfC(i) }},
		{"add", "c = a + b", 24, addLoop, func(i int) float64 { return valueOfA(i) + valueOfB(i) }},
		{"triad", "a = b + 3 c", 24, triadLoop, func(i int) float64 { return valueOfB(i) + scalar*valueOfC(i) }},
	} {
		k := k // Go 1.21 has one variable a loop
		all = append(all, swept(single(Kernel{
			Name:       "stream-" + k.name,
			Title:      "STREAM " + k.name + ": " + k.formula + " over float64 arrays larger than the caches",
			Checked:    "every element of the written array has its value",
			Family:     "stream",
			Operation:  "element",
			BytesPerOp: k.bytes,
		}), "bytes", standardArray(), nil, func(size int64) (Instance, error) {
			return newArrays(size, k.name, int(k.bytes), k.loop, k.want)
		}))
	}
	return all
}

func standardArray() int64 {
	cache := memory.LastLevelCacheBytes()
	if cache == 0 {
		cache = unknownCache
	}
	return min(max(cacheMultiple*cache, leastArrayBytes), mostArrayBytes)
}

// Small whole numbers: every sum is exact, with and without a fused multiply-add.
func valueOfA(i int) float64 { return float64(i%7 + 1) }
func valueOfB(i int) float64 { return float64(i%5 + 2) }
func valueOfC(i int) float64 { return float64(i%3 + 3) }

// arrays is one loop and its three arrays; an operation is one element, and the next Run goes on where the last stopped.
type arrays struct {
	a, b, c  []float64
	written  []float64
	position int
	bytes    int
	loop     func(a, b, c []float64)
	want     func(i int) float64
	memory   *memory.Memory
}

func newArrays(size int64, name string, bytes int, loop func(a, b, c []float64), want func(int) float64) (Instance, error) {
	if size < 4096 || size%4096 != 0 || size > 4<<30 {
		return nil, fmt.Errorf("an array of %d bytes: a multiple of 4096 up to 4 GiB is needed", size)
	}
	m, err := memory.New(3*size, true)
	if err != nil {
		return nil, err
	}
	all, n := m.Floats(), int(size/8)
	k := &arrays{a: all[:n:n], b: all[n : 2*n : 2*n], c: all[2*n:], bytes: bytes, loop: loop, want: want, memory: m}
	for i := 0; i < n; i++ {
		k.a[i], k.b[i], k.c[i] = valueOfA(i), valueOfB(i), valueOfC(i)
	}
	k.written = map[string][]float64{"copy": k.c, "scale": k.b, "add": k.c, "triad": k.a}[name]
	return k, nil
}

func (k *arrays) Run(n int) error {
	for n > 0 {
		end := min(k.position+n, len(k.a))
		k.loop(k.a[k.position:end], k.b[k.position:end], k.c[k.position:end])
		n -= end - k.position
		k.position = end % len(k.a)
	}
	return nil
}

// Check passes once over the whole, in two stretches that meet; what was there before is not what is wanted.
func (k *arrays) Check() error {
	for i := range k.written {
		k.written[i] = -1
	}
	for _, n := range []int{len(k.a)/2 + 1, len(k.a) - len(k.a)/2 - 1} {
		if err := k.Run(n); err != nil {
			return err
		}
	}
	return k.verify()
}

func (k *arrays) verify() error {
	for i, got := range k.written {
		if want := k.want(i); got != want {
			return fmt.Errorf("element %d is %g, not %g", i, got, want)
		}
	}
	return nil
}

func (k *arrays) PayloadBytes() int { return k.bytes }
func (k *arrays) Close()            { k.memory.Close() }

//go:noinline
func copyLoop(to, from []float64) {
	to = to[:len(from)] // no bounds are checked within the loops
	for i := range from {
		to[i] = from[i]
	}
}

//go:noinline
func scaleLoop(b, c []float64) {
	b = b[:len(c)]
	for i := range c {
		b[i] = scalar * c[i]
	}
}

//go:noinline
func addLoop(a, b, c []float64) {
	a, b = a[:len(c)], b[:len(c)]
	for i := range c {
		c[i] = a[i] + b[i]
	}
}

//go:noinline
func triadLoop(a, b, c []float64) {
	b, c = b[:len(a)], c[:len(a)]
	for i := range a {
		a[i] = b[i] + scalar*c[i]
	}
}
