"""``labkit publish``: a static site from run folders."""

from pathlib import Path
from typing import Annotated

import typer


def publish(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders, runs/<machine>/<run-id>.", metavar="RUN...", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The site's folder; an earlier site in it is replaced.", show_default=False)
    ],
) -> None:
    """Write a static site of runs and print the path of its index.html.

    The site opens from disk with the network off. One run gives its report; several give an index by machine.
    """
    from labkit.site import publish as write_site

    typer.echo(write_site(runs, out))
