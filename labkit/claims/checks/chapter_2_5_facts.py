"""What chapter 2.5 shares: offsets that the compiler names, and addresses on Go's heap. No check is here."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from labkit import bench, gobuild
from labkit.claims import trying
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import ProcessError
from labkit.model.base import Record
from labkit.system import environment, proc

#: The Go files of the program that allocates structs; a test's own payload.go and messages.go take the place of two.
LINES: Final = Path(__file__).parents[1] / "lines"

APPLE: Final = "darwin/arm64"
#: A line of the statements, and of x86-64; a page of Apple silicon's macOS. In bytes.
LINE: Final = 64
PAGE: Final = 16384
#: Where unsafe's answers are asked for: Apple's, the usual server's, and one on which a pointer has four bytes.
TARGETS: Final = (APPLE, "linux/amd64", "linux/386")
_CONSTANT: Final = re.compile(r"unsafe\.(\w+)\((\w+)(?:\.(\w+))?\) \(constant (\d+) of")
_ASKED: Final = """
import "unsafe"

{aligned}
type Aligned struct{{ ID uint32 }}

var p Payload
var a Aligned

var _ string = unsafe.Sizeof(p)
var _ string = unsafe.Offsetof(p.ID)
var _ string = unsafe.Offsetof(p.Tag)
var _ string = unsafe.Offsetof(p.Data)
var _ string = unsafe.Sizeof(p.Tag)
var _ string = unsafe.Sizeof(p.Data)
var _ string = unsafe.Alignof(p.ID)
var _ string = unsafe.Alignof(p.Tag)
var _ string = unsafe.Alignof(p.Data)
var _ string = unsafe.Alignof(a)
var _ string = unsafe.Sizeof(a)
"""
PRAGMA: Final = "//go:align 64"


class Asked(Record, frozen=True, kw_only=True):
    """What one Go's compiler says of the structs for one platform: ``Offsetof Data``: 24."""

    go: str
    platform: str
    line: str
    constants: dict[str, int]

    def __getitem__(self, name: str) -> int:
        """Return one constant; the error says what the compiler did not answer."""
        return self.constants[name]


@probe("struct-offsets", recipe={"asked": _ASKED, "pragma": PRAGMA})
def offsets(facts: ClaimFacts) -> tuple[Asked, ...]:
    """Let every Go's compiler name the offsets in its own refusals: a number is no string, and it says which number."""
    own = facts.replaced_tool("payload")
    struct = (own or LINES / "payload.go").read_text("utf-8").replace("package main", "package probe")
    head, _, body = struct.partition("package probe")
    source = f"{head}package probe\n{_ASKED.format(aligned=PRAGMA)}\n{body}"
    found = []
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        folder = Path(scratch)
        (folder / "go.mod").write_text("module probe\n\ngo 1.20\n", "utf-8")
        (folder / "probe.go").write_text(source, "utf-8")
        for version in facts.go_versions():
            for target in TARGETS:
                system, architecture = target.split("/")
                tried = trying.go(
                    facts, "build", "-gcflags=-e", ".", cwd=folder, version=version, GOOS=system, GOARCH=architecture
                )
                said = {
                    f"{what} {field or name}": int(number)
                    for what, name, field, number in _CONSTANT.findall(tried.said)
                }
                if "Offsetof Data" not in said:
                    raise ProcessError(f"{tried.line} named no offset: {tried.first()}", remedy="report it")
                found.append(Asked(go=version, platform=target, line=tried.line, constants=said))
    return tuple(found)


class FieldLines(Record, frozen=True, kw_only=True):
    """One field, and in how many of the objects it lies across an edge."""

    name: str
    offset_bytes: int
    size_bytes: int
    crossing: dict[str, int]  # 64 or 128: objects
    split_words: int  # its aligned words of 8 bytes that lie across an edge of 64, over all objects


class StructLines(Record, frozen=True, kw_only=True):
    """One struct, allocated many times on Go's heap."""

    name: str
    size_bytes: int
    objects: int
    starts: dict[str, int]  # bytes after an edge of 64: objects that begin there
    fields: tuple[FieldLines, ...]


class Lines(Record, frozen=True, kw_only=True):
    """What the program counted."""

    payload: StructLines
    messages: tuple[StructLines, ...]


@probe("fields-and-lines", recipe={"program": [each.read_text("utf-8") for each in sorted(LINES.iterdir())]})
def lines(facts: ClaimFacts) -> Lines:
    """Build the program with the set's gRPC and run it here."""
    return run_lines(facts, lambda _name, code: code)


def run_lines(facts: ClaimFacts, change: Callable[[str, str], str]) -> Lines:
    """Build the program with generated code that a function may change, by the file's name, and run it here."""
    own = {f"cmd/lines/{each.name}": facts.replaced_tool(each.stem) or each for each in LINES.iterdir()}
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        files = own | kernels_code(facts, Path(scratch), change)
        built = gobuild.build_own(
            facts.lab.toolchain, bench.MODULE, "./cmd/lines", name="lines", generated=files, platform=None,
            begin=lambda: facts.progress("the program that allocates messages"),
        )  # fmt: skip
    done = proc.run([built.path], env=environment.base(), timeout_s=60, remedy="build it anew: `labkit gc`, then again")
    return msgspec.json.decode(done.stdout_bytes, type=Lines)


def kernels_code(facts: ClaimFacts, folder: Path, change: Callable[[str, str], str]) -> dict[str, Path]:
    """Write the kernels' generated code, changed, to a folder; return its files by their path in the module."""
    made = {}
    generated = facts.lab.kernels_generated
    for each in generated.files:
        text = facts.lab.generated_folder.with_name("kernels").joinpath(each.path).read_text("utf-8")
        target = folder / each.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(change(each.path, text), "utf-8")
        made[f"pb/{each.path}"] = target
    return made
