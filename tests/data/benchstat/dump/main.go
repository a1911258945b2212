// Command benchfmt_dump prints what golang.org/x/perf/benchfmt reads in some files, one JSON document a record.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"golang.org/x/perf/benchfmt"
)

type value struct {
	Bits string `json:"bits"` // of the double, so that every bit is compared
	Unit string `json:"unit"`
}

type record struct {
	Kind   string      `json:"kind"`
	Line   int         `json:"line"`
	Name   string      `json:"name,omitempty"`
	Iters  int         `json:"iters,omitempty"`
	Values []value     `json:"values,omitempty"`
	Config [][2]string `json:"config,omitempty"`
	Why    string      `json:"why,omitempty"`
	Unit   string      `json:"unit,omitempty"`
	Key    string      `json:"key,omitempty"`
	Value  string      `json:"value,omitempty"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		file, err := os.Open(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		reader := benchfmt.NewReader(file, path)
		for reader.Scan() {
			if err := out.Encode(of(reader.Result())); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if err := reader.Err(); err != nil {
			out.Encode(record{Kind: "stopped"})
		}
		out.Encode(record{Kind: "end", Name: path})
	}
}

func of(rec benchfmt.Record) record {
	_, line := rec.Pos()
	switch rec := rec.(type) {
	case *benchfmt.Result:
		r := record{Kind: "result", Line: line, Name: rec.Name.String(), Iters: rec.Iters}
		for _, v := range rec.Values {
			bits := fmt.Sprintf("%x", math.Float64bits(v.Value))
			if math.IsNaN(v.Value) {
				bits = "NaN"
			}
			r.Values = append(r.Values, value{bits, v.Unit})
		}
		for _, c := range rec.Config {
			r.Config = append(r.Config, [2]string{c.Key, string(c.Value)})
		}
		return r
	case *benchfmt.UnitMetadata:
		return record{Kind: "unit", Line: line, Unit: rec.Unit, Key: rec.Key, Value: rec.Value}
	case *benchfmt.SyntaxError:
		return record{Kind: "broken", Line: line, Why: rec.Msg}
	}
	return record{Kind: fmt.Sprintf("%T", rec)}
}
