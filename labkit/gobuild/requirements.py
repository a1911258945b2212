"""The go.mod and go.sum with which a set builds one of labkit's own programs: kept, or derived by the set's Go.

A program's module requires the runtime modules of the current set. Beside its folder ``NAME`` lies ``NAME_sets/SET``
with the files for each other set of labkit. A set of the user's own, with other runtime modules, gets files that Go
derives (``go get``, ``go mod tidy``) from the nearest of those; they are kept in the store by the digest of all that
went in, so that the next time needs no network. Compiles nothing.
"""

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.errors import BuildError, NetworkError, ProcessError, ProvisionError, TimeoutExpiredError
from labkit.model.base import Record
from labkit.model.toolchain import RuntimeModule, Toolchain
from labkit.system.store import Store, file_digest, saying_why
from labkit.toolchain import find, golang, program

_NAMES: Final = ("go.mod", "go.sum")
_MODULE: Final = re.compile(r"^module (\S+)$", re.MULTILINE)
_GO: Final = re.compile(r"^go (\d+(?:\.\d+)+)$", re.MULTILINE)
_DIRECT: Final = re.compile(r"^\s+(\S+) (v\S+)$", re.MULTILINE)  # a line of a require block; // indirect ends otherwise


class _Kept(Record, frozen=True, kw_only=True):
    """One pair of files that lies beside a program."""

    go_mod: Path
    module: str
    go: str
    direct: Mapping[str, str]

    def files(self) -> dict[str, Path]:
        return {name: self.go_mod.with_name(name) for name in _NAMES}


def module_files(toolchain: Toolchain, module: Path, sources: Callable[[], Mapping[str, Path]]) -> dict[str, Path]:
    """Return the go.mod and go.sum, by these names, that require a set's runtime modules for a program.

    Args:
        toolchain: The set.
        module: The folder of the program's own go.mod; what lies in ``<module>_sets/*`` counts too.
        sources: Returns all files of the module by their path within it, generated ones too: their imports are what is
            needed. Asked only when the files must be derived.

    Raises:
        BuildError: No files with the set's runtime modules can be made, such as when one of them needs a newer Go.
        ProvisionError: A runtime module is not the pinned one.
        NetworkError: The files must be derived, and a module could not be fetched.

    """
    go = find(toolchain, "go").pinned_version
    pinned = {each.module: each for each in toolchain.modules}
    kept = [_read(path) for path in (module / "go.mod", *sorted(module.parent.glob(f"{module.name}_sets/*/go.mod")))]
    fitting = [each for each in kept if _version(each.go) <= _version(go)]
    for each in fitting:
        if all(pinned[name].version == version for name, version in each.direct.items() if name in pinned):
            return each.files()
    nearest = max(fitting, key=lambda each: _version(each.go), default=min(kept, key=lambda each: _version(each.go)))
    return _derived(toolchain, nearest, [pinned[name] for name in nearest.direct if name in pinned], sources())


def _read(path: Path) -> _Kept:
    text = path.read_text("utf-8")
    name, go = _MODULE.search(text), _GO.search(text)
    if name is None or go is None:
        raise BuildError(f"{path} has no module or go line", remedy="this is a fault in labkit: report it")
    return _Kept(go_mod=path, module=name[1], go=go[1], direct=dict(_DIRECT.findall(text)))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _derived(
    toolchain: Toolchain, start: _Kept, wanted: list[RuntimeModule], sources: Mapping[str, Path]
) -> dict[str, Path]:
    go = find(toolchain, "go").pinned_version
    line = min(start.go, ".".join(go.split(".")[:2]), key=_version)  # Go raises it when a module asks for more
    direct = "".join(f"\t{name} {version}\n" for name, version in start.direct.items())
    begin = f"module {start.module}\n\ngo {line}\n\nrequire (\n{direct})\n"
    recipe: dict[str, Any] = {
        "kind": "module-files",
        "go": find(toolchain, "go").sha256,
        "begin": begin,
        "modules": msgspec.to_builtins(wanted),
        "files": {path: file_digest(file) for path, file in sorted(sources.items()) if path not in _NAMES},
    }

    def make(folder: Path) -> Path:
        try:
            _tidy(program(toolchain, "go"), begin, wanted, sources, folder)
        except NetworkError as error:
            raise NetworkError(
                f"the go.mod of {start.module} for the set {toolchain.name} must be derived: {error.what}",
                remedy="run it once with a network, or with a GOPROXY that you can reach; the files are then kept",
            ) from error
        except TimeoutExpiredError:
            raise
        except ProcessError as error:
            raise BuildError(
                f"no go.mod of {start.module} has the runtime modules of the set {toolchain.name}: {error.what}",
                remedy="pin versions that go together and that the set's Go can compile; "
                "`labkit setup --for path/to/go.mod` tells which",
            ) from error
        _check(toolchain, folder, wanted)
        return folder / "go.mod"

    name = f"module-{start.module.rsplit('/', 1)[-1]}"
    entry = Store().obtain(name, recipe, make)
    return {each: entry / each for each in _NAMES}


def _tidy(go: Path, begin: str, wanted: list[RuntimeModule], sources: Mapping[str, Path], out: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, saying_why("cannot derive a go.mod"):
        tree = Path(scratch).resolve()
        for path, file in sources.items():
            if path not in _NAMES:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(file.read_bytes())
        (tree / "go.mod").write_text(begin, "utf-8")
        golang.run(go, "get", *(f"{each.module}@{each.version}" for each in wanted), cwd=tree)
        golang.run(go, "mod", "tidy", cwd=tree)
        for name in _NAMES:
            (out / name).write_bytes((tree / name).read_bytes())


def _check(toolchain: Toolchain, folder: Path, wanted: list[RuntimeModule]) -> None:
    # go get and tidy keep what was asked for, or fail; a module that the pin does not know is refused all the same.
    got = dict(_DIRECT.findall((folder / "go.mod").read_text("utf-8")))
    sums = (folder / "go.sum").read_text("utf-8").splitlines()
    for each in wanted:
        if got.get(each.module) != each.version:
            raise BuildError(
                f"the set {toolchain.name} pins {each.module} {each.version}; with its other runtime modules Go takes "
                f"{got.get(each.module, 'none')}",
                remedy="pin versions that go together; `labkit setup --for path/to/go.mod` tells which",
            )
        if f"{each.module} {each.version} {each.sum}" not in sums:
            raise ProvisionError(
                f"{each.module}@{each.version} does not have the sum that the set {toolchain.name} pins, {each.sum}; "
                "nothing was kept",
                remedy="correct the pin, or do not use this module proxy: its module is not the one that was pinned",
            )
