"""The helm 3 that the trap uses: the one on PATH, else one that labkit's Go builds into labkit's store."""

import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from labkit import machine, toolchain
from labkit.system import environment, proc
from labkit.system.store import Store
from labkit.toolchain import golang
from labkit.toolchain.pins import PluginTool, named
from labkit.traps.parts import find

_SET = "current"


def pin() -> PluginTool:
    """Return the pinned helm."""
    text = resources.files(__package__).joinpath("helm.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["helm"], PluginTool)


def helm() -> Path | None:
    """Return helm's path: of PATH when it is a helm 3, of labkit's store, or None; it is not built here."""
    found = find("helm")
    if found is not None and _is_3(found):
        return found
    wanted = pin()
    for entry in sorted((Store().root).glob(f"{wanted.name}-{wanted.version}-*")):
        built = entry / "bin" / wanted.name
        if (entry / "recipe.json").is_file() and built.is_file():
            return built
    return None


def build() -> Path:
    """Return a helm that is there, or build the pinned one: minutes, and more on a busy machine.

    Raises:
        ProvisionError: The module is not the pinned one, or the toolchain cannot be had.
        NetworkError: It could not be fetched.

    """
    found = helm()
    if found is not None:
        return found
    platform = toolchain.host_platform(machine.read())
    go = toolchain.program(toolchain.provision(_SET, platform), "go")
    return golang.install(Store(), go, named(_SET).go.version, pin(), platform) / pin().name


def _is_3(program: Path) -> bool:
    # Helm 4 applies on the server's side, which the trap's statements are not about and its stand-in does not know.
    said = proc.run([program, "version", "--short"], env=environment.base(), timeout_s=60, check=False)
    return said.returncode == 0 and said.stdout.startswith("v3.")
