package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// translated is for macOS alone to say.
func translated() *bool { return nil }

// peakMemoryBytes is VmHWM of /proc/self/status. Not ru_maxrss: that survives execve(2), so that a small program started
// by a large one shows the large one's peak (exec_mmap in the kernel's fs/exec.c).
func peakMemoryBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmHWM")
}
