"""Fetches a pinned wheel with pip, checked against its hash, and unpacks it into the store.

The wheel's platform is named by the hardware, not by the running Python: under Rosetta an x86_64 Python would choose
the x86_64 wheel. pip's ``--platform`` is taken literally, so each pin carries the tag of its own wheel.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from labkit.errors import NetworkError, ProcessError, ProvisionError
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain.pins import WheelTool, as_recipe

_TIMEOUT_S: Final = 900.0

# How the user reaches a package index, not where pip puts things.
_PIP_SETTINGS: Final = (
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT", "PIP_TRUSTED_HOST",
)  # fmt: skip


def obtain(store: Store, name: str, pin: WheelTool, platform: str, *, begin: Callable[[], None] = lambda: None) -> Path:
    """Return the folder of an unpacked wheel, fetched when the store lacks it.

    Args:
        store: Where it is kept.
        name: The tool's name, go or protoc.
        pin: Its pin.
        platform: Go's name of the platform, such as darwin/arm64.
        begin: Called before it is fetched, not when it is there.

    Raises:
        ProvisionError: There is no wheel for the platform, or what came does not have the pinned hash.
        NetworkError: It could not be fetched.

    """
    wheel = pin.wheels.get(platform.replace("/", "-"))
    if wheel is None:
        raise ProvisionError(
            f"{pin.project} {pin.version} has no wheel for {platform}",
            remedy=f"install {name} {pin.version} yourself and put it on PATH; labkit then uses it",
        )

    def fetch(folder: Path) -> Path:
        begin()
        # pip's scratch lies within the half-made entry, so that nothing is left elsewhere when it is killed.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            wanted = Path(scratch) / "wanted.txt"
            wanted.write_text(f"{pin.project}=={pin.version} --hash=sha256:{wheel.sha256}\n")
            _pip(pin, wheel.tag, wanted, folder / "tree")
        if not (folder / "tree" / pin.executable).is_file():
            raise ProvisionError(
                f"the wheel of {pin.project} {pin.version} holds no {pin.executable}", remedy="mend the pin's path"
            )
        if Path(pin.executable).parts[0] != "bin":  # pip's launchers, which name this interpreter
            shutil.rmtree(folder / "tree" / "bin", ignore_errors=True)
        return folder / "tree" / pin.executable

    recipe = {"kind": "wheel", "project": pin.project, "version": pin.version, "wheel": as_recipe(wheel)}
    return store.obtain(f"{name}-{pin.version}", recipe, fetch, held=True) / "tree"


def newest(project: str) -> str:
    """Return the newest version of a project that the package index has for this machine.

    Raises:
        NetworkError: The index gave no answer.

    """
    try:
        done = proc.run(
            [sys.executable, "-m", "pip", "index", "versions", project, "--only-binary", ":all:"],
            env=_pip_environment(),
            timeout_s=30,
        )
    except ProcessError as error:
        raise NetworkError(
            f"the package index gave no versions of {project}", remedy="try again with a network"
        ) from error
    return done.stdout.split("(", 1)[1].split(")", 1)[0]


def _pip_environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PIP_SETTINGS if name in os.environ}
    return base(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PYTHONUTF8="1", **passed)


def _pip(pin: WheelTool, tag: str, wanted: Path, target: Path) -> None:
    command: list[str | Path] = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--require-hashes",
        "--only-binary", ":all:", "--progress-bar", "off", "--platform", tag, "--target", target, "-r", wanted,
    ]  # fmt: skip
    environ = _pip_environment() | {"TMPDIR": str(wanted.parent)}
    done = proc.run(command, env=environ, timeout_s=_TIMEOUT_S, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if "DO NOT MATCH THE HASHES" in said:
        raise ProvisionError(
            f"the wheel of {pin.project} {pin.version} that was downloaded does not have the pinned hash; "
            "nothing was installed",
            remedy="do not use this package source: compare its wheel with another source, and clear pip's cache",
        )
    if "No module named pip" in said:
        raise ProvisionError(
            f"{sys.executable} has no pip, which fetches {pin.project}", remedy=f"{sys.executable} -m ensurepip"
        )
    raise NetworkError(
        f"{pin.project} {pin.version} could not be fetched: {done.last_words(2)}",
        remedy=f"connect to the network or set PIP_INDEX_URL to your mirror, or install version {pin.version} yourself "
        "and put it on PATH; labkit then uses it",
    )
