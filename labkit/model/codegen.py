"""What code generation made, and whether it works."""

from collections.abc import Mapping

from labkit.model.base import Provenance, Record


class GeneratedFile(Record, frozen=True, kw_only=True):
    """One generated Go file."""

    path: str  # relative to the output folder
    size_bytes: int
    line_count: int
    sha256: str
    made_by: Mapping[str, str]  # the versions in its header: protoc-gen-go, protoc


class Generated(Record, frozen=True, kw_only=True):
    """One run of protoc."""

    command: tuple[str, ...]
    files: tuple[GeneratedFile, ...]
    wall_time_s: float
    provenance: Provenance = Provenance.MEASURED


class Built(Record, frozen=True, kw_only=True):
    """One Go program built for one platform."""

    program: str
    platform: str  # linux/arm64
    digest: str  # of everything that went in, 16 hex digits
    path: str
    size_bytes: int
    sha256: str
    cached: bool  # taken from the store
    built_at: str  # UTC, ISO 8601
    build_time_s: float  # of the run that built it
    provenance: Provenance = Provenance.MEASURED


class Served(Record, frozen=True, kw_only=True):
    """A call to the generated service, made over loopback."""

    request: str
    reply: str
    expected_reply: str
    method: str
    call_time_s: float
    provenance: Provenance = Provenance.MEASURED
