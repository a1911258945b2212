package usage

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Translated is for macOS alone to say.
func Translated() *bool { return nil }

// ExecutedBy returns the name of the program that the kernel runs here: this one, or the translator that runs it. qemu-user
// answers /proc/self/exe with the program it translates, but knows nothing of thread-self.
func ExecutedBy() string {
	path, err := os.Readlink("/proc/thread-self/exe")
	if err != nil {
		return ""
	}
	return filepath.Base(path)
}

// PeakMemoryBytes returns the greatest resident size so far: VmHWM of /proc/self/status. Not ru_maxrss (kilobytes here):
// that survives execve(2), so that a small program started by a large one shows the large one's peak (getrusage(2), and
// exec_mmap in the kernel's fs/exec.c).
func PeakMemoryBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}
