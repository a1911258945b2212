// Goshape reads pairs of generated Go files and says in what they differ: stamps, layout, comments, declarations of the
// syntax tree, and the embedded file descriptor. It states facts; labkit.codegen.drift names the kind of difference.
//
// Standard input holds one JSON object a line (Request), standard output one a line (Answer), in any order.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// Request names a pair; a path may be empty where only one side is there.
type Request struct {
	ID        int    `json:"id"`
	Committed string `json:"committed"`
	Generated string `json:"generated"`
}

// Answer holds what each file is and, of two that parse, how they differ.
type Answer struct {
	ID         int         `json:"id"`
	Committed  *Side       `json:"committed"`
	Generated  *Side       `json:"generated"`
	Comparison *Comparison `json:"comparison"`
}

func main() {
	debug.SetGCPercent(400) // a file's tree is garbage at once, and small
	if err := serve(os.Stdin, os.Stdout, runtime.GOMAXPROCS(0)); err != nil {
		fmt.Fprintln(os.Stderr, "goshape:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer, workers int) error {
	requests := make(chan Request)
	answers := make(chan Answer)
	var working sync.WaitGroup
	for range workers {
		working.Add(1)
		go func() {
			defer working.Done()
			for request := range requests {
				answers <- answer(request)
			}
		}()
	}
	var failed error
	go func() {
		decoder := json.NewDecoder(bufio.NewReader(in))
		for {
			var request Request
			if err := decoder.Decode(&request); err != nil {
				if err != io.EOF {
					failed = fmt.Errorf("the list of files: %w", err)
				}
				break
			}
			requests <- request
		}
		close(requests)
		working.Wait()
		close(answers)
	}()
	writer := bufio.NewWriter(out)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for each := range answers {
		if err := encoder.Encode(each); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	return writer.Flush()
}

func answer(request Request) Answer {
	committed, generated := read(request.Committed), read(request.Generated)
	result := Answer{ID: request.ID, Committed: committed, Generated: generated}
	if committed == nil || generated == nil || committed.Unreadable != "" || generated.Unreadable != "" {
		for _, side := range []*Side{committed, generated} {
			if side != nil && side.Unreadable == "" {
				side.parse()
			}
		}
		return result
	}
	if string(committed.content) == string(generated.content) {
		result.Comparison = &Comparison{Identical: true}
		return result
	}
	committed.parse()
	if bytes.Equal(committed.rest, generated.rest) { // the frequent case; one tree is the other's
		generated.Syntax, generated.Package, generated.Features = committed.Syntax, committed.Package, committed.Features
		generated.Descriptor = committed.Descriptor
		result.Comparison = onlyStamps(committed)
		return result
	}
	generated.parse()
	result.Comparison = compare(committed, generated)
	return result
}
