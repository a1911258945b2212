"""Decodes a program's instructions from its bytes: by function, or over its whole text section. No process is started.

* :func:`read` returns the text section and, of a Go program, its functions (stripped or not).
* :func:`decode` turns the bytes of one function into records, :func:`sweep` a whole section into plain tuples.
* :func:`count` counts chosen instructions over a whole text section.

Importing it loads capstone; nothing else in labkit does.
"""

from labkit.binary.instructions.census import count
from labkit.binary.instructions.code import Code, Function, read
from labkit.binary.instructions.decode import ARCHITECTURES, DATA, atomicity, decode, sweep

__all__ = ["ARCHITECTURES", "DATA", "Code", "Function", "atomicity", "count", "decode", "read", "sweep"]
