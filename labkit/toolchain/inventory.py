"""The host's own tools and settings, looked at and not judged: which go, protoc and plugins there are, and which win.

Nothing is changed and no network is used: binaries are read, small questions are asked of them in parallel, Go's
settings are read from the environment, from the file of ``go env -w`` and from the winning go itself.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.binary.libraries import macho_libraries
from labkit.model.base import Text
from labkit.model.binary import Binary, Format, Slice
from labkit.model.host import HostFacts, HostTool
from labkit.model.machine import Machine, System
from labkit.system.environment import host
from labkit.toolchain import go_settings, inventory_macos
from labkit.toolchain.answers import Answer, Memory
from labkit.toolchain.places import Found, find_tools, layout
from labkit.toolchain.project import read_project

_WORKERS: Final = 4
_KEPT: Final = frozenset(
    {
        "PATH", "HOME", "SHELL", "CONDA_PREFIX", "HOMEBREW_PREFIX", "VIRTUAL_ENV", "CC", "CXX", "DEVELOPER_DIR",
        "SDKROOT", "XDG_CONFIG_HOME",
    }
)  # fmt: skip
_SYSTEM_LIBRARIES: Final = ("/usr/lib/", "/System/Library/", "/System/iOSSupport/")
_BINFMT: Final = "proc/sys/fs/binfmt_misc"


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """What looking at one file needs to know of the whole."""

    machine: Machine
    root: Path
    pages: bool
    quarantined: dict[Path, bool] | Text
    shadowed: Mapping[Path, tuple[str, ...]]  # of each winner
    memory: Memory

    @property
    def macos(self) -> bool:
        return self.machine.system is System.MACOS


def take_inventory(
    machine: Machine,
    *,
    root: Path = Path("/"),
    environ: Mapping[str, str] | None = None,
    project: Path | None = None,
    pages: bool | None = None,
    memory: Memory | None = None,
    own: Sequence[Path] = (),
) -> HostFacts:
    """Return what is known of the host's tools and settings now.

    Args:
        machine: Who the host is; a Mac's own tools are asked only there.
        root: The folder that stands for /, below which the usual places and the system's tools lie.
        environ: The user's environment; this process's own when None.
        project: A folder to look at too (go.mod, build files); none when None.
        pages: Whether signed pages are hashed; None: on a Mac.
        memory: What unchanged tools answered before; labkit's own memory when None.
        own: Folders of the tools in labkit's store.

    """
    environ = host() if environ is None else environ
    memory = Memory.of_labkit() if memory is None else memory
    missing: dict[str, Text] = {}
    macos = machine.system is System.MACOS
    env_file = go_settings.env_file(environ, machine.system)
    written = go_settings.read_env_file(env_file)
    where = layout(environ, written, root)
    found = find_tools(where, own)
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        developer_soon = pool.submit(inventory_macos.developer, root=root) if macos else None
        winners = _winners(found)
        go_env_soon = pool.submit(go_settings.ask_env, winners.get("go"), environ)
        scene = _Scene(
            machine=machine,
            root=root,
            pages=macos if pages is None else pages,
            quarantined=inventory_macos.quarantined([each.path for each in found], root=root) if macos else {},
            shadowed={path: _shadowed(name, path, found) for name, path in winners.items()},
            memory=memory,
        )
        tools = tuple(pool.map(lambda each: _look(each, scene), found))
        go_env = go_env_soon.result()
        developer = developer_soon.result() if developer_soon else inventory_macos.Developer()
    memory.keep()
    if isinstance(go_env, Text):
        missing["go_env"] = go_env
        go_env = {}
    if developer.missing is not None:
        missing["developer_folder" if developer.folder is None else "clang_path"] = developer.missing
    goroot = environ.get("GOROOT") or written.get("GOROOT")
    return HostFacts(
        machine=machine,
        path=tuple(folder for folder in environ.get("PATH", "").split(os.pathsep)),
        tools=tools,
        environment={name: value for name, value in sorted(environ.items()) if _is_kept(name)},
        go_env=go_env,
        go_env_file=str(env_file) if env_file else None,
        go_env_written=written,
        developer_folder=developer.folder,
        homebrew_prefixes=tuple(
            f"/{prefix}" for prefix in ("opt/homebrew", "usr/local") if os.path.lexists(root / prefix / "bin/brew")
        ),
        conda_prefix=str(where.conda) if where.conda else None,
        missing=missing,
        goroot_version=go_settings.goroot_version(goroot, missing) if goroot else None,
        translators=() if macos else _translators(root),
        clang_path=developer.clang_path,
        clang_exit_code=developer.clang_exit_code,
        clang_said=developer.clang_said,
        project=read_project(project) if project is not None else None,
    )


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(("GO", "CGO_"))


def _winners(found: Sequence[Found]) -> dict[str, Path]:
    winners: dict[str, Path] = {}
    for each in found:
        if each.on_path and each.executable:
            winners.setdefault(each.name, each.path)
    return winners


def _shadowed(name: str, winner: Path, found: Sequence[Found]) -> tuple[str, ...]:
    """Return the later ones of a name on PATH that are other files than the winner."""
    real = os.path.realpath(winner)
    return tuple(
        str(each.path)
        for each in found
        if each.name == name and each.on_path and each.executable and os.path.realpath(each.path) != real
    )


def _translators(root: Path) -> tuple[str, ...]:
    # Each enabled entry of binfmt_misc is a file; https://docs.kernel.org/admin-guide/binfmt-misc.html
    try:
        names = sorted(entry.name for entry in (root / _BINFMT).iterdir())
    except OSError:
        return ()
    return tuple(name for name in names if name.startswith(("qemu-", "rosetta")))


def _look(found: Found, scene: _Scene) -> HostTool:
    missing: dict[str, Text] = {}
    read = binary.inspect(found.path, pages=scene.pages, machines=())
    quarantined = _quarantined(found.path, scene, missing)
    answer = _asked(found, scene, missing, quarantined=bool(quarantined))
    own = _own_slice(read, scene.machine)
    macho = read.format is Format.MACHO and own is not None
    if not macho:
        reason = (
            Text(id="host.why.unreadable", values={"what": read.error}) if read.error else Text(id="host.why.no_macho")
        )
        missing |= dict.fromkeys(("signature", "bad_pages", "has_uuid"), reason)
    elif own is not None and own.signature.bad_pages is None:
        missing["bad_pages"] = Text(id="host.why.not_hashed")
    include = _include(found) if found.name == "protoc" else None
    if include is None:
        missing["include"] = Text(id="host.why.no_include" if found.name == "protoc" else "host.why.no_protoc")
    if read.go is None:
        missing |= dict.fromkeys(("go_version", "module"), Text(id="host.why.no_go_program"))
    main = read.go.main if read.go else None
    gone, damaged = _libraries(read, own, scene) if macho and scene.macos else ((), ())
    return HostTool(
        name=found.name,
        path=str(found.path),
        real_path=os.path.realpath(found.path),
        place=found.place,
        wins=found.path in scene.shadowed,
        shadows=scene.shadowed.get(found.path, ()),
        format=read.format,
        architectures=tuple(dict.fromkeys(piece.architecture for piece in read.slices)),
        signature=own.signature.kind if macho and own else None,
        bad_pages=own.signature.bad_pages if macho and own else None,
        has_uuid=own.uuid is not None if macho and own else None,
        missing_libraries=gone,
        missing_interpreter=_missing_interpreter(read, own, scene),
        quarantined=quarantined,
        reported=answer.reported,
        version=answer.version,
        go_version=read.go.version if read.go else None,
        module=f"{main.path}@{main.version}" if main else None,
        error=answer.error or read.error,
        include=include,
        missing=missing,
        executable=found.executable,
        on_path=found.on_path,
        signal=answer.signal,
        damaged_libraries=damaged,
    )


def _own_slice(read: Binary, machine: Machine) -> Slice | None:
    """Return the slice that this machine would take: its own architecture's, else the first."""
    own = [each for each in read.slices if each.architecture.startswith(machine.architecture)]
    return next(iter(own or read.slices), None)


def _quarantined(path: Path, scene: _Scene, missing: dict[str, Text]) -> bool | None:
    if not scene.macos:
        missing["quarantined"] = Text(id="host.why.no_macos")
        return None
    if isinstance(scene.quarantined, Text):
        missing["quarantined"] = scene.quarantined
        return None
    return scene.quarantined.get(path, False)


def _asked(found: Found, scene: _Scene, missing: dict[str, Text], *, quarantined: bool) -> Answer:
    # macOS answers the start of a quarantined program with a dialog; an artefact of Maven's is never run by hand.
    why = "quarantined" if quarantined else None if found.executable else "no_executable"
    if why is None and found.on_path is False and found.path.suffix == ".exe":
        why = "artefact"
    if why is not None:
        missing |= dict.fromkeys(("reported", "version"), Text(id=f"host.why.{why}"))
        return Answer(reported=None, version=None, error=None)
    answer = scene.memory.ask(found.name, found.path)
    if answer.error is not None:
        reason = Text(id="host.why.said", values={"tool": found.name, "what": answer.error})
        missing |= {name: reason for name in ("reported", "version") if getattr(answer, name) is None}
    return answer


def _include(found: Found) -> str | None:
    # protoc looks beside its real file, then in include/ beside that folder: AddDefaultProtoPaths in
    # https://github.com/protocolbuffers/protobuf/blob/v30.2/src/google/protobuf/compiler/command_line_interface.cc
    folder = Path(os.path.realpath(found.path)).parent
    for place in (folder, folder.parent / "include"):
        if (place / "google/protobuf/descriptor.proto").is_file():
            return str(place)
    return None


def _libraries(read: Binary, own: Slice | None, scene: _Scene) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the libraries that a Mach-O program needs and that are gone, and those whose signed pages differ."""
    if own is None:
        return (), ()
    places = macho_libraries(read.path, own, _SYSTEM_LIBRARIES)
    gone, damaged = list(places.missing), []
    for name in places.elsewhere:
        if not name.startswith("/"):
            continue
        path = scene.root / name.lstrip("/")
        if not path.exists():
            gone.append(name)
        elif scene.pages:
            piece = _own_slice(binary.inspect(path, machines=()), scene.machine)
            if piece is not None and piece.signature.bad_pages:
                damaged.append(name)
    return tuple(gone), tuple(damaged)


def _missing_interpreter(read: Binary, own: Slice | None, scene: _Scene) -> str | None:
    # A Mach-O's is dyld, which lies in the system's cache of libraries rather than in a file of its own.
    if own is None or own.interpreter is None or read.format is not Format.ELF or scene.macos:
        return None
    return None if (scene.root / own.interpreter.lstrip("/")).exists() else own.interpreter
