"""``labkit lab``: JupyterLab on the notebooks."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def lab(
    folder: Annotated[Path, typer.Argument(help="The folder to open; labkit's notebooks are copied into it.")] = Path(),
    more: Annotated[
        list[str] | None, typer.Argument(help="Options for JupyterLab itself, after --.", show_default=False)
    ] = None,
    new: Annotated[
        str | None, typer.Option("--new", metavar="NAME", help="Write notebooks/NAME.ipynb from a template, open it.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="The port, if it is free.", min=1, max=65535, show_default="a free one")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Open JupyterLab on the notebooks, with this environment's kernel.

    Notebooks that the folder lacks are copied into its ``notebooks/``; one that is there is never overwritten. Nothing
    is asked of other machines: no news, no updates. Ctrl-C ends JupyterLab with all its kernels.
    """
    from labkit.lab import desk
    from labkit.lab.shipped import copy_notebooks

    where = copy_notebooks(folder.absolute())
    typer.echo(f"notebooks: {where}", err=True)
    made = None if new is None else desk.new_notebook(where, new)
    if made is not None:
        typer.echo(f"new: {made}", err=True)
    options = desk.options(
        where.parent, opened=made, port=port, more=[*(["--no-browser"] if no_browser else []), *(more or ())]
    )
    os.environ.update(desk.lay(os.environ))
    os.chdir(where.parent)
    from jupyterlab.labapp import LabApp

    # A terminal that is closed ends it as Ctrl-C does.
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    LabApp.launch_instance(argv=options)
    sys.exit(0)
