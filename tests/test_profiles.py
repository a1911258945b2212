"""Profiles that are like another one, and those of chips: on another chip nothing runs, and both are named."""

from pathlib import Path

import pytest

from labkit import lab, machine
from labkit.cli.app import main
from labkit.errors import UsageError


@pytest.fixture
def desk(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(desk: Path, name: str, text: str) -> None:
    (desk / f"params/{name}.yaml").write_text(text)


@pytest.mark.parametrize("name", ["m1", "m2", "m3"])
def test_a_macs_profile_is_linuxs_for_another_machine(name):
    linux, own = lab.load("linux"), lab.load(name)
    assert (own.notebooks, dict(own.parameters)) == (linux.notebooks, dict(linux.parameters))
    assert (own.name, own.machine) == (name, f"Apple {name.upper()}")


def test_what_a_profile_gives_itself_goes_before_the_one_it_is_like(desk):
    write(desk, "mine", "machine: any\nlike: quick\nparameters:\n  symptom: why\n")
    mine, quick = lab.load("mine"), lab.load("quick")
    assert mine.notebooks == quick.notebooks
    assert dict(mine.parameters) == dict(quick.parameters) | {"symptom": "why"}


@pytest.mark.parametrize("written", ["on: M1", '"on": M1', "on: 'M1'"])
def test_a_profile_says_on_which_workers_it_runs(desk, written):
    """The bare word is a truth to a reader of YAML 1.1."""
    write(desk, "mine", f"machine: any\nlike: quick\n{written}\n")
    assert lab.load("mine").on == "M1"


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("machine: any\nlike: qick\n", "no profile 'qick'", "'quick'"),
        ("machine: any\nlike: m1\n", "itself like linux", "like: linux"),
        ("machine: any\nlike: quick\nparameters:\n  symtom: x\n", "'symtom'", "'symptom'"),
        ("machine: any\nlike: quick\nparameters:\n  seed: x\n", "seed is 'x'", "int"),
        ("machine: any\nlike: quick\nnotebooks: [01_install]\n", "notebooks of its own", "--only"),
        ("machine: any\nparameters:\n  seed: 1\n", "has no notebooks", "like"),
        ("machine: any\nnotebooks: [01_install]\n", "has no parameters", "like"),
    ],
    ids=["unknown", "a chain", "misspelt", "wrong type", "notebooks", "no notebooks", "no parameters"],
)
def test_a_profile_that_is_like_nothing_sound_is_refused(desk, text, what, remedy):
    write(desk, "mine", text)
    with pytest.raises(UsageError, match=what) as caught:
        lab.load("mine")
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("name", ["m1", "m2", "m3"])
def test_the_profile_of_another_chip_ends_with_2_and_names_both_chips(capsys, desk, name):
    here = machine.read().chip
    if here is not None and here.startswith(f"Apple {name.upper()}"):
        name = {"m1": "m2", "m2": "m3", "m3": "m1"}[name]
    with pytest.raises(SystemExit) as ended:
        main(["run", "--params", name])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"for Apple {name.upper()}" in said
    assert f"this machine is {here}" in said
    assert not (desk / "runs").exists()
