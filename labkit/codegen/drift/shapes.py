"""Runs goshape: pairs of Go files in, what each is and how they differ out. It states facts and names no kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import ProcessError
from labkit.gobuild import build
from labkit.model.drift import Difference
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain import provision

#: The Go module that reads syntax trees and descriptors.
MODULE: Final = Path(__file__).parents[1] / "goshape"
#: The set whose Go builds it, whichever set generates: one reader for all, and an old set's Go could not compile it.
BUILT_WITH: Final = "current"
_TIMEOUT_S: Final = 600.0
_MOST_BYTES: Final = 1 << 30  # of answers: 100 differences a file at most
_REMEDY: Final = "please report it with the log (labkit -v)"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A committed and a generated file; one may be missing."""

    committed: Path | None
    generated: Path | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one file is, as compare.go and header.go say."""

    marked: bool
    plugin: str
    versions: Mapping[str, str]
    source: str
    deprecated: bool
    constraint: str
    unreadable: str
    package: str
    syntax: str
    truncated: bool
    conflict: bool
    bom: bool
    crlf: bool
    features: tuple[str, ...] | None
    descriptor: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same of two files, as compare.go says."""

    identical: bool
    rest: bool
    unjudged: bool
    package: bool
    constraint: bool
    directives: bool
    imports: bool
    import_names: bool
    api: bool
    bodies: bool
    order: bool
    initialised: bool
    comments: bool
    descriptor: bool
    encoding: bool
    spelling: bool
    differences: tuple[Mapping[str, str | bool], ...] | None
    left_out: int

    def listed(self) -> tuple[Difference, ...]:
        """Return the differences as records."""
        return tuple(
            Difference(
                what=str(each["what"]),
                path=str(each["path"]),
                committed=str(each["committed"]) or None,
                generated=str(each["generated"]) or None,
                api=bool(each["api"]),
            )
            for each in self.differences or ()
        )


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goshape says of one pair."""

    id: int
    committed: Side | None
    generated: Side | None
    comparison: Comparison | None


def reader(toolchain: Toolchain) -> Path:
    """Return the goshape program, built once.

    Raises:
        BuildError: It does not compile.
        ProvisionError: The set that builds it cannot be had.

    """
    builder = toolchain if toolchain.name == BUILT_WITH else provision(BUILT_WITH, toolchain.platform)
    return Path(build(builder, MODULE, ".", name="goshape").path)


def compare(program: Path, pairs: Sequence[Pair]) -> tuple[Answer, ...]:
    """Return an answer a pair, in their order.

    Raises:
        ProcessError: goshape failed.

    """
    asked = b"\n".join(_requests(pairs))
    done = proc.run([program], env=base(), timeout_s=_TIMEOUT_S, stdin=asked, remedy=_REMEDY, most_bytes=_MOST_BYTES)
    decoder = msgspec.json.Decoder(Answer)
    try:
        answers = sorted((decoder.decode(line) for line in done.stdout_bytes.splitlines()), key=lambda each: each.id)
    except msgspec.DecodeError as error:
        raise ProcessError(f"goshape answered what labkit does not understand: {error}", remedy=_REMEDY) from error
    if [answer.id for answer in answers] != list(range(len(pairs))):
        raise ProcessError(f"goshape answered {len(answers)} of {len(pairs)} questions", remedy=_REMEDY)
    return tuple(answers)


def _requests(pairs: Sequence[Pair]) -> Iterator[bytes]:
    for number, pair in enumerate(pairs):
        committed = str(pair.committed.absolute()) if pair.committed else ""
        generated = str(pair.generated.absolute()) if pair.generated else ""
        yield msgspec.json.encode({"id": number, "committed": committed, "generated": generated})
