"""Many at once, killed at any instant, and without a network: what is in the store is whole, and the next one
completes.

The real set in full is benchmarks/provision_storm.py's; here a tiny wheel and a tiny module stand for it.
"""

import os
import random
import signal
import sys
import threading
from pathlib import Path

import pytest

from benchmarks import provision_storm as storm
from labkit.system import proc, progress
from labkit.system.environment import base
from labkit.system.store import Store
from tests.test_toolchain import tiny_wheel

MAKER = """
import json, pathlib, sys
from labkit.system.store import Store, file_digest
from labkit.toolchain import wheels
from labkit.toolchain.pins import Wheel, WheelTool
pin = WheelTool(version="1.0", released="2026-01-01", project="tiny", source="a test", executable="tiny/bin/tiny",
                wheels={"darwin-arm64": Wheel(tag="macosx_11_0_arm64", sha256=sys.argv[1])})
tree = wheels.obtain(Store(), "tiny", pin, "darwin/arm64")
assert Store.sealed(tree.parent) == file_digest(tree / pin.executable)
print(tree)
"""


@pytest.fixture
def tiny(tmp_path):
    """The command that obtains a tiny wheel, and its environment with an empty store of its own."""
    index = tmp_path / "index"
    index.mkdir()
    sha256 = tiny_wheel(index, "macosx_11_0_arm64")
    home = tmp_path / "my home"
    environ = base(
        PYTHONPATH=str(Path.cwd()),
        LABKIT_HOME=str(home),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(index),
        TMPDIR=str(tmp_path),
    )
    return [sys.executable, "-c", MAKER, sha256], environ, home


def entries(home: Path) -> list[str]:
    return sorted(each.name for each in (home / "store").iterdir() if each.name != "locks")


def test_many_at_once_install_once_and_all_succeed(tiny):
    command, environ, home = tiny
    running = [proc.start(command, env=environ, cwd=Path.cwd()) for _ in range(6)]
    said = []
    for each in running:
        assert each.wait(120) == 0, each.completed().stderr
        said.append(each.completed().stdout)
        each.__exit__()
    assert len(set(said)) == 1
    assert len(entries(home)) == 1


def test_killed_at_any_instant_leaves_nothing_broken_and_the_next_completes_offline(tiny, tmp_path):
    command, environ, home = tiny
    choose = random.Random(20261123)
    for _ in range(8):
        with proc.start(command, env=environ, cwd=Path.cwd()) as running:
            ended = threading.Event()
            ended.wait(choose.uniform(0.05, 1.2))  # the instant is what is tried, nothing is waited for
            with_group = running.pid
            os.kill(with_group, signal.SIGKILL)
        for name in entries(home) if (home / "store").is_dir() else []:
            assert name.startswith(".") or (home / "store" / name / "sha256.txt").is_file()
    done = proc.run(command, env=environ, timeout_s=120, cwd=Path.cwd())
    (tmp_path / "index/tiny-1.0-py3-none-macosx_11_0_arm64.whl").unlink()
    again = proc.run(command, env=environ, timeout_s=120, cwd=Path.cwd())
    assert again.stdout == done.stdout
    assert len(entries(home)) == 1


def test_the_benchmark_reads_the_steps_that_setup_says(capsys):
    say = progress.steps("labkit setup")
    phases = storm.phases("handbook")
    assert phases == ["start", "Go 1.21.13", "protoc 24.3", "protoc-gen-go 1.32.0", "protoc-gen-go-grpc 1.3.0"]
    for phase in phases[1:]:
        say(phase)
    assert storm.steps(capsys.readouterr().err) == phases[1:]
    assert storm.steps("labkit setup: it went wrong\n") == []


def test_the_benchmark_has_only_one_phase_made_again(tmp_path):
    names = ["go-1.21.13-0123456789abcdef", "protoc-24.3-0", "protoc-gen-go-1.32.0-0", "protoc-gen-go-grpc-1.3.0-0"]
    for phase, gone in zip(storm.phases("handbook")[1:], names, strict=True):
        for name in names:
            (tmp_path / "store" / name).mkdir(parents=True, exist_ok=True)
        storm._forget(tmp_path, phase)
        assert sorted(entries(tmp_path)) == sorted(set(names) - {gone})


@pytest.fixture
def shelf(tmp_path):
    return Store(tmp_path / "my home")


def put(folder: Path) -> Path:
    (folder / "whole").write_text("content")
    return folder / "whole"


def leave(shelf: Store, name: str) -> Path:
    """Leave what a killed process leaves."""
    part = shelf.root / f".{name}.0123abcd.part"
    part.mkdir(parents=True)
    (part / "half").write_text("ha")
    return part


def test_what_a_killed_process_left_is_removed_by_the_next_maker(shelf):
    same = leave(shelf, shelf.path("tool", {"v": 1}).name)
    other = leave(shelf, "other-0123456789abcdef")
    shelf.obtain("tool", {"v": 1}, put)
    assert not same.exists()
    assert not other.exists()


def test_what_is_still_being_made_is_left_alone(shelf):
    part = leave(shelf, "other-0123456789abcdef")
    with shelf.lock("other-0123456789abcdef"):
        done = threading.Thread(target=lambda: shelf.obtain("tool", {"v": 1}, put))
        done.start()
        done.join(30)
        assert (part / "half").is_file()
        assert shelf.has("tool", {"v": 1})
    assert shelf.tidy() == ("other-0123456789abcdef",)
    assert not part.exists()


def test_what_bears_another_name_is_no_leftover(shelf):
    for name in (".keep", ".tool.part", "tool.0123abcd.part", ".tool.0123abcd.partly"):
        (shelf.root / name).mkdir(parents=True)
    assert shelf.tidy() == ()
    assert len(list(shelf.root.iterdir())) == 4
