module labkit.dev/layout

go 1.21
