// Command who is a tool that both halves have, each its own.
package main

import "fmt"

func main() {
	fmt.Println("new")
}
