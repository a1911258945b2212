"""A program of Go's own, native and translated: its assembler, run on one real file of Go's sources."""

import tempfile
from pathlib import Path
from typing import Final

from labkit.claims import trying
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import file_digest

#: The ratios of 9 pairs: their least and greatest hold their median with a confidence of more than 99 %
#: (order statistics: 1 - 2 * 0.5 ** 9), whatever their distribution.
_PAIRS: Final = 9
_TRANSLATORS: Final = {
    "arm64": ("qemu-aarch64", "qemu-aarch64-static"),
    "amd64": ("qemu-x86_64", "qemu-x86_64-static"),
}


class Translated(Record, frozen=True, kw_only=True):
    """What the assembler made and how long it took, as built for this processor and for another."""

    translator: str  # qemu-aarch64, Rosetta
    other: str  # Go's name of the other platform
    file: str  # that was assembled, within GOROOT
    native_s: tuple[float, ...]
    translated_s: tuple[float, ...]
    wanted: str  # the object that the native one makes with the target named: its first line and digest
    named: str  # the same by the translated one
    native_default: str  # what the native one makes an object for when no target is named
    left_to_it: str  # the same by the translated one

    @property
    def ratios(self) -> tuple[float, ...]:
        """Translated to native, a pair each."""
        return tuple(one / two for one, two in zip(self.translated_s, self.native_s, strict=True))


@probe("translated-assembler", tools=tuple(name for names in _TRANSLATORS.values() for name in names))
def translated(facts: ClaimFacts) -> Translated | None:
    """Build, run in turn, and compare; None where nothing translates another processor's programs."""
    system, architecture = facts.lab.toolchain.platform.split("/")
    other = "amd64" if architecture == "arm64" else "arm64"
    names = () if system == "darwin" else _TRANSLATORS[other]
    translator = next((path for path in map(facts.has_tool, names) if path is not None), None)
    if names and translator is None:
        return None
    root = Path(trying.go(facts, "env", "GOROOT", cwd=Path("/")).said)
    source = _largest(root, other)
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        folder = Path(scratch).resolve()
        (folder / "empty.s").write_text("\n", "utf-8")
        asms = {}
        for name in (architecture, other):
            target = {"GOOS": system, "GOARCH": name}
            trying.go(facts, "build", "-trimpath", "-o", str(folder / name), "cmd/asm", cwd=folder, **target)
            asms[name] = [folder / name]
        asms[other] = [*([translator] if translator else []), folder / other]
        words = ("-p", "x", "-I", str(root / "pkg/include"), "-D", f"GOOS_{system}", "-D", f"GOARCH_{other}")
        took: dict[str, list[float]] = {architecture: [], other: []}
        made: dict[str, tuple[str, str]] = {}
        try:
            for name, asm in asms.items():
                one = _object([*asm, *words, source], folder, GOOS=system, GOARCH=other)[0]
                made[name] = (one, _object([*asm, "-p", "x", folder / "empty.s"], folder)[0].partition(",")[0])
            for _ in range(_PAIRS):
                for name, asm in asms.items():
                    took[name].append(_object([*asm, *words, source], folder, GOOS=system, GOARCH=other)[1])
        except OSError:  # a Mac without Rosetta refuses to start it
            return None
    return Translated(
        translator=translator.name if translator else "Rosetta",
        other=f"{system}/{other}",
        file=source.relative_to(root).as_posix(),
        native_s=tuple(took[architecture]),
        translated_s=tuple(took[other]),
        wanted=made[architecture][0],
        named=made[other][0],
        native_default=made[architecture][1],
        left_to_it=made[other][1],
    )


def _largest(root: Path, architecture: str) -> Path:
    files = [
        each
        for each in sorted((root / "src/crypto").rglob(f"*_{architecture}.s"))
        if b"go_asm.h" not in each.read_bytes()  # made by the compiler: the assembler alone cannot read those
    ]
    return max(files, key=lambda each: each.stat().st_size)


def _object(command: list[str | Path], folder: Path, **variables: str) -> tuple[str, float]:
    made = folder / "made.o"
    made.unlink(missing_ok=True)
    done = proc.run(
        [*command[:-1], "-o", made, command[-1]], env=base(**variables), timeout_s=120, cwd=folder, check=False
    )
    if not made.is_file():
        return f"none ({done.last_words(1) or proc.describe_exit(done.returncode)})", done.wall_time_s
    with made.open("rb") as file:
        head = " ".join(file.readline(200).decode("utf-8", "replace").split()[2:4])
    return f"{head}, sha256 {file_digest(made)[:12]}", done.wall_time_s
