"""What checks try with Go and protoc: install, build, generate, each in a scratch folder of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.claims.facts import ClaimFacts
from labkit.codegen.generators.pinned import pinned
from labkit.errors import ProcessError
from labkit.model.base import Record
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store, home
from labkit.toolchain import find, golang, program

#: The message and the service that are generated where a check says nothing else.
PROTO = """syntax = "proto3";
package hello;
{option}
message HelloRequest {{ string name = 1; }}
message HelloReply {{ string message = 1; }}
service Greeter {{ rpc SayHello (HelloRequest) returns (HelloReply) {{}} }}
"""
GO_PACKAGE = "labkit.dev/hello"
_INSTALL_TIMEOUT_S = 600.0
#: The generator before the handbook's own among those that labkit compares.
OLDER_GENERATOR = "1.28.1"


class Tried(Record, frozen=True, kw_only=True):
    """A command that was run, how it ended, what it said, and the files that are there afterwards."""

    line: str
    code: int
    said: str
    files: tuple[str, ...] = ()

    @property
    def ended(self) -> str:
        """How it ended, in words."""
        return proc.describe_exit(self.code)

    def first(self) -> str:
        """Return the first line that it said."""
        return next((line.strip() for line in self.said.splitlines() if line.strip()), "-")


def go(facts: ClaimFacts, *words: str, cwd: Path, version: str = "", **variables: str) -> Tried:
    """Run a go command in labkit's own environment, with the module cache that is there; a failure is an answer."""
    return started(facts.go(version), *words, cwd=cwd, variables=variables, line="go")


def started(path: Path, *words: str, cwd: Path, variables: Mapping[str, str], line: str) -> Tried:
    """Run a go executable in labkit's own environment."""
    done = proc.run(
        [path, *words],
        env=golang.environment(path) | dict(variables),
        timeout_s=_INSTALL_TIMEOUT_S,
        cwd=cwd,
        check=False,
    )
    shown = " ".join([*(f"{key}={value}" for key, value in variables.items() if key in _SHOWN), line, *words])
    return Tried(line=shown, code=done.returncode, said=(done.stderr + done.stdout).strip())


_SHOWN = frozenset({"GOOS", "GOARCH", "CGO_ENABLED", "GOARM"})


def install(
    facts: ClaimFacts, what: str, root: Path, *, version: str = "", **variables: str
) -> tuple[Tried, Path | None]:
    """Run ``go install`` of a package at a version into a GOPATH of its own; return also the program, None without one.

    Args:
        facts: The checks' facts.
        what: Such as example.com/tool@v1.0.0.
        root: The GOPATH; modules come from the cache that is there.
        version: Of Go; the current set's when empty.
        variables: Such as GOOS.

    """
    root.mkdir(parents=True, exist_ok=True)
    cache = str(home() / "go" / "mod")
    tried = go(
        facts, "install", "-trimpath", what, cwd=root, version=version, GOPATH=str(root), GOMODCACHE=cache, **variables
    )
    name = what.partition("@")[0].rpartition("/")[2]
    made = sorted(each for each in (root / "bin").rglob(name) if each.is_file())
    return tried, made[0] if made else None


def protoc(
    facts: ClaimFacts,
    words: Sequence[str],
    files: Mapping[str, str],
    folder: Path,
    *,
    path: Sequence[Path] = (),
    own: Path | None = None,
) -> Tried:
    """Run the handbook set's protoc in a folder with some files; plugins are what ``path`` holds.

    Args:
        facts: The checks' facts.
        words: Its arguments.
        files: The texts of files to make, by name.
        folder: To make and to run in.
        path: Folders of PATH before the system's own.
        own: Another protoc.

    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    program_ = own or tool_of_set(facts, "protoc")
    folders = ":".join([*map(str, path), "/usr/bin", "/bin"])
    done = proc.run([program_, *words], env=base(path=folders), timeout_s=60, cwd=folder, check=False)
    made = tuple(
        sorted(
            each.relative_to(folder).as_posix()
            for each in folder.rglob("*")
            if each.is_file() and each.name not in files
        )
    )
    return Tried(
        line=" ".join(["protoc", *words]), code=done.returncode, said=(done.stderr + done.stdout).strip(), files=made
    )


def asked(path: Path, *words: str) -> Tried:
    """Run a program that may not start at all; why it does not is then its answer."""
    line = " ".join([path.name, *words])
    try:
        done = proc.run([path, *words], env=base(), timeout_s=60, cwd=Path("/"), check=False)
    except ProcessError as error:
        return Tried(line=line, code=126, said=error.what)
    return Tried(line=line, code=done.returncode, said=(done.stdout + done.stderr).strip())


def tool_of_set(facts: ClaimFacts, name: str, set_name: str = "handbook") -> Path:
    """Return a tool of a set, or what a test has put in its place under ``<set>:<name>``."""
    own = facts.replaced_tool(f"{set_name}:{name}")
    return own or program(facts.set_facts(set_name).toolchain, name)


def generator(facts: ClaimFacts, version: str) -> Path:
    """Return a protoc-gen-go of another day, built by the current set's Go; a test's own under ``generator:<version>``.

    Raises:
        NetworkError: It is not here and could not be fetched.

    """
    own = facts.replaced_tool(f"generator:{version}")
    if own is not None:
        return own
    tools = facts.lab.toolchain
    pin = next(each.tool for each in pinned() if each.tool.version == version)
    go_ = find(tools, "go")
    return golang.install(Store(), Path(go_.path), go_.pinned_version, pin, tools.platform) / pin.name


def plugins(facts: ClaimFacts, folder: Path, **paths: Path) -> Path:
    """Return a folder with both plugins of the handbook's set, or others in their place, to be put on PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("protoc-gen-go", "protoc-gen-go-grpc"):
        (folder / name).symlink_to(paths.get(name.replace("-", "_")) or tool_of_set(facts, name))
    return folder


def proto(go_package: str | None = GO_PACKAGE) -> str:
    """Return a .proto with a go_package, or without one."""
    return PROTO.format(option="" if go_package is None else f'option go_package = "{go_package}";')
