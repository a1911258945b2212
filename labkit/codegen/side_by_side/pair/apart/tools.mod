module labkit.dev/pair/apart

go 1.20

tool google.golang.org/protobuf/cmd/protoc-gen-go

require google.golang.org/protobuf v1.28.1 // indirect
