"""Chapter 4.4, what protoc and its plugins make: options, files and versions, each tried with the real programs."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from labkit.claims import ledgers, older_protocs, trying
from labkit.claims.base import ClaimCheck, command, read_bytes, toolchain
from labkit.claims.facts import ClaimFacts
from labkit.codegen.generators.pinned import pinned
from labkit.model.claims import ClaimEvidence, PartVerdict

HANDBOOK = (toolchain("handbook"),)
PLUGINS: Final = ("protoc-gen-go", "protoc-gen-go-grpc")
SETS: Final = ("handbook", "current")
NOTHING: Final = "-"


def generated(
    facts: ClaimFacts, words: Sequence[str], *, set_name: str = "handbook", own: Path | None = None, **others: Path
) -> trying.Tried:
    """Run protoc on one service with the plugins of a set on PATH, or with others in their place."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        given = {name.replace("-", "_"): trying.tool_of_set(facts, name, set_name) for name in PLUGINS} | others
        path = trying.plugins(facts, root / "plugins", **given)
        return trying.protoc(facts, words, {"a.proto": trying.proto()}, root / "out", path=[path], own=own)


class Gateway(ClaimCheck):
    """Run both plugins of each set and list what they made; look for the ending in the plugins' own bytes."""

    id = "4.4.09"
    needs = HANDBOOK
    turned_by = "another plugin"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by a file of that ending."""
        evidence: list[ClaimEvidence] = []
        made: dict[str, None] = {}
        for set_name in SETS:
            tried = generated(facts, ["--go_out=.", "--go-grpc_out=.", "a.proto"], set_name=set_name)
            made |= dict.fromkeys(name.rpartition("/")[2] for name in tried.files)
            evidence.append(command(f"{tried.line} ({set_name})", f"{tried.ended}: {', '.join(tried.files)}"))
            for name in PLUGINS:
                held = trying.tool_of_set(facts, name, set_name).read_bytes()
                counts = {ending: held.count(ending.encode()) for ending in (".pb.gw.go", ".pb.go")}
                evidence.append(read_bytes(f"{name} ({set_name})", ", ".join(f"{k} {n}" for k, n in counts.items())))
        gateway = [name for name in made if name.endswith(".pb.gw.go")]
        yield self.judged(bool(gateway), evidence, files=", ".join(made) or NOTHING, made=", ".join(gateway))


class OlderProtoc(ClaimCheck):
    """Run the same command with protoc of versions before the stated one and from it on."""

    id = "4.4.10"
    needs = HANDBOOK
    turned_by = "another protoc"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch them."""
        for pin in older_protocs.pinned():
            older_protocs.obtain(facts, pin)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether every version before fails and every later one works."""
        stated = _numbers(str(ledgers.own().find(self.id).quoted["protoc"]))
        tried = {}
        for pin in older_protocs.pinned():
            words = ["--go_out=.", "--go-grpc_out=.", "a.proto"]
            tried[pin.version] = generated(facts, words, own=older_protocs.obtain(facts, pin))
        evidence = [
            command(f"protoc {version}: {one.line}", f"{one.ended}: {', '.join(one.files) or one.first()}")
            for version, one in tried.items()
        ]
        before = {version: one for version, one in tried.items() if _numbers(version) < stated}
        working = [version for version, one in before.items() if any("_grpc." in name for name in one.files)]
        later = [version for version, one in tried.items() if version not in before and one.code == 0]
        yield self.judged(
            not working,
            evidence,
            before=", ".join(before),
            working=", ".join(working) or NOTHING,
            later=", ".join(later) or NOTHING,
            said=next((one.first() for version, one in before.items() if version not in working), NOTHING),
        )


class OlderGenerator(ClaimCheck):
    """Run every generator before the stated version with the option, and see where the file goes."""

    id = "4.4.11"
    needs = HANDBOOK
    turned_by = "other generators"

    def prepare(self, facts: ClaimFacts) -> None:
        """Build them."""
        for pin in pinned():
            trying.generator(facts, pin.tool.version)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether one of them puts the file beside its .proto."""
        stated = _numbers(str(ledgers.own().find(self.id).quoted["version"]))
        evidence, working, said = [], [], NOTHING
        versions = [each.tool.version for each in pinned() if _numbers(each.tool.version) < stated]
        for version in versions:
            words = ["--go_out=.", "--go_opt=paths=source_relative", "a.proto"]
            tried = generated(facts, words, protoc_gen_go=trying.generator(facts, version))
            evidence.append(
                command(
                    f"protoc-gen-go {version}: {tried.line}", f"{tried.ended}: {', '.join(tried.files) or tried.said}"
                )
            )
            if tried.files == ("a.pb.go",):
                working.append(version)
            else:
                said = tried.first()
        yield self.judged(
            not working,
            evidence,
            working=", ".join(working) or NOTHING,
            tried=", ".join(versions),
            said=said,
            stated=str(ledgers.own().find(self.id).quoted["version"]),
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
