"""The host's own tools and settings, as they were found: what the doctor judges."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Record, Text
from labkit.model.binary import Format, SignatureKind
from labkit.model.machine import Machine


class Place(StrEnum):
    """Where a tool was found; the first that fits, PATH last."""

    PATH = "path"
    GOBIN = "gobin"
    GOPATH_BIN = "gopath-bin"
    HOMEBREW_ARM = "homebrew-arm"  # /opt/homebrew
    HOMEBREW_INTEL = "homebrew-intel"  # /usr/local, what Homebrew keeps there
    CONDA = "conda"
    PYTHON = "python"  # a virtual environment of Python
    MAVEN = "maven"  # an artefact that Maven or Gradle fetched, never on PATH
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
    executable: bool = True  # by its mode, for this user
    on_path: bool = True  # in a folder of PATH
    signal: int | None = None  # that ended it when it was asked its version
    damaged_libraries: tuple[str, ...] = ()  # needed, there, and their signed pages differ


class ProjectLine(Record, frozen=True, kw_only=True):
    """A line of a project's build files or scripts that speaks of protoc, its plugins or their locks."""

    file: str  # relative to the project's folder
    number: int  # from 1
    text: str


class ProtoFile(Record, frozen=True, kw_only=True):
    """A .proto file of a project."""

    path: str  # relative
    go_package: str | None


class GeneratedHeader(Record, frozen=True, kw_only=True):
    """What the head of a generated Go file says."""

    path: str  # relative
    source: str | None  # the .proto it was made from
    made_by: Mapping[str, str]  # protoc-gen-go: v1.36.12; protoc: v6.30.2


class Project(Record, frozen=True, kw_only=True):
    """What a folder says of the tools it wants. Only its own files are read, none is run."""

    folder: str
    go_mod: str | None  # the file's path
    go_version: str | None  # of its go line
    toolchain: str | None  # of its toolchain line
    requires: Mapping[str, str]  # module: version
    lines: tuple[ProjectLine, ...]
    protos: tuple[ProtoFile, ...]
    generated: tuple[GeneratedHeader, ...]


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
    goroot_version: str | None = None  # of the VERSION file in the GOROOT that was set by hand
    translators: tuple[str, ...] = ()  # Linux: what runs other architectures' programs: qemu-aarch64, rosetta, ...
    clang_path: str | None = None  # all that `xcrun --find clang` printed, macOS only
    clang_exit_code: int | None = None  # of `xcrun clang --version`
    clang_said: str | None = None  # its first words when it failed
    project: Project | None = None  # of the folder that was named
