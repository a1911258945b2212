// What GOARM may change: floating point, division and an atomic addition.
package main

import "sync/atomic"

var count uint32

//go:noinline
func Mean(numbers []float64) float64 {
	sum := 0.0
	for _, n := range numbers {
		sum += n
	}
	return sum / float64(len(numbers))
}

//go:noinline
func Count(by uint32) uint32 { return atomic.AddUint32(&count, by) / 10 }

func main() { println(Mean([]float64{1, 2, 4.5}), Count(42)) }
