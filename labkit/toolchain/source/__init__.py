"""A program built from pinned C++ sources into labkit's store: fetched, verified, built, resumed, looked at, compared.

* :func:`from_source` does all of it and returns a :class:`labkit.model.source.SourceBuild`.
* :mod:`labkit.toolchain.source.lines` tries what the handbook says to do instead: ./configure, gpg, codesign.
"""

from labkit.toolchain.source.build import Wish
from labkit.toolchain.source.pins import named, shipped
from labkit.toolchain.source.result import from_source

__all__ = ["Wish", "from_source", "named", "shipped"]
