"""One call of protoc with a set's own plugins, into a folder that appears whole or not at all."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labkit.errors import GenerateError
from labkit.model.codegen import Generated, GeneratedFile
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import file_digest, saying_why
from labkit.toolchain import program

_TIMEOUT_S: Final = 300.0
_PLUGINS: Final = {"go": "protoc-gen-go", "go-grpc": "protoc-gen-go-grpc"}
# Both plugins write their own and protoc's version into the header; the gRPC plugin puts a dash before each.
_MADE_BY: Final = re.compile(r"^//\s+(?:- )?(protoc(?:-gen-[a-z-]+)?)\s+v?(\S+)$", re.MULTILINE)


def generate(toolchain: Toolchain, sources: Sequence[str], *, proto_path: Path, out: Path) -> Generated:
    """Generate Go and gRPC code beside each other, with ``paths=source_relative``.

    Args:
        toolchain: The set whose protoc and plugins do it; plugins are named by path, PATH is not asked.
        sources: The .proto files, relative to ``proto_path``.
        proto_path: The folder of the sources.
        out: The folder to make; one that is there is replaced.

    Raises:
        GenerateError: protoc or a plugin refused; the message holds their own words.

    """
    with saying_why(f"cannot make {out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    command: list[str | Path] = [program(toolchain, "protoc")]
    for name, plugin in _PLUGINS.items():
        command += [
            f"--plugin={plugin}={program(toolchain, plugin)}",
            f"--{name}_out={beside}",
            f"--{name}_opt=paths=source_relative",
        ]
    folder = proto_path.absolute()
    command += [f"--proto_path={folder}", f"--proto_path={toolchain.protoc_include}", *sources]
    try:
        done = proc.run(command, env=base(), timeout_s=_TIMEOUT_S, cwd=folder, check=False)
        if done.returncode != 0:
            raise GenerateError(
                f"protoc failed: {done.first_words()}",
                remedy="mend the .proto file that protoc names, or run `labkit setup` if it names a plugin",
            )
        files = tuple(_look(file, beside) for file in sorted(beside.rglob("*.go")))
        if not files:
            raise GenerateError(
                f"protoc made no Go file from {', '.join(sources)}",
                remedy="give protoc files that hold messages or services",
            )
        with saying_why(f"cannot put the generated code into {out}"):
            if out.exists():
                shutil.rmtree(out)
            beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shown = tuple(str(word).replace(str(beside), str(out)) for word in command)
    return Generated(command=shown, files=files, wall_time_s=done.wall_time_s)


def _look(file: Path, folder: Path) -> GeneratedFile:
    text = file.read_text("utf-8")
    return GeneratedFile(
        path=file.relative_to(folder).as_posix(),
        size_bytes=file.stat().st_size,
        line_count=text.count("\n"),
        sha256=file_digest(file),
        made_by=stamps(text),
    )


def stamps(text: str) -> dict[str, str]:
    """Return the versions that a generated file's header names, without a leading v; {} where it names none."""
    return dict(_MADE_BY.findall(text.split("\npackage ", 1)[0]))
