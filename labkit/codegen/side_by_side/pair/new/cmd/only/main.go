// Command only is a tool that the new half alone names.
package main

import "fmt"

func main() {
	fmt.Println("new")
}
