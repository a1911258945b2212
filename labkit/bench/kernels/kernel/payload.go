package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

const (
	payloadStream = 9
	payloadCount  = 4096
	padded        = 64
	paddedTwice   = 128
)

func payloadKernels() []Kernel {
	return []Kernel{swept(single(Kernel{
		Name:      "payload-encode",
		Title:     "encode 4096 structs of a uint32, 16 bytes and a slice, which lie so many bytes apart",
		Checked:   "decoding gives every struct back",
		Family:    "layout",
		Operation: "batch",
	}), "bytes", int64(unsafe.Sizeof(payload{})), []int64{int64(unsafe.Sizeof(payload{})), padded, paddedTwice}, newPayloads)}
}

// payload is laid out by Go's compiler: ID at 0, Tag at 4, Data at 24, for a slice wants a multiple of 8; 48 bytes in all.
type payload struct {
	ID   uint32
	Tag  [16]byte
	Data []byte
}

type payload64 struct {
	payload
	_ [padded - unsafe.Sizeof(payload{})]byte
}

type payload128 struct {
	payload
	_ [paddedTwice - unsafe.Sizeof(payload{})]byte
}

// payloads is an array of them. All layouts run the same machine code; the distance is a variable of it.
type payloads struct {
	array  any // keeps it alive
	first  unsafe.Pointer
	stride uintptr
	out    []byte
}

func newPayloads(stride int64) (Instance, error) {
	k := &payloads{stride: uintptr(stride)}
	switch stride {
	case int64(unsafe.Sizeof(payload{})):
		array := make([]payload, payloadCount)
		k.array, k.first = array, unsafe.Pointer(&array[0])
	case padded:
		array := make([]payload64, payloadCount)
		k.array, k.first = array, unsafe.Pointer(&array[0])
	case paddedTwice:
		array := make([]payload128, payloadCount)
		k.array, k.first = array, unsafe.Pointer(&array[0])
	default:
		return nil, fmt.Errorf("no struct of %d bytes: there are %d, %d and %d", stride, unsafe.Sizeof(payload{}), padded, paddedTwice)
	}
	random := newRandom(payloadStream)
	size := 0
	for i := 0; i < payloadCount; i++ {
		p := k.at(i)
		p.ID = uint32(random.uint64())
		fill(p.Tag[:], random)
		p.Data = make([]byte, 16+random.uint64()%48)
		fill(p.Data, random)
		size += 4 + 1 + len(p.Tag) + len(p.Data)
	}
	k.out = make([]byte, 0, size)
	return k, nil
}

func (k *payloads) at(i int) *payload { return (*payload)(unsafe.Add(k.first, uintptr(i)*k.stride)) }

// Run writes each struct as its ID, its Tag, and its Data after one byte of length.
func (k *payloads) Run(n int) error {
	for ; n > 0; n-- {
		out := k.out[:0]
		for i := 0; i < payloadCount; i++ {
			p := k.at(i)
			out = binary.LittleEndian.AppendUint32(out, p.ID)
			out = append(out, p.Tag[:]...)
			out = append(out, byte(len(p.Data)))
			out = append(out, p.Data...)
		}
		k.out = out
	}
	return nil
}

func (k *payloads) Check() error { return once(k) }

func (k *payloads) verify() error {
	rest := k.out
	for i := 0; i < payloadCount; i++ {
		p := k.at(i)
		head := 4 + len(p.Tag)
		if len(rest) <= head || len(rest) <= head+int(rest[head]) {
			return fmt.Errorf("the bytes end within struct %d", i)
		}
		id, tag, data := binary.LittleEndian.Uint32(rest), rest[4:head], rest[head+1:head+1+int(rest[head])]
		if id != p.ID || !bytes.Equal(tag, p.Tag[:]) || !bytes.Equal(data, p.Data) {
			return fmt.Errorf("struct %d differs after its round trip", i)
		}
		rest = rest[head+1+len(data):]
	}
	if len(rest) > 0 {
		return errors.New("bytes are left over")
	}
	return nil
}

func (k *payloads) PayloadBytes() int { return cap(k.out) }
func (k *payloads) Close()            {}
