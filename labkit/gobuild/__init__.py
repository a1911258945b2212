"""A Go module in, a binary out, cached by the digest of everything that went in.

The module is copied before it is built (an installed package may be read-only), generated files are laid over the
copy, and the binary is kept in the store. Times of a build that was taken from the store are those of the run that
built it.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.errors import BuildError, ProcessError, TimeoutExpiredError
from labkit.gobuild.options import Options
from labkit.gobuild.requirements import module_files
from labkit.model.codegen import Built
from labkit.model.toolchain import Toolchain
from labkit.system.store import Store, file_digest, write_atomically
from labkit.toolchain import find, golang, program

__all__ = ["Options", "build", "build_own", "files_of", "module_files"]

_BUILT: Final = "built.json"


class _Build(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the run that built an entry."""

    built_at: str
    build_time_s: float


def build(
    toolchain: Toolchain,
    module: Path,
    package: str,
    *,
    name: str,
    platform: str | None = None,
    overlay: Mapping[str, Path] | None = None,
    options: Options | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Built:
    """Return a program of a Go module.

    Args:
        toolchain: The set to build with.
        module: The folder of the module's go.mod.
        package: The main package, such as ``./cmd/worker``.
        name: What to call the program.
        platform: Go's name of the target, such as darwin/arm64; the host's own when None.
        overlay: Further files of the module, by their path within it (generated code).
        options: How it is built; with cgo off and ``-trimpath`` when None.
        begin: Called before it is compiled, not when it comes from the store.

    Raises:
        BuildError: It does not compile; the message holds the compiler's first lines.
        NetworkError: A module could not be fetched.

    """
    target, how = platform or toolchain.platform, options or Options()
    sources = files_of(module) | dict(overlay or {})
    recipe: dict[str, Any] = {
        "kind": "go-build",
        "go": find(toolchain, "go").sha256,
        "package": package,
        "platform": target,
        "name": name,
        "files": {path: file_digest(file) for path, file in sorted(sources.items())},
        **how.recipe(),
    }
    shelf = Store()
    entry_name = f"build-{name}-{target.replace('/', '-')}"
    file_name = f"{name}-{target.replace('/', '-')}"  # tells the builds apart wherever only a file's name is shown
    cached = shelf.has(entry_name, recipe)

    def make(folder: Path) -> Path:
        begin()
        return _compile(program(toolchain, "go"), sources, package, folder / file_name, target, how)

    entry = shelf.obtain(entry_name, recipe, make)
    kept = msgspec.json.decode((entry / _BUILT).read_bytes(), type=_Build)
    binary = entry / file_name
    return Built(
        program=name,
        platform=target,
        digest=entry.name.rsplit("-", 1)[1],
        path=str(binary),
        size_bytes=binary.stat().st_size,
        sha256=file_digest(binary),
        cached=cached,
        built_at=kept.built_at,
        build_time_s=kept.build_time_s,
    )


def build_own(
    toolchain: Toolchain,
    module: Path,
    package: str,
    *,
    name: str,
    generated: Mapping[str, Path],
    platform: str | None,
    options: Options | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Built:
    """Return one of labkit's own programs, built with the generated code and the runtime modules of a set.

    Args:
        toolchain: The set.
        module: The folder of the program's own go.mod.
        package: The main package, such as ``./cmd/worker``.
        name: What to call the program.
        generated: The generated files by their path within the module.
        platform: As for :func:`build`.
        options: As for :func:`build`.
        begin: As for :func:`build`.

    Raises:
        BuildError: It does not compile against the set's runtime modules.
        ProvisionError: A runtime module is not the pinned one.
        NetworkError: A module could not be fetched.

    """
    overlay = dict(generated) | module_files(toolchain, module, lambda: files_of(module) | dict(generated))
    return build(
        toolchain, module, package, name=name, platform=platform, overlay=overlay, options=options, begin=begin
    )


def files_of(module: Path) -> dict[str, Path]:
    """Return the files of a module's folder by their path within it, hidden ones left out."""
    return {
        file.relative_to(module).as_posix(): file
        for file in module.rglob("*")
        if file.is_file() and not file.name.startswith(".") and file.suffix != ".pyc"
    }


def _compile(  # noqa: PLR0917 - one call, from above
    go: Path, sources: Mapping[str, Path], package: str, binary: Path, platform: str, how: Options
) -> Path:
    system, architecture = platform.split("/")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch).resolve() / "module"
        for path, file in sources.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, tree / path)
        started = time.monotonic()
        try:
            words = ("build", *how.flags(), "-o", str(binary), package)
            golang.run(go, *words, cwd=tree, variables=how.environment(), GOOS=system, GOARCH=architecture)
        except TimeoutExpiredError:
            raise
        except ProcessError as error:
            raise BuildError(
                f"{package} does not compile for {platform}: {error.what.split(': ', 1)[-1]}",
                remedy="read the compiler's whole output in the log (labkit -v)",
            ) from error
        kept = _Build(built_at=datetime.now(UTC).isoformat(timespec="seconds"), build_time_s=time.monotonic() - started)
    write_atomically(binary.parent / _BUILT, msgspec.json.encode(kept))
    return binary
