module labkit.example/levels

go 1.20
