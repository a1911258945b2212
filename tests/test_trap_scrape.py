"""The trap of the scrape: whole on a real Prometheus, without its fix, without its fault."""

import pytest

from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import parts
from labkit.traps.rig import Rig
from labkit.traps.running import run_traps
from labkit.traps.scrape import Scrape
from labkit.traps.scrape_server import CONFIGURATION, Server
from tests.support import need_parts


class _FewCases(Scrape):
    def cases(self):
        return ()


class _WithoutFix(_FewCases):
    def fix(self):
        return Step(kind=StepKind.FIX, command="true", output="", seen=True, text=self.remedy)


class _WithoutFault(_FewCases):
    def __init__(self, rig):
        super().__init__(rig)
        self._timeout = "2s"


class _Crashing(_FewCases):
    """Its Prometheus cannot start: the configuration is none."""

    def reproduce(self):
        whole = Server.configure
        Server.configure = lambda server, _timeout: server.configuration.write_text("no configuration")
        try:
            return super().reproduce()
        finally:
            Server.configure = whole


BROKEN = {"without-fix": _WithoutFix, "without-fault": _WithoutFault}


@pytest.fixture(scope="module")
def outcomes():
    """The trap as it is and its broken forms, side by side, for each waits most of its time."""
    need_parts(Scrape)
    report = run_traps(traps={"scrape": Scrape, **BROKEN})
    return dict(zip(["scrape", *BROKEN], report.traps, strict=True))


@pytest.fixture(scope="module")
def outcome(outcomes):
    return outcomes["scrape"]


def test_the_whole_trap_passes(outcome):
    assert outcome.status is Status.PASS, outcome
    assert outcome.verified
    assert "context deadline exceeded" in outcome.symptom
    assert set(outcome.versions) == {"prometheus", "curl"}


def test_what_the_steps_saw(outcome):
    reproduce, diagnose, _, verify, control = (step.facts for step in outcome.steps)
    assert (reproduce["health"], reproduce["up"], reproduce["samples"]) == ("down", 0.0, False)
    assert diagnose["latency_s"] > diagnose["scrape_timeout_s"]
    for facts in (verify, control):
        assert (facts["health"], facts["up"], facts["samples"]) == ("up", 1.0, True)
        assert facts["scrape_duration_s"] >= 0.4


@pytest.mark.parametrize(
    ("id_", "facts"),
    [
        ("timeout-above-interval", {"exit_code": 1}),
        ("reload-keeps-the-old", {"status": 500, "scrape_timeout": "2s"}),
        ("failed-not-delayed", {"samples_of_failed": 0.0}),
        ("one-sample-is-no-p99", {"late": 2, "requests": 12}),
        ("curl-format-file", {}),
    ],
)
def test_what_a_case_saw(outcome, id_, facts):
    case = next(case for case in outcome.cases if case.id == id_)
    assert case.status is Status.PASS, case
    assert {name: case.facts[name] for name in facts} == facts


@pytest.mark.parametrize("name", BROKEN)
def test_it_fails_without_its_fix_and_without_its_fault(outcomes, name):
    assert outcomes[name].status is Status.FAIL
    assert not outcomes[name].verified
    assert outcomes[name].reason is not None


def test_a_prometheus_that_ends_by_itself_fails_the_trap():
    need_parts(Scrape)
    (outcome,) = run_traps(traps={"scrape": _Crashing}).traps
    assert outcome.status is Status.FAIL
    assert "prometheus ended by itself" in str(outcome.reason.values)


def test_it_is_skipped_with_both_commands_when_its_programs_are_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(parts, "_MORE_PLACES", ())
    (outcome,) = run_traps(traps={"scrape": Scrape}).traps
    assert (outcome.status, outcome.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "apt-get install prometheus" in str(outcome.reason.values)
    assert "brew install prometheus" in str(outcome.reason.values)


def test_a_timeout_that_is_allowed_fails_the_case_of_the_one_that_is_not(monkeypatch):
    need_parts(Scrape)
    allowed = CONFIGURATION.replace("{timeout}", "1s").replace("{interval}", "1s")
    monkeypatch.setattr("labkit.traps.scrape.CONFIGURATION", allowed)
    with Rig("allowed") as rig:
        assert Scrape(rig)._refused().status is Status.FAIL
