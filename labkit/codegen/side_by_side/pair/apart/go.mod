module labkit.dev/pair/apart

go 1.24.0

require google.golang.org/protobuf v1.36.12
