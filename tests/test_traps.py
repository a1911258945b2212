"""Traps as a whole: judging, skips, crashes, Ctrl-C, the command and what is shown; on traps with real children."""

import importlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import jsonschema
import msgspec
import pytest

from labkit import machine, present
from labkit.cli.app import main
from labkit.errors import UsageError
from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, ReasonKind, Step, StepKind, TrapsReport
from labkit.system import proc
from labkit.system.environment import base
from labkit.traps import TRAPS, parts, private, shown
from labkit.traps.rig import Rig
from labkit.traps.running import FAST, chosen_ids, judged, load, prepare, run_chosen, run_trap, run_traps, select
from labkit.traps.trap import Trap
from labkit.words import Language, catalogue, render

SERVE = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""
PASSING = {kind: kind in {StepKind.REPRODUCE, StepKind.DIAGNOSE, StepKind.FIX} for kind in StepKind}


def step(kind: StepKind, seen: bool) -> Step:
    return Step(kind=kind, command="c", output="o", seen=seen, text=Text(id=f"traps.step.{kind}"))


class Small(Trap):
    """A trap with a real child that listens, whose steps see what ``sees`` says."""

    id = "configmap"
    sees = PASSING
    case = Status.PASS

    def _step(self, kind):
        return step(kind, self.sees[kind])

    def reproduce(self):
        self.port = self.rig.port()
        self.child = self.rig.start("a listener", [sys.executable, "-I", "-c", SERVE, str(self.port)])
        self.rig.listening(self.port)
        return msgspec.structs.replace(self._step(StepKind.REPRODUCE), output=f"{self.rig.folder}/symptom {'x' * 9000}")

    def diagnose(self):
        return self._step(StepKind.DIAGNOSE)

    def fix(self):
        return self._step(StepKind.FIX)

    def verify(self):
        return self._step(StepKind.VERIFY)

    def control(self):
        return self._step(StepKind.CONTROL)

    def cases(self):
        return (Case(id="more", status=self.case, text=Text(id="traps.step.fix")),)


def variant(**changes):
    return type("Variant", (Small,), changes)


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        pytest.param({}, "pass", None, id="all as wanted"),
        pytest.param({StepKind.REPRODUCE: False}, "fail", "reproduce", id="no symptom"),
        pytest.param({StepKind.DIAGNOSE: False}, "fail", "diagnose", id="no cause"),
        pytest.param({StepKind.FIX: False}, "fail", "fix", id="change not taken"),
        pytest.param({StepKind.VERIFY: True}, "fail", "verify", id="still there"),
        pytest.param({StepKind.CONTROL: True}, "fail", "control", id="there without the fault"),
    ],
)
def test_a_trap_passes_only_when_each_step_saw_what_it_is_for(changed, status, reason):
    steps = [step(kind, seen) for kind, seen in (PASSING | changed).items()]
    got, why = judged(steps, ())
    assert got == status
    assert (why.id if why else None) == (f"traps.failed.{reason}" if reason else None)


@pytest.mark.parametrize("kind", StepKind)
def test_a_step_that_was_not_done_is_no_pass(kind):
    assert judged([step(each, seen) for each, seen in PASSING.items() if each is not kind], ())[0] is Status.FAIL


def test_a_failed_case_fails_the_trap_and_a_skipped_one_does_not():
    steps = [step(kind, seen) for kind, seen in PASSING.items()]
    cases = [Case(id=status, status=status, text=Text(id="traps.step.fix")) for status in Status]
    status, why = judged(steps, cases)
    assert (status, why.values) == (Status.FAIL, {"cases": "fail"})
    assert judged(steps, [case for case in cases if case.status is not Status.FAIL])[0] is Status.PASS


def test_a_run_is_whole_tidy_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outcome = run_trap(Small)
    assert (outcome.status, outcome.verified, outcome.reason) == (Status.PASS, True, None)
    assert [each.kind for each in outcome.steps] == list(StepKind)
    assert outcome.symptom.startswith("$TRAP/symptom ")
    assert "letters left out" in outcome.symptom
    assert (outcome.cause, outcome.fix) == (Text(id="trap_configmap.cause"), Text(id="trap_configmap.fix"))
    assert not list(tmp_path.glob("lk-*"))


def test_a_trap_stops_at_the_first_step_that_is_wrong_and_claims_no_more():
    outcome = run_trap(variant(sees=PASSING | {StepKind.DIAGNOSE: False}))
    assert [each.kind for each in outcome.steps] == [StepKind.REPRODUCE, StepKind.DIAGNOSE]
    assert (outcome.cause, outcome.fix, outcome.verified) == (None, None, False)
    assert outcome.symptom is not None


def test_a_crashed_part_is_an_error_and_never_a_pass():
    class Crashing(Small):
        def control(self):
            os.killpg(self.child.pid, signal.SIGKILL)
            self.rig.until("a gone listener", lambda: not self.child.alive() or None) if self.child.alive() else None
            return self._step(StepKind.CONTROL)

    outcome = run_trap(Crashing)
    assert outcome.status is Status.FAIL
    assert "ended by itself with signal 9" in render(outcome.reason, Language.ENGLISH)


@pytest.mark.parametrize(
    ("needs", "kind", "words"),
    [
        pytest.param(
            [parts.program("no-such-program", apt="a-package", brew="a-formula")],
            ReasonKind.MISSING,
            ["apt-get install a-package", "brew install a-formula"],
            id="program",
        ),
        pytest.param([parts.package("none", "no_such_module")], ReasonKind.MISSING, ["labkit[traps]"], id="package"),
        pytest.param([parts.right("root", bool)], ReasonKind.IMPOSSIBLE, ["Impossible here"], id="right"),
        pytest.param(
            [parts.program("no-such-1", apt="p1", brew="f1"), parts.program("no-such-2", apt="p2", brew="f2")],
            ReasonKind.MISSING,
            ["no-such-1, no-such-2", "apt-get install p1 p2", "brew install f1 f2"],
            id="several",
        ),
        pytest.param(
            [parts.program("no-such-1", apt="p1"), parts.right("linux", bool)],
            ReasonKind.IMPOSSIBLE,
            ["Impossible here"],
            id="what cannot be had is said first",
        ),
    ],
)
def test_what_is_missing_is_a_skip_that_says_how_to_get_it(needs, kind, words):
    outcome = run_trap(variant(needs=tuple(needs)))
    assert (outcome.status, outcome.reason_kind, outcome.steps) == (Status.SKIP, kind, ())
    for each in words:
        assert each in render(outcome.reason, Language.ENGLISH)


def test_traps_run_side_by_side_in_their_order_and_one_fault_leaves_the_others_alone():
    known = {"mtls": variant(id="mtls", sees=PASSING | {StepKind.VERIFY: True}), "kafka": variant(id="kafka")}
    said = []
    report = run_traps(traps=known, on_progress=said.append, jobs=2)
    assert [(each.id, each.status) for each in report.traps] == [("mtls", Status.FAIL), ("kafka", Status.PASS)]
    assert "kafka: reproduce" in said


def test_every_trap_has_its_module_its_words_and_its_place():
    for id_, (module, name) in TRAPS.items():
        trap = getattr(importlib.import_module(module), name)
        assert (trap.id, load(id_)) == (id_, trap)
        assert trap.sources
        for word in ("title", "cause", "fix"):
            assert f"trap_{id_}.{word}" in catalogue(Language.ENGLISH)
        assert all(note in catalogue(Language.ENGLISH) for note in trap.notes)
    assert set(FAST) | set(shown.FLOWS) <= set(TRAPS)


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [("none", ()), ("all", tuple(TRAPS)), ("fast", FAST), ("timezone, mtls", ("mtls", "timezone"))],
)
def test_a_notebooks_parameter_names_traps(chosen, ids):
    assert chosen_ids(chosen) == ids


def test_an_unknown_id_is_one_line_with_what_is_near(capsys):
    with pytest.raises(UsageError, match="no trap 'timezon'"):
        select(["timezon"])
    with pytest.raises(SystemExit) as ended:
        main(["traps", "timezon"])
    assert ended.value.code == 2
    first, second = capsys.readouterr().err.strip().splitlines()
    assert first == "labkit: there is no trap 'timezon'"
    assert "did you mean 'timezone'?" in second
    assert run_chosen("none") is None


def report_of(*outcomes) -> TrapsReport:
    return TrapsReport(machine=machine.read(), traps=outcomes, taken_at="2026-11-23T00:00:00+00:00", duration_s=1.0)


OUTCOMES = {
    "pass": lambda: run_trap(Small),
    "fail": lambda: run_trap(variant(sees=PASSING | {StepKind.REPRODUCE: False})),
    "skip": lambda: run_trap(variant(needs=(parts.program("no-such-program", apt="p"),))),
}


@pytest.mark.parametrize("status", OUTCOMES)
def test_the_json_document_has_the_promised_fields_and_fits_its_schema(status):
    document = json.loads(msgspec.json.encode(shown.output(report_of(OUTCOMES[status]()))))
    jsonschema.validate(document, json.loads(Path("docs/schemas/traps.json").read_text()))
    (trap,) = document["traps"]
    promised = {"id", "status", "symptom", "cause", "fix", "verified", "reason", "reason_kind"}
    assert promised <= set(trap)
    assert trap["status"] == status
    assert (trap["reason_kind"] == "missing") is (status == "skip")
    assert (trap["reason"] is None) is (status == "pass")
    assert isinstance(trap["cause"], str) is (status == "pass")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("status", OUTCOMES)
def test_what_is_shown_has_the_steps_the_outputs_and_the_reason(status, language):
    outcome = OUTCOMES[status]()
    text = "\n".join(shown.lines(outcome, language))
    assert render(outcome.title, language) in text
    assert "✗" in text  # where the flow breaks
    for each in outcome.steps:
        assert render(each.text, language) in text
        assert f"$ {each.command}" in text or each.kind is StepKind.FIX
    assert outcome.reason is None or render(outcome.reason, language) in text
    summary = shown.markdown(report_of(outcome), language)
    assert summary.startswith("| ")
    assert ("```" in summary) is (status == "fail")


def test_a_notebook_shows_a_trap_whole_and_one_that_was_not_run():
    report = report_of(run_trap(Small))
    page = present.trap(report, "configmap")._repr_html_()
    for each in ("[ kubelet ]", "before", "control", "more"):
        assert each in page
    assert list(present.traps_frame(report).dtypes.astype(str).unique()) in (["object"], ["str"])
    assert "timezone was not run" in repr(present.trap(report, "timezone", "fast"))
    assert "none" in repr(present.traps(None))
    assert "No trap was run" in repr(present.traps_verdict(None))


def test_prepare_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(parts, "_MORE_PLACES", ())
    ((id_, reason),) = prepare(["http502"])
    assert id_ == "http502"
    assert "apt-get install" in render(reason, Language.ENGLISH)


@pytest.mark.parametrize("ids", [("configmap",), ("timezone",)], ids=" ".join)
def test_ctrl_c_leaves_no_child_and_no_folder(tmp_path, ids):
    """A real labkit, interrupted while its children run."""
    environ = base(path=os.environ["PATH"], TMPDIR=str(tmp_path), LABKIT_HOME=os.environ.get("LABKIT_HOME", ""))
    environ = {name: value for name, value in environ.items() if value}
    with proc.start([sys.executable, "-m", "labkit", "traps", *ids], env=environ, cwd=Path.cwd()) as running:
        running.wait_for(f"{ids[0]}: cases", timeout_s=60, remedy="see why it did not begin")
        proc.wait_until(lambda: any(tmp_path.glob("lk-*/*")), timeout_s=30, what="a folder")
        os.kill(running.pid, signal.SIGINT)
        proc.wait_until(lambda: not running.alive(), timeout_s=60, what="the end")
        done = running.completed()
        assert done.returncode == 130, done.stderr
        assert "labkit: interrupted" in done.stderr
        assert not list(tmp_path.iterdir())
        assert not [line for line in processes() if str(tmp_path) in line]


def processes() -> list[str]:
    ps = parts.path_of("ps")
    return proc.run([ps, "-eo", "pid,args", "-ww"], env=base(), timeout_s=30).stdout.splitlines()


def test_a_namespace_hides_its_mounts_from_everyone_else(tmp_path):
    if not private.possible():
        pytest.skip("impossible here: it needs a private mount namespace")
    over, under = tmp_path / "over", tmp_path / "under"
    over.write_text("inside")
    under.write_text("outside")
    said = proc.run(private.command(["/bin/cat", under], {over: under}), env=base(), timeout_s=30)
    assert (said.stdout, under.read_text()) == ("inside", "outside")


def test_no_port_is_given_twice():
    ports = [Rig.port() for _ in range(2000)]  # of some 28,000: the system alone would name one twice
    assert len(set(ports)) == len(ports)
