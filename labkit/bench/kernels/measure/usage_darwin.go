package measure

import "syscall"

// translated reads sysctl.proc_translated, which speaks of the calling process: 1 under Rosetta 2, 0 native, and no such
// name on an Intel Mac.
func translated() *bool {
	value, err := syscall.SysctlUint32("sysctl.proc_translated")
	if err != nil {
		return nil
	}
	yes := value == 1
	return &yes
}

// peakMemoryBytes is ru_maxrss, which macOS gives in bytes.
func peakMemoryBytes() (int64, error) {
	u, err := readUsage()
	return u.maxResident, err
}
