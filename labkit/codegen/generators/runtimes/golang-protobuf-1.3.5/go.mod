module labkit.dev/generators

go 1.21

require github.com/golang/protobuf v1.3.5
