module labkit.dev/shape

go 1.21
