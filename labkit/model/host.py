"""The host's own tools and settings, as they were found: what the doctor judges."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Record, Text
from labkit.model.binary import Format, SignatureKind
from labkit.model.machine import Machine


class Place(StrEnum):
    """Where a tool was found."""

    PATH = "path"
    GOBIN = "gobin"
    GOPATH_BIN = "gopath-bin"
    HOMEBREW_ARM = "homebrew-arm"  # /opt/homebrew
    HOMEBREW_INTEL = "homebrew-intel"  # /usr/local
    CONDA = "conda"
    LABKIT = "labkit"  # the provisioned set
    USUAL = "usual"  # another usual place, such as /usr/local/go/bin


class HostTool(Record, frozen=True, kw_only=True):
    """One executable of the host. A field that was not obtained is None and ``missing`` says why under its name."""

    name: str  # go, protoc, protoc-gen-go, protoc-gen-go-grpc, dlv, gopls, ...
    path: str  # as found
    real_path: str  # its links resolved
    place: Place
    wins: bool  # this is the one that PATH gives
    shadows: tuple[str, ...]  # later ones of its name on PATH
    format: Format
    architectures: tuple[str, ...]  # arm64, x86_64, ... by its slices; empty for a script
    signature: SignatureKind | None
    bad_pages: int | None
    has_uuid: bool | None  # Mach-O only
    missing_libraries: tuple[str, ...]  # needed, by path, and not there
    missing_interpreter: str | None  # named by the file, and not there
    quarantined: bool | None  # macOS only
    reported: str | None  # its answer to the question for its version, the first line
    version: str | None
    go_version: str | None  # that built it
    module: str | None  # module@version, for a Go program
    error: str | None  # what it said instead of a version
    include: str | None  # protoc only: the folder of google/protobuf, when it is beside
    missing: Mapping[str, Text]


class HostFacts(Record, frozen=True, kw_only=True):
    """What is known of the host at one moment. Nothing was changed to learn it."""

    machine: Machine
    path: tuple[str, ...]  # the folders of PATH, in order, as they are written
    tools: tuple[HostTool, ...]
    environment: Mapping[str, str]  # of PATH, HOME, GO*, CGO_*, CONDA_PREFIX, HOMEBREW_PREFIX, SHELL: what is set
    go_env: Mapping[str, str]  # what the winning go says; empty without one
    go_env_file: str | None  # where `go env -w` writes
    go_env_written: Mapping[str, str]  # what was written there
    developer_folder: str | None  # xcode-select -p, macOS only
    homebrew_prefixes: tuple[str, ...]  # those that exist
    conda_prefix: str | None
    missing: Mapping[str, Text]
