"""What generated Go declares, by Go's own parser: a small program beside this file, built once by the set's Go."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.gobuild import build
from labkit.model.generators import StructField
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base

_MODULE: Final = Path(__file__).parent / "shape"
_TIMEOUT_S: Final = 60.0


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """One struct type; a message's has a method ProtoMessage."""

    name: str
    message: bool
    fields: tuple[StructField, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What one Go file declares."""

    path: str
    package: str
    imports: tuple[str, ...]
    exported: tuple[str, ...]  # Name, or Type.Method
    types: tuple[str, ...]  # exported types alone
    structs: tuple[Struct, ...]


def shapes(toolchain: Toolchain, files: Sequence[Path]) -> dict[Path, Shape]:
    """Return what files declare; none of their code is run.

    Raises:
        BuildError: The reader does not compile.
        ProcessError: A file is no Go.

    """
    if not files:
        return {}
    reader = build(toolchain, _MODULE, ".", name="shape")
    done = proc.run([reader.path, *files], env=base(), timeout_s=_TIMEOUT_S)
    read = msgspec.json.decode(done.stdout_bytes, type=tuple[Shape, ...])
    return {Path(shape.path): shape for shape in read}
