// Command worker runs one kernel in this process and prints what it measured as one JSON document.
//
//	worker list --json
//	worker run --kernel NAME --slices 5 --slice-time 20ms
//
// Exit codes: 0 done, 1 a fault, 2 wrong use, 3 the kernel's check failed and nothing was timed.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"labkit.dev/kernels/kernel"
	"labkit.dev/kernels/measure"
)

const (
	exitFault = 1
	exitUsage = 2
	exitCheck = 3

	usage = "usage: worker list [--json] | worker run --kernel NAME --slices N --slice-time DURATION"
)

type listed struct {
	Name           string `json:"name"`
	Title          string `json:"title"`
	Checked        string `json:"checked"`
	SingleThreaded bool   `json:"single_threaded"`
}

type list struct {
	Schema       int      `json:"schema"`
	SuiteVersion int      `json:"suite_version"`
	Kernels      []listed `json:"kernels"`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "list":
		return runList(args[1:], stdout, stderr)
	case "run":
		return runKernel(args[1:], stdout, stderr)
	default:
		fmt.Fprintf(stderr, "unknown command %q\n%s\n", args[0], usage)
		return exitUsage
	}
}

func runList(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, "print one JSON document")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return exitUsage
	}
	all := list{Schema: measure.Schema, SuiteVersion: kernel.SuiteVersion}
	for _, k := range kernel.All() {
		all.Kernels = append(all.Kernels, listed{k.Name, k.Title, k.Checked, k.SingleThreaded})
	}
	if *asJSON {
		return printJSON(all, stdout, stderr)
	}
	for _, k := range all.Kernels {
		fmt.Fprintf(stdout, "%-26s %s\n", k.Name, k.Title)
	}
	return 0
}

func runKernel(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("kernel", "", "the kernel's name")
	slices := flags.Int("slices", 5, "how many timed stretches")
	sliceTime := flags.Duration("slice-time", 20*time.Millisecond, "how long each is to last")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *slices < 1 || *sliceTime < time.Millisecond || flags.NArg() > 0 {
		fmt.Fprintf(stderr, "--slices is at least 1, --slice-time at least 1ms\n%s\n", usage)
		return exitUsage
	}
	k, found := kernel.Find(*name)
	if !found {
		fmt.Fprintf(stderr, "there is no kernel %q\n%s\n", *name, usage)
		return exitUsage
	}
	document, err := measure.Run(k, *slices, *sliceTime)
	if err != nil {
		fmt.Fprintln(stderr, err)
		if errors.Is(err, measure.ErrCheck) {
			return exitCheck
		}
		return exitFault
	}
	return printJSON(document, stdout, stderr)
}

func printJSON(value any, stdout, stderr io.Writer) int {
	if err := json.NewEncoder(stdout).Encode(value); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFault
	}
	return 0
}
