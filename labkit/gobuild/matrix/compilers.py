"""The C compiler for a target: the host's own, a cross compiler of the system's packages, or zig.

zig serves every Linux target, but it is large, so it is fetched only when it is allowed. Each target has a wrapper file
of its own: Go's build cache knows a compiler by its path and arguments, and one wrapper that an environment variable
steers makes it hand out stale objects of another target.
"""

import shlex
import shutil
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.model.base import Text
from labkit.system import proc
from labkit.system.environment import SYSTEM_PATH, base
from labkit.system.store import Store, file_digest, home
from labkit.toolchain import wheels
from labkit.toolchain.pins import WheelTool

_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_OWN: Final = ("cc", "gcc", "clang")


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A C compiler for one target, or why there is none."""

    path: Path | None
    said: str | None = None  # its first line about itself
    reason: Text | None = None


def compiler_for(platform: str, *, here: str, libc: str | None, zig: bool) -> Compiler:
    """Return the C compiler for a target.

    Args:
        platform: Go's name of the target.
        here: Go's name of this machine's own platform.
        libc: The C library that is asked for, such as musl; the system's usual one when None.
        zig: Whether zig may be fetched when there is no other.

    Raises:
        ProvisionError: zig was to be fetched and cannot be had.

    """
    system, architecture = platform.split("/")
    if system == "darwin" and libc is not None:
        return Compiler(path=None, reason=Text(id="matrix.reason.libc-of-linux", values={"libc": libc}))
    if system == "darwin" and not here.startswith("darwin/"):
        return Compiler(path=None, reason=Text(id="matrix.reason.apple-sdk"))
    machine = _MACHINES[architecture]
    if libc is None:
        names = _OWN if platform == here else (f"{machine}-linux-gnu-gcc",)
        for name in names:
            if (found := shutil.which(name, path=SYSTEM_PATH)) is not None:
                return _known(Path(found))
    if not zig:
        return Compiler(path=None, reason=Text(id="matrix.reason.no-compiler", values={"platform": platform}))
    return _known(_wrapper(f"{machine}-linux-{libc or 'gnu'}", here))


def _known(path: Path) -> Compiler:
    done = proc.run([path, "--version"], env=base(), timeout_s=60, check=False)
    return Compiler(path=path, said=done.first_words(1))


def _wrapper(target: str, here: str) -> Path:
    pin = msgspec.convert(
        tomllib.loads(resources.files(__package__).joinpath("zig.toml").read_text("utf-8")), WheelTool
    )
    shelf = Store()
    program = wheels.obtain(shelf, "zig", pin, here) / pin.executable
    cache = home() / "zig"
    lines = (
        "#!/bin/sh",
        f"export ZIG_GLOBAL_CACHE_DIR={shlex.quote(str(cache))} ZIG_LOCAL_CACHE_DIR={shlex.quote(str(cache))}",
        f'exec {shlex.quote(str(program))} cc -target {target} "$@"',
    )

    def make(folder: Path) -> Path:
        file = folder / f"{target}-cc"
        file.write_text("\n".join(lines) + "\n", "utf-8")
        file.chmod(0o755)
        return file

    recipe = {"kind": "zig-cc", "zig": file_digest(program), "lines": list(lines)}
    return shelf.obtain(f"zig-cc-{target}", recipe, make) / f"{target}-cc"
