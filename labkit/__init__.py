"""labkit: a reproducible lab for the protobuf and gRPC Go toolchain on Apple silicon.

What is here loads when it is first used; press Tab after ``labkit.`` to see it, and ``?`` after a name to read of it.

    >>> import labkit
    >>> record = labkit.inspect("/bin/sh")  # what the bytes of a program say; in a notebook it shows itself
    >>> here = labkit.machine.read()  # who this computer is
    >>> facts = labkit.Facts("current")  # all that can be known of this machine with a pinned set, when it is asked for

The package itself imports nothing heavy.
"""

import importlib
import sys
from typing import Any, Final

__version__ = "0.1.0"

#: What a reader of a notebook starts from: each name with the module that has it; a room is a module of its own.
_HERE: Final = {
    "Facts": "labkit.facts",
    "bench": "",
    "binary": "",
    "claims": "",
    "codegen": "",
    "compare": "",
    "debugging": "",
    "doctor": "",
    "inspect": "labkit.binary",
    "machine": "",
    "present": "",
    "read": "labkit.system.records",
    "scraps": "",
    "toolchain": "",
    "traps": "",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module, a class or a function
    if name not in _HERE:
        raise AttributeError(f"module 'labkit' has no attribute {name!r}; it has {', '.join(_HERE)}")
    module = importlib.import_module(_HERE[name] or f"labkit.{name}")
    return getattr(module, name) if _HERE[name] else module


def __dir__() -> list[str]:
    return [*_HERE, "__version__"]


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - IPython's, which may not be here
    """Let records show themselves as the value of a cell: ``%load_ext labkit``, or simply ``import labkit``.

    IPython is told the types' names only; what draws them is loaded with the first record that is shown.
    """
    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type_by_name("labkit.model.base", "Record", _shown)
    bundles.for_type(tuple, _shown)  # of records: the files of a folder, the findings of an examination
    # A tuple has a printer of IPython's own, which goes before what a bundle says.
    texts = shell.display_formatter.formatters["text/plain"]
    usual = texts.for_type(tuple)

    def print_tuple(value: tuple[object, ...], printer: Any, cycle: bool) -> None:  # noqa: ANN401 - IPython's
        bundle = _shown(value) if len(printer.stack) == 1 else None  # within another value it stays as it is
        if bundle is None:
            usual(value, printer, cycle)
        else:
            printer.text(bundle["text/plain"])

    texts.for_type(tuple, print_tuple)


def _shown(value: object) -> dict[str, object] | None:
    # Asked of every tuple that is shown; what cannot be records loads nothing.
    if isinstance(value, tuple) and not all(type(item).__module__.startswith("labkit.model.") for item in value):
        return None
    bundle: dict[str, object] | None = importlib.import_module("labkit.present.cells").bundle(value)
    return bundle


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    load_ipython_extension(_shell)
