"""From the files, folders and import paths that a user names to sources by their import names."""

import os
from pathlib import Path

import msgspec

from labkit.errors import UsageError
from labkit.model.generation import Inputs


class Source(msgspec.Struct, frozen=True, gc=False):
    """One .proto file to generate from."""

    name: str  # by which others import it
    root: str  # the import path that holds it, absolute
    path: str  # root and name


def import_roots(inputs: Inputs) -> tuple[str, ...]:
    """Return the import paths, absolute, in the order in which they are asked.

    Without any, a folder is its own (as buf has it), and a file's is the current folder when it lies below that (as
    protoc has it), else the file's own folder.

    Raises:
        UsageError: One is no folder.

    """
    here = str(Path.cwd())
    roots: list[str] = []
    for given in inputs.proto_path or inputs.sources:
        path = os.path.abspath(given)  # noqa: PTH100 - resolves no link, as protoc does not
        if os.path.isdir(path):  # noqa: PTH112 - a string stays one
            roots.append(path)
        elif inputs.proto_path:
            raise UsageError(f"the import path {given} is no folder", remedy="name a folder that is there")
        else:
            roots.append(here if path.startswith(here.rstrip("/") + "/") else str(Path(path).parent))
    return tuple(dict.fromkeys(roots))


def find_sources(inputs: Inputs, roots: tuple[str, ...]) -> tuple[Source, ...]:
    """Return the sources by name; of a folder every .proto file below it but those in hidden folders.

    Raises:
        UsageError: One is not there, lies in no import path, or is hidden by a file of the same name in an earlier one.

    """
    if not inputs.sources:
        raise UsageError("there is nothing to generate from", remedy="name .proto files, or folders that hold some")
    found: dict[str, Source] = {}
    for given in inputs.sources:
        path = os.path.abspath(given)  # noqa: PTH100
        if os.path.isdir(path):  # noqa: PTH112
            files = _below(path)
            if not files:
                raise UsageError(f"{given} holds no .proto file", remedy="name a folder that holds some")
        elif os.path.isfile(path):  # noqa: PTH113
            files = [path]
        else:
            raise UsageError(f"{given} is not there", remedy="name .proto files or folders that are")
        for file in files:
            source = _named(file, roots)
            found[source.name] = source
    return tuple(found[name] for name in sorted(found))


def _below(folder: str) -> list[str]:
    found: list[str] = []
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.name.endswith(".proto") and entry.is_file():
                        found.append(entry.path)
                    elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError as error:
            raise UsageError(
                f"{error.filename} cannot be read: {error.strerror}", remedy="make the folder readable"
            ) from error
    return found


def _named(file: str, roots: tuple[str, ...]) -> Source:
    for index, root in enumerate(roots):
        start = root.rstrip("/") + "/"
        if file.startswith(start):
            name = file[len(start) :]
            for earlier in roots[:index]:
                hidden_by = f"{earlier.rstrip('/')}/{name}"
                if os.path.exists(hidden_by):  # noqa: PTH110
                    raise UsageError(
                        f"{file} cannot be generated from: an import of {name} means {hidden_by}",
                        remedy="give the import paths in the other order, or fewer of them",
                    )
            return Source(name, root, file)
    raise UsageError(
        f"{file} lies in no import path (looked in {', '.join(roots)})",
        remedy="name the folder that its imports are counted from with -I",
    )
