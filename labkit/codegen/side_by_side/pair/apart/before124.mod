module labkit.dev/pair/apart

go 1.20

// A Go before 1.24 knows no tool line; it builds the plugin by its whole path.
require google.golang.org/protobuf v1.28.1
