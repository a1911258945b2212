package kernel

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

const (
	smallStream  = 1
	largeStream  = 2
	nestedStream = 5
	mapsStream   = 6
	bytesStream  = 7

	nestedDepth   = 7 // levels; two children each make 127 nodes
	countEntries  = 64
	itemEntries   = 32
	bytesInABlock = 65536
)

func newSmall(random *random) *pb.Small {
	return &pb.Small{
		Id:     random.uint64(),
		Name:   fmt.Sprintf("sensor-%08x", uint32(random.uint64())),
		Value:  random.float64(),
		Active: true,
	}
}

func newLarge(random *random) *pb.Large {
	m := &pb.Large{Title: "readings of one minute", Blob: make([]byte, 2048)}
	for len(m.Items) < 100 {
		m.Items = append(m.Items, newSmall(random))
	}
	for len(m.Readings) < 256 {
		m.Deltas = append(m.Deltas, int64(random.uint64()>>44)-1<<19)
		m.Readings = append(m.Readings, random.float64())
	}
	fill(m.Blob, random)
	return m
}

func newNested(random *random, depth int32) *pb.Nested {
	m := &pb.Nested{Name: fmt.Sprintf("node-%08x", uint32(random.uint64())), Depth: depth}
	if depth < nestedDepth {
		m.Children = []*pb.Nested{newNested(random, depth+1), newNested(random, depth+1)}
	}
	return m
}

func newMaps(random *random) *pb.Maps {
	m := &pb.Maps{Counts: map[string]int64{}, Items: map[uint32]*pb.Small{}}
	for len(m.Counts) < countEntries {
		m.Counts[fmt.Sprintf("counter-%08x", uint32(random.uint64()))] = int64(random.uint64()>>32) - 1<<31
	}
	for len(m.Items) < itemEntries {
		m.Items[uint32(random.uint64())] = newSmall(random)
	}
	return m
}

func newBytes(random *random) *pb.Bytes {
	m := &pb.Bytes{Data: make([]byte, bytesInABlock)}
	fill(m.Data, random)
	return m
}

func fill(block []byte, random *random) {
	for i := range block {
		block[i] = byte(random.uint64())
	}
}

// shape is one message type with its fixed message; both codecs work on the same.
type shape struct {
	name  string
	title string
	fixed func() message
	empty func() message
}

// message is what the set's plugin generates, with the methods that vtprotobuf's adds.
type message interface {
	proto.Message
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

func shapes() []shape {
	return []shape{
		{
			"small", "a small message",
			func() message { return newSmall(newRandom(smallStream)) }, func() message { return new(pb.Small) },
		},
		{
			"large", "a large message",
			func() message { return newLarge(newRandom(largeStream)) }, func() message { return new(pb.Large) },
		},
		{
			"nested", "a tree of messages",
			func() message { return newNested(newRandom(nestedStream), 1) }, func() message { return new(pb.Nested) },
		},
		{
			"maps", "a message of maps",
			func() message { return newMaps(newRandom(mapsStream)) }, func() message { return new(pb.Maps) },
		},
		{
			"bytes", "a message of one block of bytes",
			func() message { return newBytes(newRandom(bytesStream)) }, func() message { return new(pb.Bytes) },
		},
	}
}
