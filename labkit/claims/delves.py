"""The sources of dlv of several days, as its module holds them, and the Go code in them; builds nothing."""

import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims.facts import ClaimFacts
from labkit.errors import ProvisionError
from labkit.toolchain import golang, pins
from labkit.toolchain.pins import PluginTool

_NAME: Final = "dlv"


class _Download(msgspec.Struct, frozen=True):
    """What ``go mod download -json`` says."""

    Dir: str
    Sum: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``delves.toml``."""

    pinned_on: str
    dlv: PluginTool


def pinned() -> tuple[PluginTool, ...]:
    """Return the versions that are read, the oldest first: that of ``delves.toml`` and those of labkit's sets."""
    text = resources.files(__package__).joinpath("delves.toml").read_text("utf-8")
    before = msgspec.convert(tomllib.loads(text), _File).dlv
    sets = {pin.version: pin for name in pins.names() for pin in pins.named(name).optional if pin.name == _NAME}
    return tuple(sorted([before, *sets.values()], key=lambda pin: tuple(map(int, pin.version.split(".")))))


def source(facts: ClaimFacts, pin: PluginTool) -> Path:
    """Return the folder of a version's module, or what a test has put in its place under ``source:dlv:<version>``.

    Raises:
        NetworkError: It is not here and could not be fetched.
        ProvisionError: It is not the module that was pinned.

    """
    own = facts.replaced_tool(f"source:{_NAME}:{pin.version}")
    if own is not None:
        return own
    wanted = f"{pin.module}@v{pin.version}"
    answer = golang.run(facts.go(), "mod", "download", "-json", wanted, cwd=Path("/")).stdout
    got = msgspec.json.decode(answer, type=_Download)
    if got.Sum != pin.sum:
        raise ProvisionError(
            f"{wanted} has the sum {got.Sum}, the pin wants {pin.sum}",
            remedy="do not use this module proxy: its module is not the one that was pinned",
        )
    return Path(got.Dir)


def code(root: Path) -> Iterator[Path]:
    """Yield dlv's own Go files: neither tests nor what it takes from others."""
    for part in ("cmd", "pkg", "service"):
        for path in sorted((root / part).rglob("*.go")):
            if not path.name.endswith("_test.go"):
                yield path
