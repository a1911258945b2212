"""Generates anew what a folder of committed code was made of, into a work folder of the store; compares nothing.

The work folder stays, one for each command, so that the next comparison makes only what changed; it is locked while it
is used. The committed folder is never written to.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree import generate_tree
from labkit.codegen.tree.inputs import find_sources, import_roots
from labkit.errors import UsageError
from labkit.model.generation import Inputs, Refusal
from labkit.model.toolchain import Toolchain
from labkit.system import store
from labkit.system.store import Store

_SUFFIXES: Final = ("_grpc.pb.go", ".pb.go")

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Regenerated:
    """What was generated, and what is known of its sources."""

    files: dict[str, Path]  # by path relative to the output folder
    sources: dict[str, str]  # the .proto file of each, by its import name
    asked: frozenset[str]  # the import names that were asked for
    refused: tuple[Refusal, ...]
    plugins: frozenset[str]  # that were run
    roots: tuple[str, ...]  # the import paths

    def has(self, source: str) -> bool:
        """Return whether an import path holds a .proto file of this name."""
        return any(Path(root, source).is_file() for root in self.roots)

    def source_of(self, path: str) -> str | None:
        """Return the source that a path beside its source would have, if it is there: old gRPC headers name none."""
        for suffix in _SUFFIXES:
            if path.endswith(suffix):
                name = path.removesuffix(suffix) + ".proto"
                return name if self.has(name) else None
        return None


@contextmanager
def regenerated(
    toolchain: Toolchain, inputs: Inputs, out: Path, *, jobs: int | None, progress: Progress | None
) -> Iterator[Regenerated]:
    """Hold what a set generates from the inputs; the files are there within the context.

    Args:
        toolchain: The set that generates.
        inputs: The sources, as for code generation.
        out: The folder of the committed code, which is only told apart by this.
        jobs: How many processes generate at a time.
        progress: Called with sources done, of all, and what now.

    Raises:
        UsageError: A source is not there, or the inputs contradict each other.
        GenerateError: protoc or a plugin cannot be run.
        StoreError: The work folder cannot be written.

    """
    roots = import_roots(inputs)
    plugins = [
        *(["protoc-gen-go"] if inputs.options.go else []),
        *(["protoc-gen-go-grpc"] if inputs.options.go_grpc else []),
    ]
    kept = tuple(source for source in inputs.sources if not _holds_nothing(source))
    if not kept:
        for source in inputs.sources:
            if not Path(source).exists():
                raise UsageError(f"{source} is not there (looked from {Path.cwd()})", remedy="name what is")
        yield Regenerated(files={}, sources={}, asked=frozenset(), refused=(), plugins=frozenset(plugins), roots=roots)
        return
    given = msgspec.structs.replace(inputs, sources=kept, proto_path=inputs.proto_path or roots)
    recipe = {"inputs": given, "set": toolchain.name, "out": os.path.realpath(out), "from": str(Path.cwd())}
    name = f"drift-{store.digest(recipe)}"
    with Store().lock(name):
        work = store.home() / "drift" / name
        made = generate_tree(toolchain, given, work, jobs=jobs, progress=progress)
        yield Regenerated(
            files={file.path: work / file.path for file in made.files},
            sources={file.path: file.source for file in made.files},
            asked=frozenset(source.name for source in find_sources(given, roots)),
            refused=made.refused,
            plugins=frozenset(plugins),
            roots=roots,
        )


def _holds_nothing(source: str) -> bool:
    # A folder without a .proto file: all that was made of it is an orphan, which is for the comparison to say.
    return Path(source).is_dir() and next(Path(source).rglob("*.proto"), None) is None
