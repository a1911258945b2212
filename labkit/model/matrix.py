"""The build matrix: one program built one way for one platform, what its bytes say, and where it ran."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.binary import Linkage, SignatureKind, Verdict


class CellStatus(StrEnum):
    """What became of a cell."""

    BUILT = "built"
    REFUSED = "refused"  # it was tried, and Go or its linker refused in their own words
    IMPOSSIBLE = "impossible"  # not tried, for something is not there; the reason names it


class Place(StrEnum):
    """Where a program was started."""

    HERE = "here"  # natively, on this system as it is
    EMPTY_ROOT = "empty-root"  # natively, in a root folder that holds the program and nothing else
    QEMU = "qemu"  # translated by qemu-user, on this system as it is
    QEMU_EMPTY_ROOT = "qemu-empty-root"  # translated, in a root folder that holds the program and a static qemu


class Outcome(StrEnum):
    """What starting a program came to."""

    RAN = "ran"  # it did its work and exited with 0
    NOT_STARTED = "not-started"  # the system or qemu could not load it
    FAILED = "failed"  # it was loaded, and then failed
    NOT_TRIED = "not-tried"  # the reason says why


class Trial(Record, frozen=True, kw_only=True):
    """A program started once in one place."""

    place: Place
    outcome: Outcome
    said: str | None = None  # its last words, or those of who could not start it
    reason: Text | None = None  # why it was not tried
    provenance: Provenance = Provenance.MEASURED


class Cell(Record, frozen=True, kw_only=True):
    """One program, built one way, for one platform. What was not obtained is None or empty, and ``reason`` says why."""

    program: str
    platform: str  # linux/arm64
    variant: str
    status: CellStatus
    reason: Text | None = None  # of what was not built
    compiler: str | None = None  # the C compiler that Go was given, by its own first line
    size_bytes: int | None = None
    sha256: str | None = None
    cached: bool | None = None  # taken from the store
    built_at: str | None = None  # UTC, ISO 8601
    build_time_s: float | None = None  # of the run that built it
    linkage: Linkage | None = None
    interpreter: str | None = None
    libraries: tuple[str, ...] = ()
    signature: SignatureKind | None = None
    symbols: bool | None = None
    dwarf: bool | None = None
    pie: bool | None = None
    cgo_setting: str | None = None  # CGO_ENABLED in its build information
    sections_bytes: Mapping[str, int] = {}  # in the file, largest first
    verdicts: tuple[Verdict, ...] = ()
    witnesses: Mapping[str, str] = {}  # what file, ldd, readelf and otool say of it
    trials: tuple[Trial, ...] = ()
    provenance: Provenance = Provenance.MEASURED


class Matrix(Record, frozen=True, kw_only=True):
    """The cells that were asked for, in order."""

    selection: str  # quick, full
    cells: tuple[Cell, ...]
    wall_time_s: float
    provenance: Provenance = Provenance.MEASURED
