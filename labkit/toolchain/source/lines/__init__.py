"""The handbook's lines for building protoc, each tried in a folder of its own: what it said, and whether it held.

Each function returns a :class:`labkit.model.source.LineTried` whose evidence was seen at that moment; nothing here
knows a result in advance.
"""

from labkit.toolchain.source.lines.codesign import try_codesign
from labkit.toolchain.source.lines.configure import try_configure
from labkit.toolchain.source.lines.gpg import try_gpg

__all__ = ["try_codesign", "try_configure", "try_gpg"]
