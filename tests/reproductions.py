"""Failure modes of F01-F48 made for real on Linux amd64: each function breaks something, runs real tools, and mends it.

A reproduction returns what the same command printed in the broken and in the mended state. Nothing here prints a
canned text: compilers, loaders, shells, qemu, protoc, its plugins and Go say what they say. Where nothing is printed
on this system (signatures, a wrong plugin that runs), the *state* is made and `labkit inspect` or the file itself is
asked; that is marked ``state`` and no diagnosis of a text is claimed.

Not here: what needs a Mac's kernel, loader, Gatekeeper, Xcode or Homebrew; ``docs/reproductions.md`` says which.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests import reproduction_binaries as binaries
from tests import reproduction_codegen as codegen
from tests import reproduction_go as go
from tests.reproduction_bench import Bench, Told


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """One failure mode: how it is made, and what its text must and the mended state's must not show."""

    id: str
    how: str
    run: Callable[["Bench"], tuple[Told, Told]]
    shows: str  # a regular expression for the telling line
    state: bool = False  # nothing is printed by itself: a probe shows the state
    slow: bool = False  # downloads or compiles much: only in benchmarks/
    note: str = ""


_NOT_FOUND: Final = r"program not found or is not executable"

REPRODUCTIONS: Final = (
    Reproduction(
        id="F01",
        how="protoc 3.17.3 for osx-aarch_64, which holds x86_64 code",
        run=binaries.intel_under_an_arm_label,
        shows=r"Mach-O: x86_64",
        state=True,
        note="only a Mac prints the symptom; the bytes are those of the published artefact",
    ),
    Reproduction(
        id="F03",
        how="protoc's artefact of a version that has none for osx-aarch_64, through Maven",
        run=go.artefact_not_published,
        shows=r"Could not find artifact com\.google\.protobuf:protoc:exe:osx-aarch_64:3\.5\.1-1",
        slow=True,
    ),
    Reproduction(
        id="F04",
        how="a protoc for macOS on Linux",
        run=binaries.other_systems_protoc,
        shows=r"cannot execute binary file",
        note="the mirror image of Linux's protoc on a Mac",
    ),
    Reproduction(
        id="F05",
        how="a protoc for arm64 Linux on amd64",
        run=binaries.other_processors_protoc,
        shows=r"cannot execute binary file: Exec format error",
    ),
    Reproduction(
        id="F07",
        how="a dynamic arm64 program under qemu-user without a sysroot",
        run=binaries.emulated_without_its_loader,
        shows=r"qemu-aarch64: Could not open '/lib/ld-linux-aarch64\.so\.1': No such file or directory",
    ),
    Reproduction(
        id="F08",
        how="an arm64 protoc-gen-go under qemu-user that reads address 0 at its entry point",
        run=binaries.emulated_plugin_crashes,
        shows=r"qemu: uncaught target signal 11",
        note="the crash is provoked by a changed instruction; qemu and protoc print the text",
    ),
    Reproduction(
        id="F09",
        how="a plugin whose program interpreter (musl's) is not there",
        run=binaries.interpreter_of_another_libc,
        shows=r"sh: .*protoc-gen-go: not found",
    ),
    Reproduction(
        id="F13",
        how="16 bytes of a signed Go program for macOS overwritten by dd",
        run=binaries.page_overwritten,
        shows=r"signature .*(?<!all )\b\d+ of \d+ pages",
        state=True,
        note="only a Mac kills it; that its pages are not as signed is in the bytes",
    ),
    Reproduction(
        id="F17",
        how="a Go program for macOS linked with -B none",
        run=binaries.no_uuid,
        shows=r"missing LC_UUID load command",
        state=True,
        note="only macOS 26's dyld refuses it; that LC_UUID is absent is in the bytes",
    ),
    Reproduction(
        id="F19",
        how="a program whose libprotobuf.so.32 was taken away",
        run=binaries.library_gone,
        shows=r"error while loading shared libraries: libprotobuf\.so\.32",
        note="the ELF loader's words for what dyld calls Library not loaded",
    ),
    Reproduction(
        id="F20", how="no protoc-gen-go on PATH", run=codegen.no_plugin, shows=rf"^protoc-gen-go: {_NOT_FOUND}"
    ),
    Reproduction(
        id="F21",
        how="protoc-gen-go on PATH, protoc-gen-go-grpc not",
        run=codegen.no_second_plugin,
        shows=rf"^protoc-gen-go-grpc: {_NOT_FOUND}",
    ),
    Reproduction(
        id="F22",
        how="go install with GOBIN and another GOARCH",
        run=go.gobin_and_another_architecture,
        shows=r"go: cannot install cross-compiled binaries when GOBIN is set",
    ),
    Reproduction(
        id="F28",
        how="a C compiler's name that begins with a line of xcodebuild's log",
        run=go.compiler_is_a_date,
        shows=r'cgo: C compiler "2022-09-07" not found',
        note="CC is set to what xcrun printed in the report; Go prints the text",
    ),
    Reproduction(
        id="F29",
        how="GOROOT of another version of Go",
        run=go.goroot_of_another_go,
        shows=r'compile: version "go[\d.]+" does not match go tool version "go[\d.]+"',
    ),
    Reproduction(
        id="F30", how="--go_out=plugins=grpc:", run=codegen.old_flags, shows=r"plugins are not supported; use"
    ),
    Reproduction(
        id="F31",
        how="a proto without go_package",
        run=codegen.no_go_package,
        shows=r"unable to determine Go import path",
    ),
    Reproduction(
        id="F32", how='go_package = "hello"', run=codegen.bare_go_package, shows=r"must contain at least one period"
    ),
    Reproduction(
        id="F33",
        how="protoc-gen-go-grpc asked for at a version of grpc",
        run=go.plugin_version_of_the_runtime,
        shows=r"module google\.golang\.org/grpc@v1\.32\.0 found, but does not contain package",
        slow=True,
    ),
    Reproduction(
        id="F34",
        how="code of the current protoc-gen-go-grpc in a module with grpc 1.63.2",
        run=go.plugin_newer_than_grpc,
        shows=r"undefined: grpc\.SupportPackageIsVersion9",
        slow=True,
    ),
    Reproduction(
        id="F35",
        how="go install without a version outside a module",
        run=go.install_without_a_version,
        shows=r"'go install' requires a version when current directory is not in a module",
    ),
    Reproduction(
        id="F36",
        how="protoc copied without its include folder",
        run=codegen.no_include,
        shows=r"google/protobuf/timestamp\.proto: File not found",
    ),
    Reproduction(
        id="F37",
        how="proto3 optional with protoc 3.14.0",
        run=codegen.old_protoc_and_optional,
        shows=r"--experimental_allow_proto3_optional was not set",
    ),
    Reproduction(
        id="F38",
        how="proto3 optional with protoc-gen-go 1.3.5",
        run=codegen.old_plugin_and_optional,
        shows=r"hasn't been updated to support optional fields in proto3",
    ),
    Reproduction(
        id="F39",
        how="one proto generated into two packages of one program",
        run=go.registered_twice,
        shows=r'panic: proto: file "hello\.proto" is already registered',
    ),
    Reproduction(
        id="F40",
        how="--plugin=go=NEW with protoc-gen-go 1.3.5 on PATH",
        run=codegen.plugin_option_ignored,
        shows=r"^0$",
        state=True,
        note="nothing is printed; 1.3.5 leaves no line with its version in what it generates",
    ),
    Reproduction(
        id="F41",
        how="code generated by protoc 29.3, generated again by 30.2",
        run=codegen.stamps_differ,
        shows=r"^[-+]// \tprotoc +v5\.29\.3",
    ),
    Reproduction(
        id="F42",
        how="protoc 30.2 with the Rust crate protobuf-build 0.14.1, which wants 3.x",
        run=codegen.version_scheme,
        shows=r"The system `protoc` version mismatch, require >= 3\.1\.0, got 30\.2\.x",
        slow=True,
    ),
    Reproduction(
        id="F43",
        how="protoc 3.20.1 before the one that belongs to the C++ headers (Debian's 3.21.12)",
        run=codegen.older_protoc_first,
        shows=r"This file was generated by an older version of protoc",
        slow=True,
    ),
    Reproduction(
        id="F44",
        how="a module proxy at a closed loopback port",
        run=go.proxy_unreachable,
        shows=r"dial tcp 127\.0\.0\.1:1: connect: connection refused",
    ),
    Reproduction(
        id="F45",
        how="a toolchain line in go.mod, read by Go 1.20.14",
        run=go.old_go_and_toolchain_line,
        shows=r"unknown directive: toolchain",
        slow=True,
    ),
    Reproduction(
        id="F46",
        how="-static for macOS, by LLVM's driver and linker for it",
        run=binaries.static_on_darwin,
        shows=r"library not found for -lcrt0\.o",
        slow=True,
        note="Apple's linker and SDK are not here; clang for macOS asks for crt0.o all the same",
    ),
)

_MAC: Final = "only macOS prints it"
#: Why the rest is not reproduced: nothing is said of them here but what others reported.
NOT_REPRODUCED: Final = {
    "F02": f"{_MAC}: errno 86 does not exist on Linux, where Java hands such a file to a shell instead",
    "F06": "needs Rosetta for Linux, which runs in virtual machines on a Mac",
    "F10": "needs Gatekeeper",
    "F11": "needs Gatekeeper and Apple's notarisation service",
    "F12": "needs the macOS kernel's memory of an inode's pages; the file itself is sound, so bytes show nothing",
    "F14": "needs a strip that leaves an old signature: GNU strip refuses Mach-O, llvm-strip 14 signs anew",
    "F15": "needs Apple's install_name_tool of that time: llvm-install-name-tool 14 signs anew",
    "F16": "has no known cause to bring about",
    "F18": "needs macOS 15's local network privacy; that LC_UUID is absent is F17's state",
    "F23": "needs Rosetta 2 and a Mac",
    "F24": "needs Apple's linker and its SDK",
    "F25": "needs Homebrew on a Mac",
    "F26": "needs xcrun",
    "F27": "needs Xcode's clang with its licence not accepted",
    "F47": "the tool that printed it was found in no package registry; labkit itself refuses a pin without a hash",
    "F48": "nothing is printed, and the tool that skips fetches from where no package registry leads",
}


def telling_line(reproduction: Reproduction, told: Told) -> str:
    """Return the first line of a text that shows the failure mode; raises AssertionError when none does."""
    found = re.search(reproduction.shows, told.text, re.MULTILINE)
    assert found is not None, f"{told.command} printed:\n{told.text}"
    end = told.text.find("\n", found.end())
    start = told.text.rfind("\n", 0, found.end()) + 1
    return told.text[start : end if end >= 0 else None].strip()
