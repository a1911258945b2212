// Command worker runs one kernel in this process and prints what it measured as one JSON document.
//
//	worker list --json
//	worker run --kernel NAME --slices 5 --slice-time 20ms
//	worker serve --kernel NAME [--iterations N | --slice-time 2ms] [--units 100]
//
// serve greets with one line of JSON, then answers each line of its standard input ("slice", "probe THREADS") with one.
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

	usage = "usage: worker list [--json] | worker run --kernel NAME --slices N --slice-time DURATION" +
		" | worker serve --kernel NAME [--iterations N | --slice-time DURATION] [--units N]"
)

type list struct {
	Schema       int                  `json:"schema"`
	SuiteVersion int                  `json:"suite_version"`
	Kernels      []kernel.Description `json:"kernels"`
	NotMeasured  []kernel.Missing     `json:"not_measured"`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "list":
		return runList(args[1:], stdout, stderr)
	case "run":
		return runKernel(args[1:], stdout, stderr)
	case "serve":
		return serveKernel(args[1:], stdin, stdout, stderr)
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
	all := list{
		Schema: measure.Schema, SuiteVersion: kernel.SuiteVersion,
		Kernels: kernel.Descriptions(), NotMeasured: kernel.NotMeasured(),
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
		return fault(err, stderr)
	}
	return printJSON(document, stdout, stderr)
}

func serveKernel(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("kernel", "", "the kernel's name")
	iterations := flags.Int("iterations", 0, "how many iterations a slice has; 0 chooses by --slice-time")
	sliceTime := flags.Duration("slice-time", 2*time.Millisecond, "how long a slice is to last")
	units := flags.Int("units", measure.NominalUnits, "the work done in place of 100 units, for a known slowdown")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *sliceTime < 100*time.Microsecond || flags.NArg() > 0 {
		fmt.Fprintf(stderr, "--slice-time is at least 100us\n%s\n", usage)
		return exitUsage
	}
	k, found := kernel.Find(*name)
	if !found {
		fmt.Fprintf(stderr, "there is no kernel %q\n%s\n", *name, usage)
		return exitUsage
	}
	order := measure.Order{Iterations: *iterations, SliceTime: *sliceTime, Units: *units}
	if err := measure.Serve(k, order, stdin, stdout); err != nil {
		return fault(err, stderr)
	}
	return 0
}

func fault(err error, stderr io.Writer) int {
	fmt.Fprintln(stderr, err)
	switch {
	case errors.Is(err, measure.ErrCheck):
		return exitCheck
	case errors.Is(err, measure.ErrOrder):
		return exitUsage
	default:
		return exitFault
	}
}

func printJSON(value any, stdout, stderr io.Writer) int {
	if err := json.NewEncoder(stdout).Encode(value); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFault
	}
	return 0
}
