"""``labkit inspect``: its JSON by its schema, its text, and that nothing a file holds ends or fools it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
import typer
from typer.testing import CliRunner

from labkit.binary import DEFAULT_MACHINES, find
from labkit.binary import inspect as inspect_file
from labkit.cli.inspect import inspect
from labkit.errors import UsageError
from labkit.model.base import Text
from labkit.model.binary import Binary
from labkit.words import render
from tests.binary_seeds import damaged, seeds
from tests.binary_synthetic import Elf, Macho

_SCHEMA = json.loads((Path(__file__).parent / "data" / "binary" / "inspect.schema.json").read_text("utf-8"))
_APP = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
_APP.command()(inspect)


def _run(*words):
    return CliRunner().invoke(_APP, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path):
    """A folder with good and bad files of every kind."""
    for name, data in seeds().items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / f"{name}-damaged").write_bytes(next(damaged(data, seed=1, count=1)))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text.txt").write_text("hello", "utf-8")
    (tmp_path / "script").write_text("#!/bin/sh\n", "utf-8")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path


def _json(*words):
    done = _run("--json", *words)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def test_json_is_as_its_schema_says_one_object_a_file(folder):
    said = _json(folder)
    jsonschema.validate(said, _SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [Path(each["path"]).name for each in said] == sorted(path.name for path in folder.iterdir())
    assert {tuple(verdict["machine"] for verdict in each["verdicts"]) for each in said} == {DEFAULT_MACHINES}


def test_the_schema_can_fail():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"path": "a"}], _SCHEMA)


def test_json_is_the_record_but_for_the_reasons_that_are_sentences(folder):
    said = _json(folder)
    for each in said:
        for verdict in each["verdicts"]:
            texts = verdict.pop("reason_texts")
            assert verdict["reasons"] == [render(msgspec.convert(text, Text)) for text in texts]
            verdict["reasons"] = texts
    records = msgspec.convert(said, list[Binary])
    assert records == [inspect_file(path) for path in find([folder])]


def test_absent_values_are_null_or_empty(tmp_path):
    (tmp_path / "file").write_bytes(Elf().data())
    (said,) = _json(tmp_path / "file")
    (slice_,) = said["slices"]
    absent = {name: slice_[name] for name in ("interpreter", "libraries", "rpaths", "minimum_os", "uuid")}
    assert absent == {"interpreter": None, "libraries": [], "rpaths": [], "minimum_os": None, "uuid": None}
    assert slice_["signature"]["kind"] == "none"
    assert (said["error"], said["go"]) == (None, None)


def test_no_path_is_an_empty_folder_that_is_said(tmp_path):
    (said,) = _json(tmp_path)
    assert said["error"] == "a folder, not a file"


@pytest.mark.parametrize(
    ("options", "bad_pages", "has_digest"),
    [((), 0, False), (("--no-pages",), None, False), (("--sha256",), 0, True)],
    ids=["default", "no-pages", "sha256"],
)
def test_pages_and_digests_are_hashed_as_asked(tmp_path, options, bad_pages, has_digest):
    (tmp_path / "file").write_bytes(Macho().data())
    (said,) = _json(*options, tmp_path / "file")
    assert said["slices"][0]["signature"]["bad_pages"] == bad_pages
    assert (said["sha256"] is not None) is has_digest


def test_machines_are_those_that_were_named(tmp_path):
    (tmp_path / "file").write_bytes(Elf().data())
    (said,) = _json("--for", "m4-macos15", "--for", "linux-amd64-musl", tmp_path / "file")
    assert [verdict["machine"] for verdict in said["verdicts"]] == ["m4-macos15", "linux-amd64-musl"]


def test_an_unknown_machine_is_wrong_use_before_anything_is_printed(tmp_path):
    runner = CliRunner().invoke(_APP, ["--json", "--for", "amiga", str(tmp_path)])
    assert isinstance(runner.exception, UsageError)
    assert runner.stdout == ""


def test_the_exit_code_is_0_whatever_the_verdicts(folder):
    assert _run(folder).exit_code == 0
    assert _run(folder / "nowhere").exit_code == 0


def test_text_names_each_file_what_it_is_and_what_would_happen(folder):
    text = _run(folder / "macho-fat", folder / "elf-go", folder / "fifo", folder / "text.txt").stdout
    assert f"{folder / 'macho-fat'}: Mach-O: x86_64, arm64e, arm64" in text
    assert "m1-macos14, m2-macos15, m3-macos26  runs: it has an arm64 slice" in text
    assert "Go settings  -compiler=gc GOOS=linux" in text
    assert f"{folder / 'fifo'}: a FIFO, not a file" in text
    assert "text.txt: no Mach-O or ELF file" in text
    assert "4 files, of which 2 are Mach-O or ELF and 1 cannot be read" in text


def test_a_folders_other_files_are_counted_and_not_shown(folder):
    text = _run(folder).stdout
    assert "text.txt" not in text
    assert "2 other files are not shown; --json has them all" in text


def test_text_can_be_chinese(folder, monkeypatch):
    monkeypatch.setenv("LABKIT_LANG", "zh")
    assert "可运行" in _run(folder / "macho-thin").stdout


def test_names_in_a_file_move_no_cursor(tmp_path):
    hostile = "\x1b[2Jlib\nfoo\x07"
    path = tmp_path / "bad\x1bname"
    path.write_bytes(Elf(libraries=(hostile,), interpreter="/lib/\x1bld").data())
    text = _run(path).stdout
    assert "\x1b" not in text
    assert "\x07" not in text
    assert r"\x1b[2Jlib\nfoo\x07" in text


def test_the_command_loads_nothing_heavy(tmp_path):
    (tmp_path / "file").write_bytes(Macho().data())
    code = (
        "import sys; from pathlib import Path\n"
        "from labkit.binary import inspect; from labkit.cli.inspect import _print_json\n"
        f"_print_json(iter([inspect(Path({str(tmp_path / 'file')!r}))]))\n"
        "print(sorted({'pandas', 'plotly', 'elftools', 'lief', 'IPython'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr.strip() == "[]"
