package main

// Payload is the struct that the handbook prints in 2.5.
type Payload struct {
	ID   uint32
	Tag  [16]byte
	Data []byte
}
