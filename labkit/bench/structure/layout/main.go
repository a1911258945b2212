// Command layout prints where Go's compiler puts the fields of the handbook's struct, as one JSON document.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"unsafe"
)

// payload is the struct that the handbook prints in 2.5; its comments there say 0, 4 and 20.
type payload struct {
	ID   uint32
	Tag  [16]byte
	Data []byte
}

type field struct {
	Name   string  `json:"name"`
	Offset uintptr `json:"offset_bytes"`
	Size   uintptr `json:"size_bytes"`
}

func main() {
	var p payload
	layout := struct {
		Size   uintptr `json:"size_bytes"`
		Align  uintptr `json:"align_bytes"`
		Fields []field `json:"fields"`
	}{unsafe.Sizeof(p), unsafe.Alignof(p), []field{
		{"ID", unsafe.Offsetof(p.ID), unsafe.Sizeof(p.ID)},
		{"Tag", unsafe.Offsetof(p.Tag), unsafe.Sizeof(p.Tag)},
		{"Data", unsafe.Offsetof(p.Data), unsafe.Sizeof(p.Data)},
	}}
	if err := json.NewEncoder(os.Stdout).Encode(layout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
