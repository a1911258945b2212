package kernel

import (
	"errors"

	"google.golang.org/protobuf/proto"
)

const roundTrip = "unmarshalling what was marshalled gives an equal message"

func protobufKernels() []Kernel {
	return codecKernels("protobuf",
		func(c codec) Instance { return &marshal{codec: c} },
		func(c codec) Instance { return &unmarshal{codec: c} })
}

// codecKernels returns a marshal and an unmarshal kernel of each shape.
func codecKernels(family string, marshal, unmarshal func(codec) Instance) []Kernel {
	var all []Kernel
	for _, s := range shapes() {
		for _, way := range []struct {
			name string
			make func(codec) Instance
		}{{"marshal", marshal}, {"unmarshal", unmarshal}} {
			s, way := s, way // Go 1.21 has one variable a loop
			all = append(all, single(Kernel{
				Name: family + "-" + way.name + "-" + s.name, Title: family + ": " + way.name + " " + s.title,
				Checked: roundTrip, Family: family, Operation: "message",
				BytesPerOp: int64(proto.Size(s.fixed())),
				Setup: func() (Instance, error) {
					m := s.fixed()
					data, err := proto.Marshal(m)
					return way.make(codec{shape: s, message: m, data: data}), err
				},
			}))
		}
	}
	return all
}

// codec is one message and its bytes.
type codec struct {
	shape
	message message
	data    []byte
}

func (c codec) PayloadBytes() int { return len(c.data) }
func (c codec) Close()            {}

// verifyEncoded reads bytes with google.golang.org/protobuf, whoever wrote them.
func (c codec) verifyEncoded(data []byte) error {
	got := c.empty()
	if err := proto.Unmarshal(data, got); err != nil {
		return err
	}
	return equalMessages(got, c.message)
}

// marshal encodes one message into a new buffer each time, as proto.Marshal's callers do.
type marshal struct {
	codec
	out []byte
}

func (k *marshal) Run(n int) error {
	var m proto.Message = k.message
	for i := 0; i < n; i++ {
		data, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		k.out = data
	}
	return nil
}

func (k *marshal) Check() error { return once(k) }

func (k *marshal) verify() error { return k.verifyEncoded(k.out) }

// unmarshal decodes one message into a new struct each time.
type unmarshal struct {
	codec
	out message
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

func (k *unmarshal) Check() error { return once(k) }

func (k *unmarshal) verify() error { return equalMessages(k.out, k.message) }

// verifier is an Instance whose check looks at what Run left behind.
type verifier interface {
	Run(n int) error
	verify() error
}

// once is the check of most kernels.
func once(k verifier) error {
	if err := k.Run(1); err != nil {
		return err
	}
	return k.verify()
}

func equalMessages(got, want proto.Message) error {
	if !proto.Equal(got, want) {
		return errors.New("the message differs after its round trip")
	}
	return nil
}
