"""The line that is said to make a static program, what it is compared with, and a program for Apple that calls C.

Nothing is judged here. Programs are built and read by :mod:`labkit.claims.builds`.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import builds, trying
from labkit.claims.builds import APPLE, SERVER, Build, Way, made
from labkit.claims.facts import ClaimFacts, probe
from labkit.gobuild.matrix.compilers import compiler_for
from labkit.gobuild.matrix.plan import FOLDER
from labkit.model.base import Record
from labkit.model.binary import Binary
from labkit.system.store import Store, file_digest

#: The word of the linker that is spoken of, and how the go command is given it.
EXTERNAL: Final = '-extldflags "-static"'
FLAG: Final = f"-ldflags={EXTERNAL}"
INTEL: Final = "darwin/amd64"
#: A module that wants nothing, for a Go of any day.
_MODULE: Final = {"go.mod": "module labkit.dev/tiny\n\ngo 1.20\n", "main.go": "package main\n\nfunc main() {}\n"}
_LISTED: Final = re.compile(r"^(\S+) (\d+)$", re.MULTILINE)
# What Go's net and runtime/cgo ask Apple's linker for besides libSystem (#cgo LDFLAGS in their sources), each with the
# place on a Mac that the file of its name in Apple's SDK gives.
_PLACES: Final = {
    "libresolv.tbd": "/usr/lib/libresolv.9.dylib",
    "CoreFoundation.framework/CoreFoundation.tbd": (
        "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation"
    ),
}
_TBD: Final = """--- !tapi-tbd
tbd-version:     4
targets:         [ arm64-macos ]
install-name:    '{place}'
exports:
  - targets: [ arm64-macos ]
    symbols: [ _labkit_none ]
...
"""
_CALLS_C: Final = Path(builds.__file__).parent / "programs" / "c"
_RECIPE: Final = {"places": _PLACES, "program": file_digest(_CALLS_C / "main.go")}


def native(facts: ClaimFacts) -> str:
    """Return Go's name of Linux on this machine's own processor."""
    return f"linux/{facts.lab.toolchain.platform.partition('/')[2]}"


def other(facts: ClaimFacts) -> str:
    """Return Go's name of Linux on another processor than this machine's."""
    return "linux/amd64" if native(facts) == "linux/arm64" else "linux/arm64"


def line(platform: str) -> Way:
    """Return the way of the line as it is stated: every package compiled again."""
    return Way(name="line", program="hello", platform=platform, words=("-a", FLAG))


def without_a(platform: str, program: str = "hello") -> Way:
    """Return the way of the line without ``-a``."""
    return Way(name=f"line-no-a-{program}", program=program, platform=platform, words=(FLAG,))


def pie(platform: str) -> Way:
    """Return the way of the line for a position-independent executable."""
    return Way(name="line-pie", program="hello", platform=platform, words=("-buildmode=pie", FLAG))


def static_pie(platform: str) -> Way:
    """Return the way of a position-independent executable with cgo that the C compiler links with nothing beside."""
    words = ("-buildmode=pie", "-ldflags=-linkmode external -extldflags -static-pie")
    return Way(name="line-static-pie", program="hello", platform=platform, words=words, cgo=True)


def unnamed(platform: str, *, flag: bool) -> Way:
    """Return the way without a build id, with or without the linker's word: of what is left only code can differ."""
    words = f"-ldflags=-buildid= {EXTERNAL}" if flag else "-ldflags=-buildid="
    return Way(name=f"line-unnamed-{'flag' if flag else 'plain'}", program="hello", platform=platform, words=(words,))


def external(platform: str, *, flag: bool) -> Way:
    """Return the way of a program with C that the C compiler links, with or without the word that it is given."""
    words = f"-ldflags=-linkmode external {EXTERNAL}" if flag else "-ldflags=-linkmode external"
    name = f"line-external-{'flag' if flag else 'plain'}"
    return Way(name=name, program="c", platform=platform, words=(words,), cgo=True)


def either_way(program: str, platform: str, *, cgo: bool) -> Way:
    """Return the way of a program with nothing said to the linker, with cgo on or off."""
    return Way(name=f"line-{program}-cgo{cgo:d}", program=program, platform=platform, cgo=cgo)


def needs(seen: Build) -> str:
    """Return what a program asks for, or why there is none, for the evidence."""
    return f"needs {seen.libraries or 'nothing'}" if seen.piece is not None else seen.first()


def asks(seen: Build) -> str:
    """Return what a program asks for, or why there is none, for a sentence of any language."""
    return (seen.libraries or "-") if seen.piece is not None else seen.first()


class CForApple(Record, frozen=True, kw_only=True):
    """A program with C in it for Apple's computers: what was said, and its bytes where one was made."""

    tried: trying.Tried
    compiler: str
    program: Binary | None


@probe("static-line-c-for-apple", tools=("cc",), recipe=_RECIPE)
def c_for_apple(facts: ClaimFacts) -> CForApple:
    """Build the program that calls C for darwin/arm64: on a Mac by its own compiler, elsewhere by zig.

    zig brings libSystem's list of names with it; for the other libraries that Go's packages name it is given files that
    hold their places and nothing more. ``-w``, for Apple's dsymutil is not here.
    """
    here = facts.lab.toolchain.platform
    variables = {"GOOS": "darwin", "GOARCH": "arm64", "CGO_ENABLED": "1"}
    compiler = "the system's own C compiler"
    if here != APPLE:
        musl = compiler_for(native(facts), here=here, libc="musl", zig=True)
        stubs = Store().obtain("apple-stubs", {"kind": "tbd", "places": _PLACES, "text": _TBD}, _stubs)
        variables["CC"] = f"{musl.path} -target aarch64-macos -F{stubs} -L{stubs}"
        compiler = f"zig as the C compiler: {musl.said or '-'}"
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tree = Path(scratch).resolve() / "module"
        shutil.copytree(FOLDER / "programs", tree)
        shutil.copytree(_CALLS_C, tree / "c")
        tried = trying.go(facts, "build", "-trimpath", "-ldflags=-w", "-o", "made", "./c", cwd=tree, **variables)
        file = tree / "made"
        return CForApple(
            tried=tried, compiler=compiler, program=binary.inspect(file, machines=()) if file.is_file() else None
        )


def _stubs(folder: Path) -> Path:
    files = {folder / name: _TBD.format(place=place) for name, place in _PLACES.items()}
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return next(iter(files))


@probe("static-line-missing-library", tools=("cc",), recipe=_RECIPE)
def missing_library(facts: ClaimFacts) -> str:
    """Start a program with cgo on that names a C library which there is not: one digit of its own bytes is changed.

    Return what the loader says, empty where the program cannot be started here.
    """
    with made(facts, either_way("c", native(facts), cgo=True)) as (_tried, _compiler, file):
        if file is None or native(facts) != facts.lab.toolchain.platform:
            return ""
        file.write_bytes(file.read_bytes().replace(b"\0libc.so.6\0", b"\0libc.so.9\0"))
        return trying.asked(file).first().removeprefix(f"{file}: ")


class OlderBuild(Record, frozen=True, kw_only=True):
    """A program for Apple's computers made by an older Go."""

    go: str
    tried: trying.Tried
    program: Binary | None


@probe("static-line-oldest-go")
def oldest(facts: ClaimFacts) -> OlderBuild:
    """Build an empty program for darwin/arm64 with the oldest Go that is compared, without cgo."""
    version = facts.go_versions()[0]
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tree = Path(scratch).resolve()
        for name, text in _MODULE.items():
            (tree / name).write_text(text, "utf-8")
        variables = {"GOOS": "darwin", "GOARCH": "arm64", "CGO_ENABLED": "0"}
        words = ("build", "-trimpath", FLAG, "-o", "made", ".")
        tried = trying.go(facts, *words, cwd=tree, version=version, **variables)
        file = tree / "made"
        found = binary.inspect(file, machines=()) if file.is_file() else None
        return OlderBuild(go=version, tried=tried, program=found)


class Left(Record, frozen=True, kw_only=True):
    """Which packages of Go's standard library have files that import C, with cgo on and with it off."""

    on: tuple[str, ...]
    off: tuple[str, ...]
    packages: int  # looked at with it off


@probe("static-line-import-c")
def left(facts: ClaimFacts) -> Left:
    """Ask Go for the files of its standard library that cgo would translate, by the setting."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        for setting in ("1", "0"):
            words = ("list", "-f", "{{.ImportPath}} {{len .CgoFiles}}", "std")
            tried = trying.go(facts, *words, cwd=Path(scratch), CGO_ENABLED=setting)
            found[setting] = dict(_LISTED.findall(tried.said))
    on, off = (tuple(name for name, count in found[setting].items() if count != "0") for setting in ("1", "0"))
    return Left(on=on, off=off, packages=len(found["0"]))


def stripped(platform: str) -> Way:
    """Return the way of the generated service without symbols and debug information."""
    return Way(name="line-stripped", program=SERVER, platform=platform, words=("-ldflags=-s -w",))
