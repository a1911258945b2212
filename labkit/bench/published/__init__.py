"""Go benchmark output as people publish it, read into records; what cannot be read is listed, never guessed.

The lenient form on top of :mod:`labkit.bench.benchfmt`, which reads what ``go test`` itself prints. :func:`import_file`
makes a record of a text, :func:`load` reads a record back.
"""

from labkit.bench.published.importing import MOST_BYTES, import_bytes, import_file
from labkit.bench.published.reader import Published, parse
from labkit.bench.published.records import decode, encode, is_imported, load

__all__ = [
    "MOST_BYTES",
    "Published",
    "decode",
    "encode",
    "import_bytes",
    "import_file",
    "is_imported",
    "load",
    "parse",
]
