module labkit.example/printedcas

go 1.21
