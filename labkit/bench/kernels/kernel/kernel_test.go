package kernel

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

// smallest is the least size at which a kernel is what it is: tests need no array of 128 MiB.
var smallest = map[string]string{
	"stream-copy": "@65536", "stream-scale": "@65536", "stream-add": "@65536", "stream-triad": "@65536",
}

func TestEveryKernelPassesItsOwnCheck(t *testing.T) {
	names := map[string]bool{}
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			if names[k.Name] {
				t.Errorf("the name stands twice")
			}
			names[k.Name] = true
			if k.Title == "" || k.Checked == "" || k.Family == "" || k.Operation == "" || k.Threads < 1 {
				t.Errorf("not described: %+v", k)
			}
			if k.SingleThreaded && k.Threads != 1 || k.Threads > 1 && !k.NeedsWallTime {
				t.Errorf("%d threads, single-threaded %t, needs wall time %t", k.Threads, k.SingleThreaded, k.NeedsWallTime)
			}
			instance := setUp(t, k.Name+smallest[k.Name])
			if err := instance.Check(); err != nil {
				t.Fatal(err)
			}
			if instance.PayloadBytes() < 1 {
				t.Errorf("a payload of %d bytes", instance.PayloadBytes())
			}
			if err := instance.Run(3); err != nil {
				t.Fatal(err)
			}
			if err := instance.Check(); err != nil {
				t.Errorf("after three more: %v", err)
			}
		})
	}
}

func TestInputsAreTheSameEachTime(t *testing.T) {
	for _, s := range shapes() {
		if !proto.Equal(s.fixed(), s.fixed()) {
			t.Errorf("two messages of one seed differ: %s", s.name)
		}
	}
	// The sizes are part of the suite: titles name them, and a change of input asks for a new SuiteVersion.
	sizes := map[string]int{
		"small": 37, "large": 8791, "nested": 2441, "maps": 3161, "bytes": 65540,
		"echo": 37, "stream": 37, "fft-4096": 32768, "tanh-go": 16384, "payload-encode": 247057,
	}
	for _, k := range All() {
		words := strings.Split(k.Name, "-")
		want, known := sizes[k.Name]
		switch k.Family {
		case "protobuf", "vtprotobuf":
			want, known = sizes[words[2]]
		case "grpc":
			want, known = sizes[words[1]]
		}
		if !known {
			continue
		}
		if got := setUp(t, k.Name).PayloadBytes(); got != want {
			t.Errorf("%s: a payload of %d bytes, not %d", k.Name, got, want)
		}
	}
}

func TestAnUnknownKernelIsNotFound(t *testing.T) {
	for _, name := range []string{
		"fft-4097", "fft-4096@1", "chase@", "chase@x", "chase@04096", "chase@+4096", "chase@1@2", "@4096", "",
	} {
		if k, found := Find(name); found {
			t.Errorf("%q is %+v", name, k)
		}
	}
}

func TestAPointIsFoundByItsName(t *testing.T) {
	for _, k := range All() {
		if k.at == nil {
			if len(k.Points) > 0 || k.PointUnit != "" {
				t.Errorf("%s has points and takes none", k.Name)
			}
			continue
		}
		if k.PointUnit == "" || k.DefaultPoint < 1 || k.Point != k.DefaultPoint {
			t.Errorf("%s: %+v", k.Name, k)
		}
		for i, point := range k.Points {
			if i > 0 && point <= k.Points[i-1] {
				t.Errorf("%s: %d comes after %d", k.Name, point, k.Points[i-1])
			}
		}
	}
	k, found := Find("chase@65536")
	if !found || k.Name != "chase@65536" || k.Point != 65536 || k.DefaultPoint != 4096 {
		t.Fatalf("%+v", k)
	}
	instance, err := k.Setup()
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	if got := instance.(*walk).places; got != 1024 {
		t.Errorf("%d places in 64 KiB", got)
	}
}

func TestAPointThatMakesNoSenseIsRefused(t *testing.T) {
	for _, name := range []string{
		"chase@0", "chase@-64", "chase@64", "chase@100", "chase@1099511627776", "tlb@1", "tlb@10000000", "tlb-dense@0",
		"line-stride@0", "line-stride@12", "line-stride@1024", "false-sharing@0", "false-sharing@4", "payload-encode@56",
		"stream-copy@0", "stream-triad@4097",
	} {
		k, found := Find(name)
		if !found {
			t.Errorf("%s is not found", name)
			continue
		}
		if instance, err := k.Setup(); err == nil {
			instance.Close()
			t.Errorf("%s was set up", name)
		}
	}
}

func TestAWrongResultIsRefused(t *testing.T) {
	spoiled := map[string]bool{}
	for name, spoil := range map[string]func(Instance){
		"protobuf-marshal-small":     func(i Instance) { i.(*marshal).out[3] ^= 1 },
		"protobuf-marshal-large":     func(i Instance) { k := i.(*marshal); k.out = k.out[:len(k.out)-1] },
		"protobuf-marshal-nested":    func(i Instance) { k := i.(*marshal); k.out = append(k.out, k.out...) },
		"protobuf-marshal-maps":      func(i Instance) { k := i.(*marshal); k.out = k.out[:0] },
		"protobuf-unmarshal-small":   func(i Instance) { i.(*unmarshal).out.(*pb.Small).Id++ },
		"protobuf-unmarshal-large":   func(i Instance) { i.(*unmarshal).out.(*pb.Large).Blob[0] ^= 1 },
		"protobuf-unmarshal-nested":  func(i Instance) { i.(*unmarshal).out.(*pb.Nested).Children[1].Children[0].Depth++ },
		"protobuf-unmarshal-maps":    func(i Instance) { i.(*unmarshal).out.(*pb.Maps).Counts["one"] = 1 },
		"protobuf-unmarshal-bytes":   func(i Instance) { i.(*unmarshal).out.(*pb.Bytes).Data[65535] ^= 1 },
		"vtprotobuf-marshal-bytes":   func(i Instance) { i.(*marshalVT).out[65539] ^= 1 },
		"vtprotobuf-unmarshal-large": func(i Instance) { i.(*unmarshalVT).out.(*pb.Large).Readings[255] = 0 },
		"grpc-echo-bufconn":          func(i Instance) { i.(*echo).reply = proto.Clone(i.(*echo).reply).(*pb.Small); i.(*echo).reply.Id++ },
		"fft-4096":                   func(i Instance) { i.(*transform).bins[1234] += 1e-6 },
		"tanh-go":                    func(i Instance) { i.(*saturation).out[4095] += 1e-6 },
		"stream-copy@65536":          func(i Instance) { i.(*arrays).c[8191]++ },
		"stream-scale@65536":         func(i Instance) { i.(*arrays).b[0]++ },
		"stream-add@65536":           func(i Instance) { i.(*arrays).c[1]++ },
		"stream-triad@65536":         func(i Instance) { i.(*arrays).a[77]++ },
		"chase@65536":                shortcut,
		"tlb@64":                     shortcut,
		"tlb-dense@64":               astray,
		"line-stride@64":             shortcut,
		"false-sharing@64":           func(i Instance) { *i.(*neighbours).second-- },
		"atomic-add":                 func(i Instance) { i.(*word).after-- },
		"atomic-cas":                 func(i Instance) { i.(*word).after++ },
		"atomic-load":                func(i Instance) { i.(*word).returned++ },
		"atomic-store":               func(i Instance) { i.(*word).after-- },
		"atomic-add-contended":       func(i Instance) { i.(*word).after-- },
		"atomic-cas-contended":       func(i Instance) { i.(*word).after-- },
		"atomic-load-contended":      func(i Instance) { i.(*word).returned = fellBack },
		"atomic-store-contended":     func(i Instance) { i.(*word).after-- },
		"payload-encode@48":          func(i Instance) { i.(*payloads).out[100] ^= 1 },
		"payload-encode@64":          func(i Instance) { k := i.(*payloads); k.out = k.out[:len(k.out)-1] },
		"payload-encode@128":         func(i Instance) { k := i.(*payloads); k.out = append(k.out, 0) },
		"page-faults":                func(i Instance) { i.(*faults).block[4096*1000] ^= 1 },
	} {
		k, found := Find(name)
		if !found && k.Threads != 2 {
			if severalProcessors() {
				t.Errorf("there is no kernel %s", name)
			}
			continue
		}
		spoiled[k.Family] = true
		t.Run(name, func(t *testing.T) {
			instance := setUp(t, name)
			if err := instance.Check(); err != nil {
				t.Fatal(err)
			}
			spoil(instance)
			if _, is := instance.(*echo); is {
				if equalMessages(instance.(*echo).reply, instance.(*echo).request) == nil {
					t.Error("the check passed")
				}
				return
			}
			if instance.(verifier).verify() == nil {
				t.Error("the check passed")
			}
		})
	}
	for _, k := range All() {
		if !spoiled[k.Family] && k.Family != "codegen" && k.Family != "cgo" { // tests of their own
			t.Errorf("no wrong result of the family %s was tried", k.Family)
		}
	}
}

// shortcut leaves some places of a walk out; astray leads it out of the memory.
func shortcut(i Instance) {
	k := i.(*walk)
	next := *(*unsafe.Pointer)(k.at)
	*(*unsafe.Pointer)(k.at) = *(*unsafe.Pointer)(next)
}

func astray(i Instance) {
	k := i.(*walk)
	*(*unsafe.Pointer)(k.at) = k.memory.At(k.memory.Size)
}

func TestMemoryThatComesBackDirtyIsRefused(t *testing.T) {
	k := setUp(t, "page-faults").(*faults)
	if err := k.Check(); err != nil {
		t.Fatal(err)
	}
	k.dirty = true
	if k.verify() == nil {
		t.Error("the check passed")
	}
}

func TestPageFaultsAreCounted(t *testing.T) {
	k := setUp(t, "page-faults").(*faults)
	if err := k.Check(); err != nil {
		t.Fatal(err)
	}
	if counts := k.Counts(); counts["minor-faults"] < 0 || len(counts) != 1 {
		t.Errorf("%v", counts)
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

func (liar) Stream(stream pb.Echo_StreamServer) error { return stream.Send(&pb.Small{Name: "no"}) }

type refuser struct{ pb.UnimplementedEchoServer }

func (refuser) Unary(context.Context, *pb.Small) (*pb.Small, error) { return nil, errors.New("no") }

func (refuser) Stream(pb.Echo_StreamServer) error { return io.ErrUnexpectedEOF }

func TestAWrongEchoIsRefused(t *testing.T) {
	for name, service := range map[string]pb.EchoServer{"liar": liar{}, "refuser": refuser{}} {
		for way, connect := range map[string]func() (*wire, error){"bufconn": inMemory, "loopback": overLoopback} {
			for kind, streaming := range map[string]bool{"unary": false, "stream": true} {
				t.Run(name+" "+way+" "+kind, func(t *testing.T) {
					k, err := startEcho(service, connect, streaming)
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
	}
}

func TestThePayloadIsLaidOutAsGoLaysItOut(t *testing.T) {
	var p payload
	got := [...]uintptr{
		unsafe.Offsetof(p.ID), unsafe.Offsetof(p.Tag), unsafe.Offsetof(p.Data), unsafe.Sizeof(p),
		unsafe.Sizeof(payload64{}), unsafe.Sizeof(payload128{}),
	}
	if want := [...]uintptr{0, 4, 24, 48, 64, 128}; got != want {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestAWalkGoesWhereItsNameSays(t *testing.T) {
	offsets := func(name string) []int64 {
		k := setUp(t, name).(*walk)
		var all []int64
		for at := k.at; len(all) < k.places; at = *(*unsafe.Pointer)(at) {
			all = append(all, k.memory.Offset(at))
		}
		return all
	}
	distinct := func(all []int64, unit int64) int {
		seen := map[int64]bool{}
		for _, offset := range all {
			seen[offset/unit] = true
		}
		return len(seen)
	}
	page := int64(os.Getpagesize())
	if got := offsets("tlb@64"); len(got) != 64 || distinct(got, page) != 64 {
		t.Errorf("64 pages: %d places on %d pages", len(got), distinct(got, page))
	}
	if got := offsets("tlb-dense@64"); distinct(got, lineBytes) != 64 || distinct(got, 64*lineBytes) != 1 {
		t.Errorf("64 lines: %d of them in %d stretches", distinct(got, lineBytes), distinct(got, 64*lineBytes))
	}
	if got := offsets("chase@4096"); distinct(got, lineBytes) != 64 || distinct(got, 4096) != 1 {
		t.Errorf("4096 bytes: %v", got)
	}
	pairs := offsets("line-stride@96")
	apart := map[int64]int{}
	for i := 0; i < len(pairs); i += 2 {
		apart[pairs[i]^pairs[i+1]]++
	}
	for distance := range apart {
		if distance < 96 || distance >= 128 {
			t.Errorf("%d pairs are %d apart", apart[distance], distance)
		}
	}
	if len(apart) != 4 { // 96, 104, 112, 120: nothing to learn
		t.Errorf("pairs are apart by %v", apart)
	}
	if got := distinct(pairs, 8) / 2 / (pairBytes / blockBytes); got != 1 {
		t.Errorf("%d pairs a block", got)
	}
	if got := distinct(pairs, blockBytes); got != pairBytes/blockBytes {
		t.Errorf("%d blocks", got)
	}
}

func TestPayloadsLieAsFarApartAsTheirPointSays(t *testing.T) {
	for name, last := range map[string]func(array any) *payload{
		"payload-encode@48":  func(array any) *payload { return &array.([]payload)[payloadCount-1] },
		"payload-encode@64":  func(array any) *payload { return &array.([]payload64)[payloadCount-1].payload },
		"payload-encode@128": func(array any) *payload { return &array.([]payload128)[payloadCount-1].payload },
	} {
		k := setUp(t, name).(*payloads)
		if got := k.at(payloadCount - 1); got != last(k.array) {
			t.Errorf("%s: its last struct is not the array's", name)
		}
	}
}

func TestAnOrderIsAPermutationOfItsSeed(t *testing.T) {
	t.Setenv(OrderVariable, "7")
	one, again := shuffled(1000), shuffled(1000)
	t.Setenv(OrderVariable, "8")
	other := shuffled(1000)
	seen, same, moved := map[int64]bool{}, 0, 0
	for i, n := range one {
		seen[n] = true
		if n != again[i] {
			t.Fatalf("one seed gives two orders")
		}
		if n == other[i] {
			same++
		}
		if i > 0 && n != one[i-1]+1 {
			moved++
		}
	}
	if len(seen) != 1000 || seen[1000] || seen[-1] || same > 20 || moved < 980 {
		t.Errorf("%d numbers, %d of them where another seed puts them, %d not after their neighbour", len(seen), same, moved)
	}
}

func TestWhatIsMissingIsNamedWithItsReason(t *testing.T) {
	t.Setenv(PluginVariable, "")
	missing := map[string]string{}
	for _, m := range NotMeasured() {
		missing[m.Name] = m.Reason
		if _, found := Find(m.Name); found {
			t.Errorf("%s is missing and found", m.Name)
		}
	}
	if missing["protoc-gen-go"] != ReasonNoPlugin {
		t.Errorf("%v", missing)
	}
	t.Setenv(PluginVariable, "/somewhere/protoc-gen-go")
	if _, found := Find("protoc-gen-go"); !found {
		t.Error("a plugin is named and its kernel is missing")
	}
	for _, m := range NotMeasured() {
		if m.Name == "protoc-gen-go" {
			t.Error("a plugin is named and said to be missing")
		}
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
