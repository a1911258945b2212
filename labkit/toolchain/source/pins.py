"""The pinned C++ sources (``sources.toml``): which archive, its hash, how it is configured, what to compare it with."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec

from labkit.errors import ProvisionError, UsageError
from labkit.toolchain.pins import WheelTool

_Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Relative = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+-][A-Za-z0-9_./+-]*$")]
_Option = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]+$")]  # no blank, no quote, nothing for a shell to read


class Archive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A crate that carries C++ sources."""

    version: str  # of the C++ sources, as they say themselves
    crate: str
    crate_version: str  # 2.1.1+27.1
    released: _Date
    sha256: _Sha256  # of the .crate file
    origin: str
    folder: _Relative  # of CMakeLists.txt, within the archive's one folder

    @property
    def label(self) -> str:
        """The crate and its version, which is also the name of the archive's one folder."""
        return f"{self.crate}-{self.crate_version}"


class SourcePin(Archive, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sources that a program is built from."""

    name: str  # of the program
    target: str  # of cmake
    product: _Relative  # within the build folder; a link is followed
    protos: _Relative  # the folder of the .proto files to keep beside the program, within ``folder``
    include: tuple[_Relative, ...]  # those files
    options: Mapping[_Option, _Option]
    published: WheelTool | None = None  # the same version as others built it


class Sources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    pinned_on: _Date
    source: tuple[SourcePin, ...]
    older: tuple[Archive, ...] = ()
    tools: Mapping[str, WheelTool] = {}  # cmake, ninja


def parse(text: str, *, name: str) -> Sources:
    """Return the pins in some TOML; ``name`` says where it came from.

    Raises:
        ProvisionError: It is no TOML, or a pin lacks its hash or another field.

    """
    try:
        return msgspec.convert(tomllib.loads(text), Sources)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ProvisionError(
            f"the pinned sources of {name} are not usable: {error}",
            remedy="give every source its version, date, origin and hash, as labkit/toolchain/source/sources.toml does",
        ) from error


@cache
def shipped() -> Sources:
    """Return labkit's own pins."""
    text = resources.files("labkit.toolchain.source").joinpath("sources.toml").read_text("utf-8")
    return parse(text, name="labkit")


def named(name: str) -> SourcePin:
    """Return the pinned sources of a program.

    Raises:
        UsageError: None are pinned.

    """
    for pin in shipped().source:
        if pin.name == name:
            return pin
    known = ", ".join(pin.name for pin in shipped().source)
    raise UsageError(f"no sources of {name!r} are pinned", remedy=f"choose one of: {known}")
