package memory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// advise asks for huge pages or against them (MADV_HUGEPAGE 14, MADV_NOHUGEPAGE 15 of <linux/mman.h>). A kernel without
// transparent huge pages refuses, which changes nothing.
func advise(mapped []byte, huge bool) {
	advice := 15
	if huge {
		advice = 14
	}
	_ = syscall.Madvise(mapped, advice)
}

// LastLevelCacheBytes returns what Linux says of the greatest cache of the first processor; 0 where it says nothing.
func LastLevelCacheBytes() int64 {
	files, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*/size")
	greatest := int64(0)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(text)), "K"), 10, 64); err == nil {
			greatest = max(greatest, kilobytes<<10)
		}
	}
	return greatest
}
