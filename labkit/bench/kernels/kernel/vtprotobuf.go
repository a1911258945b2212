package kernel

func vtprotobufKernels() []Kernel {
	return codecKernels("vtprotobuf",
		func(c codec) Instance { return &marshalVT{codec: c} },
		func(c codec) Instance { return &unmarshalVT{codec: c} })
}

// marshalVT encodes with the code that protoc-gen-go-vtproto generated (pb/bench_vtproto.pb.go): no reflection, no tables.
type marshalVT struct {
	codec
	out []byte
}

func (k *marshalVT) Run(n int) error {
	for i := 0; i < n; i++ {
		data, err := k.message.MarshalVT()
		if err != nil {
			return err
		}
		k.out = data
	}
	return nil
}

func (k *marshalVT) Check() error { return once(k) }

func (k *marshalVT) verify() error { return k.verifyEncoded(k.out) }

// unmarshalVT decodes with that code, into a new struct each time.
type unmarshalVT struct {
	codec
	out message
}

func (k *unmarshalVT) Run(n int) error {
	for i := 0; i < n; i++ {
		m := k.empty()
		if err := m.UnmarshalVT(k.data); err != nil {
			return err
		}
		k.out = m
	}
	return nil
}

func (k *unmarshalVT) Check() error { return once(k) }

func (k *unmarshalVT) verify() error { return equalMessages(k.out, k.message) }
