"""A trap's run as a shared fact: what makes it stale, and what is no outcome to keep."""

import os
from pathlib import Path

import pytest

from labkit.claims import ClaimFacts, trap_runs
from labkit.errors import LabError, ProcessError
from labkit.model.check import Status
from labkit.traps import TRAPS, parts, running, timezone
from labkit.traps.trap import Trap


class Lacking(Trap):
    id = "timezone"
    needs = (parts.program("no-such-program-of-labkit", apt="nothing"),)

    def reproduce(self):
        raise NotImplementedError

    diagnose = fix = verify = control = reproduce


class Broken(Lacking):
    needs = ()

    def reproduce(self):
        raise ProcessError("a part ended by itself", remedy="none")


@pytest.mark.parametrize("id_", TRAPS)
def test_every_trap_has_a_probe_of_its_name(id_):
    probe = trap_runs.trap_run(id_)
    assert probe.name == f"trap-{id_}"
    assert probe.recipe["programs"]
    assert probe.recipe == trap_runs.trap_run(id_).recipe


def test_another_program_makes_it_stale(executable, monkeypatch):
    before = trap_runs.trap_run("timezone").recipe
    program = executable("date", "exit 0")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert trap_runs.trap_run("timezone").recipe != before


def test_a_part_that_is_gone_makes_it_stale(monkeypatch):
    before = trap_runs.trap_run("timezone").recipe
    monkeypatch.setattr(timezone, "zone_file", lambda: Path("/no/zone"))
    assert trap_runs.trap_run("timezone").recipe != before


def test_a_trap_that_lacks_a_part_is_an_outcome(facts, monkeypatch):
    monkeypatch.setattr(running, "load", lambda _id: Lacking)
    outcome = trap_runs.trap_run("timezone").make(ClaimFacts(facts))
    assert outcome.status is Status.SKIP
    assert "no-such-program-of-labkit" in outcome.reason.values["name"]


def test_a_part_that_broke_is_an_error_and_kept_nowhere(facts, monkeypatch):
    monkeypatch.setattr(running, "load", lambda _id: Broken)
    with pytest.raises(ProcessError, match="reproduce: a part ended by itself"):
        trap_runs.trap_run("timezone").make(ClaimFacts(facts))


def test_a_step_or_case_that_did_not_come_is_an_error(facts, monkeypatch):
    monkeypatch.setattr(running, "load", lambda _id: Lacking)
    outcome = trap_runs.trap_run("timezone").make(ClaimFacts(facts))
    with pytest.raises(LabError, match="no case"):
        trap_runs.case(outcome, "bare")
    with pytest.raises(LabError, match="before its step"):
        trap_runs.step(outcome, trap_runs.StepKind.FIX)
