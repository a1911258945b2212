"""Which versions of Go, protoc, the plugins and the runtime modules fit each other, a go.mod and a machine."""

from labkit.toolchain.compat.asking import Answer, SetFit, setup_for
from labkit.toolchain.compat.bounds import CHOSEN, Bound, Catalogue, Kind, catalogue
from labkit.toolchain.compat.shown import lines
from labkit.toolchain.compat.solver import By, Choice, Conflict, Origin, Solution, WayOut, Wish, broken, holds, solve

__all__ = [
    "CHOSEN",
    "Answer",
    "Bound",
    "By",
    "Catalogue",
    "Choice",
    "Conflict",
    "Kind",
    "Origin",
    "SetFit",
    "Solution",
    "WayOut",
    "Wish",
    "broken",
    "catalogue",
    "holds",
    "lines",
    "setup_for",
    "solve",
]
