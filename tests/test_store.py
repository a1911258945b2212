"""The store: made once, whole or not at all, in a folder whose name may hold a space."""

import os
import sys
from pathlib import Path

import pytest

from labkit.errors import StoreError
from labkit.system import proc, store
from labkit.system.environment import base


@pytest.fixture
def shelf(tmp_path):
    return store.Store(tmp_path / "a home with a space")


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*"))


def put(folder: Path) -> Path:
    (folder / "whole").write_text("content")
    return folder / "whole"


def test_a_file_is_written_whole_and_leaves_nothing_beside(tmp_path):
    target = tmp_path / "deep" / "file.txt"
    store.write_atomically(target, "one")
    store.write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(tmp_path) == ["deep", "file.txt"]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "file.txt"
    store.write_atomically(target, "old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        store.write_atomically(target, "new")
    assert "LABKIT_HOME" in caught.value.remedy
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_an_entry_is_made_once(shelf):
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "tool").write_text("x")
        return folder / "tool"

    first = shelf.obtain("tool-1", {"version": "1", "os": "linux"}, make)
    again = shelf.obtain("tool-1", {"os": "linux", "version": "1"}, make)
    assert first == again
    assert (first / "tool").read_text() == "x"
    assert len(made) == 1
    assert not made[0].exists()


def test_another_recipe_is_another_entry(shelf):
    one = shelf.obtain("tool", {"version": "1"}, put)
    two = shelf.obtain("tool", {"version": "2"}, put)
    assert one != two


def test_a_failed_making_leaves_no_entry_and_can_be_tried_again(shelf):
    def fail(folder: Path) -> Path:
        (folder / "half").touch()
        raise StoreError("no", remedy="-")

    with pytest.raises(StoreError):
        shelf.obtain("tool", {"v": 1}, fail)
    assert not shelf.has("tool", {"v": 1})
    assert not [name for name in names(shelf.root) if name == "half" or name.endswith(".part")]
    shelf.obtain("tool", {"v": 1}, put)
    assert shelf.has("tool", {"v": 1})


def test_many_processes_make_an_entry_once(tmp_path):
    code = (
        "import pathlib, sys; from labkit.system import store\n"
        "def make(folder):\n"
        "    with open(sys.argv[2], 'a') as log: log.write('made\\n')\n"
        "    (folder / 'x').touch()\n    return folder / 'x'\n"
        "store.Store(pathlib.Path(sys.argv[1])).obtain('tool', {'v': 1}, make)\n"
    )
    log = tmp_path / "log"
    command = [sys.executable, "-c", code, str(tmp_path / "home"), str(log)]
    started = [proc.start(command, env=base(PYTHONPATH=str(Path.cwd())), cwd=Path.cwd()) for _ in range(6)]
    codes = []
    for running in started:
        codes.append(running.wait(60))
        running.__exit__()
    assert codes == [0] * 6
    assert log.read_text() == "made\n"


def test_the_home_is_named_by_one_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "my lab"))
    assert store.home() == tmp_path / "my lab"
    monkeypatch.delenv("LABKIT_HOME")
    assert store.home().name == "labkit"


def test_an_entry_remembers_the_digest_of_its_file(shelf):
    entry = shelf.obtain("tool", {"v": 1}, put)
    assert store.Store.sealed(entry) == store.file_digest(entry / "whole")
    (entry / "whole").write_text("altered")
    assert store.Store.sealed(entry) != store.file_digest(entry / "whole")


def test_what_is_shown_names_neither_the_user_nor_a_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "ada" / "lab"))
    text = f"{tmp_path}/ada/lab/store/x {tmp_path}/ada/go GOPROXY=https://ada:secret@proxy.example/mod"
    assert store.shown(text) == "$LABKIT_HOME/store/x ~/go GOPROXY=https://...@proxy.example/mod"
    assert store.shown_command(f'export PATH="$PATH:"{tmp_path}/ada/go/bin') == 'export PATH="$PATH:"$HOME/go/bin'
