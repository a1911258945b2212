"""The proof of a set: the helloworld service is generated, compiled, started, and called over loopback.

The Go module lies beside this file without generated code; what a set generates is laid over it when it is built, so
that the server which answers is made of exactly that code. Its go.mod requires the current set's runtime modules;
``hello_sets/NAME`` holds those of another set (:func:`labkit.gobuild.module_files`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.generate import generate
from labkit.errors import BuildError
from labkit.gobuild import build_own
from labkit.model.codegen import Built, Generated, Served
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base

#: The Go module, and the service's definition in it.
MODULE: Final = Path(__file__).parent / "hello"
PROTO_FOLDER: Final = MODULE / "proto"
PROTO: Final = "helloworld.proto"
_START_TIMEOUT_S: Final = 30.0


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the client prints."""

    method: str
    request: str
    reply: str
    call_time_ns: int


def generate_helloworld(toolchain: Toolchain, out: Path) -> Generated:
    """Generate the service with the usual flags into ``out``.

    Raises:
        GenerateError: protoc or a plugin refused.

    """
    return generate(toolchain, [PROTO], proto_path=PROTO_FOLDER, out=out)


def build_server(
    toolchain: Toolchain,
    generated: Generated,
    folder: Path,
    platform: str | None = None,
    *,
    begin: Callable[[], None] = lambda: None,
) -> Built:
    """Build server and client, one program, from what was generated into ``folder``.

    ``begin`` is called before it is compiled, not when it comes from the store.

    Raises:
        BuildError: The generated code does not compile against the set's runtime modules.
        NetworkError: A module could not be fetched.

    """
    code = generated_code(generated, folder)
    return build_own(toolchain, MODULE, ".", name="hello", generated=code, platform=platform, begin=begin)


def generated_code(generated: Generated, folder: Path) -> dict[str, Path]:
    """Return what was generated into ``folder``, by its path in the module."""
    return {f"pb/{file.path}": folder / file.path for file in generated.files}


def call_server(server: Built, *, name: str = "labkit") -> Served:
    """Start the server on a free port of 127.0.0.1, call it from a second process, and stop it.

    Raises:
        BuildError: The server does not start, or answers nothing that the client understands.

    """
    return call_program([server.path], name=name)


def call_program(start: Sequence[str | Path], *, name: str = "labkit") -> Served:
    """As :func:`call_server`, with the words that start the program, such as an emulator before it.

    Raises:
        BuildError: The server does not start, or answers nothing that the client understands.
        ProcessError: The program could not be started.

    """
    remedy = "read the server's output in the log (labkit -v)"
    with proc.start([*start, "serve"], env=base()) as running:
        address = running.wait_for(r"^listening on (127\.0\.0\.1:\d+)$", timeout_s=_START_TIMEOUT_S, remedy=remedy)
        done = proc.run([*start, "call", address.group(1), name], env=base(), timeout_s=_START_TIMEOUT_S, remedy=remedy)
    try:
        reply = msgspec.json.decode(done.stdout_bytes, type=_Reply)
    except msgspec.DecodeError as error:
        raise BuildError(f"the client of the generated service printed {done.stdout!r}", remedy=remedy) from error
    return Served(
        method=reply.method,
        request=reply.request,
        reply=reply.reply,
        expected_reply=f"Hello, {name}!",
        call_time_s=reply.call_time_ns / 1e9,
    )
