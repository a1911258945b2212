// Calls routines that claim to be compare-and-swap, and prints as JSON what they did.
//
// The routines are those of cas_arm64.s, which labkit writes for each build. Judging is not done here.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

type routine struct {
	id          string
	cas         func(p *uint64, old, new uint64) (swapped bool, status uint64)
	interrupted func(p *uint64, old, new uint64, flags *[64]uint64) (swapped bool, status, loads uint64)
}

type oneCase struct {
	Before   uint64 `json:"before"`
	Old      uint64 `json:"old"`
	New      uint64 `json:"new"`
	Returned bool   `json:"returned"`
	After    uint64 `json:"after"`
}

type contended struct {
	Goroutines int    `json:"goroutines"`
	Attempts   uint64 `json:"attempts"`
	Successes  uint64 `json:"successes"`
	Final      uint64 `json:"final"`
}

type conflict struct {
	OtherWrote bool    `json:"other_wrote"`
	OtherValue *uint64 `json:"other_value"`
	Status     uint64  `json:"status"`
	Returned   bool    `json:"returned"`
	Loads      uint64  `json:"loads"`
	After      uint64  `json:"after"`
}

type report struct {
	ID           string     `json:"id"`
	Cases        []oneCase  `json:"cases"`
	Contended    contended  `json:"contended"`
	Conflicts    []conflict `json:"conflicts"`
	RefusedAlone int        `json:"refused_alone"`
	CalledAlone  int        `json:"called_alone"`
}

const (
	goroutines = 4
	rounds     = 5000 // each goroutine's, of at most tries calls
	tries      = 20
	alone      = 2000
)

var words = [][3]uint64{ // in memory, expected, new; JSON's numbers are exact to 2^53
	{5, 5, 9}, {5, 6, 9}, {5, 6, 5}, {0, 0, 1}, {1, 0, 1}, {7, 7, 7}, {1<<40 + 5, 5, 9}, {5, 1<<40 + 5, 9}, {1<<52 + 1, 1<<52 + 1, 3},
}

func main() {
	reports := []report{}
	for _, r := range routines {
		reports = append(reports, try(r))
	}
	if err := json.NewEncoder(os.Stdout).Encode(reports); err != nil {
		panic(err)
	}
}

func try(r routine) report {
	found := report{ID: r.id, CalledAlone: alone, Conflicts: []conflict{}}
	for _, w := range words {
		memory := w[0]
		swapped, _ := r.cas(&memory, w[1], w[2])
		found.Cases = append(found.Cases, oneCase{w[0], w[1], w[2], swapped, memory})
	}
	for i := uint64(0); i < alone; i++ {
		memory := i
		if swapped, _ := r.cas(&memory, i, i+1); !swapped {
			found.RefusedAlone++
		}
	}
	found.Contended = contend(r)
	if r.interrupted != nil {
		found.Conflicts = append(found.Conflicts, interrupt(r, false), interrupt(r, true))
	}
	return found
}

func contend(r routine) contended {
	var memory, attempts, successes uint64
	var all sync.WaitGroup
	start := make(chan struct{})
	for g := 0; g < goroutines; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			for i := 0; i < rounds; i++ {
				for try := 0; try < tries; try++ {
					seen := atomic.LoadUint64(&memory)
					atomic.AddUint64(&attempts, 1)
					if swapped, _ := r.cas(&memory, seen, seen+1); swapped {
						atomic.AddUint64(&successes, 1)
						break
					}
				}
			}
		}()
	}
	close(start)
	all.Wait()
	return contended{goroutines, attempts, successes, memory}
}

// interrupt has another thread wait until the routine has loaded, write, and only then let it go on. Without a write
// nothing is waited for; a processor may refuse an exclusive store for reasons of its own, so that is tried again.
func interrupt(r routine, write bool) conflict {
	const before, old, new, other = 5, 5, 9, 77
	if !write {
		found := conflict{}
		for try := 0; try < tries; try++ {
			memory, flags := new64(before), &[64]uint64{32: 1}
			found.Returned, found.Status, found.Loads = r.interrupted(memory, old, new, flags)
			found.After = *memory
			if found.Status == 0 {
				break
			}
		}
		return found
	}
	memory, flags := new64(before), &[64]uint64{}
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		for atomic.LoadUint64(&flags[0]) == 0 {
			runtime.Gosched()
		}
		atomic.StoreUint64(memory, other)
		atomic.StoreUint64(&flags[32], 1)
	}()
	runtime.LockOSThread()
	swapped, status, loads := r.interrupted(memory, old, new, flags)
	runtime.UnlockOSThread()
	<-done
	value := uint64(other)
	return conflict{true, &value, status, swapped, loads, *memory}
}

func new64(v uint64) *uint64 { return &v }

// control is Go's own, so that a fault of this program would show.
func control(p *uint64, old, new uint64) (bool, uint64) {
	return atomic.CompareAndSwapUint64(p, old, new), 0
}

// torn is no compare-and-swap: it lets others in between its load and its store, so that losses can be seen here.
func torn(p *uint64, old, new uint64) (bool, uint64) {
	if atomic.LoadUint64(p) != old {
		return false, 0
	}
	if old%8 == 0 {
		runtime.Gosched()
	}
	atomic.StoreUint64(p, new)
	return true, 0
}
