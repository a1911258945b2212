// Command either has a number from C where cgo is on, and one of Go's own where it is off.
package main

func main() { println(two()) }
