package kernel

// random makes the kernels' inputs: SplitMix64 (https://doi.org/10.1145/2714064.2660195). It is a generator of the
// suite's own, so that every Go gives the same bytes: math/rand/v2 came with Go 1.22, and math/rand's distributions
// differ from its.
type random struct {
	state uint64
}

// newRandom returns the generator of a kernel's input; stream keeps the inputs of two kernels apart.
func newRandom(stream uint64) *random {
	return &random{state: seed ^ stream<<32}
}

func (r *random) uint64() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float64 returns a number from -1 to below 1.
func (r *random) float64() float64 {
	return float64(r.uint64()>>11)/(1<<52) - 1
}
