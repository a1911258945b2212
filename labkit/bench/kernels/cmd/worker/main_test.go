package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"labkit.dev/kernels/kernel"
	"labkit.dev/kernels/measure"
)

func TestListNamesEveryKernel(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"list", "--json"}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var got list
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Kernels) != len(kernel.All()) || got.SuiteVersion != kernel.SuiteVersion || got.Schema != measure.Schema {
		t.Errorf("got %+v", got)
	}
}

func TestRunPrintsOneDocument(t *testing.T) {
	var out, errs bytes.Buffer
	args := []string{"run", "--kernel", "protobuf-marshal-small", "--slices", "3", "--slice-time", "1ms"}
	if code := run(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var got measure.Document
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Kernel != "protobuf-marshal-small" || len(got.Slices) != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestServeAnswersAndEndsWithItsInput(t *testing.T) {
	var out, errs bytes.Buffer
	args := []string{"serve", "--kernel", "protobuf-marshal-small", "--iterations", "20", "--units", "105"}
	if code := run(args, strings.NewReader("slice\nslice\n"), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 3 {
		t.Errorf("it printed %q", &out)
	}
}

func TestWrongUseIsSaid(t *testing.T) {
	for name, args := range map[string][]string{
		"no command":         {},
		"unknown command":    {"walk"},
		"no kernel":          {"run"},
		"unknown kernel":     {"run", "--kernel", "fft-4097"},
		"no slices":          {"run", "--kernel", "fft-4096", "--slices", "0"},
		"half an iteration":  {"serve", "--kernel", "fft-4096", "--iterations", "10", "--units", "105"},
		"serving nothing":    {"serve"},
		"serving in no time": {"serve", "--kernel", "fft-4096", "--slice-time", "1us"},
		"too short slices":   {"run", "--kernel", "fft-4096", "--slice-time", "1us"},
		"unknown flag":       {"list", "--yaml"},
		"a loose word":       {"run", "--kernel", "fft-4096", "now"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(args, strings.NewReader(""), &out, &errs); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			if out.Len() > 0 || !strings.Contains(strings.ToLower(errs.String()), "usage") && !strings.Contains(errs.String(), "wrong order") {
				t.Errorf("it printed %q and %q", &out, &errs)
			}
		})
	}
}
