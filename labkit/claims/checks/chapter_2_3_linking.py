"""Chapter 2.3, what a program needs: built with cgo on and off for several systems and C libraries, read and moved."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes, tool
from labkit.claims.builds import APPLE, Build, Way, built
from labkit.claims.checks.chapter_1 import PLUGIN
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.binary import Linkage, Runs
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.matrix import Outcome

STATIC: Final = ("-ldflags=-linkmode external -extldflags -static",)
_DYNAMIC: Final = ("-ldflags=-linkmode external -extldflags -dynamic",)


def linux(facts: ClaimFacts) -> str:
    """Return Go's name of Linux on this machine's own processor."""
    return f"linux/{facts.lab.toolchain.platform.partition('/')[2]}"


def gnu(program: str, platform: str) -> Way:
    """Return the way of a static program with cgo and the system's usual C library."""
    return Way(name=f"{program}-external-static", program=program, platform=platform, words=STATIC, cgo=True)


def musl(program: str, platform: str) -> Way:
    """Return the way of a static program with cgo and musl."""
    return Way(name=f"{program}-musl-static", program=program, platform=platform, words=STATIC, cgo=True, libc="musl")


def _on_linux(case: Mapping[str, Value]) -> bool:
    return case["system"] == "linux"


class DefaultSetting(Record, frozen=True, kw_only=True):
    """What a plain ``go install`` of a plugin makes of cgo in one situation."""

    version: str
    situation: str  # native, no-compiler, cross
    tried: trying.Tried
    setting: str  # CGO_ENABLED in the program's build information; "-" without a program


@probe("plugin-cgo-default", tools=("cc", "gcc", "clang"))
def cgo_defaults(facts: ClaimFacts) -> tuple[DefaultSetting, ...]:
    """Install the stated plugin and an older one with nothing said of cgo, in each situation."""
    stated = str(ledgers.own().find("2.3.01").quoted["version"])
    other = "linux/arm64" if facts.lab.toolchain.platform == APPLE else APPLE
    system, architecture = other.split("/")
    situations = {"native": {}, "no-compiler": {"PATH": "/nowhere"}, "cross": {"GOOS": system, "GOARCH": architecture}}
    found = []
    for version in (stated, trying.OLDER_GENERATOR):
        for name, variables in situations.items():
            facts.progress(f"protoc-gen-go {version}, cgo by default ({name})")
            with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
                root = Path(scratch).resolve()
                tried, made = trying.install(facts, f"{PLUGIN}@v{version}", root, CGO_ENABLED="", **variables)
                info = None if made is None else binary.inspect(made, machines=()).go
            setting = "-" if info is None else info.settings.get("CGO_ENABLED", "-")
            found.append(DefaultSetting(version=version, situation=name, tried=tried, setting=setting))
    return tuple(found)


class SwitchedOff(ClaimCheck):
    """Install the plugin with nothing said of cgo, and read the setting in its build information.

    Here as it is, where no C compiler is on PATH, and for another platform; an older plugin is the control.
    """

    id = "2.3.01"
    needs = (tool("cc"),)
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the stated version is built without cgo wherever nothing is said of it."""
        seen = facts.get(cgo_defaults)
        stated = str(ledgers.own().find(self.id).quoted["version"])
        settings = {each.situation: each.setting for each in seen if each.version == stated}
        older = {each.situation: each.setting for each in seen if each.version != stated}
        evidence = [
            read_bytes(f"{each.tried.line} ({each.situation})", f"CGO_ENABLED={each.setting}")
            if each.setting != "-"
            else command(each.tried.line, f"{each.tried.ended}: {each.tried.first()}")
            for each in seen
        ]
        yield self.judged(
            set(settings.values()) == {"0"},
            evidence,
            version=stated,
            older=trying.OLDER_GENERATOR,
            native=settings["native"],
            bare=settings["no-compiler"],
            cross=settings["cross"],
            others=", ".join(older.values()),
        )


class ExternalStatic(ClaimCheck):
    """Link programs with -static through the C compiler: with the system's C library, with musl, and for Apple.

    For Apple it is tried on a Mac; elsewhere the libraries that Go's own runtime names there are read.
    """

    id = "2.3.02"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Have the C compiler for musl fetched."""
        facts.get(built(musl("c", linux(facts))))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each build by whether it asks for a loader or a library."""
        target = linux(facts)
        seen = [facts.get(built(way)) for way in (gnu("c", target), gnu("users", target), musl("c", target))]
        apple = facts.get(built(gnu("c", APPLE)))
        plain = facts.get(built(Way(name="hello-cgo1", program="hello", platform=APPLE, cgo=True)))
        evidence = [each.evidence() for each in (*seen, apple, plain)]
        cases = [_static_case(each) for each in seen if each.piece is not None]
        on_mac = facts.lab.toolchain.platform == APPLE
        judged = apple if on_mac or apple.piece is not None else plain
        words = apple.first() if on_mac else f"Go's own runtime names {plain.libraries}"
        holds = judged.piece is not None and judged.piece.linkage is Linkage.STATIC
        cases.append(Case(facts={"system": "darwin", "libc": "libSystem"}, holds=holds, witness=words))
        verdict = self.by_cases(
            cases,
            _on_linux,
            evidence,
            count=len(cases) - 1,
            apple=words,
            needs=next((each.libraries for each in seen if each.libraries), "-"),
        )
        yield verdict if on_mac else self.not_on_hardware(verdict)


def _static_case(seen: Build) -> Case:
    holds = not seen.libraries
    return Case(
        facts={"system": seen.system, "libc": "musl" if "musl" in seen.line + (seen.compiler or "") else "gnu"},
        holds=holds,
        witness=f"needs {seen.libraries or 'nothing'}",
    )


class MuslNeeded(ClaimCheck):
    """Link programs with -static against musl, and read NEEDED in their bytes and through readelf.

    A program linked against musl without it is the control: there NEEDED has to show.
    """

    id = "2.3.03"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Have the C compiler for musl fetched."""
        facts.get(built(musl("c", linux(facts))))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any static program needs a library."""
        target = linux(facts)
        dynamic = Way(name="c-musl-dynamic", program="c", platform=target, words=_DYNAMIC, cgo=True, libc="musl")
        seen = [facts.get(built(musl(program, target))) for program in ("c", "users")]
        control = facts.get(built(dynamic))
        evidence = [each.evidence() for each in (*seen, control)]
        pairs = zip(("c", "users", "control"), (*seen, control), strict=True)
        evidence += [output(f"readelf -d ({name})", each.witnesses.get("readelf", "-")) for name, each in pairs]
        if any(each.piece is None for each in (*seen, control)):
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        needed = sorted({name for each in seen if each.piece is not None for name in each.piece.libraries})
        yield self.judged(
            bool(needed),
            evidence,
            count=len(seen),
            needed=", ".join(needed) or "-",
            control=control.libraries or "-",
        )


class StandsAlone(ClaimCheck):
    """Build without cgo for Linux, in Go's usual way and as a PIE, and for Apple; read each.

    Those for Linux are started in a root folder that holds nothing else.
    """

    id = "2.3.04"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what the bytes ask for, and by whether it starts where there is nothing else."""
        target = linux(facts)
        other = "linux/amd64" if target == "linux/arm64" else "linux/arm64"
        pie = Way(name="hello-cgo0-pie", program="hello", platform=target, words=("-buildmode=pie",))
        ways = {
            "exe": plain("hello", target),
            "exe (other processor)": plain("hello", other),
            "pie": pie,
            "apple": plain("hello", APPLE),
        }
        seen = {mode: facts.get(built(way)) for mode, way in ways.items()}
        evidence = [each.evidence() for each in seen.values()]
        cases = [
            Case(
                facts={"system": each.system, "platform": each.platform, "pie": mode == "pie"},
                holds=not each.libraries,
                witness=f"needs {each.libraries or 'nothing'}",
            )
            for mode, each in seen.items()
            if each.piece is not None
        ]
        values = {"pie": seen["pie"].libraries or "-", "apple": seen["apple"].libraries or "-", "target": target}
        verdict = self.by_cases(cases, lambda case: _on_linux(case) and not case["pie"], evidence, **values)
        yield self.not_on_hardware(verdict)
        moved = [(mode, each, *_moved(each)) for mode, each in seen.items() if each.system == "linux"]
        cases = [
            Case(facts={"platform": each.platform, "pie": mode == "pie"}, holds=ran, witness=said)
            for mode, each, ran, said in moved
            if each.piece is not None
        ]
        evidence = [_moving(each, said) for _mode, each, _ran, said in moved]
        values["said"] = next((each.witness for each in cases if not each.holds), "-")
        yield self.by_cases(cases, lambda case: not case["pie"], evidence, part="b", **values)


def plain(program: str, platform: str) -> Way:
    """Return the way of a program without cgo, as Go builds it by itself; what holds system calls is looked for."""
    return Way(name=f"{program}-cgo0", program=program, platform=platform, calls=True)


def _moved(seen: Build) -> tuple[bool, str]:
    """Return whether it runs with nothing beside it, as tried, else as judged for a distribution with musl."""
    if seen.alone is not None:
        return seen.alone.outcome is Outcome.RAN, seen.alone.said or "-"
    verdicts = () if seen.program is None else seen.program.verdicts
    name = f"{seen.platform.replace('/', '-')}-musl"
    return next(((each.runs is Runs.YES, each.rule) for each in verdicts if each.machine == name), (False, "-"))


def _moving(seen: Build, said: str) -> ClaimEvidence:
    place = "judged for a distribution with musl" if seen.alone is None else f"in an {seen.alone.place}"
    return output(f"{seen.line}, {place}", said)


class DirectCalls(ClaimCheck):
    """Decode whole programs without cgo and find the functions that hold a system call instruction.

    For Linux and for Apple; a program with cgo shows whether the setting makes a difference.
    """

    id = "2.3.08"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each platform by the instructions and the libraries that are named."""
        target = linux(facts)
        other = "linux/amd64" if target == "linux/arm64" else "linux/arm64"
        seen = [facts.get(built(plain("hello", platform))) for platform in (target, other, APPLE)]
        cgo = facts.get(built(Way(name="c-cgo1", program="c", platform=target, cgo=True, calls=True)))
        evidence = [_calling(each) for each in (*seen, cgo)]
        cases = [
            Case(
                facts={"system": each.platform.partition("/")[0], "platform": each.platform},
                holds=bool(each.system_calls) and not (each.piece and each.piece.libraries),
                witness=_calling(each).text,
            )
            for each in seen
            if each.piece is not None
        ]
        names = [name for each in seen for name in each.system_calls or {}]
        verdict = self.by_cases(
            cases,
            _on_linux,
            evidence,
            function=max(names, key=names.count, default="-"),
            platforms=", ".join(str(each.facts["platform"]) for each in cases if each.holds) or "-",
            apple=seen[-1].libraries or "-",
            cgo=sum((cgo.system_calls or {}).values()),
            count=sum((seen[0].system_calls or {}).values()),
        )
        yield self.not_on_hardware(verdict)


def _calling(seen: Build) -> ClaimEvidence:
    calls = seen.system_calls or {}
    most = ", ".join(sorted(calls, key=lambda name: -calls[name])[:4]) or "none"
    text = f"{sum(calls.values())} system call instructions, in {most}; needs {seen.libraries or 'nothing'}"
    return read_bytes(f"{seen.line} ({seen.platform})", text)
