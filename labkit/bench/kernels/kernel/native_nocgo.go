//go:build !cgo

package kernel

func cgoKernels() []Kernel { return nil }

func missingCgo() []Missing { return []Missing{{"tanhf-c", ReasonNoCgo}, {"cgo-call", ReasonNoCgo}} }
