"""Compares labkit.binary with other programs, field by field, over Go builds and third-party files.

Writes docs/binary-agreement.md and exits with 1 when a difference has no explanation (EXPLAINED below).

    python -m benchmarks.binary_agreement

Needs go, readelf, llvm-readelf, llvm-objdump, llvm-lipo, file and a network for the first run.
"""

import sys
import tempfile
from collections import Counter
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
    ): "LLVM 14 does not know LoongArch's number in its header listing; readelf and `file` do.",
}


def main() -> int:
    go = need("go")
    with tempfile.TemporaryDirectory() as scratch:
        built = build_all(Path(scratch), go)
        third = [(entry.id, fetch(entry)) for entry in ALL]
        own = [(f"go-{name}", path) for name, path in built.items()]
        compared: Counter[tuple[str, str]] = Counter()
        differing: list[tuple[str, str, str, str, str]] = []
        verdicts: Counter[Runs] = Counter()
        shapes: Counter[str] = Counter()
        for name, path in (*own, *third):
            binary = inspect(path)
            _compare(name, path, binary, go, compared, differing)
            shapes.update(_shapes(binary))
            if (name, path) in third:
                verdicts.update(verdict.runs for verdict in binary.verdicts)
    report = _report(len(own), len(third), compared, differing, verdicts, shapes)
    Path("docs/binary-agreement.md").write_text(report, "utf-8")
    print(report)
    return 1 if any((oracle, field) not in EXPLAINED for _, oracle, field, _, _ in differing) else 0


def _compare(name: str, path: Path, binary: Binary, go: Path, compared: Counter, differing: list) -> None:
    def note(oracle: str, mine: oracles.Fields, theirs: oracles.Fields) -> None:
        compared.update((oracle, key) for key in theirs if key in mine)
        for key, (ours, others) in oracles.differences(mine, theirs).items():
            differing.append((name, oracle, key, str(ours), str(others)))

    if binary.error is not None or not binary.slices:
        differing.append((name, "labkit", "error", str(binary.error), ""))
        return
    said = oracles.file_words(path)
    mine = {
        "format": binary.format.value,
        "bits": binary.slices[0].bits,
        "endian": binary.slices[0].endian,
        "stripped": not binary.slices[0].symbols,
        "interpreter": binary.slices[0].interpreter,
        "slices": len(binary.slices),
        "types": {_FILE_TYPES.get(each.file_type, each.file_type) for each in binary.slices},
    }
    note("file", mine, said)
    note("go version -m", {"json": oracles.go_as_json(binary)}, {"json": oracles.go_json(path, go)})
    if binary.format is Format.ELF:
        for tool in ("readelf", "llvm-readelf"):
            note(tool, oracles.ours(binary.slices[0]), oracles.elf(path, oracles.program(tool)))
    else:
        names = [each.architecture for each in binary.slices]
        note("llvm-lipo", {"slices": names}, {"slices": oracles.architectures(path)})
        for slice_ in binary.slices:
            note("llvm-objdump", oracles.ours(slice_), oracles.macho(path, slice_.architecture))
    for slice_, theirs in zip(binary.slices, oracles.lief(path), strict=True):
        note("LIEF", oracles.ours(slice_), theirs)


_FILE_TYPES = {"library": "dynamically linked shared library"}


def _shapes(binary: Binary) -> list[str]:
    return [
        f"{binary.format} {each.bits}-bit {each.endian}-endian {each.architecture}, {each.linkage} {each.file_type}, "
        f"signature {each.signature.kind}" + (f" ({'+'.join(each.signature.hashes)})" if each.signature.hashes else "")
        for each in binary.slices
    ]


def _report(own: int, third: int, compared: Counter, differing: list, verdicts: Counter, shapes: Counter) -> str:
    fields: Counter[str] = Counter()
    wrong: Counter[str] = Counter(oracle for _, oracle, _, _, _ in differing)
    for (oracle, _), n in compared.items():
        fields[oracle] += n
    total = sum(verdicts.values())
    lines = [
        "# Agreement of `labkit inspect` with other programs",
        "",
        f"{own} Go builds and {third} third-party files (wheels, npm packages, Maven's protoc; `tests/binary_corpus.py` names",
        "them), made anew by `python -m benchmarks.binary_agreement`.",
        "",
        "| oracle | fields compared | differences |",
        "|---|---|---|",
        *(f"| {oracle} | {n} | {wrong[oracle]} |" for oracle, n in sorted(fields.items())),
        "",
        "## Every difference",
        "",
        *(["None."] if not differing else []),
        *(
            f"- {name}, {field}: labkit `{ours}`, {oracle} `{others}`. {EXPLAINED.get((oracle, field), 'NOT EXPLAINED')}"
            for name, oracle, field, ours, others in differing
        ),
        "",
        f"## Verdicts over the third-party files, for {', '.join(DEFAULT_MACHINES)}",
        "",
        *(f"- {runs}: {verdicts[runs]} of {total} ({verdicts[runs] / total:.1%})" for runs in Runs),
        "",
        "## Shapes",
        "",
        *(f"- {shape}: {n}" for shape, n in sorted(shapes.items())),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
