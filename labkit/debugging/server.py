"""The generated gRPC server as a thing to debug: built with ``-N -l``, its sources, its places and its call."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit import codegen, gobuild, toolchain
from labkit.debugging.program import Program
from labkit.debugging.session import Call, Dlv, Place
from labkit.errors import BuildError
from labkit.facts import Facts
from labkit.model.codegen import Built
from labkit.toolchain import find, golang

Progress = Callable[[str], None]

#: What a debugger wants of the compiler: no optimization, no inlining.
OPTIONS: Final = gobuild.Options(gcflags="all=-N -l")
#: What ``-trimpath`` calls the module's folder.
MODULE: Final = "labkit.dev/hello"
NAME: Final = "labkit"
HANDLER: Final = "main.greeter.Greet"
DISPATCH: Final = f"{MODULE}/pb._Greeter_Greet_Handler"
GETTER: Final = f"{MODULE}/pb.(*GreetRequest).GetName"
_PLACES: Final = (
    ("dispatch", "pb/helloworld_grpc.pb.go", r"^func _Greeter_Greet_Handler\(", ()),
    ("handler", "main.go", r"^func \(greeter\) Greet\(", ("request.Name",)),
    ("getter", "pb/helloworld.pb.go", r"^func \(x \*GreetRequest\) GetName\(", ("x.Name",)),
)


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server, built for a debugger."""

    program: Program
    sources: Path  # a folder that holds the module's files
    places: tuple[Place, ...]  # in the order in which a call comes to them
    call: Call  # by the same program


def debugger(facts: Facts, *, progress: Progress = lambda _line: None) -> Dlv:
    """Return the set's dlv with the environment that the set's Go runs in; ``progress`` as for a toolchain.

    Raises:
        ProvisionError: It cannot be had.

    """
    given = toolchain.provision(facts.toolchain_name, facts.toolchain.platform, optional=["dlv"], progress=progress)
    tool = find(given, "dlv")
    go = Path(find(given, "go").path)
    return Dlv(path=Path(tool.path), version=tool.version or tool.pinned_version, env=golang.environment(go))


def build(facts: Facts, platform: str | None = None, *, progress: Progress = lambda _line: None) -> Built:
    """Return the server built with :data:`OPTIONS`; ``progress`` gets a line before it is compiled.

    Raises:
        BuildError: It does not compile.

    """
    return gobuild.build_own(
        facts.toolchain,
        codegen.MODULE,
        ".",
        name="hello-debug",
        generated=_code(facts),
        platform=platform,
        options=OPTIONS,
        begin=lambda: progress(f"the generated server for {platform or facts.toolchain.platform}, not optimized"),
    )


def server(facts: Facts, folder: Path, *, progress: Progress = lambda _line: None) -> Server:
    """Build the server for this machine, lay its sources into a folder, and return what to stop at.

    Raises:
        BuildError: It does not compile, or what was generated has no such functions.

    """
    built = build(facts, progress=progress)
    sources = lay_out(facts, folder)
    path = Path(built.path)
    program = Program(path=path, platform=built.platform, go=f"go{find(facts.toolchain, 'go').pinned_version}")
    places = tuple(
        # the first line within, as a person sets it: at the head's own line arguments are still in registers
        Place(name=name, file=str(sources / file), line=line_of(sources / file, head) + 1, expressions=expressions)
        for name, file, head, expressions in _PLACES
    )
    return Server(program=program, sources=sources, places=places, call=Call(words=(built.path, *_ARGUMENTS)))


_ARGUMENTS: Final = ("call", "{address}", NAME)


def lay_out(facts: Facts, folder: Path) -> Path:
    """Copy the module's files, with what was generated and the set's go.mod, into a folder and return it."""
    own = gobuild.files_of(codegen.MODULE) | _code(facts)
    files = own | gobuild.module_files(facts.toolchain, codegen.MODULE, lambda: own)
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    return folder


def line_of(file: Path, head: str) -> int:
    """Return the number of the line where a function's head stands.

    Raises:
        BuildError: There is none.

    """
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if re.search(head, line):
            return number
    raise BuildError(f"{file.name} holds no line like {head}", remedy="this set generates other code: report it")


def _code(facts: Facts) -> dict[str, Path]:
    return codegen.generated_code(facts.generated, facts.generated_folder)
