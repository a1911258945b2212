"""Uninstalls a set or a tool of one, since `go uninstall` does not exist; only labkit's own store is ever touched.

First a :class:`Plan` is made and shown; nothing is removed until :func:`remove` is given it.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import LabError, StoreError, UsageError
from labkit.system.store import Store
from labkit.toolchain import golang, goroot, look, pins, wheels


@dataclass(frozen=True, kw_only=True)
class Item:
    """One entry of the store, and the other set that needs it, if one does: it is then kept."""

    tool: str
    entry: Path
    size_bytes: int
    needed_by: str | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be removed and what kept."""

    items: tuple[Item, ...]
    forgets: str | None  # a user's set whose name would no longer be known

    @property
    def removed(self) -> tuple[Item, ...]:
        """The entries that no other set needs."""
        return tuple(item for item in self.items if item.needed_by is None)


def entries(name: str, platform: str) -> dict[str, Path | None]:
    """Return the store's entry of each of a set's tools, the optional ones too; None where the store holds none.

    Raises:
        UsageError: There is no such set.

    """
    wanted = pins.named(name)
    shelf = look.Looking()
    found: dict[str, Path | None] = {}
    ways: dict[str, Callable[[], Path]] = {
        "go": lambda: goroot.obtain(shelf, wanted.go, platform, _nothing),
        "protoc": lambda: wheels.obtain(shelf, "protoc", wanted.protoc, platform),
    }
    for pin in (*wanted.plugins, *wanted.optional):
        ways[pin.name] = functools.partial(golang.install, shelf, Path("/"), wanted.go.version, pin, platform)
    for tool, way in ways.items():
        try:
            found[tool] = way().parent
        except LabError:
            found[tool] = None
    return found


def plan(what: str, platform: str, *, toolchain: str = "current") -> Plan:
    """Return what removing a set, or one tool of a set, would do.

    Args:
        what: A set's name, or a tool's.
        platform: Go's name of this machine's platform.
        toolchain: The set whose tool is meant.

    Raises:
        UsageError: It is neither, or the store does not hold it.

    """
    known = (*pins.names(), *pins.remembered())
    name = what if what in known else toolchain
    found = entries(name, platform)
    if what not in known:
        if what not in found:
            raise UsageError(
                f"{what!r} is neither a set nor a tool of the set {name}",
                remedy=f"choose a set ({', '.join(known)}) or a tool ({', '.join(found)})",
            )
        found = {what: found[what]}
    others = [other for other in known if other != name and _provisioned(other, platform)]
    needed = {entry: other for other in others for entry in entries(other, platform).values() if entry}
    items = tuple(
        Item(tool=tool, entry=entry, size_bytes=_size_bytes(entry), needed_by=needed.get(entry))
        for tool, entry in found.items()
        if entry is not None
    )
    forgets = what if what in pins.remembered() else None
    if not items and forgets is None:
        raise UsageError(
            f"labkit's store holds nothing of {what}",
            remedy="what the host or another program installed is not touched",
        )
    return Plan(items=items, forgets=forgets)


def remove(intended: Plan) -> None:
    """Remove what a plan says.

    Raises:
        StoreError: Another process is using an entry, or it could not be removed.

    """
    shelf = Store()
    for item in intended.removed:
        shelf.remove(item.entry)
    if intended.forgets:
        pins.forget(intended.forgets)


def _provisioned(name: str, platform: str) -> bool:
    # A set is here when its plugins are: its Go and its protoc may be the host's own.
    found = entries(name, platform)
    return all(found[pin.name] is not None for pin in pins.named(name).plugins)


def _size_bytes(entry: Path) -> int:
    return sum(file.lstat().st_size for file in entry.rglob("*") if not file.is_dir())


def _nothing() -> Path:
    raise StoreError("the store holds no Go to fetch another with", remedy="run `labkit setup`")
