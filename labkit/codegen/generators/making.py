"""One .proto through one generator: made, or refused in the tool's own words; nothing is judged here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.codegen.generators.pinned import NAME, Built
from labkit.model.generators import GeneratorInput
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain import program

PROTOS: Final = Path(__file__).parent / "protos"
#: The Go import path that each .proto's go_package begins with.
MODULE: Final = "labkit.dev/generators"
_BESIDE: Final = "paths=source_relative"
_GRPC: Final = "plugins=grpc"
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Made:
    """What one call of protoc left: one Go file, or its words."""

    file: Path | None
    said: str | None


def inputs() -> tuple[GeneratorInput, ...]:
    """Return every shipped .proto by name, and the service once more with the first generator's own gRPC option."""
    found = []
    for file in sorted(PROTOS.glob("*.proto")):
        lines = file.read_text("utf-8").count("\n")
        found.append(GeneratorInput(name=file.stem, proto=file.name, option="", line_count=lines))
        if file.stem == "services":
            name = f"{file.stem} {_GRPC}"
            found.append(GeneratorInput(name=name, proto=file.name, option=_GRPC, line_count=lines))
    return tuple(found)


def make(toolchain: Toolchain, generator: Built, what: GeneratorInput, folder: Path) -> Made:
    """Generate an input into a folder of its own, ``paths=source_relative``."""
    options = f"{_BESIDE},{what.option}" if what.option else _BESIDE
    return make_with(toolchain, generator, what.proto, options, folder)


def make_with(toolchain: Toolchain, generator: Built, proto: str, options: str, folder: Path) -> Made:
    """Generate a shipped .proto with the generator's options as they are given, empty for none.

    Raises:
        ProcessError: protoc could not be started.

    """
    folder.mkdir(parents=True)
    command: list[str | Path] = [
        program(toolchain, "protoc"),
        f"--plugin={NAME}={generator.path}",
        f"--go_out={folder}",
        *([f"--go_opt={options}"] if options else []),
        f"--proto_path={PROTOS}",
        f"--proto_path={toolchain.protoc_include}",
        proto,
    ]
    done = proc.run(command, env=base(), timeout_s=_TIMEOUT_S, cwd=PROTOS, check=False)
    if done.returncode != 0:
        return Made(file=None, said=_words(done.stderr or done.stdout))
    files = sorted(folder.rglob("*.go"))
    # A plugin may end well and say nothing although it made nothing.
    return Made(file=files[0], said=None) if len(files) == 1 else Made(file=None, said=f"{len(files)} files made")


def _words(said: str) -> str:
    # The first line says it; what follows repeats that the plugin failed, or links to a manual. Go's protobuf puts a
    # no-break space into some of its errors, so that nobody compares them (internal/detrand); here they are compared.
    return said.strip().split("\n", 1)[0].replace("\xa0", " ").strip().removesuffix("--go_out:")
