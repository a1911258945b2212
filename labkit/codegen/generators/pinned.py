"""Which generators are looked at: those of ``generators.toml``, built like a set's plugins, and the set's own."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.model.generators import Generator
from labkit.model.toolchain import Toolchain
from labkit.system.store import Store, file_digest
from labkit.toolchain import find, golang, program
from labkit.toolchain.pins import PluginTool

NAME: Final = "protoc-gen-go"


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One generator as ``generators.toml`` names it."""

    source: str
    runtime: str
    tool: PluginTool


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``generators.toml``."""

    pinned_on: str
    generators: tuple[Pin, ...]


@dataclass(frozen=True, kw_only=True)
class Built:
    """A generator that can be called, and the runtimes its code is compiled against."""

    about: Generator
    path: Path
    runtimes: tuple[str, ...]


@cache
def pinned() -> tuple[Pin, ...]:
    """Return the pinned generators, the oldest first.

    Raises:
        msgspec.ValidationError: The shipped file is damaged (a pin without its sum is refused).

    """
    text = resources.files(__package__).joinpath("generators.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _File).generators


def obtain(toolchain: Toolchain, newest_runtime: str) -> tuple[Built, ...]:
    """Return all generators, built when the store lacks them: the pinned ones by their release, then the set's own.

    A pinned generator of the set's own version stands for the set's own.

    Raises:
        ProvisionError: A module's content is not the pinned one.
        NetworkError: A module could not be fetched.

    """
    own = find(toolchain, NAME)
    go = find(toolchain, "go")
    built = []
    for pin in pinned():
        path = golang.install(Store(), Path(go.path), go.pinned_version, pin.tool, toolchain.platform) / NAME
        in_set = pin.tool.version == own.pinned_version
        about = Generator(
            version=pin.tool.version,
            released=pin.tool.released,
            package=pin.tool.package,
            source=pin.source,
            sha256=file_digest(path),
            in_set=in_set,
        )
        built.append(Built(about=about, path=path, runtimes=(pin.runtime, newest_runtime)))
    if not any(each.about.in_set for each in built):
        path = program(toolchain, NAME)
        about = Generator(
            version=own.pinned_version,
            released=own.released,
            package=own.source.split("@", 1)[0],
            source=f"the set {toolchain.name}",
            sha256=file_digest(path),
            in_set=True,
        )
        built.append(Built(about=about, path=path, runtimes=(newest_runtime,)))
    return tuple(sorted(built, key=lambda each: each.about.released))
