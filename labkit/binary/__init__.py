"""Facts from an executable's bytes, and whether a named machine would run it. No process is started.

* :func:`inspect` reads one file: Mach-O (thin and fat) or ELF, its signature and Go build information.
* :func:`judge` says for each named machine what would happen there, by rules that are data.
* :func:`find` turns files and folders into the files to read.

It reads; it never opens a file for writing, and never runs one.
"""

from labkit.binary.files import find
from labkit.binary.inspecting import inspect
from labkit.binary.judging import DEFAULT_MACHINES, judge

__all__ = ["DEFAULT_MACHINES", "find", "inspect", "judge"]
