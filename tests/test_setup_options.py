"""The options of `labkit setup` that exclude each other, and the one that only answers."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labkit.cli.app import application
from labkit.errors import LabError, UsageError

GO_MOD = "labkit/codegen/hello/go.mod"


def labkit(*arguments: str):
    return CliRunner().invoke(application(), ["setup", *arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--on", "m3-macos26"],
        ["--want", "protoc=24.3"],
        ["--for", GO_MOD, "--env", "current"],
        ["--for", GO_MOD, "--remove", "handbook"],
        ["--for", GO_MOD, "--toolchain", "current"],
        ["--for", GO_MOD, "--with", "dlv"],
        ["--remove", "handbook", "--json"],
        ["--remove", "handbook", "--with", "dlv"],
        ["--jobs", "1"],
        ["--archive", "protobuf-src.crate"],
        ["--from-source", "--toolchain", "current"],
        ["--from-source", "--for", GO_MOD],
        ["--from-source", "--env", "current"],
        ["--from-source", "--remove", "protoc"],
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_wrong_use(arguments):
    done = labkit(*arguments)
    assert isinstance(done.exception, UsageError)
    assert done.stdout == ""


def test_for_says_which_versions_fit(toolchain):
    done = labkit("--for", GO_MOD, "--on", "m3-macos26")
    assert "protoc-gen-go-grpc" in done.output
    answer = json.loads(labkit("--for", GO_MOD, "--on", "m3-macos26", "--want", "protoc=24.3", "--json").output)
    assert answer["machine"] == "m3-macos26"


def test_a_go_mod_that_is_not_there_is_a_foreseen_fault(tmp_path: Path):
    assert isinstance(labkit("--for", str(tmp_path / "go.mod")).exception, LabError)
