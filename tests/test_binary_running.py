"""What the rules call confirmed, done again: programs are started here and do what their verdict says."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.binary import inspect
from labkit.binary.judging import rules
from labkit.model.binary import Runs
from tests.binary_builds import built
from tests.binary_synthetic import Elf, Macho
from tests.support import impossible, need

_HERE = "linux-amd64"


@pytest.fixture(autouse=True)
def _on_that_machine():
    if sys.platform != "linux" or platform.machine() != "x86_64":
        impossible(f"these rules are confirmed on {_HERE}")


def _start(path):
    """Return what starting a program gives: its output, or the error's name."""
    path.chmod(0o755)
    try:
        return subprocess.run([path], capture_output=True, timeout=60, check=False).stdout.decode()
    except OSError as error:
        return errno.errorcode[error.errno]


def _verdict(path, machine=_HERE):
    (verdict,) = inspect(path, machines=[machine]).verdicts
    assert verdict.confirmed_on_hardware
    return verdict.runs, verdict.rule


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        pytest.param("linux-amd64", "elf-static", id="static"),
        pytest.param("linux-386", "elf-static", id="i386"),
        pytest.param("linux-amd64-pie", "elf-dynamic", id="loader-alone"),
    ],
)
def test_what_is_said_to_run_runs(name, rule):
    path = built(name)
    assert _verdict(path) == (Runs.YES, rule)
    assert _start(path) == "hello from Go\n"


def test_what_needs_nothing_runs_in_an_empty_root_and_what_has_a_loader_does_not(tmp_path):
    if os.geteuid() != 0:
        impossible("only root may change the root folder")
    outcomes = {}
    for name in ("linux-amd64", "linux-amd64-pie"):
        root = tmp_path / name
        root.mkdir()
        (root / "program").write_bytes(built(name).read_bytes())
        (root / "program").chmod(0o755)
        done = subprocess.run(["/usr/sbin/chroot", root, "/program"], capture_output=True, check=False, timeout=60)
        outcomes[name] = (inspect(root / "program").slices[0].linkage, done.returncode)
    assert outcomes == {"linux-amd64": ("static", 0), "linux-amd64-pie": ("dynamic", 127)}


@pytest.mark.parametrize(
    ("data", "rule", "error"),
    [
        pytest.param(Macho().data(), "macho-on-linux", "ENOEXEC", id="mach-o"),
        pytest.param(b"MZ" + bytes(1000), "other-format", "ENOEXEC", id="windows"),
        pytest.param(Elf(machine=22, order=">").data(), "elf-architecture", "ENOEXEC", id="s390x"),
        pytest.param(Elf(kind=1).data(), "not-a-program", "ENOEXEC", id="object"),
        pytest.param(
            Elf(interpreter="/lib/ld-musl-x86_64.so.1", libraries=("libc.musl-x86_64.so.1",)).data(),
            "elf-libc",
            "ENOENT",
            id="musl-loader",
        ),
    ],
)
def test_what_is_said_not_to_run_does_not(tmp_path, data, rule, error):
    path = tmp_path / "program"
    path.write_bytes(data)
    assert _verdict(path) == (Runs.NO, rule)
    if rule == "elf-libc" and Path("/lib/ld-musl-x86_64.so.1").exists():
        impossible("this machine has musl's loader too")
    if rule == "elf-architecture" and Path("/proc/sys/fs/binfmt_misc/qemu-s390x").exists():
        impossible("this machine runs s390x programs through qemu-user")
    assert _start(path) == error


def test_qemu_translates_a_static_program_of_another_architecture():
    qemu = need("qemu-aarch64")
    path = built("linux-arm64")
    assert _verdict(path, "linux-amd64-qemu") == (Runs.TRANSLATED, "elf-qemu")
    done = subprocess.run([qemu, path], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"hello from Go\n"


def test_every_rule_that_is_called_confirmed_is_seen_above():
    seen = {"elf-static", "elf-dynamic", "macho-on-linux", "other-format"}
    seen |= {"elf-architecture", "not-a-program", "elf-libc", "elf-qemu"}
    assert {id_ for id_, rule in rules().items() if rule["confirmed_on"]} == seen
