"""Chapter 1, Go: which versions build for Apple silicon, what their bytes are, and what versions there are."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from labkit import binary
from labkit.claims import ledgers, protocs, trying
from labkit.claims.base import ClaimCheck, command, output, read_bytes
from labkit.claims.facts import ClaimFacts, probe
from labkit.gobuild import levels
from labkit.model.base import Record
from labkit.model.binary import Binary, Runs
from labkit.model.claims import Case, PartVerdict
from labkit.toolchain.golang import run as run_go

PLUGIN = "google.golang.org/protobuf/cmd/protoc-gen-go"
APPLE = "darwin/arm64"
#: Macs that a program's bytes are judged for, the chips that the statement names.
MACS = ("m1-macos13", "m1-macos14", "m2-macos15", "m3-macos26")


class GoProgram(Record, frozen=True, kw_only=True):
    """What one Go makes of labkit's small program for Apple silicon."""

    go: str
    listed: bool  # the platform, in `go tool dist list`
    said: str  # of the build
    program: Binary | None  # judged for MACS


class Plugin(Record, frozen=True, kw_only=True):
    """What came of one ``go install`` of the plugin."""

    version: str  # of the plugin
    go: str
    platform: str
    cgo: str
    tried: trying.Tried
    program: Binary | None


@probe("go-programs-for-apple")
def go_programs(facts: ClaimFacts) -> tuple[GoProgram, ...]:
    """Build a small program for Apple silicon with every Go that is compared, and read its bytes."""
    return tuple(_go_program(facts, version) for version in facts.go_versions())


def _go_program(facts: ClaimFacts, version: str) -> GoProgram:
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tree = Path(scratch).resolve()
        for file in levels.MODULE.iterdir():
            (tree / file.name).write_bytes(file.read_bytes())
        listed = run_go(facts.go(version), "tool", "dist", "list", cwd=tree).stdout.split()
        tried = trying.go(
            facts, "build", "-trimpath", "-o", "program", ".", cwd=tree, version=version, GOOS="darwin", GOARCH="arm64"
        )
        made = tree / "program"
        read = binary.inspect(made, machines=MACS) if made.is_file() else None
    return GoProgram(go=version, listed=APPLE in listed, said=f"{tried.ended} {tried.first()}", program=read)


@probe("plugins-by-go-install")
def plugins(facts: ClaimFacts) -> tuple[Plugin, ...]:
    """Install the plugin for this machine and for Apple silicon, with the oldest Go and the set's, old and new."""
    quoted = str(ledgers.own().find("1.07").quoted["version"]).removeprefix("v")
    older = facts.go_versions()[0]
    native = facts.lab.toolchain.platform
    wanted = [
        (quoted, "", native, "0"),
        (quoted, "", APPLE, "0"),
        (quoted, older, APPLE, "0"),
        (quoted, older, APPLE, "1"),  # what Go has by default on a Mac
        (trying.OLDER_GENERATOR, "", APPLE, "0"),
    ]
    found = []
    for version, go, platform, cgo in dict.fromkeys(wanted):
        facts.progress(f"protoc-gen-go {version} for {platform}")
        system, architecture = platform.split("/")
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            tried, program = trying.install(
                facts, f"{PLUGIN}@v{version}", root, version=go, GOOS=system, GOARCH=architecture, CGO_ENABLED=cgo
            )
            read = None if program is None else binary.inspect(program, machines=MACS)
        found.append(
            Plugin(
                version=version,
                go=go or facts.go_versions()[-1],
                platform=platform,
                cgo=cgo,
                tried=tried,
                program=read,
            )
        )
    return tuple(found)


def brief(read: Binary | None) -> str:
    """Return what the bytes of a program are, in a few words."""
    if read is None or not read.slices:
        return "no program"
    piece = read.slices[0]
    runs = ", ".join(f"{each.machine} {each.runs} ({each.rule})" for each in read.verdicts)
    words = (f"{read.format} {piece.architecture}", piece.minimum_os or "-", f"uuid {piece.uuid or 'none'}", runs)
    return "; ".join(words)


def made_for_apple(read: Binary | None) -> bool:
    """Return whether a program has a native slice for Apple silicon, and its bytes let an M1 with macOS 14 run it."""
    if read is None or not any(each.architecture == "arm64" for each in read.slices):
        return False
    return any(each.machine == "m1-macos14" and each.runs is Runs.YES for each in read.verdicts)


class ExecFormatError(ClaimCheck):
    """Build the plugin for Apple silicon with the oldest Go, and read whether a Mac refuses such bytes.

    Once as a cross build and once with the settings that Go has on a Mac. That it starts there only a Mac confirms.
    """

    id = "1.01"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge cross builds and the Mac's own settings apart."""
        older = facts.go_versions()[0]
        for part, cgo in (("a", "0"), ("b", "1")):
            found = next(
                each for each in facts.get(plugins) if (each.go, each.platform, each.cgo) == (older, APPLE, cgo)
            )
            evidence = [command(found.tried.line, found.tried.ended), read_bytes("protoc-gen-go", brief(found.program))]
            broken = not made_for_apple(found.program)
            verdict = self.judged(broken, evidence, part=part, go=older, bytes=brief(found.program).split("; uuid")[0])
            yield self.not_on_hardware(verdict)


class LeastGo(ClaimCheck):
    """Build for Apple silicon with every Go that is compared, and judge the bytes for Macs of each chip.

    The bytes: load commands, signature, least system. Whether an older Go is enough is judged by the same.
    """

    id = "1.02"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge whether the stated Go is enough, and whether an older one does."""
        stated = str(ledgers.own().find(self.id).quoted["go"])
        found = facts.get(go_programs)
        of_stated = next(each for each in found if each.go.startswith(f"{stated}."))
        verdicts = of_stated.program.verdicts if of_stated.program else ()
        evidence = [read_bytes(f"Go {each.go}, {APPLE}", f"{each.said}; {brief(each.program)}") for each in found]
        cases = [
            Case(
                facts={"machine": each.machine, "macos": int(each.machine.rpartition("macos")[2])},
                holds=each.runs is Runs.YES,
                witness=f"{each.runs} ({each.rule})",
            )
            for each in verdicts
        ] or [Case(facts={"machine": "-", "macos": 0}, holds=False, witness=of_stated.said)]
        refused = min((int(each.facts["macos"]) for each in cases if not each.holds), default=0)

        def accepted(case: Mapping[str, str | int | float]) -> bool:
            return int(case["macos"]) < refused

        first = next(
            (each.go for each in found if each.program and all(one.runs is Runs.YES for one in each.program.verdicts)),
            "-",
        )
        yield self.not_on_hardware(
            self.by_cases(cases, accepted, evidence, go=of_stated.go, macos=refused, first=first)
        )
        older = [each for each in found if before(each.go, stated)]
        working = [each for each in older if made_for_apple(each.program)]
        names = ", ".join(each.go for each in working or older)
        shown = [read_bytes(f"Go {each.go}, {APPLE}", brief(each.program)) for each in older]
        yield self.not_on_hardware(self.judged(not working, shown, part="b", older=names))


class GoVersionWord(ClaimCheck):
    """Ask each Go its version, and compare the platform that it names with the architecture in its own bytes.

    Once as it is, and with GOOS and GOARCH set to something else.
    """

    id = "1.03"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge whether the named platform is that of the executable's bytes."""
        evidence, wrong, asked = [], [], []
        for version in facts.go_versions():
            path = facts.go(version)
            own = binary.inspect(path, machines=()).slices
            real = ", ".join(sorted({each.architecture for each in own})) or "-"
            for other in ({}, {"GOOS": "darwin", "GOARCH": "arm64"}, {"GOOS": "linux", "GOARCH": "amd64"}):
                tried = trying.started(path, "version", cwd=Path("/"), variables=other, line="go")
                named = tried.said.rpartition("/")[2].strip()
                evidence.append(output(tried.line, f"{tried.first()} (bytes: {real})"))
                asked.append(version)
                if _ARCHITECTURES.get(named) not in {each.architecture for each in own}:
                    wrong.append(f"go {version}: {tried.first()}")
        yield self.judged(not wrong, evidence[:9], count=len(asked), wrong=wrong[0] if wrong else "-")


_ARCHITECTURES = {"arm64": "arm64", "amd64": "x86_64"}


class LeastProtoc(ClaimCheck):
    """Read the bytes of protoc's builds for Apple silicon over versions, and look for an older native one."""

    id = "1.04"
    turned_by = "another protoc's bytes"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the builds."""
        del facts
        for pin in protocs.published():
            protocs.obtain(pin)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge whether a native build is older."""
        stated = str(ledgers.own().find(self.id).quoted["protoc"])
        evidence, older = [], []
        for pin in protocs.published():
            file = facts.replaced_tool(f"protoc:{pin.version}") or protocs.obtain(pin)
            read = binary.inspect(file, machines=MACS)
            evidence.append(read_bytes(f"protoc {pin.version}, {protocs.PLATFORM}", brief(read)))
            if before(pin.version, stated) and made_for_apple(read):
                older.append(pin.version)
        oldest = older[0] if older else stated
        yield self.not_on_hardware(self.judged(not older, evidence, oldest=oldest, stated=stated))


def before(version: str, stated: str) -> bool:
    """Return whether a version is before a stated one, which may have fewer parts (1.21)."""
    parts = [tuple(map(int, each.split("."))) for each in (version, stated)]
    return parts[0][: len(parts[1])] < parts[1]
