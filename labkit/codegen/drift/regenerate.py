"""Generates anew what a folder of committed code was made of, into a work folder. Nothing is compared here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.codegen.generate import generate
from labkit.errors import UsageError
from labkit.model.generation import Inputs, Refusal
from labkit.model.toolchain import Toolchain

_SUFFIXES: Final = {"protoc-gen-go": ".pb.go", "protoc-gen-go-grpc": "_grpc.pb.go"}


@dataclass(frozen=True, kw_only=True)
class Regenerated:
    """What was generated, and what is known of its sources."""

    files: dict[str, Path]  # by path relative to the output folder
    sources: dict[str, str]  # the .proto file of each, by its import name
    asked: frozenset[str]  # the import names that were asked for
    refused: tuple[Refusal, ...]
    plugins: frozenset[str]  # that were run
    roots: tuple[Path, ...]  # the import paths

    def has(self, source: str) -> bool:
        """Return whether an import path holds a .proto file of this name."""
        return any((root / source).is_file() for root in self.roots)

    def source_of(self, path: str) -> str | None:
        """Return the source that a path beside its source would have, if it is there: old gRPC headers name none."""
        for suffix in sorted(_SUFFIXES.values(), key=len, reverse=True):
            if path.endswith(suffix):
                name = path.removesuffix(suffix) + ".proto"
                return name if self.has(name) else None
        return None


def regenerate(
    toolchain: Toolchain,
    inputs: Inputs,
    work: Path,
    *,
    jobs: int | None,
    progress: Callable[[int, int, str], None] | None,
) -> Regenerated:
    """Generate into a work folder that is not there yet.

    Raises:
        UsageError: A source is not there.
        GenerateError: protoc or a plugin does not work.

    """
    del jobs, progress
    roots = tuple(Path(each) for each in inputs.proto_path)
    names: list[str] = []
    for source in (Path(each) for each in inputs.sources):
        if not source.exists():
            raise UsageError(f"there is no {source} (looked from {Path.cwd()})", remedy="name .proto files or folders")
        found = sorted(source.rglob("*.proto")) if source.is_dir() else [source]
        root = roots[0] if roots else source if source.is_dir() else source.parent
        names += [each.relative_to(root).as_posix() for each in found]
        roots = roots or (root,)
    if names:
        generate(toolchain, names, proto_path=roots[0], out=work)
    files = {file.relative_to(work).as_posix(): file for file in work.rglob("*.pb.go")}
    return Regenerated(
        files=files,
        sources={},
        asked=frozenset(names),
        refused=(),
        plugins=frozenset(_SUFFIXES),
        roots=roots,
    )
