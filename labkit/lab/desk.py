"""What ``labkit lab`` lays ready for JupyterLab: this environment's kernel, no news, a new notebook. Starts nothing."""

import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import nbformat

from labkit.errors import UsageError
from labkit.system.store import home, write_atomically

#: Options of JupyterLab's, which go before whatever the user's own configuration says.
_OPTIONS: Final = {
    # Announcements and the question after newer versions go to other machines.
    "LabApp.news_url": "None",
    "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "LabApp.extension_manager": "readonly",  # the other one lists what a package index has
    "LabApp.default_url": "/lab/tree/notebooks",
    "MultiKernelManager.default_kernel_name": "python3",
    "ServerApp.answer_yes": "True",  # Ctrl-C ends it and its kernels, also where there is no terminal to ask back
}
_SETTINGS: Final = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
_LOOPBACK: Final = "127.0.0.1"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def lay(environ: Mapping[str, str], program: str = sys.executable) -> dict[str, str]:
    """Write a kernel of this environment's and settings, and return the variables that make Jupyter find them first.

    A ``python3`` in the user's own folder, or in the system's, may be of any environment. What ``JUPYTER_PATH`` names
    is looked at before both (``jupyter --paths``), so there lies one that names this environment's Python by its path.
    The settings are defaults, by which nobody is asked whether news are wanted; the user's own go before them.

    Args:
        environ: The environment that JupyterLab is going to have.
        program: The Python of the kernel.

    Raises:
        StoreError: labkit's home cannot be written.

    """
    folder = home() / "jupyter" / hashlib.sha256(os.fsencode(program)).hexdigest()[:16]
    kernel = {
        "argv": [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (labkit)",
        "language": "python",
        "metadata": {"debugger": True},
    }
    _keep(folder / "kernels" / "python3" / "kernel.json", kernel)
    _keep(folder / "labconfig" / "default_setting_overrides.json", _SETTINGS)
    return {
        "JUPYTER_PATH": _first(folder, environ.get("JUPYTER_PATH", "")),
        "JUPYTER_CONFIG_PATH": _first(folder, environ.get("JUPYTER_CONFIG_PATH", "")),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def _keep(file: Path, value: object) -> None:
    written = json.dumps(value, indent=1).encode()
    if not file.is_file() or file.read_bytes() != written:
        write_atomically(file, written)


def _first(folder: Path, path: str) -> str:
    return os.pathsep.join([str(folder), *(each for each in path.split(os.pathsep) if each not in {"", str(folder)})])


def options(
    folder: Path, *, opened: Path | None = None, port: int | None = None, more: Sequence[str] = ()
) -> list[str]:
    """Return JupyterLab's command line; what the user gives goes before what labkit would.

    Args:
        folder: The folder that it shows.
        opened: The notebook that it opens with; the folder of notebooks unless given.
        port: Exactly that one; the first that is free from 8888 on unless given.
        more: Options that the user gives.

    Raises:
        UsageError: The port is taken.

    """
    ours = {**_OPTIONS, "ServerApp.root_dir": str(folder)}
    if opened is not None:
        ours["LabApp.default_url"] = f"/lab/tree/{opened.relative_to(folder).as_posix()}"
    if port is not None:
        _check_free(port)
        ours |= {"ServerApp.port": str(port), "ServerApp.port_retries": "0"}
    given = {option.lstrip("-").partition("=")[0] for option in more}
    return [*(f"--{name}={value}" for name, value in ours.items() if name not in given), *more]


def _check_free(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_LOOPBACK, port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had: {error.strerror}", remedy="name another, or none: then a free one is taken"
            ) from error


def new_notebook(folder: Path, name: str) -> Path:
    """Write a notebook of a question of one's own into a folder, from the template, and return its file.

    It has what labkit's own have: a title with the question, parameters, a first table, findings, and a verdict; so
    ``labkit run`` can execute it as well.

    Raises:
        UsageError: The name is no name for a file, or there is one already.
        StoreError: The folder cannot be written.

    """
    stem = name.removesuffix(".ipynb")
    if not _NAME.fullmatch(stem):
        raise UsageError(
            f"{name!r} is no name for a notebook", remedy="use letters, digits, - and _, such as 08_my_question"
        )
    file = folder / f"{stem}.ipynb"
    if file.exists():
        raise UsageError(f"{file} is there already", remedy="open it, or choose another name")
    template = resources.files("labkit.lab").joinpath("template.ipynb").read_text("utf-8")
    document = nbformat.reads(template, as_version=4)
    title = stem.replace("_", " ").strip()
    document.cells[0].source = document.cells[0].source.replace("TITLE", title, 1)
    write_atomically(file, (nbformat.writes(document) + "\n").encode())
    return file
