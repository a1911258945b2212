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
    pages: int | None = None  # hashed code pages, each counted once however many directories hash it
    bad_pages: int | None = None  # whose hash differs in any directory; None: not verified
    page_size_bytes: int | None = None
    flags: tuple[str, ...] = ()  # adhoc, linker-signed, runtime, library-validation, ...
    hashes: tuple[str, ...] = ()  # of each code directory: sha1, sha256, sha256-truncated, sha384
    directory_hash: str | None = None  # of the strongest code directory, 40 hex digits, as codesign's CDHash
    platform: int | None = None  # not 0: Apple's own
    entitlements: Mapping[str, str] = {}  # key: its value as JSON
    bad_slots: tuple[str, ...] = ()  # signed parts whose hash differs: entitlements, requirements
    signers: tuple[str, ...] = ()  # common names of the certificates, the signer's first
    signed_directory: bool | None = None  # the certificate's signature is by that key and over this code directory
    unknown: tuple[str, ...] = ()  # what this reader does not know how to judge


class Slice(Record, frozen=True, kw_only=True):
    """One architecture's program within a file (an ELF file has one)."""

    architecture: str  # arm64, arm64e, x86_64, i386, arm, s390x, ppc64, ...
    bits: int
    endian: str  # little, big
    file_type: str  # executable, library, bundle, object, core, dsym, linker, archive, ...
    linkage: Linkage
    interpreter: str | None
    libraries: tuple[str, ...]
    rpaths: tuple[str, ...]
    minimum_os: str | None  # "macos 12.0"
    sdk: str | None  # "12.0"
    uuid: str | None  # of LC_UUID
    symbols: bool | None  # a symbol table is present
    dwarf: bool | None  # debug information is present
    hardening: Mapping[str, bool]  # pie, nx, relro, bind_now, ... as the bytes show
    signature: Signature
    platform: str | None = None  # macos, ios, ios-simulator, ...; linux, freebsd, ... where an ELF file says so
    offset_bytes: int = 0  # in the file
    size_bytes: int | None = None
    install_name: str | None = None  # LC_ID_DYLIB, DT_SONAME
    weak_libraries: tuple[str, ...] = ()  # of the libraries, those that may be absent
    build_id: str | None = None  # GNU build id of an ELF file
    minimum_libc: str | None = None  # "glibc 2.34": the greatest symbol version that is needed
    unknown: tuple[str, ...] = ()  # what this reader met and does not know


class GoModule(Record, frozen=True, kw_only=True):
    """A Go module that went into a program."""

    path: str
    version: str | None = None
    sum: str | None = None
    replaced_by: "GoModule | None" = None


class GoInfo(Record, frozen=True, kw_only=True):
    """Go's build information, as ``go version -m -json`` gives it."""

    version: str
    path: str | None
    main: GoModule | None
    dependencies: tuple[GoModule, ...]
    settings: Mapping[str, str]


class Runs(StrEnum):
    """Would a machine run it?"""

    YES = "yes"
    TRANSLATED = "translated"
    NO = "no"
    UNKNOWN = "unknown"  # only that machine can tell


class Verdict(Record, frozen=True, kw_only=True):
    """Whether a named machine would run a binary, by which rule. A library runs where a program could load it."""

    machine: str  # m1-macos14, linux-amd64
    runs: Runs
    reasons: tuple[Text, ...]  # the first one decided; the others say what the bytes cannot tell
    rule: str
    source: str | None  # of the rule
    confirmed_on_hardware: bool
    provenance: Provenance = Provenance.JUDGED


class Binary(Record, frozen=True, kw_only=True):
    """A file's facts. ``error`` says why some are absent: a file that cannot be read or parsed has no slices.

    With a damaged code signature the slices are there, for the program itself could be read.
    """

    path: str
    sha256: str | None  # None: not asked for, or unreadable
    size_bytes: int | None
    format: Format
    error: str | None
    kind: str | None = None  # of another format: "script /bin/sh", "pe", "archive", "wasm", ...
    go: GoInfo | None
    slices: tuple[Slice, ...]
    verdicts: tuple[Verdict, ...] = ()
    provenance: Provenance = Provenance.MEASURED
