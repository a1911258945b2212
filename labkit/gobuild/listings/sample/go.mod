module labkit.example/sample

go 1.21
