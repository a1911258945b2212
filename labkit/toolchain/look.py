"""What the store already holds of a pinned set: looked up, never made."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labkit.errors import LabError, StoreError
from labkit.system.store import Store
from labkit.toolchain import golang, host, pins, wheels
from labkit.toolchain.pins import WheelTool


class Looking(Store):
    """A store in which nothing is made: what it does not hold is an error."""

    def obtain(self, name: str, recipe: Mapping[str, Any], make: Callable[[Path], Path], *, held: bool = False) -> Path:
        """Return the entry's folder; what is not there is not made, what is there is not held."""
        del held
        if self.has(name, recipe):
            return self.path(name, recipe)
        raise StoreError(f"the store holds nothing that {make.__qualname__} would make", remedy="run `labkit setup`")


def in_store(name: str, platform: str) -> tuple[Path, ...] | None:
    """Return the folders of a named set's programs, None when something would have to be made or fetched first.

    As in provisioning, the host's own go or protoc serves where it is exactly the pinned one; it is asked only where
    the store holds none.
    """
    wanted = pins.named(name)
    shelf = Looking()
    try:
        go = _wheel(shelf, "go", wanted.go, platform) or host.go(wanted.go.version, platform)
        protoc = _wheel(shelf, "protoc", wanted.protoc, platform) or (host.protoc(wanted.protoc.version) or (None,))[0]
        if go is None or protoc is None:
            return None
        plugins = [golang.install(shelf, go, wanted.go.version, pin, platform) for pin in wanted.plugins]
    except LabError:
        return None
    return (go.parent, protoc.parent, *plugins)


def _wheel(shelf: Store, name: str, pin: WheelTool, platform: str) -> Path | None:
    try:
        return wheels.obtain(shelf, name, pin, platform) / pin.executable
    except LabError:
        return None
