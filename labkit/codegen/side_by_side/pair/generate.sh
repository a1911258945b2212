#!/bin/sh
# Generates ../proto/note.proto for the module in the current folder, with the plugin that this module's go.mod names.
# GOWORK=off: in a workspace `go tool` would run the newest plugin that any of its modules asks for.
set -eu
export GOWORK=off
go tool protoc-gen-go --version >/dev/null # Go 1.24 knows where a tool lies only once it has run it
plugin=$(go tool -n protoc-gen-go)
mkdir -p pb
protoc --plugin=protoc-gen-go="$plugin" --go_out=pb --go_opt=paths=source_relative --proto_path=../proto note.proto
