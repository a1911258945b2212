"""``labkit lab``: JupyterLab on the notebooks."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def lab(
    folder: Annotated[Path, typer.Argument(help="The folder to open; labkit's notebooks are copied into it.")] = Path(),
    more: Annotated[
        list[str] | None, typer.Argument(help="Options for JupyterLab itself, after --.", show_default=False)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Open JupyterLab on the notebooks, with this environment's kernel.

    Notebooks that the folder lacks are copied into its ``notebooks/``; one that is there is never overwritten.
    """
    from labkit.lab.shipped import copy_notebooks

    where = copy_notebooks(folder.absolute())
    typer.echo(f"notebooks: {where}", err=True)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.chdir(where.parent)
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(
        argv=[f"--ServerApp.root_dir={where.parent}", *(["--no-browser"] if no_browser else []), *(more or ())]
    )
    sys.exit(0)
