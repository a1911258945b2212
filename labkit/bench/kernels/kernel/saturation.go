package kernel

import (
	"fmt"
	"math"
)

const (
	saturationStream = 8
	gain             = 1.2
	// Half a unit in the last place of a float32 below 1 is 3e-8; libraries promise a few units.
	saturationTolerance = 5e-7
	saturationChecked   = "every sample agrees with expm1(2x) / (expm1(2x) + 2) in float64"
)

func saturationKernels() []Kernel {
	return []Kernel{single(Kernel{
		Name:      "tanh-go",
		Title:     "out[i] = tanh(1.2 in[i]) over 4096 float32 samples, by Go's math.Tanh",
		Checked:   saturationChecked,
		Family:    "numeric",
		Operation: "frame",
		RealTime:  frameTime,
		Setup:     func() (Instance, error) { return &saturation{newSaturated()}, nil },
	})}
}

// saturated is a frame of the loop "out[i] = tanhf(in[i] * 1.2f)", and what came out.
type saturated struct {
	in, out []float32
}

// newSaturated returns samples from -4 to 4: where tanh bends, and where it is flat.
func newSaturated() saturated {
	random := newRandom(saturationStream)
	s := saturated{in: make([]float32, frameLength), out: make([]float32, frameLength)}
	for i := range s.in {
		s.in[i] = float32(4 * random.float64())
	}
	return s
}

func (s saturated) verify() error {
	for i, x := range s.in {
		e := math.Expm1(2 * float64(x*gain))
		if want := e / (e + 2); !(math.Abs(float64(s.out[i])-want) <= saturationTolerance) {
			return fmt.Errorf("tanh of sample %d (%g) is %g, not %g", i, x*gain, s.out[i], want)
		}
	}
	return nil
}

func (s saturated) PayloadBytes() int { return 4 * frameLength }
func (s saturated) Close()            {}

// saturation is the loop in Go, which has no float32 tanh: the sample goes to float64 and back.
type saturation struct{ saturated }

func (k *saturation) Run(n int) error {
	for ; n > 0; n-- {
		for i, x := range k.in {
			k.out[i] = float32(math.Tanh(float64(x * gain)))
		}
	}
	return nil
}

func (k *saturation) Check() error { return once(k) }
