// Command users looks up root as the system's C library does where cgo is on.
package main

import (
	"fmt"
	"os"
	"os/user"
)

func main() {
	found, err := user.Lookup("root")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("root is", found.Uid)
}
