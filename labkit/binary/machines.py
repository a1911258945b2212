"""Machines by name: ``linux-amd64``, ``m3-macos26``. What a name stands for is data, in machines.toml."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from labkit.errors import UsageError

#: Those that a verdict is given for unless others are named.
DEFAULT_MACHINES: Final = ("linux-amd64", "linux-arm64", "m1-macos14", "m2-macos15", "m3-macos26")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a machine's name stands for."""

    name: str
    system: str  # macos, linux
    architecture: str  # arm64, x86_64
    macos: int | None = None
    libc: str | None = None  # glibc, musl
    qemu: bool = False


@cache
def data() -> dict[str, Any]:
    """Return machines.toml."""
    return tomllib.loads(resources.files(__package__).joinpath("machines.toml").read_text("utf-8"))


@cache
def target(name: str) -> Target:
    """Return what a machine's name stands for.

    Raises:
        UsageError: No machine has that name.

    """
    known = data()
    if apple := re.fullmatch(known["apple"]["name"], name):
        return Target(name=name, system="macos", architecture="arm64", macos=int(apple["version"]))
    if linux := re.fullmatch(known["linux"]["name"], name):
        return Target(
            name=name,
            system="linux",
            architecture="x86_64" if linux["architecture"] == "amd64" else "arm64",
            libc="musl" if linux["libc"] else "glibc",
            qemu=linux["qemu"] is not None,
        )
    raise UsageError(
        f"no machine is called {name!r}",
        remedy=f"name chip and system, as in {', '.join(DEFAULT_MACHINES)}, linux-amd64-musl or linux-arm64-qemu",
    )


def check(names: Sequence[str]) -> None:
    """Make sure that all names are machines.

    Raises:
        UsageError: One is not.

    """
    for name in names:
        target(name)
