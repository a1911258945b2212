"""The graph of imports: every file that the sources reach, with the faults found in it."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from labkit.codegen.tree import gopackage
from labkit.codegen.tree.heads import Head, Place, read_head
from labkit.codegen.tree.inputs import Source
from labkit.codegen.tree.state import Seen, believable, signature
from labkit.errors import StoreError
from labkit.model.base import Text
from labkit.model.generation import Options, Refusal, RefusalKind
from labkit.system.store import shown


class Node(msgspec.Struct, frozen=True, gc=False):
    """One .proto file that is generated from or imported."""

    name: str
    path: str
    size_bytes: int
    digest: bytes
    head: Head


class Graph(msgspec.Struct):
    """All files that are reached; ``order`` holds each after those that it imports, cycles left out."""

    nodes: dict[str, Node]
    order: list[str]
    seen: dict[str, Seen]  # what is to be remembered
    refused: dict[str, Refusal]


def read(sources: Sequence[Source], roots: Sequence[str], known: Mapping[str, Seen]) -> Graph:
    """Return the graph of some sources.

    Args:
        sources: What to generate from.
        roots: Where imports are looked for, in order.
        known: What an earlier run saw, by path; a file whose signature is the same is not read again.

    """
    graph = Graph({}, [], {}, {})
    pending = [(source.name, source.path) for source in sources]
    named = {name for name, _ in pending}
    while pending:
        name, path = pending.pop()
        node = graph.nodes[name] = _look(name, path, known, graph.seen)
        for place in node.head.imports:
            if place.text in named:
                continue
            found = _resolve(place.text, roots)
            if found is not None:
                named.add(place.text)
                pending.append((place.text, found))
    _sort(graph, roots)
    return graph


def _look(name: str, path: str, known: Mapping[str, Seen], seen: dict[str, Seen]) -> Node:
    try:
        status = os.stat(path)  # noqa: PTH116 - ten thousand of them
        before = known.get(path)
        if before is None or before.signature != signature(status):
            with open(path, "rb") as file:  # noqa: PTH123
                data = file.read()
            digest = hashlib.sha256(data).digest()
            head = before.head if before is not None and before.digest == digest else read_head(data)
            before = Seen(believable(status), digest, head)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", remedy="make the file readable") from error
    seen[path] = before
    return Node(name, path, status.st_size, before.digest, before.head)


def _resolve(name: str, roots: Sequence[str]) -> str | None:
    # protoc refuses such names itself; they would lead out of the import path.
    if name.startswith("/") or not name or any(part in {"", ".", ".."} for part in name.split("/")):
        return None
    for root in roots:
        path = f"{root}/{name}"
        if os.path.isfile(path):  # noqa: PTH113
            return path
    return None


def _sort(graph: Graph, roots: Sequence[str]) -> None:
    # Depth first with a stack of its own: an import chain may be longer than Python's.
    done: dict[str, bool] = {}  # False while it is on the stack
    for start in sorted(graph.nodes):
        if start in done:
            continue
        done[start] = False
        stack = [(start, iter(graph.nodes[start].head.imports))]
        while stack:
            name, rest = stack[-1]
            place = next(rest, None)
            if place is None:
                stack.pop()
                done[name] = True
                graph.order.append(name)
            elif place.text not in graph.nodes:
                _refuse(graph, name, place, "generate.import.missing", roots=shown(", ".join(roots)))
            elif place.text not in done:
                done[place.text] = False
                stack.append((place.text, iter(graph.nodes[place.text].head.imports)))
            elif not done[place.text]:
                way = [each for each, _ in stack]
                circle = way[way.index(place.text) :]
                _refuse(graph, name, place, "generate.import.cycle", way=" -> ".join([*circle, place.text]))


def _refuse(graph: Graph, name: str, place: Place, id_: str, **values: str) -> None:
    values = {"import_": place.text} | values
    if id_ == "generate.import.missing":
        guess = _where(graph, place.text)
        remedy = Text(id="generate.remedy.add_path", values={"folder": shown(guess)}) if guess else None
        remedy = remedy or Text(id="generate.remedy.import", values={"import_": place.text})
    else:
        remedy = Text(id="generate.remedy.cycle")
    graph.refused.setdefault(
        name,
        Refusal(
            source=name,
            kind=RefusalKind.IMPORT,
            line=place.line,
            column=place.column,
            reason=Text(id=id_, values=values),
            remedy=remedy,
        ),
    )


def _where(graph: Graph, name: str) -> str | None:
    ending = f"/{name}"
    return next((node.path.removesuffix(ending) for node in graph.nodes.values() if node.path.endswith(ending)), None)


def judge(graph: Graph, sources: Sequence[Source], options: Options) -> None:
    """Refuse what protoc-gen-go would not take, and what would overwrite another, before protoc runs."""
    generated = {source.name for source in sources}
    for name in graph.order:
        head = graph.nodes[name].head
        given = head.go_package.text if head.go_package else None
        found = gopackage.fault(name, given, options, generated=name in generated)
        if found is not None and name not in graph.refused:
            place = head.go_package or head.package
            line, column = (place.line, place.column) if place else (1, 1)
            graph.refused[name] = Refusal(
                source=name, kind=RefusalKind.GO_PACKAGE, line=line, column=column, reason=found[0], remedy=found[1]
            )
    _judge_clashes(graph, generated, options)


def _judge_clashes(graph: Graph, names: Iterable[str], options: Options) -> None:
    by_output: dict[str, str] = {}
    by_package: dict[str, tuple[str, str]] = {}
    for name in sorted(names):
        if name in graph.refused or name not in graph.nodes:
            continue
        place = graph.nodes[name].head.go_package
        given = place.text if place else None
        path, _ = gopackage.split(name, given, options)
        package = gopackage.package_name(name, given, options)
        output = gopackage.prefix(name, path, options)
        other = by_output.setdefault(output, name)
        first, named = by_package.setdefault(path, (name, package))
        reason = remedy = None
        if other != name:
            reason = Text(id="generate.clash.file", values={"output": f"{output}.pb.go", "other": other})
            remedy = Text(id="generate.remedy.clash_file")
        elif named != package:
            values = {"path": path, "name": package, "other_name": named, "other": first}
            reason = Text(id="generate.clash.package", values=values)
            remedy = Text(id="generate.remedy.clash_package", values={"path": path})
        if reason is not None and remedy is not None:
            graph.refused[name] = Refusal(
                source=name,
                kind=RefusalKind.CLASH,
                line=place.line if place else None,
                column=place.column if place else None,
                reason=reason,
                remedy=remedy,
            )


def spread(graph: Graph) -> None:
    """Refuse what imports a refused file, however far away."""
    blame: dict[str, str] = {name: name for name in graph.refused}
    # A file on a cycle may stand before what it imports; it is refused itself, so one way through is enough.
    for name in graph.order:
        if name in blame:
            continue
        for place in graph.nodes[name].head.imports:
            cause = blame.get(place.text)
            if cause is None:
                continue
            blame[name] = cause
            id_ = "generate.dependent.direct" if cause == place.text else "generate.dependent.far"
            graph.refused[name] = Refusal(
                source=name,
                kind=RefusalKind.DEPENDENT,
                line=place.line,
                column=place.column,
                reason=Text(id=id_, values={"import_": place.text, "cause": cause}),
                remedy=Text(id="generate.remedy.dependent", values={"cause": cause}),
            )
            break


def keys(graph: Graph, recipe: bytes) -> dict[str, bytes]:
    """Return a digest a file of all that decides its generated code: recipe, content, and its imports' digests.

    A file whose import has no digest (it is refused) has none.
    """
    found: dict[str, bytes] = {}
    for name in graph.order:
        node = graph.nodes[name]
        below = [found.get(place.text) for place in node.head.imports]
        if None in below:
            continue
        hashed = hashlib.sha256(recipe)
        hashed.update(node.digest)
        hashed.update(name.encode())
        for each in below:
            hashed.update(each or b"")
        found[name] = hashed.digest()
    return found


def importers(graph: Graph, name: str, among: Iterable[str]) -> frozenset[str]:
    """Return which of some files import a file, however far; the file itself counts."""
    reaching = {name}
    for each in graph.order:
        if each not in reaching and any(place.text in reaching for place in graph.nodes[each].head.imports):
            reaching.add(each)
    return frozenset(each for each in among if each in reaching)
