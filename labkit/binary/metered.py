"""A stream with a budget, for readers that are not ours: they follow lengths wherever these lead."""

import io
from typing import Final

from labkit.binary.reading import MalformedError, Source

#: Far above what a program's tables take (libLLVM: 0.4 MB in 900 reads).
_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_READS: Final = 400_000


class Metered(io.BytesIO):
    """A part of a file as a binary stream; too many reads raise :class:`MalformedError`."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._left = _MAX_BYTES
        self._reads_left = _MAX_READS
        self.at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as every stream does; beyond the end is allowed."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self._source.size}[whence]
        self.at = max(0, start + offset)
        return self.at

    def tell(self) -> int:
        """Return the position."""
        return self.at

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes, or raise :class:`MalformedError` once the budget is spent."""
        there = max(0, self._source.size - self.at)
        wanted = there if size is None or size < 0 else min(size, there)
        self._left -= wanted
        self._reads_left -= 1
        if self._left < 0 or self._reads_left < 0:
            raise MalformedError("its tables lead through more bytes than any program has", self.at)
        data = self._source.read(self.at, wanted, "ELF structure")
        self.at += wanted
        return data
