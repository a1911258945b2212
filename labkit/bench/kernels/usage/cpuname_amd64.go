package usage

import (
	"encoding/binary"
	"strings"
)

func cpuid(leaf uint32) (eax, ebx, ecx, edx uint32)

// CPUName returns the processor brand string of CPUID (leaves 0x80000002 to 0x80000004; Intel SDM, volume 2A, CPUID), from
// which Go's benchmarks take their "cpu:" line. Under Rosetta 2 it is VirtualApple, whatever sysctl calls the chip.
func CPUName() string {
	const first, last = 0x80000002, 0x80000004
	if highest, _, _, _ := cpuid(0x80000000); highest < last {
		return ""
	}
	var name []byte
	for leaf := uint32(first); leaf <= last; leaf++ {
		a, b, c, d := cpuid(leaf)
		for _, register := range []uint32{a, b, c, d} {
			name = binary.LittleEndian.AppendUint32(name, register)
		}
	}
	text, _, _ := strings.Cut(string(name), "\x00")
	return strings.TrimSpace(text)
}
