"""What an executable's bytes say, and whether a named machine would run it."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text


class Format(StrEnum):
    """The container of a program."""

    MACHO = "macho"
    ELF = "elf"
    OTHER = "other"


class Linkage(StrEnum):
    """Static means: no interpreter and no needed library."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class SignatureKind(StrEnum):
    """Who, if anybody, signed a Mach-O slice."""

    NONE = "none"
    LINKER = "linker"  # ad hoc, by the linker
    ADHOC = "adhoc"
    DEVELOPER_ID = "developer-id"
    OTHER = "other"


class Signature(Record, frozen=True, kw_only=True):
    """A slice's code signature as its bytes give it; trust, revocation and notarisation are for a Mac to say."""

    kind: SignatureKind
    identifier: str | None = None
    team: str | None = None
    hardened_runtime: bool | None = None
    pages: int | None = None  # hashed code pages
    bad_pages: int | None = None  # whose hash differs; None: not verified
    unknown: tuple[str, ...] = ()  # what this reader does not know how to judge


class Slice(Record, frozen=True, kw_only=True):
    """One architecture's program within a file (an ELF file has one)."""

    architecture: str  # arm64, arm64e, x86_64, i386, arm, s390x, ppc64, ...
    bits: int
    endian: str  # little, big
    file_type: str  # executable, dylib, bundle, object, core, ...
    linkage: Linkage
    interpreter: str | None
    libraries: tuple[str, ...]
    rpaths: tuple[str, ...]
    minimum_os: str | None  # "macos 12.0"
    sdk: str | None
    uuid: str | None
    symbols: bool | None  # a symbol table is present
    dwarf: bool | None  # debug information is present
    hardening: Mapping[str, bool]  # pie, nx, relro, bind_now, canary-free facts that the bytes show
    signature: Signature


class GoInfo(Record, frozen=True, kw_only=True):
    """Go's build information, as ``go version -m`` gives it."""

    version: str
    path: str | None
    main: str | None  # module@version of the main package
    dependencies: tuple[str, ...]  # module@version
    settings: Mapping[str, str]


class Runs(StrEnum):
    """Would a machine run it?"""

    YES = "yes"
    TRANSLATED = "translated"
    NO = "no"
    UNKNOWN = "unknown"  # only that machine can tell


class Verdict(Record, frozen=True, kw_only=True):
    """Whether a named machine would run a binary, by which rule."""

    machine: str  # m1-macos14, linux-amd64
    runs: Runs
    reasons: tuple[Text, ...]
    rule: str
    source: str | None  # of the rule
    confirmed_on_hardware: bool
    provenance: Provenance = Provenance.JUDGED


class Binary(Record, frozen=True, kw_only=True):
    """A file's facts. A file that cannot be read or parsed carries ``error`` and no slices."""

    path: str
    sha256: str | None
    size_bytes: int | None
    format: Format
    error: str | None
    go: GoInfo | None
    slices: tuple[Slice, ...]
    verdicts: tuple[Verdict, ...] = ()
    provenance: Provenance = Provenance.MEASURED
