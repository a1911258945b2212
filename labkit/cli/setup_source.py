"""``labkit setup --from-source``: protoc built from pinned C++ sources, inspected and compared."""

import os
from pathlib import Path

import typer

from labkit.cli.output import print_json
from labkit.model.binary import Slice
from labkit.model.source import SourceBuild


def setup_source(*, archive: Path | None = None, jobs: int | None = None, json: bool = False) -> None:
    """Build protoc from its pinned sources, or go on with an interrupted build, and print what came of it.

    Args:
        archive: The sources' file, instead of asking cargo.
        jobs: Compilers at once; one a core when None, never more than memory holds.
        json: Whether to print one JSON document instead of lines.

    Raises:
        ProvisionError: It cannot be built here.
        NetworkError: The sources are not here and could not be fetched.

    """
    from labkit import machine
    from labkit.codegen import PROTO, PROTO_FOLDER
    from labkit.errors import LabError
    from labkit.system.progress import steps
    from labkit.toolchain import host_platform, program, provision, source

    say = steps("labkit setup")
    here = machine.read()
    wish = source.Wish(
        pin=source.named("protoc"),
        machine=here,
        environ=dict(os.environ),
        tools=source.shipped().tools,
        jobs=jobs,
        archive=archive.expanduser().absolute() if archive else None,
    )

    def plugins() -> dict[str, Path]:
        # Asked for only once there is a protoc to compare; without them the built-in languages are compared.
        try:
            current = provision("current", host_platform(here), progress=say)
        except LabError as error:
            say(f"Go code is not compared: {error.what}")
            return {}
        return {name: program(current, name) for name in ("protoc-gen-go", "protoc-gen-go-grpc")}

    found = source.from_source(wish, (PROTO_FOLDER / PROTO,), plugins=plugins, say=say)
    if json:
        print_json(found)
        return
    for line in _lines(found):
        typer.echo(line)


def _slice(found: SourceBuild, each: Slice) -> str:
    from labkit.system.store import shown
    from labkit.words import say

    return say(
        "source.binary",
        path=shown(found.path),
        architecture=each.architecture,
        linkage=str(each.linkage),
        libraries=", ".join(each.libraries) or say("source.nothing"),
        minimum=each.minimum_os or each.minimum_libc or say("source.no_minimum"),
        signature=str(each.signature.kind),
    )


def _lines(found: SourceBuild) -> list[str]:
    from labkit.words import say

    build = found.build
    lines = [say("source.built", name=found.name, version=found.version, source=found.source, platform=found.platform)]
    if found.already_there:
        lines.append("  " + say("source.there", date=build.built_at))
    seconds = f"{build.build_time_s:.0f}"
    lines.append(
        "  " + say("source.steps", steps=build.steps, before=build.steps_before, seconds=seconds, jobs=build.jobs)
    )
    lines.append("  " + say("source.tools", tools="; ".join(f"{tool.name} {tool.version}" for tool in build.tools)))
    answer = found.reported_version
    lines.append(
        "  " + (say("source.answers", answer=answer) if answer else say("source.silent", problem=found.problem or ""))
    )
    lines += [f"  {_slice(found, each)}" for each in found.binary.slices]
    published = found.published or ""
    for row in found.same:
        slots = {"language": row.language, "published": published}
        if row.same:
            lines.append("  " + say("source.same", files=row.files, bytes=row.bytes, **slots))
        else:
            lines.append("  " + say("source.differs", files=", ".join(row.differing), **slots))
    if found.not_compared is not None:
        lines.append("  " + say("source.not_compared", why=found.not_compared))
    if found.confirmed_on_hardware is False:
        lines.append("  " + say("source.unconfirmed"))
    return lines
