package main

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"labkit.dev/pair/old/pb"
)

func TestANoteComesBackAsItWas(t *testing.T) {
	data, err := proto.Marshal(note())
	if err != nil {
		t.Fatal(err)
	}
	back := new(pb.Note)
	if err := proto.Unmarshal(data, back); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(note(), back) {
		t.Errorf("wrote %v, read %v", note(), back)
	}
}
