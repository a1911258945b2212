//go:build !amd64

package usage

// CPUName is for CPUID alone to say.
func CPUName() string { return "" }
