// Command lines allocates structs on Go's heap and counts which of their fields lie across a line's or a page's edge.
//
// It prints one JSON document: Payload, alone and in an array, and the messages of messages.go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

const (
	objects = 512
	word    = 8
)

// edges are the boundaries that are looked at, in bytes: lines of 64 and 128.
var edges = []uintptr{64, 128}

type field struct {
	Name     string         `json:"name"`
	Offset   uintptr        `json:"offset_bytes"`
	Size     uintptr        `json:"size_bytes"`
	Crossing map[string]int `json:"crossing"` // edge: objects in which the field lies on both sides of one
	Split    int            `json:"split_words"`
}

type counted struct {
	Name    string         `json:"name"`
	Size    uintptr        `json:"size_bytes"`
	Objects int            `json:"objects"`
	Starts  map[string]int `json:"starts"` // bytes after the last edge of 64: objects that begin there
	Fields  []field        `json:"fields"`
}

func crosses(begin, size, edge uintptr) bool {
	return size > 0 && begin/edge != (begin+size-1)/edge
}

// count allocates objects of a type one by one, as a program that handles one message after another does.
func count(name string, kind reflect.Type) counted {
	made := counted{Name: name, Size: kind.Size(), Objects: objects, Starts: map[string]int{}}
	for i := 0; i < kind.NumField(); i++ {
		f := kind.Field(i)
		crossing := map[string]int{}
		for _, edge := range edges {
			crossing[fmt.Sprint(edge)] = 0
		}
		made.Fields = append(made.Fields, field{Name: f.Name, Offset: f.Offset, Size: f.Type.Size(), Crossing: crossing})
	}
	keep := make([]reflect.Value, 0, objects)
	for i := 0; i < objects; i++ {
		object := reflect.New(kind)
		keep = append(keep, object)
		start := object.Pointer()
		made.Starts[fmt.Sprint(start%edges[0])]++
		for at := range made.Fields {
			f := &made.Fields[at]
			for _, edge := range edges {
				if crosses(start+f.Offset, f.Size, edge) {
					f.Crossing[fmt.Sprint(edge)]++
				}
			}
			for part := uintptr(0); part < f.Size; part += word {
				if crosses(start+f.Offset+part, min(word, f.Size-part), edges[0]) && (f.Offset+part)%word == 0 {
					f.Split++
				}
			}
		}
	}
	return made
}

func main() {
	said := struct {
		Payload  counted   `json:"payload"`
		Messages []counted `json:"messages"`
	}{Payload: count("Payload", reflect.TypeOf(Payload{}))}
	for name, kind := range messages() {
		said.Messages = append(said.Messages, count(name, kind))
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
