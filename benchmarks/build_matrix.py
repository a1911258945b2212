"""Builds the whole matrix of ``labkit.gobuild.matrix``, starts what can be started, and writes docs/matrix.md.

``nice python -m benchmarks.build_matrix`` (an hour or two at first, for the variants with -a compile everything each
time; seconds after that, for every build is kept in the store). It exits with 1 when a program's bytes and an empty
root disagree.
"""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit.facts import Facts
from labkit.gobuild.matrix.alone import EMPTY_ROOTS, alone
from labkit.model.binary import Linkage
from labkit.model.machine import Machine
from labkit.model.matrix import Cell, CellStatus, Matrix, Outcome
from labkit.words import Language, render, say

OUT: Final = Path(__file__).parents[1] / "docs/matrix.md"
_SIGNS: Final = {Outcome.RAN: "ran", Outcome.NOT_STARTED: "did not start", Outcome.FAILED: "failed"}


def main() -> int:
    """Run the whole matrix and write its table."""
    facts = Facts("current", progress=lambda line: print(line, file=sys.stderr, flush=True))
    matrix = facts.matrix("full")
    OUT.write_text(page(matrix, facts.machine, facts.toolchain.digest), "utf-8")
    wrong = disagreements(matrix)
    built = [cell for cell in matrix.cells if cell.status is CellStatus.BUILT]
    shown = _alone(matrix)
    print(f"{len(matrix.cells)} cells: {len(built)} built, {_count(matrix, CellStatus.REFUSED)} refused, ", end="")
    print(f"{_count(matrix, CellStatus.IMPOSSIBLE)} impossible here; {len(shown)} started in an empty root, ", end="")
    print(f"{len(wrong)} of which disagree with their bytes; {matrix.wall_time_s:.0f} s")
    for cell in wrong:
        print(f"  {cell.program} {cell.platform} {cell.variant}: {cell.linkage}, {cell.trials}")
    return 1 if wrong else 0


def disagreements(matrix: Matrix) -> list[Cell]:
    """Return the cells whose bytes and empty root say different things."""
    return [
        cell
        for cell in matrix.cells
        for trial in alone(cell)
        if (trial.outcome is Outcome.RAN) != (cell.linkage is Linkage.STATIC)
    ]


def _alone(matrix: Matrix) -> list[Cell]:
    return [cell for cell in matrix.cells if alone(cell)]


def _count(matrix: Matrix, status: CellStatus) -> int:
    return sum(cell.status is status for cell in matrix.cells)


def page(matrix: Matrix, machine: Machine, digest: str) -> str:
    """Return the page: what was built, what it needs, where it ran, and every reason."""
    reasons = sorted({_reason(cell) for cell in matrix.cells if cell.reason is not None})
    today = datetime.now(UTC).date()
    built, refused, impossible = (_count(matrix, status) for status in CellStatus)
    counted = f"Of {len(matrix.cells)} cells {built} were built, {refused} refused, {impossible} impossible here."
    number = {reason: index for index, reason in enumerate(reasons, 1)}
    lines = [
        "# The build matrix",
        "",
        "Five programs, four platforms, eleven ways to build. Every cell is a fact, a reason, or judged from bytes;",
        "`python -m benchmarks.build_matrix` makes this page, and notebook 03_binaries shows a part of it.",
        "",
        f"Machine: {machine.chip}, {machine.system}, {platform.release()}; toolchain digest {digest}; {today}.",
        "No Mac took part: programs for macOS were built and read here, and started nowhere.",
        "",
        "*needs* is read from the file: `nothing` (no interpreter, no library), a loader, libraries, or `macOS` (dyld",
        "and libSystem). *runs* says what happened: natively, or by qemu-user for the other architecture; then in a",
        "root folder that held the program alone. Build times are wall times of one build each on a busy machine, with",
        "whatever Go's cache held: they tell `-a` from the rest and nothing finer.",
        "",
        counted,
        f"{len(_alone(matrix))} programs were started in an empty root. What their bytes say and what happened",
        f"differ for {len(disagreements(matrix))} of them.",
        "",
    ]
    for name in dict.fromkeys(cell.platform for cell in matrix.cells):
        lines += [f"## {name}", "", "| program | built with | needs | MB | runs | in an empty root | build s |"]
        lines += ["|---|---|---|---:|---|---|---:|"]
        lines += [_row(cell, number) for cell in matrix.cells if cell.platform == name]
        lines.append("")
    lines += ["## Reasons", ""]
    lines += [f"{index}. {reason}" for reason, index in number.items()]
    return "\n".join(lines) + "\n"


def _row(cell: Cell, number: dict[str, int]) -> str:
    how = say(f"matrix.variant.{cell.variant}", Language.ENGLISH)
    if cell.status is not CellStatus.BUILT:
        why = "" if cell.reason is None else f", see {number[_reason(cell)]}"
        return f"| {cell.program} | {how} | {cell.status}{why} | | | | |"
    rooted = next((t for t in cell.trials if t.place in EMPTY_ROOTS), None)
    other = next((t for t in cell.trials if t.place not in EMPTY_ROOTS), None)
    ran = ["-" if t is None else _SIGNS.get(t.outcome, "judged") for t in (other, rooted)]
    size = 0.0 if cell.size_bytes is None else cell.size_bytes / 1e6
    seconds = "" if cell.build_time_s is None else f"{cell.build_time_s:.0f}"
    return f"| {cell.program} | {how} | {_needs(cell)} | {size:.1f} | {ran[0]} | {ran[1]} | {seconds} |"


def _reason(cell: Cell) -> str:
    said = "" if cell.reason is None else render(cell.reason, Language.ENGLISH)
    # The linker's own words are the last ones; before them stands what differs from program to program.
    return f"the linker's words: {said.rsplit(' | ', 1)[-1]}" if cell.status is CellStatus.REFUSED else said


def _needs(cell: Cell) -> str:
    if cell.linkage is Linkage.STATIC:
        return "nothing"
    if cell.platform.startswith("darwin/"):
        return "macOS"
    return f"libraries: {', '.join(cell.libraries)}" if cell.libraries else f"loader: {cell.interpreter}"


if __name__ == "__main__":
    sys.exit(main())
