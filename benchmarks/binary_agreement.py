"""Compares labkit.binary with other programs, field by field, over Go builds and third-party files.

Writes docs/binary-agreement.md and exits with 1 when a difference has no explanation (EXPLAINED below).

    python -m benchmarks.binary_agreement

Needs go, readelf, llvm-readelf, llvm-objdump, llvm-lipo, file and a network for the first run.
"""

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from labkit.binary import inspect
from labkit.binary.machines import DEFAULT_MACHINES
from labkit.model.binary import Binary, Format, Runs
from tests import binary_oracles as oracles
from tests.binary_builds import build_all
from tests.binary_corpus import ALL, fetch
from tests.support import need

#: (oracle, field): why they differ.
EXPLAINED: dict[tuple[str, str], str] = {
    (
        "llvm-readelf",
        "architecture",
    ): "LLVM 14 has no name for LoongArch; readelf and `file` have.",
}


@dataclass
class Tally:
    """What was compared, and what came of it."""

    compared: Counter[str] = field(default_factory=Counter)
    differing: list[tuple[str, str, str, str, str]] = field(default_factory=list)  # file, oracle, field, ours, theirs
    verdicts: Counter[Runs] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, oracle: str, mine: oracles.Fields, theirs: oracles.Fields) -> None:
        self.compared[oracle] += sum(key in mine for key in theirs)
        for key, (ours, others) in oracles.differences(mine, theirs).items():
            self.differing.append((name, oracle, key, str(ours), str(others)))


def main() -> int:
    go = need("go")
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch:
        own = {f"go-{name}": path for name, path in build_all(Path(scratch), go).items()}
        third = {entry.id: fetch(entry) for entry in ALL}
        for name, path in (own | third).items():
            binary = inspect(path)
            compare(tally, name, path, binary, go=go)
            tally.shapes.update(_shapes(binary))
            if name in third:
                tally.verdicts.update(verdict.runs for verdict in binary.verdicts)
    report = _report(tally, own=len(own), third=len(third))
    Path("docs/binary-agreement.md").write_text(report, "utf-8")
    print(report)
    return 1 if any((oracle, key) not in EXPLAINED for _, oracle, key, _, _ in tally.differing) else 0


def compare(tally: Tally, name: str, path: Path, binary: Binary, *, go: Path) -> None:
    """Ask every oracle that knows the format about every field that it can say."""
    if binary.error is not None or not binary.slices:
        tally.differing.append((name, "labkit", "error", str(binary.error), ""))
        return
    first = binary.slices[0]
    mine = {
        "format": binary.format.value,
        "bits": first.bits,
        "endian": first.endian,
        "stripped": not first.symbols,
        "interpreter": first.interpreter,
        "slices": len(binary.slices),
        "types": {_FILE_TYPES.get(each.file_type, each.file_type) for each in binary.slices},
    }
    tally.note(name, "file", mine, oracles.file_words(path))
    tally.note(name, "go version -m", {"json": oracles.go_as_json(binary)}, {"json": oracles.go_json(path, go)})
    if binary.format is Format.ELF:
        for tool in ("readelf", "llvm-readelf"):
            tally.note(name, tool, oracles.ours(first), oracles.elf(path, oracles.program(tool)))
    else:
        names = [each.architecture for each in binary.slices]
        tally.note(name, "llvm-lipo", {"slices": names}, {"slices": oracles.architectures(path)})
        for slice_ in binary.slices:
            tally.note(name, "llvm-objdump", oracles.ours(slice_), oracles.macho(path, slice_.architecture))
    for slice_, theirs in zip(binary.slices, oracles.lief(path)[0], strict=True):
        tally.note(name, "LIEF", oracles.ours(slice_), theirs)


_FILE_TYPES = {"library": "dynamically linked shared library"}


def _shapes(binary: Binary) -> list[str]:
    return [
        f"{binary.format} {each.bits}-bit {each.endian}-endian {each.architecture}, {each.linkage} {each.file_type}, "
        f"signature {each.signature.kind}" + (f" ({'+'.join(each.signature.hashes)})" if each.signature.hashes else "")
        for each in binary.slices
    ]


def _report(tally: Tally, *, own: int, third: int) -> str:
    wrong = Counter(oracle for _, oracle, _, _, _ in tally.differing)
    total = sum(tally.verdicts.values())
    lines = [
        "# Agreement of `labkit inspect` with other programs",
        "",
        f"{own} Go builds and {third} third-party files (wheels, npm packages, Maven: `tests/binary_corpus.py`",
        "names them), compared field by field by `python -m benchmarks.binary_agreement`, which writes this page.",
        "",
        "| oracle | fields compared | differences |",
        "|---|---|---|",
        *(f"| {oracle} | {n} | {wrong[oracle]} |" for oracle, n in sorted(tally.compared.items())),
        "",
        "## Every difference",
        "",
        *(["None."] if not tally.differing else []),
        *(
            f"- {name}, {key}: labkit `{ours}`, {oracle} `{others}`. {EXPLAINED.get((oracle, key), 'NOT EXPLAINED')}"
            for name, oracle, key, ours, others in tally.differing
        ),
        "",
        f"## Verdicts over the third-party files, for {', '.join(DEFAULT_MACHINES)}",
        "",
        *(f"- {runs}: {tally.verdicts[runs]} of {total} ({tally.verdicts[runs] / total:.1%})" for runs in Runs),
        "",
        "## Shapes",
        "",
        *(f"- {shape}: {n}" for shape, n in sorted(tally.shapes.items())),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
