package kernel

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

func TestEveryKernelPassesItsOwnCheck(t *testing.T) {
	names := map[string]bool{}
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			if names[k.Name] {
				t.Errorf("the name stands twice")
			}
			names[k.Name] = true
			if k.Title == "" || k.Checked == "" {
				t.Errorf("no title, or nothing said of its check")
			}
			instance := setUp(t, k.Name)
			if err := instance.Check(); err != nil {
				t.Error(err)
			}
			if instance.PayloadBytes() < 1 {
				t.Errorf("a payload of %d bytes", instance.PayloadBytes())
			}
		})
	}
}

func TestInputsAreTheSameEachTime(t *testing.T) {
	if !proto.Equal(newLarge(newRandom(largeStream)), newLarge(newRandom(largeStream))) {
		t.Error("two large messages of one seed differ")
	}
	// The sizes are part of the suite: titles name them, and a change of input asks for a new SuiteVersion.
	sizes := map[string]int{
		"protobuf-marshal-small": 37, "protobuf-unmarshal-small": 37, "grpc-echo-bufconn": 37,
		"protobuf-marshal-large": 8791, "protobuf-unmarshal-large": 8791, "fft-4096": 32768,
	}
	for _, k := range All() {
		if got := setUp(t, k.Name).PayloadBytes(); got != sizes[k.Name] {
			t.Errorf("%s: a payload of %d bytes, not %d", k.Name, got, sizes[k.Name])
		}
	}
}

func TestAnUnknownKernelIsNotFound(t *testing.T) {
	if _, found := Find("fft-4097"); found {
		t.Error("found")
	}
}

// verifier is the half of a check that looks at the last result.
type verifier interface{ verify() error }

func TestAWrongResultIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(Instance){
		"protobuf-marshal-small":   func(i Instance) { i.(*marshal).out[3] ^= 1 },
		"protobuf-marshal-large":   func(i Instance) { k := i.(*marshal); k.out = k.out[:len(k.out)-1] },
		"protobuf-unmarshal-small": func(i Instance) { i.(*unmarshal).out.(*pb.Small).Id++ },
		"protobuf-unmarshal-large": func(i Instance) { i.(*unmarshal).out.(*pb.Large).Blob[0] ^= 1 },
		"fft-4096":                 func(i Instance) { i.(*transform).bins[1234] += 1e-6 },
	} {
		t.Run(name, func(t *testing.T) {
			instance := setUp(t, name)
			if err := instance.Check(); err != nil {
				t.Fatal(err)
			}
			spoil(instance)
			if instance.(verifier).verify() == nil {
				t.Error("the check passed")
			}
		})
	}
}

func TestASpectrumOfTheWrongLengthIsRefused(t *testing.T) {
	k := setUp(t, "fft-4096").(*transform)
	if checkSpectrum(make([]complex128, 17), k.frame) == nil {
		t.Error("the check passed")
	}
}

type liar struct{ pb.UnimplementedEchoServer }

func (liar) Unary(context.Context, *pb.Small) (*pb.Small, error) { return &pb.Small{Name: "no"}, nil }

type refuser struct{ pb.UnimplementedEchoServer }

func (refuser) Unary(context.Context, *pb.Small) (*pb.Small, error) { return nil, errors.New("no") }

func TestAWrongEchoIsRefused(t *testing.T) {
	for name, service := range map[string]pb.EchoServer{"liar": liar{}, "refuser": refuser{}} {
		t.Run(name, func(t *testing.T) {
			k, err := startEcho(service)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			if k.Check() == nil {
				t.Error("the check passed")
			}
		})
	}
}

// BenchmarkKernel offers the same kernels to go test and benchstat:
//
//	go test -bench . -benchmem -count 10 ./kernel
func BenchmarkKernel(b *testing.B) {
	for _, k := range All() {
		b.Run(k.Name, func(b *testing.B) {
			instance := setUp(b, k.Name)
			if err := instance.Check(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(instance.PayloadBytes()))
			b.ReportAllocs()
			b.ResetTimer()
			if err := instance.Run(b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func setUp(t testing.TB, name string) Instance {
	t.Helper()
	k, found := Find(name)
	if !found {
		t.Fatalf("there is no kernel %q", name)
	}
	instance, err := k.Setup()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(instance.Close)
	return instance
}
