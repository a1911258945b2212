"""What tests need of the machine, and the two kinds of skip.

``missing``: it could be installed; the skip says how, and with ``LABKIT_REQUIRE=all`` it is a failure.
``impossible here``: it needs another system, chip or right; it is listed and counted.
"""

import os
import shutil
from pathlib import Path

import pytest

#: program: (Debian package, Homebrew formula or None)
PACKAGES = {
    "readelf": ("binutils", "binutils"),
    "file": ("file", None),
    "openssl": ("openssl", "openssl@3"),
    "chromium": ("chromium", None),
    "llvm-readelf": ("llvm", "llvm"),
    "llvm-objdump": ("llvm", "llvm"),
    "llvm-lipo": ("llvm", "llvm"),
    "qemu-aarch64": ("qemu-user", None),
    "npm": ("npm", "node"),
    "mvn": ("maven", "maven"),
}


def missing(what: str, how: str) -> None:
    """Skip the test for something that can be installed, or fail it when everything is required."""
    message = f"missing: {what}; {how}"
    if os.environ.get("LABKIT_REQUIRE") == "all":
        pytest.fail(message)
    pytest.skip(message)


def impossible(why: str) -> None:
    """Skip the test for something that this machine cannot have."""
    pytest.skip(f"impossible here: {why}")


def need(program: str) -> Path:
    """Return a program's path, or skip the test."""
    found = shutil.which(program)
    if found is None:
        debian, brew = PACKAGES.get(program, (program, program))
        missing(program, f"apt-get install {debian}" + (f", or brew install {brew}" if brew else ""))
    assert found is not None
    return Path(found)
