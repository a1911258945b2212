"""``labkit publish``: a static site from run folders."""

from pathlib import Path
from typing import Annotated

import typer


def publish(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run folders, runs/<machine>/<run-id>; what `labkit import` wrote is compared with them.",
            metavar="RUN...",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The site's folder; an earlier site in it is replaced.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the path of the index.")] = False,
) -> None:
    """Write a static site of runs and print the path of its index.html.

    The site opens from disk with the network off. One run gives its report; several give an index by machine, a
    page of the machines side by side, and one of the statements. A search over all of it needs no server.
    """
    import msgspec

    from labkit.model.output import PublishOutput
    from labkit.site import publish as write_site

    index = str(write_site(runs, out))
    typer.echo(msgspec.json.encode(PublishOutput(index=index)).decode() if json else index)
