"""Turns .proto files into Go with a set's protoc and plugins, and proves on a small service that the result works."""

from labkit.codegen.generate import generate
from labkit.codegen.helloworld import PROTO, PROTO_FOLDER, build_server, call_server, generate_helloworld

__all__ = ["PROTO", "PROTO_FOLDER", "build_server", "call_server", "generate", "generate_helloworld"]
