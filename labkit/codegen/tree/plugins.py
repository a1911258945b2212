"""Runs protoc's plugins as protoc does, on requests made here, and does what protoc does with the answers.

A plugin gets the sources of a batch at once; when it refuses them, they are divided until the bad ones are alone. What
protoc checks of an answer (https://github.com/protocolbuffers/protobuf, compiler/command_line_interface.cc:
EnforceProto3OptionalSupport, EnforceEditionsSupport) is checked here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree import wire
from labkit.errors import GenerateError, ProcessError
from labkit.model.base import Text
from labkit.model.generation import Refusal, RefusalKind
from labkit.system import proc
from labkit.system.environment import base

_TIMEOUT_S: Final = 900.0
_MOST_BYTES: Final = 1 << 30  # google/cloud/compute/v1 alone becomes 15 MB of Go
#: A plugin is a short-lived Go program: collecting garbage later costs memory and saves time, so a small request gets
#: a high target. docs/codegen.md has the measurements.
_SMALL_BYTES: Final = 8_000_000
_SMALL_GOGC: Final = "400"
_LARGE_GOGC: Final = "100"


class Plugin(msgspec.Struct, frozen=True):
    """A plugin, and the parameter that it gets."""

    name: str  # protoc-gen-go
    program: Path
    parameter: str
    services_only: bool  # makes nothing of a file without services, so it need not see one


class Answer(msgspec.Struct, frozen=True):
    """The files that a plugin made, and the sources that it refused."""

    files: tuple[tuple[str, bytes], ...]
    refused: tuple[Refusal, ...]


def run(
    plugin: Plugin, sources: Sequence[str], files: Sequence[wire.Descriptor], *, version: bytes, scratch: Path
) -> Answer:
    """Return what a plugin makes of sources.

    Args:
        plugin: The plugin.
        sources: What to generate, by import name.
        files: The descriptors of the sources and of all that they import, in their order.
        version: protoc's own, as plugins are told it.
        scratch: The folder to run in.

    Raises:
        GenerateError: The plugin cannot be started, or answers nonsense to each source alone.

    """
    by_name = {file.name: file for file in files}
    wanted = tuple(name for name in sources if by_name[name].services or not plugin.services_only)
    made: list[tuple[str, bytes]] = []
    refused: list[Refusal] = []
    pending = [wanted] if wanted else []
    while pending:
        group = pending.pop()
        answer, said = _ask(plugin, group, _closure(group, by_name, files), version, scratch)
        if answer is None:
            if len(group) == 1:
                refused.append(_refusal(plugin, group[0], said))
            else:
                pending += _divide(group, said)
            continue
        unsupported = {name: why for name in group if (why := _unsupported(plugin, by_name[name], answer))}
        if unsupported:
            refused += [_refusal(plugin, name, why) for name, why in unsupported.items()]
            rest = tuple(name for name in group if name not in unsupported)
            pending += [rest] if rest else []
            continue
        made += answer.files
    return Answer(tuple(made), tuple(refused))


def _ask(
    plugin: Plugin, group: Sequence[str], files: Sequence[wire.Descriptor], version: bytes, scratch: Path
) -> tuple[wire.Response | None, str]:
    request = wire.request(group, plugin.parameter, version, files)
    gogc = _SMALL_GOGC if len(request) < _SMALL_BYTES else _LARGE_GOGC
    try:
        done = proc.run(
            [plugin.program],
            env=base(GOGC=gogc),
            timeout_s=_TIMEOUT_S,
            cwd=scratch,
            stdin=request,
            check=False,
            most_bytes=_MOST_BYTES,
        )
    except ProcessError as error:
        raise GenerateError(f"{plugin.name} failed: {error.what}", remedy=error.remedy) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or proc.describe_exit(done.returncode)
        return None, said.removeprefix(f"{plugin.name}: ")
    try:
        answer = wire.response(done.stdout_bytes)
    except ValueError as error:
        return None, f"its answer is none: {error}"
    return (answer, "") if answer.error is None else (None, " ".join(answer.error.split()))


def _closure(
    group: Iterable[str], by_name: Mapping[str, wire.Descriptor], files: Sequence[wire.Descriptor]
) -> list[wire.Descriptor]:
    reached = set(group)
    pending = list(reached)
    while pending:
        for each in by_name[pending.pop()].imports:
            if each not in reached and each in by_name:
                reached.add(each)
                pending.append(each)
    return [file for file in files if file.name in reached]


def _divide(group: tuple[str, ...], said: str) -> list[tuple[str, ...]]:
    # A file that is named is looked at alone at once.
    named = tuple(name for name in group if f'"{name}"' in said or f"{name}:" in said)
    if named and len(named) < len(group):
        return [named, tuple(name for name in group if name not in named)]
    half = len(group) // 2
    return [group[:half], group[half:]]


def _unsupported(plugin: Plugin, file: wire.Descriptor, answer: wire.Response) -> str | None:
    if file.syntax == "editions":
        if not answer.features & wire.EDITIONS:
            return f"is an editions file, but code generator {plugin.name} hasn't been updated to support editions yet"
        if not answer.minimum_edition <= file.edition <= answer.maximum_edition:
            return (
                f"is of edition {file.edition}, but code generator {plugin.name} supports editions "
                f"{answer.minimum_edition} to {answer.maximum_edition}"
            )
    elif file.syntax == "proto3" and not answer.features & wire.PROTO3_OPTIONAL and wire.has_proto3_optional(file):
        return (
            f"is a proto3 file that contains optional fields, but code generator {plugin.name} "
            "hasn't been updated to support optional fields in proto3"
        )
    return None


def _refusal(plugin: Plugin, source: str, said: str) -> Refusal:
    return Refusal(
        source=source,
        kind=RefusalKind.PLUGIN,
        line=None,
        column=None,
        reason=Text(id="generate.plugin", values={"plugin": plugin.name, "said": said}),
        remedy=Text(id="generate.remedy.plugin", values={"plugin": plugin.name}),
    )
