// Command tiny imports nothing.
package main

func main() { println("tiny") }
