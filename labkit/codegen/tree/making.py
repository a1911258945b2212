"""One batch: linked by protoc, made into Go by the plugins, staged."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from labkit.codegen.generate import stamps
from labkit.codegen.tree import gopackage, plugins
from labkit.codegen.tree.compiler import Compiler
from labkit.codegen.tree.output import Stage, Staged
from labkit.codegen.tree.plugins import Plugin
from labkit.errors import GenerateError
from labkit.model.generation import Batch, Options, Refusal

_ENDINGS = (".pb.go", "_grpc.pb.go", "_protoopaque.pb.go", ".pb.go.meta")


class Workshop(msgspec.Struct, frozen=True):
    """What every batch of a run uses."""

    compiler: Compiler
    version: bytes  # protoc's own, as plugins are told it
    plugins: tuple[Plugin, ...]
    options: Options
    path_of: Mapping[str, str]  # the file of an import name
    go_package: Mapping[str, str | None]
    importers: Callable[[str, Iterable[str]], frozenset[str]]
    stage: Stage


class Outcome(msgspec.Struct, frozen=True):
    """What became of a batch."""

    staged: tuple[Staged, ...]
    refused: tuple[Refusal, ...]
    batch: Batch


def make(shop: Workshop, number: int, sources: tuple[str, ...]) -> Outcome:
    """Generate from the sources of a batch and stage what is made.

    Raises:
        GenerateError: A program cannot be started, or makes a file that no source accounts for.
        StoreError: The disk is full, and the like.

    """
    started = time.monotonic()
    scratch = shop.stage.scratch / str(number)
    scratch.mkdir()
    linked, refused = shop.compiler.link(sources, path_of=shop.path_of, importers=shop.importers, scratch=scratch)
    protoc_time_s = time.monotonic() - started
    refusals = list(refused)
    spent = {plugin.name: 0.0 for plugin in shop.plugins}
    staged: list[Staged] = []
    for piece in linked:
        owners = _owners(shop, piece.sources)
        wanted = piece.sources
        found: list[tuple[Plugin, tuple[tuple[str, bytes], ...]]] = []
        for plugin in shop.plugins:
            asked = time.monotonic()
            answer = plugins.run(plugin, wanted, piece.files, version=shop.version, scratch=scratch)
            spent[plugin.name] += time.monotonic() - asked
            refusals += answer.refused
            bad = {refusal.source for refusal in answer.refused}
            wanted = tuple(name for name in wanted if name not in bad)
            found.append((plugin, answer.files))
        for plugin, files in found:
            for path, content in files:
                source = _source_of(path, plugin, owners)
                if source in wanted:
                    shop.stage.put(path, content)
                    staged.append(_staged(path, source, plugin, content))
    return Outcome(
        tuple(staged),
        tuple(refusals),
        Batch(
            import_paths=tuple(
                sorted({gopackage.split(name, shop.go_package[name], shop.options)[0] for name in sources})
            ),
            source_count=len(sources),
            output_size_bytes=sum(file.size_bytes for file in staged),
            protoc_time_s=protoc_time_s,
            plugin_time_s=spent,
            wall_time_s=time.monotonic() - started,
        ),
    )


def _owners(shop: Workshop, sources: Iterable[str]) -> dict[str, str]:
    return {
        gopackage.prefix(name, gopackage.split(name, shop.go_package[name], shop.options)[0], shop.options): name
        for name in sources
    }


def _source_of(path: str, plugin: Plugin, owners: Mapping[str, str]) -> str:
    for ending in _ENDINGS:
        if path.endswith(ending) and (source := owners.get(path.removesuffix(ending))) is not None:
            return source
    begins = [prefix for prefix in owners if path.startswith(prefix)]
    if not begins or path.startswith("/") or ".." in Path(path).parts:
        raise GenerateError(
            f"{plugin.name} made {path}, which belongs to no source", remedy="leave that plugin's option out"
        )
    return owners[max(begins, key=len)]


def _staged(path: str, source: str, plugin: Plugin, content: bytes) -> Staged:
    end = content.find(b"\npackage ")
    return Staged(
        path=path,
        source=source,
        plugin=plugin.name,
        size_bytes=len(content),
        line_count=content.count(b"\n"),
        sha256=hashlib.sha256(content).hexdigest(),
        made_by=stamps(content[: max(end, 0)].decode("utf-8", "replace")),
    )
