package kernel

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"time"
	"unsafe"

	"labkit.dev/kernels/memory"
)

const (
	lineBytes = 64 // the least line of the chips at hand; where it is 128, two places share one, at random times

	// OrderVariable names the environment variable with the seed of the probes' random orders. Without it each process
	// draws its own, so that no one order, and no one set of conflicts in a cache, stands for all.
	OrderVariable = "LABKIT_ORDER_SEED"

	cycleChecked = "the walk comes to every place once before it is back at its start"
	pairBytes    = 64 << 20 // line-stride's memory: beyond the L2 of every chip at hand
	blockBytes   = 1024     // of line-stride: two places each
)

func structureKernels() []Kernel {
	probe := func(name, title string) Kernel {
		return single(Kernel{
			Name: name, Title: title, Checked: cycleChecked, Family: "structure", Operation: "load",
			RefusedTranslated: true,
		})
	}
	return []Kernel{
		swept(probe("chase", "one load whose address is the last load's value, in random order over so many bytes"),
			"bytes", 4<<10, octaves(4<<10, 64<<20), newChase),
		swept(probe("tlb", "one such load, one line on each of so many pages"),
			"pages", 16, octaves(16, 4096), newPages),
		swept(probe("tlb-dense", "the control of tlb: the same number of lines, packed"),
			"pages", 16, octaves(16, 4096), newPacked),
		swept(probe("line-stride", "one such load; each second one leaves the piece of so many bytes that the one before lies in"),
			"bytes", 8, []int64{8, 16, 32, 64, 96, 128, 192, 256, 384, 512}, newPairs),
	}
}

// octaves returns powers of two from first to last, and the middle of each pair.
func octaves(first, last int64) []int64 {
	var points []int64
	for p := first; p < last; p *= 2 {
		points = append(points, p, p+p/2)
	}
	return append(points, last)
}

// walk is a cycle of places in memory, each of which holds the address of the next. A load cannot begin before the one
// before it has ended, and a random order leaves nothing to a prefetcher. Predictors that guess a load's value or address
// (Apple's from M2 and M3 on) may still run ahead of a cycle that they have learnt: a latency below the first cache's own
// is their mark.
type walk struct {
	memory *memory.Memory
	at     unsafe.Pointer
	places int
}

// newWalk links the places at the given offsets into a cycle, in their order.
func newWalk(m *memory.Memory, offsets []int64) *walk {
	for i, offset := range offsets {
		*(*unsafe.Pointer)(m.At(offset)) = m.At(offsets[(i+1)%len(offsets)])
	}
	return &walk{memory: m, at: m.At(offsets[0]), places: len(offsets)}
}

func newChase(size int64) (Instance, error) {
	if size < 2*lineBytes || size%lineBytes != 0 || size > 4<<30 {
		return nil, fmt.Errorf("a chase over %d bytes: a multiple of %d from %d to 4 GiB is needed", size, lineBytes, 2*lineBytes)
	}
	return newShuffled(size, true, size/lineBytes, func(i int64) int64 { return i * lineBytes })
}

// newPages puts one place on each page. Each lies on another line of its page than its neighbours, or all would want the same
// few sets of the cache.
func newPages(pages int64) (Instance, error) {
	if err := checkPages(pages); err != nil {
		return nil, err
	}
	page := int64(os.Getpagesize())
	return newShuffled(pages*page, false, pages, func(i int64) int64 {
		return i*page + i%(page/lineBytes)*lineBytes
	})
}

func newPacked(pages int64) (Instance, error) {
	if err := checkPages(pages); err != nil {
		return nil, err
	}
	return newShuffled(pages*lineBytes, false, pages, func(i int64) int64 { return i * lineBytes })
}

func checkPages(pages int64) error {
	if pages < 2 || pages > 1<<18 {
		return fmt.Errorf("%d pages: 2 to %d make sense", pages, 1<<18)
	}
	return nil
}

// newPairs goes to a random place of a random block, from there to another place of it, and on to the next block. The
// exclusive or of the pair's addresses is drawn from stride up to the next power of two, so that with a stride of 64 both
// lie in one aligned piece of 128 bytes and never in one of 64. Where both lie on one line the second load hits; where they
// do not it misses as the first did, unless a prefetcher has seen it coming: Zen 4 learns which line follows another in one
// region, and hid pairs up to 384 bytes apart that were always a block's start and the same distance.
func newPairs(stride int64) (Instance, error) {
	if stride < 8 || stride%8 != 0 || stride > blockBytes-8 {
		return nil, fmt.Errorf("a stride of %d bytes: a multiple of 8 up to %d is needed", stride, blockBytes-8)
	}
	m, err := memory.New(pairBytes, true)
	if err != nil {
		return nil, err
	}
	next := int64(1) << bits.Len64(uint64(stride))
	random := &random{state: ^orderSeed()}
	below := func(n int64) int64 { return int64(random.uint64() % uint64(n)) }
	var offsets []int64
	for _, block := range shuffled(pairBytes / blockBytes) {
		first := below(blockBytes/8) * 8
		second := first ^ (stride + below((next-stride)/8)*8)
		offsets = append(offsets, block*blockBytes+first, block*blockBytes+second)
	}
	return newWalk(m, offsets), nil
}

func newShuffled(size int64, huge bool, places int64, offset func(i int64) int64) (Instance, error) {
	m, err := memory.New(size, huge)
	if err != nil {
		return nil, err
	}
	offsets := shuffled(places)
	for i, place := range offsets {
		offsets[i] = offset(place)
	}
	return newWalk(m, offsets), nil
}

// shuffled returns the numbers below n in a random order (Fisher and Yates; the bias of a modulus is below 2^-40 here).
func shuffled(n int64) []int64 {
	random := &random{state: orderSeed()}
	order := make([]int64, n)
	for i := range order {
		j := int64(random.uint64() % uint64(i+1))
		order[i] = order[j]
		order[j] = int64(i)
	}
	return order
}

func orderSeed() uint64 {
	if given, err := strconv.ParseUint(os.Getenv(OrderVariable), 10, 64); err == nil {
		return given
	}
	return uint64(time.Now().UnixNano()) ^ uint64(os.Getpid())<<40
}

func (k *walk) Run(n int) error {
	at := k.at
	for ; n >= 8; n -= 8 {
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
		at = *(*unsafe.Pointer)(at)
	}
	for ; n > 0; n-- {
		at = *(*unsafe.Pointer)(at)
	}
	k.at = at
	return nil
}

// Check goes round once by Run, in two stretches of odd lengths, which must end where it began, and once step by step.
func (k *walk) Check() error {
	start := k.at
	for _, n := range []int{1, k.places - 1} {
		if err := k.Run(n); err != nil {
			return err
		}
	}
	if k.at != start {
		return fmt.Errorf("%d loads do not lead round", k.places)
	}
	return k.verify()
}

func (k *walk) verify() error {
	seen := make([]bool, k.memory.Size/8)
	at := k.at
	for i := 0; i < k.places; i++ {
		offset := k.memory.Offset(at)
		if offset < 0 || offset >= k.memory.Size || offset%8 != 0 {
			return fmt.Errorf("load %d leads out of the memory", i)
		}
		if seen[offset/8] {
			return fmt.Errorf("after %d of %d loads the walk is where it was before", i, k.places)
		}
		seen[offset/8] = true
		at = *(*unsafe.Pointer)(at)
	}
	if at != k.at {
		return fmt.Errorf("%d loads do not lead round", k.places)
	}
	return nil
}

func (k *walk) PayloadBytes() int { return 8 }
func (k *walk) Close()            { k.memory.Close() }
