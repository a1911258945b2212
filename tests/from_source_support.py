"""A tiny C++ project in an archive laid out as the crates are, and a build of it in this process or in one to kill."""

import hashlib
import io
import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from labkit import machine
from labkit.system.progress import steps
from labkit.toolchain.pins import WheelTool
from labkit.toolchain.source import Wish
from labkit.toolchain.source.build import Built, obtain
from labkit.toolchain.source.pins import SourcePin

LABEL = "tiny-src-1.0.0+2.3"
FILES: Mapping[str, str] = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.16)
project(tiny CXX)
add_library(first STATIC one.cc two.cc)
add_executable(tiny main.cc slow.cc)
target_link_libraries(tiny first)
# So that the order is known: slow.cc is compiled when first is whole, main.cc after it.
set_source_files_properties(slow.cc PROPERTIES OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/libfirst.a)
set_source_files_properties(main.cc PROPERTIES OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/CMakeFiles/tiny.dir/slow.cc.o)
""",
    "one.cc": "int one() { return 1; }\n",
    "two.cc": "int two() { return 2; }\n",
    "slow.cc": "int slow() { return 3; }\n",
    "main.cc": """\
#include <cstdio>
int one(); int two(); int slow();
int main() { std::printf("tiny %d.%d in %s\\n", two(), slow(), one() ? __FILE__ : ""); }
""",
    "src/google/protobuf/any.proto": 'syntax = "proto3";\n',
}
#: Of the whole build: four objects, a library, a program.
STEPS = 6


def archive(path: Path, files: Mapping[str, str] = FILES, *, label: str = LABEL, folder: str = "tiny") -> Path:
    """Write an archive of some files below ``label/folder``."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{label}/{folder}/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def pin_of(file: Path, **more: object) -> SourcePin:
    """Return a pin of an archive as it is."""
    plain = {
        "name": "tiny",
        "version": "2.3",
        "crate": "tiny-src",
        "crate_version": "1.0.0+2.3",
        "released": "2026-01-02",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "origin": "a test",
        "folder": "tiny",
        "target": "tiny",
        "product": "tiny",
        "protos": "src/google/protobuf",
        "include": ["any.proto"],
        "options": {"CMAKE_BUILD_TYPE": "Release"},
    }
    return msgspec.convert(plain | more, SourcePin)


def wish_of(pin: SourcePin, file: Path, **environ: str) -> Wish:
    """Return the wish to build a pin with this machine's own tools, one compiler at a time."""
    tools: dict[str, WheelTool] = {}
    return Wish(pin=pin, machine=machine.read(), environ=dict(os.environ) | environ, tools=tools, jobs=1, archive=file)


def build(pin: SourcePin, file: Path, said: list[str] | None = None, **environ: str) -> Built:
    """Build, keeping what was said."""
    return obtain(wish_of(pin, file, **environ), (said if said is not None else []).append)


if __name__ == "__main__":
    the_archive = Path(sys.argv[1])
    obtain(wish_of(pin_of(the_archive), the_archive, CXX=sys.argv[2]), steps("tiny"))
