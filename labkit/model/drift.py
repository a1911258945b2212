"""What became of committed generated code: each file's kind of difference from what is generated now, and its maker."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record
from labkit.model.generation import Refusal


class DriftKind(StrEnum):
    """The kind of difference, the gravest that a file shows."""

    SAME = "same"  # every byte
    HEADER = "header"  # the generator's stamps only
    FORMAT = "format"  # the text, not its meaning to a compiler: blanks, comments, order, spelling
    SEMANTIC = "semantic"  # what the code declares, does or says of itself, or it is no Go code
    MISSING = "missing"  # generated now, not committed
    ORPHAN = "orphan"  # committed, no longer generated


class Reason(StrEnum):
    """What a kind was decided by; docs/drift.md says each at length."""

    STAMPS = "stamps"  # header: versions or the source's name
    MARKER = "marker"  # header: one has the line "Code generated ... DO NOT EDIT.", the other has not
    BOM = "bom"  # format: a byte-order mark
    LINE_ENDS = "line_ends"  # format: CRLF
    COMMENTS = "comments"  # format
    ORDER = "order"  # format: of declarations
    IMPORT_NAMES = "import_names"  # format: how imports are called or ordered
    ENCODING = "encoding"  # format: the descriptor's bytes, not what it says
    SPELLING = "spelling"  # format: interface{} for any, 0x10 for 16, a descriptor as text or as numbers
    LAYOUT = "layout"  # format: blanks and line breaks
    UNREADABLE = "unreadable"  # semantic: no permission, a folder
    CONFLICT = "conflict"  # semantic: markers of a merge
    TRUNCATED = "truncated"  # semantic: it ends in the middle
    SYNTAX = "syntax"  # semantic: it is no Go code
    PACKAGE = "package"  # semantic
    CONSTRAINT = "constraint"  # semantic: build tags
    API = "api"  # semantic: what other packages see
    DESCRIPTOR = "descriptor"  # semantic: what the embedded descriptor says
    IMPORTS = "imports"  # semantic: which packages are imported
    INIT_ORDER = "init_order"  # semantic: of init functions, or of variables that a call sets
    DIRECTIVE = "directive"  # semantic: //go:linkname and its like
    BODY = "body"  # semantic: code behind an equal API
    GENERATOR = "generator"  # semantic: another generator's code; API and descriptor are equal when it stands alone
    NOT_COMMITTED = "not_committed"  # missing
    SOURCE_GONE = "source_gone"  # orphan: no import path holds its source
    NOT_GENERATED = "not_generated"  # orphan: its source is there, and makes no such file


class Difference(Record, frozen=True, kw_only=True):
    """One place in which two files differ."""

    what: str  # func, method, type, const, var; descriptor, comment, import, directive, package, constraint
    path: str  # (*Order).GetId; message_type[Order].field[cents].number; "" where what says it all
    committed: str | None  # None: nothing is there; "changed" for a declaration that both have
    generated: str | None
    api: bool  # other packages, or peers on the wire, may see it


class Era(Record, frozen=True, kw_only=True):
    """Between which versions of a generator code of some shape was made."""

    plugin: str
    first: str | None  # None: no lower bound is known
    last: str | None  # None: the newest that was seen still makes it


class DriftFile(Record, frozen=True, kw_only=True):
    """One file, committed or generated or both."""

    path: str  # relative to the folder of the committed code
    kind: DriftKind
    made_by: (
        str | None
    )  # "protoc-gen-go v1.36.12" by the committed file's header; "unknown"; None if nothing is committed
    reasons: tuple[Reason, ...] = ()
    source: str | None = None  # the .proto file
    versions: Mapping[str, str] = {}  # as stamped in the committed file: v1.36.12, (unknown)
    generated_by: str | None = None  # as stamped in what is generated now
    looks_like: Era | None = None  # what the committed code's shape says; None where the header is enough (same)
    stamp_fits: bool | None = None  # whether the stamp is within that era; None where there is no stamp or no era
    fault: str | None = None  # of a file that is no Go code: the parser's words, with the line
    differences: tuple[Difference, ...] = ()
    left_out: int = 0  # further differences, not listed


class Unjudged(StrEnum):
    """Why a generated file below the folder was listed and not judged."""

    FOREIGN = "foreign"  # by a plugin that is not run here, or by none that it names
    OUTSIDE = "outside"  # its source is there, and was not asked for
    REFUSED = "refused"  # its source is one that could not be generated from


class UnjudgedFile(Record, frozen=True, kw_only=True):
    """A file that was found and not judged."""

    path: str
    why: Unjudged
    made_by: str
    source: str | None


class Drift(Record, frozen=True, kw_only=True):
    """One comparison: ``labkit drift --json`` prints it."""

    looked_at: int  # how many files were judged; a comparison of none is an error
    files: tuple[DriftFile, ...]  # by path
    counts: Mapping[str, int]  # by kind, each kind named
    toolchain: str  # the set that generated
    out: str  # the folder of the committed code
    not_judged: tuple[UnjudgedFile, ...]
    refused: tuple[Refusal, ...]  # sources that could not be generated from
    provenance: Provenance = Provenance.MEASURED

    @property
    def clean(self) -> bool:
        """Whether every file is the same and every source could be generated from."""
        return not self.refused and all(file.kind is DriftKind.SAME for file in self.files)
