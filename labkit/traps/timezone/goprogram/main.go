// Zone prints an instant (seconds since 1970) in a zone, or why the zone could not be loaded.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	zone, err := time.LoadLocation(os.Args[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	seconds, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	fmt.Println(time.Unix(seconds, 0).In(zone).Format("15:04 MST -0700"))
}
