// Command old writes one generated message and says which protobuf runtime it was built with.
package main

//go:generate sh ../generate.sh

import (
	"encoding/json"
	"log"
	"os"
	"runtime/debug"

	"google.golang.org/protobuf/proto"

	"labkit.dev/pair/old/pb"
)

func note() *pb.Note {
	return &pb.Note{Text: "old", Kind: pb.Kind_KIND_LETTER, Body: &pb.Note_Plain{Plain: "hello"}}
}

func main() {
	data, err := proto.Marshal(note())
	if err != nil {
		log.Fatal(err)
	}
	runtime := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "google.golang.org/protobuf" {
				runtime = module.Version
			}
		}
	}
	answer := map[string]any{"half": "old", "size_bytes": len(data), "runtime": runtime}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}
