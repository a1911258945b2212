"""What the same .proto becomes through generators of different days."""

from collections.abc import Mapping

from labkit.model.base import Provenance, Record


class Generator(Record, frozen=True, kw_only=True):
    """One protoc-gen-go, built by the set's Go."""

    version: str  # 1.3.5, without a leading v
    released: str  # the date of that version, ISO 8601
    package: str  # github.com/golang/protobuf/protoc-gen-go
    source: str  # where its release is described, or the set that it is of
    sha256: str  # of the program
    in_set: bool  # the set's own


class GeneratorInput(Record, frozen=True, kw_only=True):
    """One .proto and the options that it was generated with."""

    name: str  # services, or services plugins=grpc
    proto: str  # services.proto
    option: str  # plugins=grpc; empty for none beside the path's
    line_count: int  # of the .proto


class Compiled(Record, frozen=True, kw_only=True):
    """Whether generated code compiles against one runtime."""

    runtime: str  # golang-protobuf-1.3.5: the go.mod that was used
    modules: tuple[str, ...]  # what it requires: github.com/golang/protobuf v1.3.5
    compiles: bool
    said: str | None  # the compiler's own first line when it does not


class StructField(Record, frozen=True, kw_only=True):
    """One field of a Go struct, without its tag."""

    name: str
    type: str


class GeneratorOutcome(Record, frozen=True, kw_only=True):
    """What one generator made of one input; ``said`` is why it made nothing."""

    generator: str  # its version
    input: str
    made: bool
    said: str | None  # protoc's or the plugin's own words
    stamps: Mapping[str, str] = {}  # versions in the header: protoc-gen-go, protoc
    line_count: int = 0
    sha256: str | None = None
    imports: tuple[str, ...] = ()
    exported_count: int = 0  # exported types, functions, constants, variables and methods
    message_count: int = 0  # structs that are messages
    xxx_fields: tuple[str, ...] = ()  # Record.XXX_unrecognized, of message structs
    xxx_method_count: int = 0  # exported methods whose name starts so
    state_fields: tuple[str, ...] = ()  # Record.unknownFields, unexported fields of message structs
    grpc_types: tuple[str, ...] = ()  # exported types of gRPC clients and servers that it wrote itself
    compiled: tuple[Compiled, ...] = ()


class MessageStruct(Record, frozen=True, kw_only=True):
    """The struct of one message by one generator."""

    generator: str
    message: str
    fields: tuple[StructField, ...]


class OptionTrial(Record, frozen=True, kw_only=True):
    """One input through one generator with one option: where the file went and what it holds."""

    generator: str
    option: str  # module=labkit.dev/generators; empty for none
    made: bool
    said: str | None
    path: str | None  # of the made file, relative to the output folder
    sha256: str | None
    xxx_fields: tuple[str, ...] = ()


class GeneratorSurvey(Record, frozen=True, kw_only=True):
    """All generators, side by side."""

    toolchain: str  # the set whose Go built them and whose protoc called them
    protoc_version: str
    go_version: str
    generators: tuple[Generator, ...]  # the oldest first
    inputs: tuple[GeneratorInput, ...]
    outcomes: tuple[GeneratorOutcome, ...]  # one a generator and input
    structs: tuple[MessageStruct, ...]  # of one message, one a generator
    options: tuple[OptionTrial, ...]  # of one input, one a generator and option
    wall_time_s: float  # of generating, reading and compiling, without building the generators
    provenance: Provenance = Provenance.MEASURED
