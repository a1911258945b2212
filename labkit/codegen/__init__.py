"""Turns .proto files into Go with a set's protoc and plugins, and proves on a small service that the result works."""

from labkit.codegen.generate import generate
from labkit.codegen.helloworld import (
    MODULE,
    PROTO,
    PROTO_FOLDER,
    build_server,
    call_program,
    call_server,
    generate_helloworld,
    generated_code,
)
from labkit.codegen.tree import generate_tree

__all__ = [
    "MODULE",
    "PROTO",
    "PROTO_FOLDER",
    "build_server",
    "call_program",
    "call_server",
    "generate",
    "generate_helloworld",
    "generate_tree",
    "generated_code",
]
