"""What the store already holds of a pinned set: looked up, never made."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labkit.errors import LabError, StoreError
from labkit.system.store import Store
from labkit.toolchain import golang, host, pins, wheels


class _Looking(Store):
    """A store in which nothing is made: what it does not hold is an error."""

    def obtain(self, name: str, recipe: Mapping[str, Any], make: Callable[[Path], Path]) -> Path:
        """Return the entry's folder; what is not there is not made."""
        if self.has(name, recipe):
            return self.path(name, recipe)
        raise StoreError(f"the store holds nothing that {make.__qualname__} would make", remedy="run `labkit setup`")


def in_store(name: str, platform: str) -> tuple[Path, ...] | None:
    """Return the folders of a named set's programs, None when something would have to be made or fetched first."""
    wanted = pins.named(name)
    shelf = _Looking()
    try:
        own_go, own_protoc = host.go(wanted.go.version, platform), host.protoc(wanted.protoc.version)
        go = own_go or wheels.obtain(shelf, "go", wanted.go, platform) / wanted.go.executable
        protoc = own_protoc[0] if own_protoc else wheels.obtain(shelf, "protoc", wanted.protoc, platform)
        folder = protoc.parent if own_protoc else (protoc / wanted.protoc.executable).parent
        plugins = [golang.install(shelf, go, wanted.go.version, pin, platform) for pin in wanted.plugins]
    except LabError:
        return None
    return (go.parent, folder, *plugins)
