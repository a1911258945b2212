"""What to generate and how: a command's words, or the ``[generate]`` table of a TOML file, checked."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec

from labkit.errors import UsageError
from labkit.model.generation import Inputs, Options, Paths

#: The file that is read when no source is named.
CONFIG: Final = "labkit.toml"
_DOCS: Final = "see docs/codegen.md for what [generate] may hold"
_OURS: Final = frozenset({"paths", "module"})


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[generate]`` as it stands in the TOML file."""

    sources: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...]
    out: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    proto_path: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...] = ()
    paths: Paths | None = None
    module: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    mappings: Mapping[str, str] = {}
    go: bool = True
    go_grpc: bool = msgspec.field(default=True, name="go-grpc")
    go_options: tuple[str, ...] = msgspec.field(default=(), name="go-options")
    go_grpc_options: tuple[str, ...] = msgspec.field(default=(), name="go-grpc-options")
    toolchain: str = "current"


class Settings(msgspec.Struct, frozen=True):
    """What one run is to do."""

    inputs: Inputs
    out: str
    toolchain: str  # the set's name


def from_flags(
    sources: Sequence[str],
    *,
    out: str | None,
    config: Path | None,
    toolchain: str | None,
    proto_path: Sequence[str] = (),
    given: Options | None = None,
) -> Settings:
    """Return what a command's words ask for.

    Args:
        sources: Files and folders; none means those of the TOML file.
        out: The output folder; with a TOML file, instead of the one that stands there.
        config: The TOML file; ``labkit.toml`` here when there are no sources.
        toolchain: The set's name; with a TOML file, instead of the one that stands there.
        proto_path: The import paths.
        given: The options that were given, None when none were.

    Raises:
        UsageError: Words and file contradict each other, or something is missing.

    """
    if sources and config is not None:
        raise UsageError("sources are named both here and by --config", remedy="leave one of the two out")
    if sources:
        if out is None:
            raise UsageError("no output folder is named", remedy="add --out DIR")
        inputs = Inputs(sources=tuple(sources), proto_path=tuple(proto_path), options=given or Options())
        return Settings(inputs, out, toolchain or "current")
    if config is None and not Path(CONFIG).is_file():
        raise UsageError(
            f"no source is named, and there is no {CONFIG} here", remedy="name .proto files or folders, and --out DIR"
        )
    if proto_path or given is not None:
        raise UsageError(
            "import paths and options belong to the sources, which the TOML file names",
            remedy="write them into its table [generate], or name the sources here",
        )
    found = read_config(config or Path(CONFIG))
    where = out or found.out
    if where is None:
        raise UsageError(f"{config or CONFIG} names no output folder", remedy="add out to [generate], or --out DIR")
    return Settings(found.inputs, where, toolchain or found.toolchain)


class Config(msgspec.Struct, frozen=True):
    """A TOML file's ``[generate]``; its paths are taken from the file's own folder."""

    inputs: Inputs
    out: str | None
    toolchain: str


def read_config(file: Path) -> Config:
    """Return what the ``[generate]`` table of a TOML file says.

    Raises:
        UsageError: It cannot be read, or holds what nobody knows.

    """
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("generate")
        if table is None:
            raise UsageError(f"{file} has no table [generate]", remedy=_DOCS)
        found = msgspec.convert(table, _Table)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", remedy="name sources, or a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{file}: [generate]: {error}", remedy=_DOCS) from error
    folder = file.absolute().parent

    def below(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(os.path.normpath(folder / Path(name).expanduser()) for name in names)

    # Without an import path the file's own folder is it: a file in a repository means the same from wherever it is run.
    inputs = Inputs(
        sources=below(found.sources),
        proto_path=below(found.proto_path) or (str(folder),),
        options=options(
            paths=found.paths,
            module=found.module,
            mappings=found.mappings,
            go=found.go,
            go_grpc=found.go_grpc,
            go_options=found.go_options,
            go_grpc_options=found.go_grpc_options,
        ),
    )
    return Config(inputs, below((found.out,))[0] if found.out else None, found.toolchain)


def options(
    *,
    paths: Paths | None = None,
    module: str | None = None,
    mappings: Mapping[str, str] | None = None,
    go: bool = True,
    go_grpc: bool = True,
    go_options: tuple[str, ...] = (),
    go_grpc_options: tuple[str, ...] = (),
) -> Options:
    """Return checked options; ``module`` alone means ``paths=import``, for it cuts Go import paths.

    Raises:
        UsageError: They contradict each other.

    """
    if module is not None and paths is Paths.SOURCE_RELATIVE:
        raise UsageError(
            "module= cuts Go import paths, and paths=source_relative does not use them",
            remedy="take one of the two",
        )
    if not (go or go_grpc):
        raise UsageError("neither protoc-gen-go nor protoc-gen-go-grpc is to run", remedy="leave one of them on")
    bad = [word for pair in (mappings or {}).items() for word in pair if not word or "," in word]
    bad += [word for word in (*go_options, *go_grpc_options) if not word or "," in word or word.split("=")[0] in _OURS]
    bad += [module] if module is not None and (not module or "," in module) else []
    if bad:
        raise UsageError(
            f"{bad[0]!r} cannot be an option here: it is empty, holds a comma, or has an option of its own",
            remedy="give one option at a time; paths, module and M have their own",
        )
    return Options(
        paths=paths or (Paths.SOURCE_RELATIVE if module is None else Paths.IMPORT),
        module=module.rstrip("/") if module is not None else None,
        mappings=dict(sorted((mappings or {}).items())),
        go=go,
        go_grpc=go_grpc,
        go_options=go_options,
        go_grpc_options=go_grpc_options,
    )
