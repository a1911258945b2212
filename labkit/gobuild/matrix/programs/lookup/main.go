// Command lookup resolves a host's name, localhost when none is named, and says what it found. That a name cannot be
// resolved is an answer and no failure; run it with GODEBUG=netdns=1 to see which resolver was chosen.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"
)

func main() {
	name := "localhost"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	addresses, err := net.LookupHost(name)
	var unresolved *net.DNSError
	if errors.As(err, &unresolved) {
		server := unresolved.Server // that was asked; without the port of this moment
		if server == "" {
			server = "nobody"
		}
		fmt.Printf("%s is not resolved (asked: %s)\n", name, server)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sort.Strings(addresses)
	fmt.Printf("%s is %s\n", name, strings.Join(addresses, " "))
}
