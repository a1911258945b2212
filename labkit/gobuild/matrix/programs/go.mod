module labkit.dev/matrix

go 1.21
