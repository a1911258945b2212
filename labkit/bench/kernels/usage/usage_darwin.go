package usage

import "syscall"

// Translated reads sysctl.proc_translated, which speaks of the calling process: 1 under Rosetta 2, 0 native; nil where
// there is no such name, as on an Intel Mac.
func Translated() *bool {
	value, err := syscall.SysctlUint32("sysctl.proc_translated")
	if err != nil {
		return nil
	}
	yes := value == 1
	return &yes
}

// ExecutedBy is for Linux alone to say; macOS tells by sysctl.
func ExecutedBy() string { return "" }

// PeakMemoryBytes returns the greatest resident size so far: ru_maxrss, which macOS gives in bytes.
func PeakMemoryBytes() (int64, error) {
	r, err := read(syscall.RUSAGE_SELF)
	return int64(r.Maxrss), err
}
