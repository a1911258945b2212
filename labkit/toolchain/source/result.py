"""Looks at a program that was built from sources, and compares what it generates with a published build's output."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.binary import inspect
from labkit.errors import GenerateError, LabError, ProcessError
from labkit.model.machine import System
from labkit.model.source import SameOutput, SourceBuild
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain import wheels
from labkit.toolchain.source import build
from labkit.toolchain.source.build import Wish

#: Languages that protoc generates by itself, with the option that asks for them.
_BUILT_IN: Final[Mapping[str, str]] = {
    "cpp": "--cpp_out={out}",
    "java": "--java_out={out}",
    "python": "--python_out={out}",
    "descriptor": "--descriptor_set_out={out}/descriptor.bin",
}


@dataclass(frozen=True, kw_only=True)
class Protoc:
    """A protoc and the protos it comes with."""

    path: Path
    include: Path


def from_source(
    wish: Wish, protos: tuple[Path, ...], *, plugins: Callable[[], Mapping[str, Path]], say: Callable[[str], None]
) -> SourceBuild:
    """Return a program built from its pinned sources, inspected, asked its version, and compared.

    Args:
        wish: What to build, and with what.
        protos: The .proto files to generate with both programs.
        plugins: Gives plugins by their names (protoc-gen-go), for the languages that need one.
        say: Called with one line before each step that may take long.

    Raises:
        ProvisionError: It cannot be built here.
        NetworkError: The sources are not here and could not be fetched.

    """
    built = build.obtain(wish, say)
    pin = wish.pin
    own = Protoc(path=built.tree / "bin" / pin.name, include=built.tree / "include")
    reported, problem = _asked(own.path)
    published: str | None = None
    not_compared: str | None = None
    same: tuple[SameOutput, ...] = ()
    if pin.published is None:
        not_compared = f"no published build of {pin.name} {pin.version} is pinned"
    else:
        label = f"{pin.published.project} {pin.published.version}"
        try:
            tree = wheels.obtain(
                Store(), pin.name, pin.published, wish.platform, begin=lambda: say(f"{label}, to compare with")
            )
            include = tree / (pin.published.include or "include")
            other = Protoc(path=tree / pin.published.executable, include=include)
            same = compare(own, other, protos, plugins())
            published = f"{label} (wheel)"
        except LabError as error:
            not_compared = error.what
    return SourceBuild(
        name=pin.name,
        version=pin.version,
        source=f"{pin.crate} {pin.crate_version} (crate)",
        source_sha256=pin.sha256,
        origin=pin.origin,
        platform=wish.platform,
        digest=built.digest,
        path=str(own.path),
        protos=str(own.include),
        already_there=built.already_there,
        build=built.facts,
        reported_version=reported,
        problem=problem,
        binary=inspect(own.path, digest=True),
        published=published,
        not_compared=not_compared,
        same=same,
        confirmed_on_hardware=False if wish.machine.system is System.MACOS else None,
    )


def compare(
    own: Protoc, other: Protoc, protos: tuple[Path, ...], plugins: Mapping[str, Path]
) -> tuple[SameOutput, ...]:
    """Return, for each language, whether two protocs of one version write the same bytes for some .proto files.

    The protos that each comes with are compared too, under the language ``include``, those that both have.

    Raises:
        GenerateError: One of them does not generate.

    """
    asked = dict(_BUILT_IN)
    for name in plugins:
        asked[name.removeprefix("protoc-gen-")] = (
            f"--{name.removeprefix('protoc-gen-')}_out=paths=source_relative:{{out}}"
        )
    rows = []
    with tempfile.TemporaryDirectory(prefix="labkit-same-") as scratch:
        for language, option in asked.items():
            sides = []
            for side, protoc in (("own", own), ("other", other)):
                out = Path(scratch) / side / language
                out.mkdir(parents=True)
                _generate(protoc, protos, option.format(out=out), plugins)
                sides.append(_contents(out))
            rows.append(_row(language, sides[0], sides[1]))
    shared = [_contents(protoc.include) for protoc in (own, other)]
    both = shared[0].keys() & shared[1].keys()
    rows.append(_row("include", *({name: side[name] for name in both} for side in shared)))
    return tuple(rows)


def _generate(protoc: Protoc, protos: tuple[Path, ...], option: str, plugins: Mapping[str, Path]) -> None:
    command: list[str | Path] = [protoc.path, option, f"-I{protoc.include}"]
    command += [f"-I{folder}" for folder in sorted({str(proto.parent) for proto in protos})]
    command += [f"--plugin={name}={path}" for name, path in plugins.items()]
    try:
        proc.run([*command, *protos], env=base(), timeout_s=120)
    except ProcessError as error:
        raise GenerateError(
            f"{protoc.path} does not generate: {error.what}", remedy="look at it with labkit inspect"
        ) from error


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _row(language: str, own: Mapping[str, bytes], other: Mapping[str, bytes]) -> SameOutput:
    differing = sorted(name for name in own.keys() | other.keys() if own.get(name) != other.get(name))
    return SameOutput(
        language=language,
        files=len(own),
        bytes=sum(len(content) for content in own.values()),
        same=bool(own) and not differing,
        differing=tuple(differing),
    )


def _asked(program: Path) -> tuple[str | None, str | None]:
    try:
        done = proc.run([program, "--version"], env=base(), timeout_s=60, cwd=Path("/"))
    except ProcessError as error:
        return None, error.what
    return (done.stdout or done.stderr).strip().split("\n")[0], None
