"""protoc as a front end: .proto files in, linked descriptors out, and those apart that it refuses.

One bad file makes protoc refuse all that it was given. Here a file that protoc names is asked about alone: if it is
refused alone it is bad, and so is what imports it; else it only does not go together with another file of its batch
(two files that define the same name) and is linked apart. A file is thus refused only if protoc refuses it by itself.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree import wire
from labkit.errors import GenerateError
from labkit.model.base import Text
from labkit.model.generation import Refusal, RefusalKind
from labkit.system import proc, store
from labkit.system.environment import base

_TIMEOUT_S: Final = 600.0
_COMPLAINT: Final = re.compile(r"^(.+?\.proto\w*)(?::(\d+):(\d+))?: (?!warning: )(.+)$")
_FOLLOWS: Final = re.compile(r'^Import "(.+)" was not found or had errors\.$')
_PROBE: Final = 'syntax = "proto3";\n'
_CAPTURE: Final = '#!/bin/sh\nexec cat >"$LABKIT_REQUEST"\n'


class Complaint(msgspec.Struct, frozen=True):
    """One line of protoc's: about which file, where, and what."""

    file: str
    line: int | None
    column: int | None
    said: str


class Linked(msgspec.Struct, frozen=True):
    """Sources that link together, and all that they import, each file after those that it imports."""

    sources: tuple[str, ...]
    files: tuple[wire.Descriptor, ...]


class Compiler(msgspec.Struct, frozen=True):
    """A protoc and the import paths that it looks in."""

    program: Path
    roots: tuple[str, ...]

    def link(
        self,
        sources: Sequence[str],
        *,
        path_of: Mapping[str, str],
        importers: Callable[[str, Iterable[str]], frozenset[str]],
        scratch: Path,
    ) -> tuple[tuple[Linked, ...], tuple[Refusal, ...]]:
        """Return sources linked, in as few pieces as possible, and the files that are bad.

        Sources that import a bad file are in neither.

        Args:
            sources: Import names.
            path_of: The file of an import name, absolute.
            importers: Which of some sources import a file, however far, themselves counted.
            scratch: An own folder for the descriptors.

        Raises:
            GenerateError: protoc failed without naming a file.

        """
        linked: list[Linked] = []
        refused: dict[str, Refusal] = {}
        pending = [tuple(sources)]
        while pending:
            group = pending.pop()
            if not group:
                continue
            files, complaints = self._call(group, path_of, scratch)
            if files is not None:
                linked.append(Linked(group, files))
                continue
            named = list(dict.fromkeys(each.file for each in complaints if not _FOLLOWS.match(each.said)))
            if len(group) == 1:
                refused |= self._blame(group[0], complaints, path_of)
                continue
            apart: set[str] = set()
            gone: set[str] = set()
            for name in named:
                affected = importers(name, group) - gone - apart
                if not affected or name not in path_of:
                    continue
                _, alone = self._call((name,), path_of, scratch)
                if alone:
                    refused |= self._blame(name, alone, path_of)
                    gone |= affected
                else:
                    apart |= affected
            if not gone and (not apart or len(apart) == len(group)):
                pending += [group[: len(group) // 2], group[len(group) // 2 :]]
                continue
            pending += [tuple(name for name in group if name in apart)]
            pending += [tuple(name for name in group if name not in apart and name not in gone)]
        return tuple(linked), tuple(refused.values())

    @staticmethod
    def _blame(name: str, complaints: Sequence[Complaint], path_of: Mapping[str, str]) -> dict[str, Refusal]:
        # The first complaint that does not follow from another may be about an import of the file: then that is bad.
        first = next((each for each in complaints if not _FOLLOWS.match(each.said)), complaints[0])
        source = first.file if first.file in path_of else name
        return {
            source: Refusal(
                source=source,
                kind=RefusalKind.PROTOC,
                line=first.line,
                column=first.column,
                reason=Text(id="generate.protoc", values={"said": first.said}),
                remedy=Text(id="generate.remedy.protoc"),
            )
        }

    def _call(
        self, names: Sequence[str], path_of: Mapping[str, str], scratch: Path
    ) -> tuple[tuple[wire.Descriptor, ...] | None, tuple[Complaint, ...]]:
        target = scratch / "descriptors"
        done = proc.run(
            [
                self.program,
                *proto_path(self.roots),
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={target}",
                *(path_of[name] for name in names),
            ],
            env=base(),
            timeout_s=_TIMEOUT_S,
            cwd=scratch,
            check=False,
        )
        if done.returncode == 0:
            return tuple(wire.descriptors(target.read_bytes())), ()
        # protoc calls a file that it was given by its path, and one that it found by its import name.
        name_of = {path_of[name]: name for name in names}
        complaints = tuple(
            msgspec.structs.replace(each, file=name_of.get(each.file, each.file))
            for each in parse_complaints(done.stderr)
        )
        if not complaints:
            raise GenerateError(
                f"protoc failed ({proc.describe_exit(done.returncode)}): {done.first_words()}",
                remedy="look at protoc with `labkit doctor`; if it is well, please report this",
            )
        return None, complaints


def proto_path(roots: Iterable[str]) -> list[str]:
    """Return protoc's options for some import paths; a path that holds "=" must not read as a mapping."""
    return [f"--proto_path={'=' if '=' in root else ''}{root}" for root in roots]


def parse_complaints(stderr: str) -> tuple[Complaint, ...]:
    """Return protoc's complaints in its standard error; warnings are none."""
    return tuple(
        Complaint(match[1], int(match[2]) if match[2] else None, int(match[3]) if match[3] else None, match[4])
        for match in map(_COMPLAINT.match, stderr.splitlines())
        if match is not None
    )


def compiler_version(program: Path, digest: str) -> bytes:
    """Return how a protoc names its version to plugins (a compiler.Version), asked once of each protoc.

    ``protoc --version`` lacks the first number of what stands in a generated header (30.2 is v6.30.2 there), so a
    plugin that keeps its request is asked for.

    Raises:
        GenerateError: protoc does not run.

    """
    kept = store.home() / "generate" / f"compiler-version-{digest[:16]}"
    if kept.is_file():
        return kept.read_bytes()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as name:  # a temporary folder may forbid to run programs
        folder = Path(name)
        (folder / "probe.proto").write_text(_PROBE)
        plugin, request = folder / "protoc-gen-capture", folder / "request"
        plugin.write_text(_CAPTURE)
        plugin.chmod(0o755)
        done = proc.run(
            [program, *proto_path([str(folder)]), f"--plugin={plugin}", f"--capture_out={folder}", "probe.proto"],
            env=base(LABKIT_REQUEST=str(request)),
            timeout_s=_TIMEOUT_S,
            cwd=folder,
            check=False,
        )
        try:
            version = wire.compiler_version(request.read_bytes())
        except (OSError, ValueError) as error:
            raise GenerateError(
                f"protoc did not start a plugin: {done.first_words()}", remedy="look at protoc with `labkit doctor`"
            ) from error
    store.write_atomically(kept, version)
    return version
