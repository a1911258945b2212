"""Runs the set's own Go: its environment, `go install` into the store, and what the module proxy knows.

Nothing of the user's Go is touched: caches lie under ``LABKIT_HOME``, ``go env -w`` settings are switched off, and
GOBIN is a folder of the store. Only how the user reaches modules (GOPROXY and its like) is taken over.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import NetworkError, ProcessError, ProvisionError, TimeoutExpiredError
from labkit.system import proc
from labkit.system.environment import SYSTEM_PATH, base, host
from labkit.system.store import Store, home
from labkit.toolchain.pins import PluginTool, as_recipe

_NETWORK_SETTINGS: Final = (
    "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOVCS",
)  # fmt: skip
_BUILD_TIMEOUT_S: Final = 1200.0
_LONGEST_LINE: Final = 500
_NO_NETWORK: Final = (
    "dial tcp", "no such host", "i/o timeout", "connection refused", "TLS handshake", "proxyconnect",
    "module lookup disabled", "network is unreachable", "server misbehaving", "EOF",
)  # fmt: skip


@cache
def _network_settings(go: Path) -> dict[str, str]:
    # Asked of Go itself, so that `go env -w GOPROXY=...` counts as well as the environment.
    answer = proc.run(
        [go, "env", "-json", *_NETWORK_SETTINGS],
        env=dict(host()) | {"GOTOOLCHAIN": "local", "GOFLAGS": ""},
        timeout_s=60,
        cwd=Path("/"),
    )
    return {name: value for name, value in msgspec.json.decode(answer.stdout, type=dict[str, str]).items() if value}


def environment(go: Path, *, path: str = "", **more: str) -> dict[str, str]:
    """Return the environment in which the set's Go runs.

    Args:
        go: The go executable.
        path: Folders to put on PATH after Go's own.
        more: Further variables, such as GOOS.

    """
    root = home() / "go"
    folders = [str(go.parent), *([path] if path else []), SYSTEM_PATH]
    return (
        base(path=":".join(folders))
        | _network_settings(go)
        | {
            "GOPATH": str(root),
            "GOMODCACHE": str(root / "mod"),
            "GOCACHE": str(root / "build"),
            "GOENV": "off",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw",  # so that the cache can be deleted like any folder
            "GOWORK": "off",
            "CGO_ENABLED": "0",
        }
        | more
    )


def run(
    go: Path,
    *arguments: str,
    cwd: Path,
    timeout_s: float = _BUILD_TIMEOUT_S,
    variables: Mapping[str, str] | None = None,
    **more: str,
) -> proc.Completed:
    """Run the go command in the set's environment; ``variables`` and ``more`` are set over it.

    Raises:
        NetworkError: A module could not be fetched.
        ProcessError: It failed otherwise.

    """
    done = proc.run(
        [go, *arguments], env=environment(go, **more) | dict(variables or {}), timeout_s=timeout_s, cwd=cwd, check=False
    )
    if done.returncode == 0:
        return done
    said = done.stderr + done.stdout  # with -json, go says on standard output what went wrong
    if says_no_network(said):
        reason = _error_of(done.stdout) or done.last_words(2)
        raise NetworkError(
            f"go {arguments[0]} could not fetch a module: {reason}",
            remedy="connect to the network, or set GOPROXY to a module proxy that you can reach; "
            "what was fetched once is kept",
        )
    raise ProcessError(
        f"go {' '.join(arguments)} ended with {proc.describe_exit(done.returncode)}: "
        f"{_error_of(done.stdout) or _cause(done)}",
        remedy="read the whole output in the log (labkit -v)",
    )


def says_no_network(said: str) -> bool:
    """Return whether Go's own words say that it could not reach where modules come from, or was not to."""
    return any(sign in said for sign in _NO_NETWORK)


def _cause(done: proc.Completed) -> str:
    # Before the linker's own error stands its whole command line, which says nothing and is a thousand characters long.
    lines = [line.strip() for line in done.stderr.splitlines() if 0 < len(line.strip()) <= _LONGEST_LINE]
    return " | ".join(lines[:3]) or done.first_words()


class _Download(msgspec.Struct):
    """What `go mod download -json` says of one module."""

    Sum: str = ""
    Error: str = ""
    Dir: str = ""
    Zip: str = ""


def _error_of(stdout: str) -> str | None:
    try:
        return msgspec.json.decode(stdout, type=_Download).Error or None
    except msgspec.DecodeError:
        return None


def _forget(module: _Download) -> None:
    # Where no checksum database is asked, Go has kept the refused module by now, and would take it for the right one.
    if module.Dir and module.Zip:
        shutil.rmtree(module.Dir, ignore_errors=True)
        for kind in (".zip", ".ziphash", ".mod", ".info"):
            Path(module.Zip).with_suffix(kind).unlink(missing_ok=True)


def install(
    store: Store,
    go: Path,
    go_version: str,
    pin: PluginTool,
    platform: str,
    *,
    begin: Callable[[], None] = lambda: None,
) -> Path:
    """Return the folder of a plugin, built by `go install`, after ``begin()``, when the store lacks it.

    The module is fetched first and its sum compared with the pin's; Go itself compares it with the checksum database.

    Raises:
        ProvisionError: The module's content is not the pinned one; nothing was installed.
        NetworkError: It could not be fetched.

    """
    recipe = {
        "kind": "go-install",
        "go": go_version,
        "platform": platform,
        "flags": ["-trimpath"],
        "pin": as_recipe(pin),
    }

    def build(folder: Path) -> Path:
        begin()
        module = f"{pin.module}@v{pin.version}"
        try:
            answer = run(go, "mod", "download", "-json", module, cwd=folder).stdout
        except (NetworkError, TimeoutExpiredError):
            raise
        except ProcessError as error:
            raise ProvisionError(f"{module} could not be fetched: {error.what}", remedy=error.remedy) from error
        got = msgspec.json.decode(answer, type=_Download)
        if got.Sum != pin.sum:
            _forget(got)
            raise ProvisionError(
                f"{module} has the sum {got.Sum or 'none'}, the pin wants {pin.sum}; nothing was installed",
                remedy="do not use this module proxy: its module is not the one that was pinned",
            )
        # Go's scratch lies within the half-made entry, so that nothing is left elsewhere when it is killed.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            what = f"{pin.package}@v{pin.version}"
            run(go, "install", "-trimpath", what, cwd=folder, GOBIN=str(folder / "bin"), GOTMPDIR=scratch)
        return folder / "bin" / pin.name

    return store.obtain(f"{pin.name}-{pin.version}", recipe, build, held=True) / "bin"


class _Latest(msgspec.Struct):
    """What `go list -m -json MODULE@latest` says."""

    Version: str


def newest(go: Path, module: str) -> str:
    """Return the newest release of a module, without its leading v.

    Raises:
        NetworkError: The proxy gave no answer.

    """
    try:
        answer = run(go, "list", "-m", "-json", f"{module}@latest", cwd=Path(os.sep), timeout_s=30).stdout
    except ProcessError as error:
        raise NetworkError(
            f"the module proxy gave no version of {module}", remedy="try again with a network"
        ) from error
    return msgspec.json.decode(answer, type=_Latest).Version.removeprefix("v")
