"""Uninstalling: shown before it is done, nothing outside the store, nothing that another set or process needs."""

import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labkit.cli.app import application
from labkit.errors import StoreError, UsageError
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain import golang, host_platform, pins, removal, wheels


@pytest.fixture
def platform(this_machine):
    return host_platform(this_machine)


@pytest.fixture
def filled(tmp_path, monkeypatch, platform):
    """A store whose entries of both sets are there, of the right names and with next to nothing in them."""
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("LABKIT_HOME", str(home))
    monkeypatch.setattr(Store, "obtain", _stub)
    for name in pins.names():
        wanted = pins.named(name)
        wheels.obtain(Store(), "go", wanted.go, platform)
        wheels.obtain(Store(), "protoc", wanted.protoc, platform)
        for pin in wanted.plugins:
            golang.install(Store(), Path("/"), wanted.go.version, pin, platform)
    monkeypatch.undo()
    monkeypatch.setenv("LABKIT_HOME", str(home))
    return home


def _stub(self, name, recipe, _make, *, held=False):
    del held
    entry = self.path(name, recipe)
    entry.mkdir(parents=True, exist_ok=True)
    (entry / "recipe.json").write_text("{}")
    (entry / "tool").write_text("x" * 1000)
    return entry


def entries(home: Path) -> set[str]:
    return {each.name for each in (home / "store").iterdir() if each.name != "locks"}


def labkit(*arguments: str, stdin: str = ""):
    return CliRunner().invoke(application(), ["setup", *arguments], input=stdin)


def test_a_set_is_shown_and_removed_only_when_that_is_wanted(filled, platform):
    before = entries(filled)
    asked = labkit("--remove", "handbook", stdin="n\n")
    assert "go-1.21.13-" in asked.output
    assert "$LABKIT_HOME/store/protoc-24.3" in asked.output
    assert "1.27.3" not in asked.output
    assert entries(filled) == before
    done = labkit("--remove", "handbook", "--yes")
    assert done.output.endswith("removed\n")
    gone = before - entries(filled)
    assert sorted(name.rsplit("-", 1)[0] for name in gone) == [
        "go-1.21.13",
        "protoc-24.3",
        "protoc-gen-go-1.32.0",
        "protoc-gen-go-grpc-1.3.0",
    ]
    assert not any(path for path in removal.entries("handbook", platform).values())
    with pytest.raises(UsageError, match="holds nothing of handbook"):
        removal.plan("handbook", platform)


def test_no_answer_removes_nothing(filled):
    before = entries(filled)
    assert labkit("--remove", "handbook").exit_code != 0
    assert entries(filled) == before


def test_one_tool_of_a_set_is_removed(filled, platform):
    before = entries(filled)
    assert labkit("--remove", "protoc-gen-go", "--toolchain", "handbook", "--yes").exit_code == 0
    assert {name.rsplit("-", 1)[0] for name in before - entries(filled)} == {"protoc-gen-go-1.32.0"}
    assert removal.entries("handbook", platform)["protoc-gen-go"] is None


def test_what_another_set_needs_is_kept(filled, platform):
    (filled / "sets").mkdir()
    mine = Path("labkit/toolchain/sets/current.toml").read_text().replace('name = "current"', 'name = "mine"', 1)
    pins.remember(pins.parse(mine, name="mine"))
    before = entries(filled)
    done = labkit("--remove", "mine", "--yes")
    assert done.output.count("current needs it too") == 4
    assert entries(filled) == before
    assert pins.remembered() == ()


def test_a_tool_that_another_set_shares_is_kept_and_that_is_said(filled, platform):
    (filled / "sets").mkdir()
    mine = Path("labkit/toolchain/sets/current.toml").read_text().replace('name = "current"', 'name = "mine"', 1)
    pins.remember(pins.parse(mine, name="mine"))
    before = entries(filled)
    assert "nothing to remove" in labkit("--remove", "go").output
    assert entries(filled) == before


@pytest.mark.parametrize("what", ["gopls-nightly", "", "../..", "/"], ids=["unknown", "empty", "up", "root"])
def test_what_is_neither_set_nor_tool_is_wrong_use(filled, what):
    done = labkit("--remove", what, "--yes")
    assert isinstance(done.exception, UsageError)
    assert "dlv" in done.exception.remedy


def test_what_only_the_host_has_is_not_touched(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    done = labkit("--remove", "dlv", "--yes")
    assert isinstance(done.exception, UsageError)
    assert "not touched" in done.exception.remedy


HOLDER = """
import pathlib, sys, threading
from labkit.system.store import Store
assert Store().hold(pathlib.Path(sys.argv[1]))
print("held", flush=True)
threading.Event().wait()
"""


def test_what_another_process_uses_is_not_removed_until_it_ends(filled, platform):
    entry = removal.entries("handbook", platform)["protoc"]
    environ = base(PYTHONPATH=str(Path.cwd()), LABKIT_HOME=str(filled))
    with proc.start([sys.executable, "-c", HOLDER, str(entry)], env=environ) as running:
        running.wait_for("^held$", timeout_s=30, remedy="-")
        with pytest.raises(StoreError, match="in use by another process") as caught:
            Store().remove(entry)
        assert "let the other" in caught.value.remedy
        assert entry.is_dir()
    Store().remove(entry)
    assert not entry.exists()


def test_what_is_being_made_is_not_removed(filled, platform):
    entry = removal.entries("handbook", platform)["protoc"]
    environ = base(PYTHONPATH=str(Path.cwd()), LABKIT_HOME=str(filled))
    code = HOLDER.replace(
        "assert Store().hold(pathlib.Path(sys.argv[1]))",
        "lock = Store().lock(pathlib.Path(sys.argv[1]).name)\nlock.__enter__()",
    )
    with proc.start([sys.executable, "-c", code, str(entry)], env=environ) as running:
        running.wait_for("^held$", timeout_s=30, remedy="-")
        with pytest.raises(StoreError, match="in use by another process"):
            Store().remove(entry)
    assert entry.is_dir()


def test_this_process_lets_go_of_what_it_held(filled, platform):
    shelf, entry = Store(), removal.entries("handbook", platform)["protoc"]
    assert shelf.hold(entry)
    with pytest.raises(StoreError, match="in use"):
        shelf.remove(entry)
    shelf.release(entry)
    shelf.remove(entry)
    assert not shelf.hold(entry)
    shelf.release(entry)


def test_only_entries_of_the_store_are_removed(filled, tmp_path):
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "recipe.json").write_text("{}")
    for path in (outside, filled / "store", filled / "store/locks", filled / "store/none"):
        with pytest.raises(StoreError, match="no entry of the store"):
            Store().remove(path)
    link = filled / "store" / "tool-0123456789abcdef"
    link.symlink_to(outside)
    Store().remove(link)
    assert (outside / "recipe.json").is_file()
    assert not os.path.lexists(link)
