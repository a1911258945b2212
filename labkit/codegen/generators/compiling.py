"""Whether generated packages compile against a runtime module, package by package, as Go itself reports it."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.model.generators import Compiled
from labkit.model.toolchain import Toolchain
from labkit.toolchain import golang, program

RUNTIMES: Final = Path(__file__).parent / "runtimes"


class _Error(msgspec.Struct):
    """An error in `go list -json`."""

    Err: str


class _Package(msgspec.Struct):
    """A package in `go list -json`; it has compiled when it has an export file."""

    ImportPath: str
    Export: str = ""
    Error: _Error | None = None
    DepsErrors: tuple[_Error, ...] = ()


class _Module(msgspec.Struct):
    """A module in `go mod edit -json`."""

    Path: str
    Version: str = ""
    Indirect: bool = False


class _GoMod(msgspec.Struct):
    """What `go mod edit -json` says."""

    Require: tuple[_Module, ...] = ()


def newest_runtime(toolchain: Toolchain) -> str:
    """Return the name of the runtime that a set's own code is compiled against."""
    return toolchain.name if (RUNTIMES / toolchain.name).is_dir() else "current"


def compile_all(toolchain: Toolchain, runtime: str, packages: Mapping[str, Path]) -> dict[str, Compiled]:
    """Compile generated files, each as a package of its own name, against one runtime.

    One call of `go list -export -e` compiles them all; what fails is said package by package.

    Raises:
        NetworkError: A module could not be fetched.
        ProcessError: Go itself failed.

    """
    if not packages:
        return {}
    go = program(toolchain, "go")
    fields = ",".join(_Package.__struct_fields__)
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch).resolve()
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(RUNTIMES / runtime / name, tree / name)
        for index, file in enumerate(packages.values()):
            (tree / f"p{index}").mkdir()
            shutil.copyfile(file, tree / f"p{index}" / file.name)
        required = msgspec.json.decode(golang.run(go, "mod", "edit", "-json", cwd=tree).stdout, type=_GoMod).Require
        modules = tuple(f"{each.Path} {each.Version}" for each in required if not each.Indirect)
        try:
            answer = golang.run(go, "list", "-mod=readonly", "-e", "-export", f"-json={fields}", "./...", cwd=tree)
        except TimeoutExpiredError:
            raise
        except ProcessError as error:  # the whole module, such as one that asks for a newer Go
            said = error.what.split(": ", 1)[-1]
            return {name: Compiled(runtime=runtime, modules=modules, compiles=False, said=said) for name in packages}
        read = {package.ImportPath.rsplit("/", 1)[-1]: package for package in _documents(answer.stdout)}
    return {
        name: Compiled(
            runtime=runtime,
            modules=modules,
            compiles=_said(read[f"p{index}"]) is None,
            said=_said(read[f"p{index}"]),
        )
        for index, name in enumerate(packages)
    }


def _said(package: _Package) -> str | None:
    # Its own error first; those of its imports come in any order, so the first by the alphabet stands for them.
    errors = [
        each.Err for each in ([package.Error] if package.Error else sorted(package.DepsErrors, key=lambda e: e.Err))
    ]
    if not errors:
        return None if package.Export else "go list made no export data"
    lines = [line for line in errors[0].splitlines() if line and not line.startswith("# ")]
    return lines[0] if lines else errors[0]


def _documents(text: str) -> list[_Package]:
    # `go list -json` prints one document after another.
    decoder, rest, documents = json.JSONDecoder(), text.lstrip(), []
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(msgspec.convert(document, _Package))
        rest = rest[end:].lstrip()
    return documents
