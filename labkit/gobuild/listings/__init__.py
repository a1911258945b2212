"""What Go's atomics, barriers, prologues and safe points compile to: our own small program, built and decoded.

:func:`listings` gives the functions of :data:`FUNCTIONS` for each of :data:`TARGETS`. Nothing of what they hold is said
here: it is decoded from what the set's own Go built.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from labkit.binary import instructions
from labkit.binary.reading import MalformedError
from labkit.errors import BuildError
from labkit.gobuild import build
from labkit.gobuild.options import Options
from labkit.model.codegen import Built
from labkit.model.instructions import Census, Listing
from labkit.model.toolchain import Toolchain
from labkit.toolchain import find, golang, program

MODULE: Final = Path(__file__).parent / "sample"
#: (platform, level): GOARM64 is Go's since 1.23, GOAMD64 since 1.18; an older Go has the default alone.
TARGETS: Final = (
    ("linux/arm64", "GOARM64=v8.0"),
    ("linux/arm64", "GOARM64=v8.1"),
    ("darwin/arm64", "GOARM64=v8.0"),
    ("linux/amd64", "GOAMD64=v1"),
    ("linux/amd64", "GOAMD64=v3"),
)
#: Of the sample: what they are for stands in its source.
SAMPLES: Final = (
    "main.CompareAndSwap32", "main.CompareAndSwap64", "main.Add32", "main.Add64", "main.Load32", "main.Load64",
    "main.Store32", "main.Store64", "main.StorePointer", "main.Framed", "main.Leaf", "main.Loop", "main.WidenSigned",
    "main.WidenUnsigned", "main.Narrow", "main.Constant",
)  # fmt: skip
#: Of the runtime that comes with every program.
RUNTIME: Final = (
    "runtime.gcWriteBarrier", "gcWriteBarrier", "runtime.publicationBarrier", "runtime.breakpoint",
    "runtime.asyncPreempt", "runtime.morestack",
)  # fmt: skip
FUNCTIONS: Final = SAMPLES + RUNTIME


def sample(toolchain: Toolchain, platform: str, level: str) -> Built:
    """Return the sample program, built for a platform and level.

    Raises:
        BuildError: It does not compile.

    """
    return build(toolchain, MODULE, ".", name="sample", platform=platform, options=Options(level=level))


def listings(
    toolchain: Toolchain,
    functions: Sequence[str] = FUNCTIONS,
    targets: Sequence[tuple[str, str]] = TARGETS,
) -> tuple[Listing, ...]:
    """Return functions of the sample, decoded, for each target; one that a target does not have is left out.

    A level that this Go does not know is left out too; its platform's default is then listed once, without a level.

    Raises:
        BuildError: The sample does not compile, or its function table is of a Go before 1.18.

    """
    go = program(toolchain, "go")
    version = f"go{find(toolchain, 'go').version}"
    found: list[Listing] = []
    seen: set[tuple[str, str]] = set()
    for platform, wanted in targets:
        level = wanted if _knows(go, wanted) else ""
        if (platform, level) in seen:
            continue
        seen.add((platform, level))
        code = _code(toolchain, platform, level)
        for name in functions:
            function = code.named(name)
            if function is None:
                continue
            found.append(
                Listing(
                    function=name,
                    platform=platform,
                    variant=level,
                    go_version=version,
                    address=function.address,
                    size_bytes=function.size_bytes,
                    instructions=code.decode(function),
                )
            )
    return tuple(found)


def census(toolchain: Toolchain, platform: str, level: str = "") -> Census:
    """Return the counts over the sample's whole text section (:func:`labkit.binary.instructions.count`).

    Raises:
        BuildError: The sample does not compile.

    """
    return instructions.count(Path(sample(toolchain, platform, level).path))


def _code(toolchain: Toolchain, platform: str, level: str) -> instructions.Code:
    path = Path(sample(toolchain, platform, level).path)
    try:
        return instructions.read(path)
    except MalformedError as error:
        raise BuildError(
            f"what Go built for {platform} cannot be decoded: {error}", remedy="use a set with Go 1.18 or later"
        ) from error


@cache
def _knows(go: Path, level: str) -> bool:
    # `go env` prints nothing for a variable that this Go does not know, whatever the environment says.
    name = level.partition("=")[0]
    architecture = name.removeprefix("GO").lower()
    answer = golang.run(go, "env", name, cwd=Path("/"), GOARCH=architecture)
    return bool(answer.stdout.strip())
