"""One run of code generation over a tree of .proto files: what went in, what was made, refused and removed."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text


class Paths(StrEnum):
    """Where a generated file lies, as protoc-gen-go's option ``paths`` has it."""

    SOURCE_RELATIVE = "source_relative"  # beside its source's place below the import path
    IMPORT = "import"  # by its Go import path


class Options(Record, frozen=True, kw_only=True):
    """How Go is generated; the defaults are the usual flags."""

    paths: Paths = Paths.SOURCE_RELATIVE
    module: str | None = None  # module=: cut from the front of Go import paths; with paths=import only
    mappings: Mapping[str, str] = {}  # M: an import name of a .proto file, and its Go import path
    go: bool = True  # run protoc-gen-go
    go_grpc: bool = True  # run protoc-gen-go-grpc
    go_options: tuple[str, ...] = ()  # further options of protoc-gen-go, such as default_api_level=API_OPAQUE
    go_grpc_options: tuple[str, ...] = ()  # such as require_unimplemented_servers=false


class Inputs(Record, frozen=True, kw_only=True):
    """What to generate from: files, or folders of which every .proto below counts."""

    sources: tuple[str, ...]
    proto_path: tuple[str, ...] = ()  # import paths, the first that holds a name wins; () as docs/codegen.md says
    options: Options = Options()


class How(StrEnum):
    """How a generated file came to be what it is."""

    WRITTEN = "written"  # made now; it was not there, or was different
    SAME = "same"  # made now; the same bytes were there already, and were left alone
    REUSED = "reused"  # not made: nothing that it is made from has changed


class TreeFile(Record, frozen=True, kw_only=True):
    """One generated Go file."""

    path: str  # relative to the output folder
    source: str  # the .proto file, by its import name
    import_path: str  # the Go package's
    plugin: str  # protoc-gen-go
    how: How
    size_bytes: int
    line_count: int
    sha256: str
    made_by: Mapping[str, str]  # the versions in its header: protoc-gen-go, protoc


class Removed(Record, frozen=True, kw_only=True):
    """A generated file whose source is gone."""

    path: str  # relative to the output folder
    source: str
    removed: bool  # False: its bytes are no longer those that labkit wrote, so it stays


class RefusalKind(StrEnum):
    """Why a source was not generated from."""

    GO_PACKAGE = "go_package"  # missing, a bare name, a bad name, or one that leads out of the output folder
    IMPORT = "import"  # an import that is not there, or a cycle of imports
    CLASH = "clash"  # two sources that would be one Go file, or one Go package under two names
    PROTOC = "protoc"  # protoc refuses it
    PLUGIN = "plugin"  # a plugin refuses it
    DEPENDENT = "dependent"  # it imports one that is refused


class Refusal(Record, frozen=True, kw_only=True):
    """A source that was not generated from."""

    source: str  # by its import name
    kind: RefusalKind
    line: int | None  # counted from 1; None where the fault lies in no line of it
    column: int | None
    reason: Text  # holds protoc's or the plugin's own words where they say it
    remedy: Text


class Batch(Record, frozen=True, kw_only=True):
    """Sources that went through protoc and the plugins together; times are of this run, on this machine."""

    import_paths: tuple[str, ...]  # the Go packages
    source_count: int
    output_size_bytes: int
    protoc_time_s: float
    plugin_time_s: Mapping[str, float]  # by plugin
    wall_time_s: float  # from its start to its last file staged


class Generation(Record, frozen=True, kw_only=True):
    """One run of ``labkit generate``."""

    out: str
    toolchain: str  # the set's name
    source_count: int
    files: tuple[TreeFile, ...]  # all that stand in the output folder by this run's sources, by path
    refused: tuple[Refusal, ...]  # by source
    removed: tuple[Removed, ...]
    batches: tuple[Batch, ...]
    jobs: int
    wall_time_s: float
    peak_memory_bytes: int | None  # of labkit and its processes at one instant, resident; None where nobody looked
    provenance: Provenance = Provenance.MEASURED

    def count(self, how: How) -> int:
        """Return how many files came to be in a way."""
        return sum(file.how is how for file in self.files)

    @property
    def complete(self) -> bool:
        """Whether every source was generated from."""
        return not self.refused
