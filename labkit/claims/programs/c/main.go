// Command c asks C for a number, and says whether the kernel has given the process a vDSO.
package main

/*
static int two(void) { return 2; }
#ifdef __linux__
#include <sys/auxv.h>
static int vdso(void) { return getauxval(33) != 0; } // AT_SYSINFO_EHDR
#else
static int vdso(void) { return 0; }
#endif
*/
import "C"

import (
	"fmt"
	"time"
)

func main() {
	fmt.Printf("two is %d, the clock works: %t, vDSO: %t\n", C.two(), time.Now().Year() > 2000, C.vdso() == 1)
}
