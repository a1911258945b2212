package kernel

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	fourierStream = 4
	frameLength   = 4096
	sampleRateHz  = 192_000.0
	frameTime     = time.Second * frameLength / 192_000
	// The naive sum of 4096 terms of size 1 rounds to about 1e-11; a wrong bin is off by whole units.
	tolerance = 1e-8
)

func fourierKernels() []Kernel {
	return []Kernel{single(Kernel{
		Name:      "fft-4096",
		Title:     "FFT of one real frame of 4096 samples, which lasts 21.33 ms at 192 kHz",
		Checked:   "every bin equals the naive DFT, Parseval's sums agree, and the inverse gives the frame back",
		Family:    "numeric",
		Operation: "frame",
		RealTime:  frameTime,
		Setup: func() (Instance, error) {
			return &transform{
				fft: fourier.NewFFT(frameLength), frame: newFrame(), bins: make([]complex128, frameLength/2+1),
			}, nil
		},
	})}
}

// newFrame returns two tones and noise, as an audio frame of 21.3 ms at 192 kHz would hold.
func newFrame() []float64 {
	random := newRandom(fourierStream)
	frame := make([]float64, frameLength)
	for i := range frame {
		t := float64(i) / sampleRateHz
		frame[i] = 0.5*math.Sin(2*math.Pi*1_000*t) + 0.25*math.Sin(2*math.Pi*19_500*t) + 0.05*random.float64()
	}
	return frame
}

// transform is gonum's real FFT in float64 into a buffer that it keeps, as a spectrum analyser's loop has it.
type transform struct {
	fft   *fourier.FFT
	frame []float64
	bins  []complex128
}

func (k *transform) Run(n int) error {
	for i := 0; i < n; i++ {
		k.bins = k.fft.Coefficients(k.bins, k.frame)
	}
	return nil
}

func (k *transform) Check() error { return once(k) }

func (k *transform) verify() error {
	if err := checkSpectrum(k.bins, k.frame); err != nil {
		return err
	}
	back := k.fft.Sequence(nil, k.bins) // gonum's inverse is not scaled
	for i, x := range back {
		if got := x / frameLength; !near(got, k.frame[i]) {
			return fmt.Errorf("the inverse gives %g for sample %d, which was %g", got, i, k.frame[i])
		}
	}
	return nil
}

func (k *transform) PayloadBytes() int { return 8 * frameLength }
func (k *transform) Close()            {}

// checkSpectrum compares the bins of a real frame with the DFT's definition and with Parseval's theorem.
func checkSpectrum(bins []complex128, frame []float64) error {
	n := len(frame)
	if len(bins) != n/2+1 {
		return fmt.Errorf("%d bins for %d samples", len(bins), n)
	}
	cosine, sine := make([]float64, n), make([]float64, n)
	for i := 0; i < n; i++ {
		sine[i], cosine[i] = math.Sincos(2 * math.Pi * float64(i) / float64(n))
	}
	power := 0.0
	for k, bin := range bins {
		re, im := 0.0, 0.0
		for j, x := range frame {
			angle := k * j % n
			re += x * cosine[angle]
			im -= x * sine[angle]
		}
		if !near(real(bin), re) || !near(imag(bin), im) {
			return fmt.Errorf("bin %d is %g, the naive DFT gives %g", k, bin, complex(re, im))
		}
		weight := 2.0 // each inner bin stands for its conjugate too
		if k == 0 || k == n/2 {
			weight = 1
		}
		power += weight * (real(bin)*real(bin) + imag(bin)*imag(bin))
	}
	energy := 0.0
	for _, x := range frame {
		energy += x * x
	}
	if !near(power/float64(n)/energy, 1) {
		return fmt.Errorf("Parseval: the spectrum holds %g, the frame %g", power/float64(n), energy)
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= tolerance }
