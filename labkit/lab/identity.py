"""What makes one execution of a notebook the same as another: the id by which a finished one is found again."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import nbformat

import labkit
from labkit.errors import LabError
from labkit.lab.matrix import Value
from labkit.model.machine import Machine
from labkit.system.store import digest, file_digest
from labkit.toolchain import pins

#: In a notebook's metadata: ``{"labkit": {"measures": false}}``.
_METADATA: Final = "labkit"
_MEASURES: Final = "measures"
_CODE: Final = frozenset({".py", ".toml", ".go", ".proto", ".yaml", ".sum", ".mod"})


def notebook_id(source: Path, parameters: Mapping[str, Value], machine: Machine, repeat: int) -> str:
    """Return the id of a notebook's execution.

    It comes from the notebook's bytes, its parameters, the pinned set that they name, labkit's version and code, the
    machine's identity and the number of the repeat.
    """
    return digest(
        {
            "notebook": file_digest(source),
            "parameters": dict(parameters),
            "toolchain": _pinned(str(parameters["toolchain"])) if "toolchain" in parameters else None,
            "labkit": labkit.__version__,
            "code": code(),
            "machine": machine.id,
            "system": machine.system_version,
            "repeat": repeat,
        }
    )


def measures(source: Path) -> bool:
    """Return whether a notebook measures, or looks at the machine as it is now.

    A notebook says so in its metadata; one that does not say is taken to measure, for numbers that were disturbed or
    are old would be wrong, and executing it alone and anew is only slow.
    """
    said = nbformat.read(str(source), as_version=4).metadata.get(_METADATA, {})
    return said.get(_MEASURES) is not False


def _pinned(name: str) -> str:
    try:
        return digest({"set": repr(pins.named(name))})
    except LabError:  # a name that the notebook itself gives a meaning to
        return name


@cache
def code() -> str:
    """Return the digest of labkit's own code, so that a checkout's change is no earlier version's result."""
    root = Path(str(resources.files("labkit")))
    found = sorted(path for path in root.rglob("*") if path.suffix in _CODE and "_shipped" not in path.parts)
    return digest({str(path.relative_to(root)): file_digest(path) for path in found})
