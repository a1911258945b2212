"""What tests need of the machine, and the two kinds of skip.

``missing``: it could be installed; the skip says how, and with ``LABKIT_REQUIRE=all`` it is a failure.
``impossible here``: it needs another system, chip or right; it is listed and counted.
"""

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from labkit.facts import Facts
from labkit.model.traps import ReasonKind
from labkit.toolchain import program as program_of
from labkit.traps.trap import Trap
from labkit.words import render

#: program: (Debian package, Homebrew formula or None)
PACKAGES = {
    "readelf": ("binutils", "binutils"),
    "file": ("file", None),
    "c++": ("g++", None),
    "cmake": ("cmake", "cmake"),
    "ninja": ("ninja-build", "ninja"),
    "gpg": ("gpg", "gnupg"),
    "openssl": ("openssl", "openssl@3"),
    "chromium": ("chromium", None),
    "llvm-readelf": ("llvm", "llvm"),
    "llvm-objdump": ("llvm", "llvm"),
    "llvm-lipo": ("llvm", "llvm"),
    "llvm-mc": ("llvm", "llvm"),
    "qemu-aarch64": ("qemu-user", None),
    "qemu-aarch64-static": ("qemu-user-static", None),
    "npm": ("npm", "node"),
    "mvn": ("maven", "maven"),
    "zsh": ("zsh", "zsh"),
    "mksh": ("mksh", "mksh"),
    "busybox": ("busybox", None),
    "ps": ("procps", None),
    "curl": ("curl", "curl"),
    "promtool": ("prometheus", "prometheus"),
    "prometheus": ("prometheus", "prometheus"),
    "nginx": ("nginx-light", "nginx"),
    "cron": ("cron", None),
    "ipcs": ("util-linux", None),
}


def refused_skip(reason: str) -> str | None:
    """Return why a skip is not accepted here, or None when it is.

    With ``LABKIT_REQUIRE=all`` a skip must say ``impossible here: ...`` and match one of the words that
    ``LABKIT_ACCEPT_IMPOSSIBLE`` names, separated by commas.
    """
    if os.environ.get("LABKIT_REQUIRE") != "all":
        return None
    accepted = [word.strip() for word in os.environ.get("LABKIT_ACCEPT_IMPOSSIBLE", "").split(",") if word.strip()]
    if "impossible here: " in reason and any(word in reason for word in accepted):
        return None
    return f"this skip is not among those that are accepted ({', '.join(accepted) or 'none'}): {reason}"


def missing(what: str, how: str) -> None:
    """Skip the test for something that can be installed, or fail it when everything is required."""
    message = f"missing: {what}; {how}"
    if os.environ.get("LABKIT_REQUIRE") == "all":
        pytest.fail(message)
    pytest.skip(message)


def impossible(why: str) -> None:
    """Skip the test for something that this machine cannot have."""
    pytest.skip(f"impossible here: {why}")


@cache
def provisioned_go() -> Path:
    """Return the go of the current set, which labkit itself measures with."""
    return program_of(Facts("current").toolchain, "go")


def need(program: str) -> Path:
    """Return a program's path, or skip the test. Go is the provisioned one, whatever the host has."""
    if program == "go":
        return provisioned_go()
    found = shutil.which(program)
    if found is None:
        debian, brew = PACKAGES.get(program, (program, program))
        missing(program, f"apt-get install {debian}" + (f", or brew install {brew}" if brew else ""))
    assert found is not None
    return Path(found)


def need_parts(trap: type[Trap]) -> None:
    """Skip the test when a trap's part is missing, or cannot be here."""
    for part in trap.needs:
        if not part.present():
            sentence = render(part.reason())
            if part.kind is ReasonKind.IMPOSSIBLE:
                impossible(sentence)
            missing(part.name, sentence)
