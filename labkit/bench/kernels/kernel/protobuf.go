package kernel

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

const (
	smallStream = 1
	largeStream = 2

	roundTrip = "unmarshalling what was marshalled gives an equal message"
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
	for i := range m.Blob {
		m.Blob[i] = byte(random.uint64())
	}
	return m
}

func protobufKernels() []Kernel {
	small := codec{
		fixed: func() proto.Message { return newSmall(newRandom(smallStream)) },
		empty: func() proto.Message { return new(pb.Small) },
	}
	large := codec{
		fixed: func() proto.Message { return newLarge(newRandom(largeStream)) },
		empty: func() proto.Message { return new(pb.Large) },
	}
	return []Kernel{
		small.marshalKernel("protobuf-marshal-small", "protobuf: marshal a small message"),
		small.unmarshalKernel("protobuf-unmarshal-small", "protobuf: unmarshal a small message"),
		large.marshalKernel("protobuf-marshal-large", "protobuf: marshal a large message"),
		large.unmarshalKernel("protobuf-unmarshal-large", "protobuf: unmarshal a large message"),
	}
}

// codec is one message type with its fixed message.
type codec struct {
	fixed func() proto.Message
	empty func() proto.Message
}

func (c codec) marshalKernel(name, title string) Kernel {
	return Kernel{Name: name, Title: title, Checked: roundTrip, SingleThreaded: true, Setup: func() (Instance, error) {
		m := c.fixed()
		return &marshal{codec: c, message: m, size: proto.Size(m)}, nil
	}}
}

func (c codec) unmarshalKernel(name, title string) Kernel {
	return Kernel{Name: name, Title: title, Checked: roundTrip, SingleThreaded: true, Setup: func() (Instance, error) {
		m := c.fixed()
		data, err := proto.Marshal(m)
		return &unmarshal{codec: c, message: m, data: data}, err
	}}
}

// marshal encodes one message into a new buffer each time, as proto.Marshal's callers do.
type marshal struct {
	codec
	message proto.Message
	size    int
	out     []byte
}

func (k *marshal) Run(n int) error {
	for i := 0; i < n; i++ {
		data, err := proto.Marshal(k.message)
		if err != nil {
			return err
		}
		k.out = data
	}
	return nil
}

func (k *marshal) Check() error {
	if err := k.Run(1); err != nil {
		return err
	}
	return k.verify()
}

func (k *marshal) verify() error {
	got := k.empty()
	if err := proto.Unmarshal(k.out, got); err != nil {
		return err
	}
	return equalMessages(got, k.message)
}

func (k *marshal) PayloadBytes() int { return k.size }
func (k *marshal) Close()            {}

// unmarshal decodes one message into a new struct each time.
type unmarshal struct {
	codec
	message proto.Message
	data    []byte
	out     proto.Message
}

func (k *unmarshal) Run(n int) error {
	for i := 0; i < n; i++ {
		m := k.empty()
		if err := proto.Unmarshal(k.data, m); err != nil {
			return err
		}
		k.out = m
	}
	return nil
}

func (k *unmarshal) Check() error {
	if err := k.Run(1); err != nil {
		return err
	}
	return k.verify()
}

func (k *unmarshal) verify() error { return equalMessages(k.out, k.message) }

func (k *unmarshal) PayloadBytes() int { return len(k.data) }
func (k *unmarshal) Close()            {}

func equalMessages(got, want proto.Message) error {
	if !proto.Equal(got, want) {
		return errors.New("the message differs after its round trip")
	}
	return nil
}
