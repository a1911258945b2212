"""The handbook's compare-and-swap (chapter 2.1): assembled as printed, read in every way that it can be, and run.

It runs natively on arm64, else under qemu-user, whose exclusive store compares values: it sees every store of another
value between load and store, and misses one that writes the same value back.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from labkit.binary import instructions
from labkit.errors import BuildError, ImpossibleHereError
from labkit.gobuild import build
from labkit.gobuild.printed_cas.reading import READINGS, assembly, lines, printed, symbol, table
from labkit.model.codegen import Built
from labkit.model.experiments import Assembled, CasCase, CasReading, Conflict, Contended, PrintedCas
from labkit.model.instructions import Instruction
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import SYSTEM_PATH, base
from labkit.toolchain import find, golang, program

__all__ = ["READINGS", "assemble", "printed_cas"]

SOURCE: Final = "handbook, chapter 2.1 (runtime/internal/atomic/cas_arm64.s, simplified)"
_MODULE: Final = Path(__file__).parent / "program"
_TIMEOUT_S: Final = 120.0
_WRAPPED: Final = '#include "textflag.h"\nTEXT ·printed(SB), NOSPLIT, $0\n{}\nfail:\nRET\n'


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the program prints of one routine."""

    id: str
    cases: tuple[CasCase, ...]
    contended: Contended
    conflicts: tuple[Conflict, ...]
    refused_alone: int
    called_alone: int


def printed_cas(toolchain: Toolchain, listing: tuple[str, ...] | None = None) -> PrintedCas:
    """Assemble the printed listing, run every reading of it, and return what happened.

    Args:
        toolchain: The set.
        listing: Another listing in its syntax, which begins with the same line; the printed one when None.

    Raises:
        ImpossibleHereError: There is neither an arm64 processor nor qemu-user here.
        BuildError: The readings do not assemble.

    """
    platform, starter, started_by = _starter(toolchain)
    built = _build(toolchain, platform, listing)
    done = proc.run([*starter, built.path], env=base(), timeout_s=_TIMEOUT_S)
    try:
        reports = msgspec.json.decode(done.stdout_bytes, type=tuple[_Report, ...])
    except msgspec.DecodeError as error:
        raise BuildError(
            f"the program of the listing printed {done.last_words()!r}", remedy="run it by hand"
        ) from error
    code = instructions.read(Path(built.path))
    written = {reading.id: lines(reading, listing) for reading in READINGS}
    symbols = {reading.id: symbol(reading) for reading in READINGS} | {
        "torn": "main.torn",
        "sync/atomic": "main.control",
    }

    def decoded(id_: str) -> tuple[Instruction, ...]:
        function = code.named(symbols[id_])
        return () if function is None else code.decode(function)

    return PrintedCas(
        source=SOURCE,
        printed=printed() if listing is None else listing,
        assembled=assemble(toolchain, listing),
        readings=tuple(
            CasReading(
                id=report.id,
                lines=written.get(report.id, ()),
                instructions=decoded(report.id),
                cases=report.cases,
                contended=report.contended,
                conflicts=report.conflicts,
                refused_alone=report.refused_alone,
                called_alone=report.called_alone,
            )
            for report in reports
        ),
        started_by=started_by,
        platform=platform,
        go_version=f"go{find(toolchain, 'go').version}",
    )


def assemble(toolchain: Toolchain, text: tuple[str, ...] | None = None) -> tuple[Assembled, ...]:
    """Give a listing as it is printed to Go's assembler, and to one of Arm's syntax (llvm-mc, else clang)."""
    listing = "\n".join(printed() if text is None else text)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        return _by_go(toolchain, listing, folder), _by_arm(listing, folder)


def _by_go(toolchain: Toolchain, listing: str, folder: Path) -> Assembled:
    go = program(toolchain, "go")
    source = folder / "printed_arm64.s"
    source.write_text(_WRAPPED.format(listing), "utf-8")
    environment = golang.environment(go, GOOS="linux", GOARCH="arm64")
    root = proc.run([go, "env", "GOROOT"], env=environment, timeout_s=60, cwd=folder).stdout.strip()
    command: list[str | Path] = [
        go,
        "tool",
        "asm",
        "-p",
        "main",
        "-I",
        f"{root}/pkg/include",
        "-o",
        folder / "go.o",
        source,
    ]
    done = proc.run(command, env=environment, timeout_s=60, cwd=folder, check=False)
    said = (done.stderr + done.stdout).replace(f"{folder}/", "").strip()
    version = f"go{find(toolchain, 'go').version}"
    return Assembled(assembler="go tool asm", version=version, accepted=done.returncode == 0, said=said)


def _by_arm(listing: str, folder: Path) -> Assembled:
    source = folder / "printed.s"
    source.write_text(f"{listing}\nfail:\nret\n", "utf-8")
    choices = (("llvm-mc", ["--triple=aarch64", "--filetype=obj"]), ("clang", ["--target=aarch64-linux-gnu", "-c"]))
    for name, options in choices:
        found = shutil.which(name, path=SYSTEM_PATH)
        if found is None:
            continue
        version = proc.run([found, "--version"], env=base(), timeout_s=60, cwd=folder).stdout
        numbered = next((line.strip() for line in version.splitlines() if "version" in line), None)
        done = proc.run(
            [found, *options, "-o", folder / "arm.o", source], env=base(), timeout_s=60, cwd=folder, check=False
        )
        said = (done.stderr + done.stdout).replace(f"{folder}/", "").strip()
        return Assembled(assembler=name, version=numbered, accepted=done.returncode == 0, said=said)
    why = "neither llvm-mc nor clang is here: apt-get install llvm, or xcode-select --install"
    return Assembled(assembler="llvm-mc", version=None, accepted=None, said=why)


def _starter(toolchain: Toolchain) -> tuple[str, list[str | Path], str]:
    system, architecture = toolchain.platform.split("/")
    if architecture == "arm64":
        return f"{system}/arm64", [], "natively"
    qemu = shutil.which("qemu-aarch64", path=SYSTEM_PATH) or shutil.which("qemu-aarch64-static", path=SYSTEM_PATH)
    if system != "linux" or qemu is None:
        raise ImpossibleHereError(
            "an arm64 routine cannot be run here: there is neither an arm64 processor nor qemu-aarch64",
            remedy="apt-get install qemu-user on Linux; a Mac needs Apple silicon",
        )
    version = proc.run([qemu, "--version"], env=base(), timeout_s=60).stdout.splitlines()[0]
    return "linux/arm64", [qemu], version


def _build(toolchain: Toolchain, platform: str, listing: tuple[str, ...] | None) -> Built:
    with tempfile.TemporaryDirectory() as scratch:
        overlay = {"cas_arm64.s": assembly(listing=listing), "routines.go": table()}
        for name, text in overlay.items():
            (Path(scratch) / name).write_text(text, "utf-8")
        files = {name: Path(scratch) / name for name in overlay}
        return build(toolchain, _MODULE, ".", name="printed-cas", platform=platform, overlay=files)
