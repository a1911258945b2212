"""Chapter 4.4, what comes of generated code when it is compiled: what can be inlined, and lines that dlv finds."""

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from labkit.claims import headless, trying
from labkit.claims.base import ClaimCheck, command, output, toolchain
from labkit.claims.checks.chapter_4_4_facts import dlv
from labkit.claims.checks.chapter_4_4_generated import HANDBOOK, NOTHING, PLUGINS, SETS, generated
from labkit.claims.facts import ClaimFacts, probe
from labkit.debugging import server
from labkit.model.base import Record
from labkit.model.claims import PartVerdict
from labkit.system.store import digest

#: The option as the handbook prints it, and the plugin's own of about that name.
_STATED: Final = "require_unimplemented=false"
_REAL: Final = "require_unimplemented_servers=false"
_FOLDER: Final = "x"
_GO_PACKAGE: Final = f"{server.MODULE}/{_FOLDER}"
_INLINABLE: Final = re.compile(r": can inline (\S+)")
#: Receiver, a star first when it is a pointer, and name of a function.
_DECLARED: Final = re.compile(r"^func (?:\((?:\w+ )?(\*?\w+)\) )?(\w+)\(", re.MULTILINE)


class Inlined(Record, frozen=True, kw_only=True):
    """What the compiler says that it can inline of the generated stubs, by how they were made and compiled."""

    functions: Mapping[str, tuple[str, ...]]  # by the option and the compiler's flags
    declared: tuple[str, ...]  # those that there are with the option
    said: str = ""  # of what did not compile


@probe("stubs-inlined", recipe={"real": _REAL})
def inlined(facts: ClaimFacts) -> Inlined:
    """Generate a service with the option and without, compile each with -m, and once more with -l."""
    functions: dict[str, tuple[str, ...]] = {}
    declared: tuple[str, ...] = ()
    said = ""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        module = server.lay_out(facts.lab, root / "hello")
        given = {name.replace("-", "_"): trying.tool_of_set(facts, name, "current") for name in PLUGINS}
        path = trying.plugins(facts, root / "plugins", **given)
        for option in ("", _REAL):
            words = ["--go_out=.", "--go-grpc_out=.", "--go_opt=paths=source_relative"]
            words += [
                "--go-grpc_opt=paths=source_relative",
                *([f"--go-grpc_opt={option}"] if option else []),
                "a.proto",
            ]
            files = {"a.proto": trying.proto(_GO_PACKAGE)}
            trying.protoc(facts, words, files, module / _FOLDER, path=[path])
            declared = _functions((module / _FOLDER / "a_grpc.pb.go").read_text("utf-8"))
            for flags in ("-m", "-m -l"):
                built = trying.go(facts, "build", "-trimpath", f"-gcflags={flags}", f"./{_FOLDER}", cwd=module)
                lines = [line for line in built.said.splitlines() if "_grpc.pb.go" in line]
                said = said or (built.first() if built.code else "")
                found = [match.group(1) for line in lines if (match := _INLINABLE.search(line))]
                functions[f"{option} {flags}".strip()] = tuple(found)
    return Inlined(functions=functions, declared=declared, said=said)


def _functions(text: str) -> tuple[str, ...]:
    """Return the functions of some Go code as the compiler names them: F, T.F, (*T).F."""
    return tuple(
        name if not owner else f"({owner}).{name}" if owner.startswith("*") else f"{owner}.{name}"
        for owner, name in _DECLARED.findall(text)
    )


class Unimplemented(ClaimCheck):
    """Give the option to both plugins that labkit's sets hold; compile what the plugin's own option makes."""

    id = "4.4.07"
    needs = HANDBOOK
    turned_by = "another plugin"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge a by the plugins' answers, b by what the compiler can inline with the option and without."""
        evidence, refused = [], []
        for set_name in SETS:
            tried = generated(facts, [f"--go-grpc_opt={_STATED}", "--go-grpc_out=.", "a.proto"], set_name=set_name)
            real = generated(facts, [f"--go-grpc_opt={_REAL}", "--go-grpc_out=.", "a.proto"], set_name=set_name)
            evidence += [output(f"{each.line} ({set_name})", f"{each.ended}: {each.said}") for each in (tried, real)]
            refused += [tried] if tried.code else []
        said = refused[0].first() if refused else NOTHING
        yield self.judged(not refused, evidence, said=said, stated=_STATED, real=_REAL)
        yield self._kept(facts.get(inlined))

    def _kept(self, seen: Inlined) -> PartVerdict:
        without, given = (seen.functions[f"{option} -m".strip()] for option in ("", _REAL))
        common = [name for name in without if name in given]
        kept = [name for name in without if name not in given and name in seen.declared]
        off = seen.functions["-m -l"]
        evidence = [
            output(
                f"protoc-gen-go-grpc, then go build -gcflags='{key}'", f"can inline: {', '.join(found) or 'nothing'}"
            )
            for key, found in seen.functions.items()
        ]
        return self.judged(
            bool(kept),
            evidence,
            part="b",
            real=_REAL,
            names=", ".join(common) or NOTHING,
            kept=", ".join(kept) or NOTHING,
            off=len(off),
        )


class Way(Record, frozen=True, kw_only=True):
    """One way to generate: the option, where the file went from the module's folder, and what is in it."""

    option: str
    place: str
    size_bytes: int
    content: str  # a digest
    said: str


class Found(Record, frozen=True, kw_only=True):
    """The ways, and what dlv made of a breakpoint in each content: by digest."""

    ways: tuple[Way, ...]
    stopped: Mapping[str, headless.Served]
    line: str


_MAIN: Final = f"""package main

import "{_GO_PACKAGE}"

func main() {{
\trequest := &{_FOLDER}.HelloRequest{{Name: "labkit"}}
\tprint(request.GetName())
}}
"""
#: Options, and where ``--go_out`` points to from the module's folder, which lies where its path says.
_WAYS: Final = (
    ("paths=source_relative", "."),
    (f"module={server.MODULE}", "."),
    ("", "../.."),
    ("", "."),
)


@probe("breakpoint-by-layout", recipe={"ways": [list(each) for each in _WAYS], "main": _MAIN})
def by_layout(facts: ClaimFacts) -> Found:
    """Generate a message in each way; build each different content and set a breakpoint by file and line in it."""
    ways: list[Way] = []
    contents: dict[str, bytes] = {}
    stopped: dict[str, headless.Served] = {}
    line = NOTHING
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        module = server.lay_out(facts.lab, root / server.MODULE)
        given = {name.replace("-", "_"): trying.tool_of_set(facts, name, "current") for name in PLUGINS}
        path = trying.plugins(facts, root / "plugins", **given)
        (module / _FOLDER).mkdir()
        name = f"{_FOLDER}/a.proto"
        for option, out in _WAYS:
            words = [f"--go_out={out}", *([f"--go_opt={option}"] if option else []), name]
            tried = trying.protoc(facts, words, {name: trying.proto(_GO_PACKAGE)}, module, path=[path])
            made = sorted(root.rglob("a.pb.go"))
            text = made[0].read_bytes() if made else b""
            shown = f"--go_out={out}" + (f" --go_opt={option}" if option else "")
            place = made[0].relative_to(module).as_posix() if made else NOTHING
            key = digest({"text": text.hex()})
            ways.append(Way(option=shown, place=place, size_bytes=len(text), content=key, said=tried.first()))
            contents[key] = text
            for each in made:
                each.unlink()
        (module / "main.go").write_text(_MAIN, "utf-8")
        for key, text in contents.items():
            stopped[key], line = _stop(facts, module, text)
    return Found(ways=tuple(ways), stopped=stopped, line=line)


def _stop(facts: ClaimFacts, module: Path, text: bytes) -> tuple[headless.Served, str]:
    file = module / _FOLDER / "a.pb.go"
    file.write_bytes(text)
    line = server.line_of(file, r"^func \(x \*HelloRequest\) GetName\(") + 1 if text else 1
    binary = module / "tiny"
    words = ("build", "-trimpath", "-gcflags=all=-N -l", "-o", str(binary), "./main.go")
    built = trying.go(facts, *words, cwd=module)
    if built.code:
        return headless.Served(line=built.line, said=built.first()), f"a.pb.go:{line}"
    where = {"file": f"{_GO_PACKAGE}/a.pb.go", "line": line}
    return headless.serve(dlv(facts), "exec", binary, where=where, cwd=module), f"a.pb.go:{line}"


class SourceRelative(ClaimCheck):
    """Generate with the option and in other ways, build, and set a breakpoint at a line of each .pb.go under dlv."""

    id = "4.4.08"
    needs = (*HANDBOOK, toolchain("current+dlv"))
    turned_by = "another generator"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether dlv finds the line with the option and not without."""
        seen = facts.get(by_layout)
        evidence = [
            command(f"protoc {way.option} {_FOLDER}/a.proto", f"{way.place}, {way.size_bytes} bytes, {way.content}")
            for way in seen.ways
        ]
        evidence += [
            output(f"{one.line}: breakpoint at {seen.line}, code {key}", one.said or f"stopped in {one.stopped_in}")
            for key, one in seen.stopped.items()
        ]
        stated, *others = seen.ways
        with_it = seen.stopped[stated.content].served
        without = [way for way in others if seen.stopped[way.content].served]
        fails = next((seen.stopped[way.content].said for way in others if way not in without), NOTHING)
        yield self.judged(
            with_it and not without,
            evidence,
            line=seen.line,
            function=seen.stopped[stated.content].stopped_in or NOTHING,
            ways="; ".join(f"`{way.option}`" for way in without) or NOTHING,
            alike=sum(way.content == stated.content for way in others),
            count=len(others),
            places=", ".join(dict.fromkeys(way.place for way in seen.ways)),
            said=fails,
        )
