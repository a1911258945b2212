//go:build !cgo

package main

func two() int { return 2 }
