"""Programs built as statements about linking say, and read: what the bytes, usual tools and an empty root show.

Each way to build is a shared fact of its own, so that a check gathers no more than it wants. Nothing is judged here.
The Go that builds is the checks' own (:meth:`~labkit.claims.facts.ClaimFacts.go`), so that a test can put another in
its place; the programs are those of the build matrix and of ``labkit/claims/programs``.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from labkit import binary, codegen, gobuild
from labkit.binary import instructions
from labkit.binary.sections import sections_bytes
from labkit.claims import trying
from labkit.claims.base import command, read_bytes
from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.gobuild.matrix.alone import EMPTY_ROOTS
from labkit.gobuild.matrix.compilers import compiler_for
from labkit.gobuild.matrix.plan import FOLDER
from labkit.gobuild.matrix.trying import trials, work_of
from labkit.model.base import Record
from labkit.model.binary import Binary, Slice
from labkit.model.claims import ClaimEvidence
from labkit.model.matrix import Outcome, Place, Trial
from labkit.system.store import file_digest
from labkit.words import Language, render

APPLE: Final = "darwin/arm64"
#: The generated service of labkit, which is no program of a folder.
SERVER: Final = "server"
#: Machines that programs are judged for.
MACHINES: Final = ("m1-macos14", "linux-amd64", "linux-amd64-musl", "linux-arm64", "linux-arm64-musl")
_PROGRAMS: Final = Path(__file__).parent / "programs"
_CALLS: Final = frozenset({"syscall", "svc", "sysenter"})
#: What lists load commands, and its words before the file.
_LISTERS: Final = (
    ("otool", ("-l",)),
    ("llvm-otool", ("-l",)),
    ("llvm-objdump", ("--macho", "--private-headers")),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One program, built one way for one platform.

    Attributes:
        name: Permanent, in small letters with hyphens; the platform is added to it.
        program: A folder's name, or :data:`SERVER`.
        platform: Go's name of the target.
        words: Of ``go build``, between ``-trimpath`` and the package.
        cgo: CGO_ENABLED=1.
        libc: ``musl``: with a C compiler for it; the system's own C library when empty.
        calls: Whether its system call instructions are counted (a second for each megabyte).

    """

    name: str
    program: str
    platform: str
    words: tuple[str, ...] = ()
    cgo: bool = False
    libc: str = ""
    calls: bool = False


class Build(Record, frozen=True, kw_only=True):
    """What came of one way: what was said, and of a program its bytes, what tools say of it, and where it ran."""

    platform: str
    line: str
    ended: str
    said: str
    compiler: str | None  # the C compiler's first line about itself
    sha256: str | None = None
    program: Binary | None = None  # judged for MACHINES
    sections_bytes: Mapping[str, int] = {}
    runtime_bytes: int = 0  # of the functions of Go's package runtime
    system_calls: Mapping[str, int] | None = (
        None  # functions that hold system call instructions, and how many; if counted
    )
    witnesses: Mapping[str, str] = {}  # file, ldd, readelf, load-commands: in their words
    trials: tuple[Trial, ...] = ()

    @property
    def system(self) -> str:
        """Its system by Go's name."""
        return self.platform.partition("/")[0]

    @property
    def piece(self) -> Slice | None:
        """The program's one slice, None without a program."""
        return self.program.slices[0] if self.program is not None and self.program.slices else None

    @property
    def libraries(self) -> str:
        """The libraries that it names, and the loader that it asks for, in words; empty for one that stands alone."""
        if self.piece is None:
            return ""
        return ", ".join([*self.piece.libraries, *([self.piece.interpreter] if self.piece.interpreter else [])])

    @property
    def alone(self) -> Trial | None:
        """What came of it in an empty root, None where that was not tried."""
        tried = (each for each in self.trials if each.place in EMPTY_ROOTS and each.outcome is not Outcome.NOT_TRIED)
        return next(tried, None)

    @property
    def here(self) -> Trial | None:
        """What came of it on this system as it is, None where that was not tried."""
        tried = (each for each in self.trials if each.place is Place.HERE and each.outcome is not Outcome.NOT_TRIED)
        return next(tried, None)

    def first(self) -> str:
        """Return the first line that was said, without what is of this moment."""
        lines = [each.strip() for each in self.said.splitlines() if each.strip() and not each.startswith("#")]
        return re.sub(r" in /\S+| /\S*/(?=[^/\s]+:)", "", lines[0]) if lines else "-"

    def evidence(self) -> ClaimEvidence:
        """Return its command line, and what its bytes need or why there is none."""
        if self.piece is None:
            return command(self.line, f"{self.ended}: {self.first()}")
        return read_bytes(f"{self.line} ({self.platform})", f"needs {self.libraries or 'nothing'}")


@cache
def built(way: Way) -> Probe[Build]:
    """Return the fact of one way."""
    name = f"static-{way.name}-{way.platform}".replace("/", "-")

    @probe(name, tools=("file", "ldd", "readelf", "cc"), recipe=asdict(way) | {"sources": _sources()})
    def make(facts: ClaimFacts) -> Build:
        with made(facts, way) as (tried, compiler, file):
            return _read(facts, way, tried, compiler, file)

    return make


@contextmanager
def made(facts: ClaimFacts, way: Way) -> Iterator[tuple[trying.Tried, str | None, Path | None]]:
    """Build one way in a scratch folder: what was said, the C compiler, and the program if there is one.

    Raises:
        NetworkError: A C compiler was to be fetched and cannot be.

    """
    system, architecture = way.platform.split("/")
    variables = {"GOOS": system, "GOARCH": architecture, "CGO_ENABLED": "1" if way.cgo else "0"}
    compiler = None
    if way.cgo:
        chosen = compiler_for(way.platform, here=facts.lab.toolchain.platform, libc=way.libc or None, zig=True)
        compiler = chosen.said or (None if chosen.reason is None else render(chosen.reason, Language.ENGLISH))
        variables |= {} if chosen.path is None else {"CC": str(chosen.path)}
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tree = Path(scratch).resolve() / "module"
        package = _lay(facts, way, tree)
        file = tree / f"{way.name}-{system}-{architecture}"
        words = ("build", "-trimpath", *way.words, "-o", file.name, package)
        facts.progress(f"{way.name} for {way.platform}")
        tried = trying.go(facts, *words, cwd=tree, **variables)
        yield tried, compiler, file if file.is_file() else None


def _lay(facts: ClaimFacts, way: Way, tree: Path) -> str:
    if way.program != SERVER:
        shutil.copytree(FOLDER / "programs", tree)
        shutil.copytree(_PROGRAMS, tree, dirs_exist_ok=True)
        return f"./{way.program}"
    module = codegen.MODULE
    code = gobuild.files_of(module) | codegen.generated_code(facts.lab.generated, facts.lab.generated_folder)
    for name, file in (code | gobuild.module_files(facts.lab.toolchain, module, lambda: code)).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, tree / name)
    return "."


def _sources() -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file_digest(file)
        for folder in (FOLDER / "programs", _PROGRAMS)
        for file in sorted(folder.rglob("*.go"))
    }


def _read(facts: ClaimFacts, way: Way, tried: trying.Tried, compiler: str | None, file: Path | None) -> Build:
    words = tried.line.replace(f" -o {way.name}-{way.platform.replace('/', '-')}", "")
    made_ = Build(platform=way.platform, line=words, ended=tried.ended, said=tried.said, compiler=compiler)
    if file is None:
        return made_
    here = facts.lab.toolchain.platform
    code = instructions.read(file)
    runtime = sum(each.size_bytes for each in code.functions if each.name.startswith("runtime."))
    return msgspec.structs.replace(
        made_,
        sha256=file_digest(file),
        program=binary.inspect(file, machines=MACHINES),
        sections_bytes=dict(sections_bytes(file)),
        runtime_bytes=runtime,
        system_calls=_calls(code) if way.calls else None,
        witnesses=_witnesses(facts, file, way.platform),
        trials=() if way.program == SERVER else trials(file, way.platform, here=here, work=work_of(())),
    )


def _calls(code: instructions.Code) -> dict[str, int]:
    found: dict[str, int] = {}
    for address, _size, mnemonic, _operands in instructions.sweep(code.text, code.architecture, code.address):
        if mnemonic in _CALLS:
            name = (code.starting_at(address) or "-").partition("+")[0]
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def _witnesses(facts: ClaimFacts, file: Path, platform: str) -> dict[str, str]:
    apple = platform.startswith("darwin/")
    asked: dict[str, tuple[str, tuple[str, ...]]] = {
        name: (name, words) for name, words in (("file", ("-b",)), ("ldd", ()), ("readelf", ("-d",)))
    }
    if apple:
        del asked["readelf"]
        lister = next((each for each in _LISTERS if facts.has_tool(each[0]) is not None), None)
        asked |= {} if lister is None else {"load-commands": lister}
    found: dict[str, str] = {}
    for name, (tool, words) in asked.items():
        if facts.has_tool(tool) is not None:
            said = trying.asked(facts.tool(tool), *words, str(file)).said.replace(str(file), file.name)
            found[name] = _shortened(name, said)
    return found


def _shortened(name: str, said: str) -> str:
    if name == "load-commands":
        libraries = re.findall(r"cmd (LC_LOAD_DYLIB)\s+cmdsize \d+\s+name (\S+)", said)
        return "; ".join(" ".join(each) for each in libraries) or "no LC_LOAD_DYLIB"
    if name == "readelf":
        return ", ".join(re.findall(r"\(NEEDED\).*\[(.+)\]", said)) or "no NEEDED"
    lines = [re.sub(r"\s*\(0x\w+\)", "", each).strip() for each in said.splitlines() if each.strip()]
    kept = [word for word in "; ".join(lines).split(", ") if not word.startswith(("Go BuildID", "BuildID", "flags:"))]
    return ", ".join(kept) or "-"
