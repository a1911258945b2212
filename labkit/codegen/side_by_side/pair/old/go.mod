module labkit.dev/pair/old

go 1.24.0

tool (
	google.golang.org/protobuf/cmd/protoc-gen-go
	labkit.dev/pair/old/cmd/who
)

require google.golang.org/protobuf v1.28.1
