module labkit.dev/pair/new

go 1.24.0

tool (
	google.golang.org/protobuf/cmd/protoc-gen-go
	labkit.dev/pair/new/cmd/only
	labkit.dev/pair/new/cmd/who
)

require google.golang.org/protobuf v1.36.12
