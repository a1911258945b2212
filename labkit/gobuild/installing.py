"""What a default ``go install`` on a Mac would make of a program: judged from what is built and read here.

A Mac's own Go has cgo on by default, and another linker when cgo is used. Which packages use it, by which rule the
linker is chosen, and what the product's bytes are can be known here; that it starts there cannot. The rules are data
(``installing.toml``), with their sources; none has been confirmed on hardware.
"""

import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.binary import inspect, instructions
from labkit.binary.judging import judge
from labkit.gobuild import build, files_of
from labkit.gobuild.options import Options
from labkit.model.base import Text
from labkit.model.binary import Slice
from labkit.model.experiments import InstallJudgement, SourceTree
from labkit.model.toolchain import Toolchain
from labkit.toolchain import golang, gosource, program

ARCHITECTURES: Final = ("arm64", "amd64")
_LIST: Final = "{{.ImportPath}}{{if .CgoFiles}} cgo{{end}}"


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: what it is called, where it comes from, and whether only a Mac can tell."""

    id: str
    source: str
    only_a_mac_can_tell: bool = False


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was built and read here for one architecture."""

    packages: tuple[str, ...]
    cgo_packages: tuple[str, ...]
    slice: Slice  # of the build with cgo on
    functions: int
    differing: tuple[str, ...]  # functions whose instructions, operands aside, differ between cgo on and off
    runs: str  # what labkit's own verdict for a Mac is, and its rule
    link_rule: str  # file and line in this Go's tree


_Answer = tuple[Text, tuple[str, ...]]


@cache
def rules() -> Mapping[str, _Rule]:
    """Return the rules by id, in their order."""
    text = resources.files(__package__).joinpath("installing.toml").read_text("utf-8")
    return {rule.id: rule for rule in msgspec.convert(tomllib.loads(text)["rule"], list[_Rule])}


def judge_install(
    toolchain: Toolchain,
    module: Path,
    package: str,
    *,
    name: str,
    overlay: Mapping[str, Path] | None = None,
    tree: SourceTree | None = None,
) -> tuple[InstallJudgement, ...]:
    """Return what ``go install`` of a package would make on a Mac with Apple silicon, and on one with Intel.

    Args:
        toolchain: The set.
        module: The folder of the go.mod.
        package: The main package.
        name: What to call the program.
        overlay: As for :func:`labkit.gobuild.build`.
        tree: The set's Go sources, when they have been searched already.

    Raises:
        BuildError: It does not compile for darwin.
        ProvisionError: The set's Go has no sources.

    """
    searched = tree or gosource.search_set(toolchain)
    where = next(each for each in searched.searches if each.id == "external-link-rule").occurrences
    link_rule = ", ".join(f"{each.path}:{each.line}" for each in where)
    found: list[InstallJudgement] = []
    for architecture in ARCHITECTURES:
        seen = _see(toolchain, module, package, name=name, overlay=overlay, architecture=architecture, rule=link_rule)
        for id_, rule in rules().items():
            statement, evidence = _ANSWERS[id_](seen)
            found.append(
                InstallJudgement(
                    rule=id_,
                    program=name,
                    architecture=architecture,
                    statement=statement,
                    evidence=evidence,
                    source=rule.source,
                    only_a_mac_can_tell=rule.only_a_mac_can_tell,
                )
            )
    return tuple(found)


def _see(
    toolchain: Toolchain,
    module: Path,
    package: str,
    *,
    name: str,
    overlay: Mapping[str, Path] | None,
    architecture: str,
    rule: str,
) -> _Seen:
    platform = f"darwin/{architecture}"
    packages = _packages(toolchain, module, package, overlay or {}, architecture)
    built = {
        cgo: Path(
            build(
                toolchain, module, package, name=name, platform=platform, overlay=overlay, options=Options(cgo=cgo)
            ).path
        )
        for cgo in (True, False)
    }
    machine = "m1-macos14"
    facts = inspect(built[True], machines=())
    verdict = judge(facts, machine)
    on, off = (_mnemonics(path) for path in built.values())
    return _Seen(
        packages=tuple(packages),
        cgo_packages=tuple(path for path, cgo in packages.items() if cgo),
        slice=facts.slices[0],
        functions=len(on),
        differing=tuple(sorted({key[0] for key in on.keys() | off.keys() if on.get(key) != off.get(key)})),
        runs=f"{machine}: {verdict.runs} ({verdict.rule})",
        link_rule=rule,
    )


def _packages(
    toolchain: Toolchain, module: Path, package: str, overlay: Mapping[str, Path], architecture: str
) -> dict[str, bool]:
    # With an overlay as Go has it, so that the module need not be copied.
    go = program(toolchain, "go")
    files = files_of(module) | dict(overlay)
    replaced = {str((module / path).resolve()): str(file.resolve()) for path, file in files.items()}
    with_overlay = {key: value for key, value in replaced.items() if key != value}
    with tempfile.TemporaryDirectory() as scratch:
        mapping = Path(scratch) / "overlay.json"
        mapping.write_bytes(msgspec.json.encode({"Replace": with_overlay}))
        answer = golang.run(
            go, "list", "-deps", "-mod=readonly", f"-overlay={mapping}", "-f", _LIST, package,
            cwd=module, GOOS="darwin", GOARCH=architecture, CGO_ENABLED="1",
        )  # fmt: skip
    return {line.removesuffix(" cgo"): line.endswith(" cgo") for line in answer.stdout.split("\n") if line}


def _mnemonics(path: Path) -> dict[tuple[str, int], tuple[str, ...]]:
    # Operands hold addresses, and the build information's length moves them all; go:buildid is no code.
    code = instructions.read(path)
    return {
        key: tuple(row[2] for row in instructions.sweep(code.bytes_of(each), code.architecture, each.address))
        for key, each in code.numbered().items()
        if each.name != "go:buildid"
    }


def _cgo(seen: _Seen) -> _Answer:
    names = ", ".join(seen.cgo_packages)
    kind = "some" if seen.cgo_packages else "none"
    evidence = (f"go list -deps, CGO_ENABLED=1: {len(seen.packages)} packages, with cgo: {names or '-'}",)
    values: dict[str, str | int] = {"count": len(seen.packages), "names": names}
    return Text(id=f"instructions.install.cgo_{kind}", values=values), evidence


def _linker(seen: _Seen) -> _Answer:
    kind = "perhaps_external" if seen.cgo_packages else "internal"
    evidence = (f"{seen.link_rule} of this Go", "linked here with CGO_ENABLED=1 and no C compiler for darwin")
    return Text(id=f"instructions.install.linker_{kind}"), evidence


def _signature(seen: _Seen) -> _Answer:
    signed = seen.slice.signature
    evidence = (
        f"bytes: signature {signed.kind}, flags {', '.join(signed.flags) or '-'}, name {signed.identifier or '-'}",
    )
    return Text(id="instructions.install.signature", values={"kind": signed.kind.value}), evidence


def _libraries(seen: _Seen) -> _Answer:
    evidence = (f"load commands: {', '.join(seen.slice.libraries) or '-'}",)
    return Text(id="instructions.install.libraries", values={"libraries": ", ".join(seen.slice.libraries)}), evidence


def _same(seen: _Seen) -> _Answer:
    kind = "other" if seen.differing else "same"
    others = ", ".join(seen.differing[:5]) or "none"
    evidence = (f"{seen.functions} functions decoded with CGO_ENABLED=1 and 0; with other instructions: {others}",)
    values = {"count": seen.functions, "differing": len(seen.differing)}
    return Text(id=f"instructions.install.code_{kind}", values=values), evidence


def _starts(seen: _Seen) -> _Answer:
    return Text(id="instructions.install.starts"), (f"labkit's verdict from the bytes, {seen.runs}",)


def _default(_seen: _Seen) -> _Answer:
    return Text(id="instructions.install.default"), ("not run: there is no Mac here",)


_ANSWERS: Final[Mapping[str, Callable[[_Seen], _Answer]]] = {
    "install-cgo-default": _default,
    "install-cgo-packages": _cgo,
    "install-linker": _linker,
    "install-libraries": _libraries,
    "install-signature": _signature,
    "install-same-code": _same,
    "install-starts": _starts,
}
