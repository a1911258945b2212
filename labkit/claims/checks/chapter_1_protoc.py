"""Chapter 1, protoc and its plugins: the printed command, what it makes, and what its errors mean."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command, output, toolchain
from labkit.claims.facts import ClaimFacts
from labkit.codegen.generators.pinned import pinned
from labkit.errors import ProcessError
from labkit.model.claims import Case, PartVerdict

HANDBOOK = toolchain("handbook")
#: The printed command.
PRINTED = (
    "--go_out=.", "--go_opt=paths=source_relative", "--go-grpc_out=.", "--go-grpc_opt=paths=source_relative",
    "helloworld.proto",
)  # fmt: skip
MADE = ("helloworld.pb.go", "helloworld_grpc.pb.go")
_WELL_KNOWN = "google/protobuf/timestamp.proto"
_STATUS = "status code 1"


class ProtocAlone(ClaimCheck):
    """Copy the program protoc alone into a folder, and compile a file that imports nothing and one that does."""

    id = "1.05"
    needs = (HANDBOOK,)
    turned_by = "another protoc"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each file compiles."""
        cases, evidence, said = [], [], "-"
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            (root / "bin").mkdir()
            alone = Path(shutil.copy2(trying.tool_of_set(facts, "protoc"), root / "bin" / "protoc"))
            for imported in ("", _WELL_KNOWN):
                line = f'import "{imported}";\n' if imported else ""
                text = f'syntax = "proto3";\n{line}message A {{}}\n'
                words = ("-I.", "--descriptor_set_out=a.bin", "a.proto")
                tried = trying.protoc(facts, words, {"a.proto": text}, root / f"x{len(imported)}", own=alone)
                name = f"{tried.line} (imports {imported or 'nothing'})"
                evidence.append(output(name, f"{tried.ended}: {tried.said}"))
                holds = tried.code == 0
                said = said if holds else tried.first().rstrip(".")
                cases.append(Case(facts={"imports": imported or "nothing"}, holds=holds, witness=tried.first()))
        yield self.by_cases(cases, _imports_nothing, evidence, names=_WELL_KNOWN, said=said)


def _imports_nothing(case: Mapping[str, Value]) -> bool:
    return case["imports"] == "nothing"


class PluginVersion(ClaimCheck):
    """Run the stated version of the plugin, installed by go install, with --version."""

    id = "1.09"
    turned_by = "another plugin"

    def prepare(self, facts: ClaimFacts) -> None:
        """Build the plugin."""
        trying.generator(facts, str(ledgers.own().find(self.id).quoted["version"]))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by its answer."""
        quoted = ledgers.own().find(self.id).quoted
        tried = trying.asked(trying.generator(facts, str(quoted["version"])), "--version")
        wanted = str(quoted["answer"])
        evidence = [output(tried.line, f"{tried.ended}: {tried.said}")]
        yield self.judged(tried.said == wanted and tried.code == 0, evidence, said=tried.first(), wanted=wanted)


class PrintedCommand(ClaimCheck):
    """Run the printed command with the stated plugins on PATH; build what came of it, serve and call it."""

    id = "1.10"
    needs = (HANDBOOK,)
    turned_by = "another plugin"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the files' names, and by the answer of the service that is built of the set's code."""
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            tried = generated(facts, Path(scratch).resolve())
        evidence = [command(tried.line, f"{tried.ended}; {', '.join(tried.files) or 'no file'}; {tried.first()}")]
        reply = "-"
        if tried.code == 0 and tried.files == MADE:
            served = facts.set_facts("handbook").served
            reply = served.reply
            evidence.append(output(f"{served.method} {served.request}", reply))
        files = ", ".join(tried.files) or "-"
        yield self.judged(reply != "-", evidence, files=files, said=tried.first())


class Status1(ClaimCheck):
    """Make the plugin end with 1 in several ways, then run each again with a clean go_package."""

    id = "1.12"
    needs = (HANDBOOK,)
    turned_by = "another plugin"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what a clean path cures."""
        cases, evidence = [], []
        for name, about, go_package, options in _FAULTS:
            before, after = (self._run(facts, path, options) for path in (go_package, trying.GO_PACKAGE))
            evidence.append(output(name, f"{before.first()} | with {trying.GO_PACKAGE}: {after.ended} {after.first()}"))
            if _STATUS in before.said:
                cured = after.code == 0
                cases.append(Case(facts={"fault": name, "about": about}, holds=cured, witness=before.first()))
        names = {
            one: ", ".join(str(each.facts["fault"]) for each in cases if each.holds is one) or "-"
            for one in (True, False)
        }
        yield self.by_cases(cases, _about_go_package, evidence, cured=names[True], left=names[False])

    @staticmethod
    def _run(facts: ClaimFacts, go_package: str | None, options: Sequence[str]) -> trying.Tried:
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            path = trying.plugins(facts, root / "plugins")
            words = ("--go_out=.", *options, "a.proto")
            return trying.protoc(facts, words, {"a.proto": trying.proto(go_package)}, root / "out", path=[path])


#: What is wrong, whether it is go_package, the path, and further options of the plugin.
_FAULTS: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    ("no go_package", "go_package", None, ()),
    ("a path without a dot or slash", "go_package", "hello", ()),
    ("a path with a space", "go_package", "labkit.dev/he llo", ()),
    ("a path with another script", "go_package", "labkit.dev/你好", ()),
    ("an unknown option", "other", trying.GO_PACKAGE, ("--go_opt=colour=red",)),
    ("an unknown value of paths", "other", trying.GO_PACKAGE, ("--go_opt=paths=sideways",)),
)


def _about_go_package(case: Mapping[str, Value]) -> bool:
    return case["about"] == "go_package"


class NoUnrecognized(ClaimCheck):
    """Generate with every generator that is compared, old and new, and look for the field."""

    id = "1.13"
    needs = (HANDBOOK,)
    turned_by = "another generator"

    def prepare(self, facts: ClaimFacts) -> None:
        """Build the generators."""
        for pin in pinned():
            trying.generator(facts, pin.tool.version)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the stated version and later ones; the oldest without the field is named beside."""
        quoted = ledgers.own().find(self.id).quoted
        field, stated = str(quoted["field"]), str(quoted["version"])
        evidence, made, without = [], list[str](), list[str]()
        for pin in pinned():
            version = pin.tool.version
            count, tried = count_of(field, facts, trying.generator(facts, version), "paths=source_relative")
            evidence.append(output(f"protoc-gen-go {version}", f"{tried.ended}: {field} {count} times"))
            (made if count else without).append(version)
        late = [each for each in made if _version(each) >= _version(stated)]
        earliest = min(without, key=_version, default="-")
        names = ", ".join(late) or "-"
        yield self.judged(not late, evidence, field=field, stated=stated, earliest=earliest, made=names)


class ModuleOption(ClaimCheck):
    """Generate with the stated version without the option and with it; count the field and see where the file goes."""

    id = "1.14"
    needs = (HANDBOOK,)
    turned_by = "another generator"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the option makes a difference to the field."""
        quoted = ledgers.own().find(self.id).quoted
        field, version = str(quoted["field"]), str(quoted["version"])
        plugin = trying.generator(facts, version)
        counts, evidence = [], []
        for option in ("", f"module={trying.GO_PACKAGE}"):
            count, tried = count_of(field, facts, plugin, option)
            counts.append(count)
            files = ", ".join(tried.files)
            evidence.append(output(f"--go_opt={option or '(none)'}", f"{tried.ended}: {files}; {field} {count} times"))
        without, given = counts
        yield self.judged(without > given, evidence, field=field, version=version, without=without, given=given)


class TwoFilesMeanRight(ClaimCheck):
    """Make set-ups that are wrong on purpose, and see whether any makes both files without one of the two errors."""

    id = "1.15"
    needs = (HANDBOOK,)
    turned_by = "other generators"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by a wrong set-up that passes."""
        stated = str(ledgers.own().find("1.13").quoted["version"])
        wrong = [each.tool.version for each in pinned() if _version(each.tool.version) < _version(stated)]
        evidence, passed = [], []
        for version in wrong:
            with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
                tried = generated(facts, Path(scratch).resolve(), protoc_gen_go=trying.generator(facts, version))
            evidence.append(output(f"protoc-gen-go {version}", f"{tried.ended}: {', '.join(tried.files)} {tried.said}"))
            if tried.files == MADE and not any(word in tried.said for word in ("SIGBUS", "bad CPU type")):
                passed.append(f"protoc-gen-go {version}")
        yield self.judged(not passed, evidence, passed=", ".join(passed) or "-", tried=", ".join(wrong))


def generated(facts: ClaimFacts, root: Path, **plugins: Path) -> trying.Tried:
    """Run the printed command in a folder, with the handbook's plugins on PATH or others in their place."""
    path = trying.plugins(facts, root / "plugins", **plugins)
    return trying.protoc(facts, PRINTED, {"helloworld.proto": trying.proto()}, root / "out", path=[path])


def count_of(field: str, facts: ClaimFacts, plugin: Path, option: str) -> tuple[int, trying.Tried]:
    """Generate with a plugin and an option; return how often a field is declared in what it made, and the run.

    Raises:
        ProcessError: It made nothing.

    """
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        path = trying.plugins(facts, root / "plugins", protoc_gen_go=plugin)
        words = ("--go_out=.", *([f"--go_opt={option}"] if option else []), "a.proto")
        tried = trying.protoc(facts, words, {"a.proto": trying.proto()}, root / "out", path=[path])
        texts = [(root / "out" / name).read_text("utf-8") for name in tried.files]
    if not texts:
        raise ProcessError(f"{tried.line} made nothing: {tried.first()}", remedy="run labkit with -v and read the log")
    return sum(text.count(f"\t{field} ") for text in texts), tried


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
