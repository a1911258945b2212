"""One run's work on an output folder: what is stale there, what is made of it, what is orphaned, what is remembered."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree import batches, gopackage, graph, inputs, making, output, state
from labkit.codegen.tree.compiler import Compiler, compiler_version
from labkit.codegen.tree.plugins import Plugin
from labkit.errors import GenerateError
from labkit.model.generation import Batch, How, Options, Removed, TreeFile
from labkit.model.toolchain import Toolchain
from labkit.system.store import saying_why
from labkit.toolchain import find

#: (done, all, what now), in sources.
Progress = Callable[[int, int, str], None]

_RECIPE: Final = 1  # raised when labkit itself would make other bytes of the same input


class Work:
    """One run: what is there, what is stale, and what became of it."""

    def __init__(
        self,
        toolchain: Toolchain,
        options: Options,
        *,
        sources: Sequence[inputs.Source],
        roots: Sequence[str],
        out: str,
        before: state.State,
    ) -> None:
        self.toolchain = toolchain
        self.options = options
        self.sources = sources
        self.roots = roots
        self.out = out
        self.state = before
        self.graph = graph.read(sources, roots, before.seen)
        graph.judge(self.graph, sources, options)
        graph.spread(self.graph)
        self.keys = graph.keys(self.graph, self._recipe())
        self.made: dict[str, state.Made] = {}
        self.good = [source.name for source in sources if source.name not in self.graph.refused]

    def _recipe(self) -> bytes:
        tools = {name: self._digest(name) for name in ("protoc", *self._plugin_names())}
        recipe = {"format": _RECIPE, "tools": tools, "options": self.options}
        return hashlib.sha256(msgspec.json.encode(recipe, order="deterministic")).digest()

    def _digest(self, name: str) -> str:
        tool = find(self.toolchain, name)
        if tool.sha256 is None:
            raise GenerateError(f"{name} cannot be used: {tool.problem}", remedy="run `labkit setup`")
        return tool.sha256

    def _plugin_names(self) -> tuple[str, ...]:
        return (
            *(("protoc-gen-go",) if self.options.go else ()),
            *(("protoc-gen-go-grpc",) if self.options.go_grpc else ()),
        )

    def stale(self) -> list[str]:
        """Return the sources that are to be made: new or changed ones, and those whose code was altered."""
        return [name for name in self.good if not self._fresh(name)]

    def make(
        self, stale: Sequence[str], folder: Path, jobs: int, progress: Progress
    ) -> tuple[tuple[Batch, ...], dict[str, How]]:
        """Make what is stale and put it in its place; return the batches, and how each file came to be."""
        if not stale:
            return (), {}
        sizes = {name: node.size_bytes for name, node in self.graph.nodes.items()}
        with output.Stage(self.out, folder) as stage:
            shop = self._workshop(stage)
            progress(0, len(stale), "")
            outcomes = in_parallel(shop, batches.divide(stale, sizes, jobs=jobs), jobs, progress)
            for outcome in outcomes:
                for refusal in outcome.refused:
                    self.graph.refused.setdefault(refusal.source, refusal)
            graph.spread(self.graph)
            staged = [file for outcome in outcomes for file in outcome.staged if file.source not in self.graph.refused]
            known = {file.path: file for made in self.state.made.values() for file in made.files}
            how = stage.commit(staged, known)
        by_source: dict[str, list[state.MadeFile]] = {}
        with saying_why(f"cannot look at the generated code in {self.out}"):
            for file in staged:
                by_source.setdefault(file.source, []).append(_made(file, self.out))
        for name in stale:
            if name not in self.graph.refused:
                self.made[name] = self._entry(name, tuple(by_source.get(name, ())))
        return tuple(outcome.batch for outcome in outcomes), how

    def _entry(self, name: str, files: tuple[state.MadeFile, ...]) -> state.Made:
        node = self.graph.nodes[name]
        place = node.head.go_package
        path, _ = gopackage.split(name, place.text if place else None, self.options)
        return state.Made(self.keys[name], node.path, path, files)

    def _fresh(self, name: str) -> bool:
        # Whether what an earlier run made of a source is what would be made now, and stands there unaltered.
        made = self.state.made.get(name)
        if made is None or made.key != self.keys[name]:
            return False
        files = []
        for file in made.files:
            path = f"{self.out}/{file.path}"
            try:
                status = os.lstat(path)
            except OSError:
                return False
            if state.made_signature(status) != file.signature:
                try:
                    if output.digest_now(path, None) != file.sha256:
                        return False
                except OSError:
                    return False
                file = msgspec.structs.replace(file, signature=state.made_signature(status))  # noqa: PLW2901
            files.append(file)
        self.made[name] = msgspec.structs.replace(made, files=tuple(files))
        return True

    def _workshop(self, stage: output.Stage) -> making.Workshop:
        protoc = Path(find(self.toolchain, "protoc").path)
        parameter = {
            "protoc-gen-go": _parameter(self.options, self.options.go_options),
            "protoc-gen-go-grpc": _parameter(self.options, self.options.go_grpc_options),
        }
        nodes = self.graph.nodes
        return making.Workshop(
            compiler=Compiler(protoc, tuple(self.roots)),
            version=compiler_version(protoc, self._digest("protoc")),
            plugins=tuple(
                Plugin(name, Path(find(self.toolchain, name).path), parameter[name], name == "protoc-gen-go-grpc")
                for name in self._plugin_names()
            ),
            options=self.options,
            path_of={name: node.path for name, node in nodes.items()},
            go_package={
                name: node.head.go_package.text if node.head.go_package else None for name, node in nodes.items()
            },
            importers=lambda name, among: graph.importers(self.graph, name, among),
            stage=stage,
        )

    def remove_orphans(self) -> tuple[Removed, ...]:
        """Remove what an earlier run made of sources that are gone, unless somebody altered it."""
        removed = []
        claimed = {file.path for made in self.made.values() for file in made.files}
        for name, made in sorted(self.state.made.items()):
            if name in self.made:
                left = [file for file in made.files if file.path not in claimed]
            elif name in self.graph.nodes or os.path.lexists(made.source_path):
                # Refused now, or not asked for this time: it stays, and is known to be ours.
                self.made[name] = msgspec.structs.replace(made, key=b"" if name in self.graph.refused else made.key)
                continue
            else:
                left = [file for file in made.files if file.path not in claimed]
            for file in left:
                with saying_why(f"cannot look at {file.path}"):
                    now = output.digest_now(f"{self.out}/{file.path}", file)
                if now is None:
                    continue
                if now == file.sha256:
                    output.remove(self.out, file.path)
                removed.append(Removed(path=file.path, source=name, removed=now == file.sha256))
        return tuple(removed)

    def save(self, file: Path) -> None:
        """Remember this run for the next one; nothing is written when nothing is new."""
        after = state.State(self.state.format, self.out, self.graph.seen, self.made)
        if after != self.state:
            state.write(file, after)

    def files(self, how: dict[str, How]) -> tuple[TreeFile, ...]:
        """Return all files of this run's sources, by path."""
        found = [
            TreeFile(
                path=file.path,
                source=name,
                import_path=made.import_path,
                plugin=file.plugin,
                how=how.get(file.path, How.REUSED),
                size_bytes=file.size_bytes,
                line_count=file.line_count,
                sha256=file.sha256,
                made_by=file.made_by,
            )
            for name in self.good
            if name not in self.graph.refused and (made := self.made.get(name)) is not None
            for file in made.files
        ]
        return tuple(sorted(found, key=lambda file: file.path))


def _parameter(options: Options, more: Iterable[str]) -> str:
    words = [f"paths={options.paths}"]
    words += [f"module={options.module}"] if options.module is not None else []
    words += [f"M{name}={path}" for name, path in options.mappings.items()]
    return ",".join([*words, *more])


def _made(file: output.Staged, out: str) -> state.MadeFile:
    status = os.lstat(f"{out}/{file.path}")
    return state.MadeFile(
        file.path,
        file.plugin,
        file.size_bytes,
        file.line_count,
        file.sha256,
        file.made_by,
        state.made_signature(status),
    )


def in_parallel(
    shop: making.Workshop, parts: Sequence[tuple[str, ...]], jobs: int, progress: Progress
) -> list[making.Outcome]:
    """Make some batches, as many at a time as there are jobs, and return what became of each, in their order."""
    everything = sum(len(part) for part in parts)
    done = 0
    outcomes: dict[int, making.Outcome] = {}
    with ThreadPoolExecutor(max_workers=min(jobs, len(parts))) as pool:
        pending: dict[Future[making.Outcome], int] = {
            pool.submit(making.make, shop, number, part): number for number, part in enumerate(parts)
        }
        try:
            while pending:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    number = pending.pop(future)
                    outcomes[number] = future.result()
                    done += len(parts[number])
                    progress(done, everything, str(Path(parts[number][0]).parent))
        finally:
            pool.shutdown(cancel_futures=True)
    return [outcomes[number] for number in sorted(outcomes)]
