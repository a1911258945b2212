"""What rules look at: literal values, so that a test can write one down."""

from dataclasses import dataclass

from labkit.model.binary import Binary
from labkit.model.codegen import Built, Generated, Served
from labkit.model.machine import Machine
from labkit.model.toolchain import Tool


@dataclass(frozen=True, kw_only=True)
class ToolSubject:
    """One tool, its bytes, and the machine that should run it."""

    tool: Tool
    binary: Binary
    machine: Machine


@dataclass(frozen=True, kw_only=True)
class IncludeSubject:
    """protoc's own .proto files."""

    folder: str
    files: frozenset[str]  # relative to the folder


@dataclass(frozen=True, kw_only=True)
class CodegenSubject:
    """What was generated, by which versions it should be, and what its server answered."""

    generated: Generated
    wanted_files: tuple[str, ...]
    pins: dict[str, str]  # plugin: version
    served: Served


@dataclass(frozen=True, kw_only=True)
class BuildSubject:
    """A program built for a platform, and its bytes."""

    built: Built
    binary: Binary
