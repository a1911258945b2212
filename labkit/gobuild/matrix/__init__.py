"""The build matrix: programs built in many ways for many platforms, read, and started where they can be.

What cannot be built says why: Go and the linkers in their own words, or the thing that is not here. Nothing is judged
static or dynamic by a setting's name; the bytes say it, and an empty root shows it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labkit.binary import DEFAULT_MACHINES, inspect
from labkit.binary.sections import sections_bytes
from labkit.errors import BuildError
from labkit.gobuild import build
from labkit.gobuild.matrix.compilers import Compiler, compiler_for
from labkit.gobuild.matrix.plan import FOLDER, CellId, Program, Selection, Variant, plan, selection
from labkit.gobuild.matrix.trying import Work, environment, trials, work_of
from labkit.gobuild.matrix.witnesses import witnesses
from labkit.model.base import Text
from labkit.model.codegen import Built
from labkit.model.matrix import Cell, CellStatus, Matrix
from labkit.model.toolchain import Toolchain
from labkit.system.store import shown

__all__ = ["Given", "Selection", "Work", "environment", "plan", "run", "selection"]

#: The machines that a build is judged for.
MACHINES: Final = DEFAULT_MACHINES


@dataclass(frozen=True, kw_only=True)
class Given:
    """A program that this room does not have: its module, with generated files laid over it, and its work."""

    module: Path
    package: str
    work: Work
    overlay: Mapping[str, Path] = field(default_factory=dict)


def run(
    toolchain: Toolchain,
    given: Mapping[str, Given],
    wanted: Selection,
    *,
    cells: Sequence[CellId] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Matrix:
    """Build, read and start the cells of a selection.

    Args:
        toolchain: The set to build with.
        given: The programs that come from elsewhere, by name.
        wanted: Which part; zig is fetched for the full one alone.
        cells: Exactly these instead.
        progress: Called with one line before each cell.

    Raises:
        NetworkError: A module, or zig, could not be fetched.

    """
    started = time.monotonic()
    made: list[Cell] = []
    for cell in plan().cells(wanted) if cells is None else cells:
        if progress is not None:
            progress(f"{cell.program} for {cell.platform}, {cell.variant}")
        made.append(_cell(toolchain, given, cell, zig=wanted is Selection.FULL))
    return Matrix(selection=wanted.value, cells=tuple(made), wall_time_s=time.monotonic() - started)


def _cell(toolchain: Toolchain, given: Mapping[str, Given], cell: CellId, *, zig: bool) -> Cell:
    program, variant = plan().program[cell.program], plan().variant[cell.variant]
    here = toolchain.platform
    compiler = Compiler(path=None)
    if variant.cgo:
        compiler = compiler_for(cell.platform, here=here, libc=variant.libc, zig=zig)
    # Apple's own packages need no C compiler with cgo on: a program without C code is linked by Go alone.
    may_do_without = cell.platform.startswith("darwin/") and variant.libc is None and not variant.links_outside
    if compiler.reason is not None and not may_do_without:
        return _not_built(cell, CellStatus.IMPOSSIBLE, compiler.reason, None)
    try:
        built = _build(toolchain, given, cell, program, variant, compiler)
    except BuildError as error:
        words = Text(id="matrix.reason.refused", values={"said": shown(error.what)})
        return _not_built(cell, CellStatus.REFUSED, words, compiler.said)
    work = given[cell.program].work if cell.program in given else work_of(program.arguments)
    return _read(cell, built, compiler, work, here)


def _not_built(cell: CellId, status: CellStatus, reason: Text, compiler: str | None) -> Cell:
    return Cell(
        program=cell.program,
        platform=cell.platform,
        variant=cell.variant,
        status=status,
        reason=reason,
        compiler=compiler,
    )


def _build(  # noqa: PLR0917 - one call, from above
    toolchain: Toolchain,
    given: Mapping[str, Given],
    cell: CellId,
    program: Program,
    variant: Variant,
    compiler: Compiler,
) -> Built:
    options = variant.options(compiler.path)
    name = f"{cell.program}-{cell.variant}"
    if cell.program in given:
        source = given[cell.program]
        module, package, overlay = source.module, source.package, source.overlay
    elif program.plugin is not None:
        module, package = FOLDER / "plugins" / program.plugin, "google.golang.org/protobuf/cmd/protoc-gen-go"
        overlay = {}
    else:
        module, package, overlay = FOLDER / "programs", program.package or ".", {}
    return build(toolchain, module, package, name=name, platform=cell.platform, overlay=overlay, options=options)


def _read(cell: CellId, built: Built, compiler: Compiler, work: Work, here: str) -> Cell:
    path = Path(built.path)
    facts = inspect(path, machines=MACHINES)
    slice_ = facts.slices[0]
    return Cell(
        program=cell.program,
        platform=cell.platform,
        variant=cell.variant,
        status=CellStatus.BUILT,
        compiler=compiler.said,
        size_bytes=built.size_bytes,
        sha256=built.sha256,
        cached=built.cached,
        built_at=built.built_at,
        build_time_s=built.build_time_s,
        linkage=slice_.linkage,
        interpreter=slice_.interpreter,
        libraries=slice_.libraries,
        signature=slice_.signature.kind,
        symbols=slice_.symbols,
        dwarf=slice_.dwarf,
        pie=slice_.hardening.get("pie"),
        cgo_setting=None if facts.go is None else facts.go.settings.get("CGO_ENABLED"),
        sections_bytes=sections_bytes(path),
        verdicts=facts.verdicts,
        witnesses=witnesses(path, cell.platform),
        trials=trials(path, cell.platform, here=here, work=work),
    )
