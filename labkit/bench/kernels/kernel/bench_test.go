package kernel

import "testing"

// BenchmarkKernel offers the same kernels to go test and benchstat, those with points at each of them:
//
//	go test -run '^$' -bench . -benchmem -count 10 ./kernel
//	go test -run '^$' -bench 'Kernel/chase' -count 10 ./kernel
//
// With -short, a kernel with points runs at the first and the last but those above 1 MiB.
func BenchmarkKernel(b *testing.B) {
	for _, k := range All() {
		b.Run(k.Name, func(b *testing.B) {
			if len(k.Points) == 0 {
				benchmark(b, k)
				return
			}
			for _, point := range chosen(k.Points) {
				at := k.AtPoint(point)
				b.Run(at.Name[len(k.Name):], func(b *testing.B) { benchmark(b, at) })
			}
		})
	}
}

func chosen(points []int64) []int64 {
	if !testing.Short() {
		return points
	}
	last := len(points) - 1
	for last > 0 && points[last] > 1<<20 {
		last--
	}
	return []int64{points[0], points[last]}
}

func benchmark(b *testing.B, k Kernel) {
	if testing.Short() && k.Family == "stream" {
		k = k.AtPoint(1 << 20)
	}
	instance, err := k.Setup()
	if err != nil {
		b.Fatal(err)
	}
	defer instance.Close()
	if err := instance.Check(); err != nil {
		b.Fatal(err)
	}
	if k.BytesPerOp > 0 {
		b.SetBytes(k.BytesPerOp)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := instance.Run(b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if k.RealTime > 0 {
		b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/k.RealTime.Seconds(), "%realtime")
	}
	if counter, is := instance.(Counter); is {
		for name, count := range counter.Counts() {
			b.ReportMetric(count, name+"/op")
		}
	}
}
