"""The trap of the 502: whole on a real nginx, without its fix, without its fault; and the tree on lines of others."""

import json
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from labkit import present
from labkit.cli import main
from labkit.errors import LabError
from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind, TrapsReport
from labkit.traps import parts
from labkit.traps.http502 import Http502, classify, outline, svg, tree
from labkit.traps.http502.faults import FAULTS
from labkit.traps.http502.pair import KEPT, Pair
from labkit.traps.http502.shown import lines
from labkit.traps.rig import Rig
from labkit.traps.running import run_trap
from labkit.words import Language, say
from tests.support import need_parts

LINES = tomllib.loads((Path(__file__).parent / "data/traps/error_log.toml").read_text("utf-8"))["line"]
IDS = [f"{number}-{line['leaf'] or 'unknown'}" for number, line in enumerate(LINES)]
LEAVES = {leaf.id for leaf in tree().leaf}


@pytest.fixture(scope="module")
def outcome():
    """The trap, run whole and once."""
    need_parts(Http502)
    return run_trap(Http502)


def test_the_whole_trap_passes(outcome):
    assert outcome.status is Status.PASS, outcome
    assert outcome.verified
    assert "upstream prematurely closed connection while reading response header from upstream" in outcome.symptom
    assert [step.kind for step in outcome.steps] == list(StepKind)


def test_the_health_of_the_upstream_is_200_and_the_log_names_no_reset(outcome):
    facts = outcome.steps[1].facts
    assert facts["health_status"] == 200
    assert facts["reset_in_log"] is False
    assert facts["upstream_restarted"] is False


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_fault_has_its_own_status_and_line(outcome, fault):
    case = next(case for case in outcome.cases if case.id == fault.id)
    assert case.status is Status.PASS, case
    assert case.facts["status"] in fault.statuses


@pytest.mark.parametrize(
    ("id_", "facts"),
    [
        ("get-is-tried-again", {"status": 200, "reused_while_closing": True}),
        ("worker-killed", {"status": 502, "leaves": "closed-early"}),
        ("health-by-head", {"head_status": 405, "get_status": 200}),
        ("one-peer-down", {"status": 502, "leaves": "refused", "lines": 4}),
        ("two-peers-down", {"status": 502, "leaves": "refused, no-live-peer"}),
    ],
)
def test_what_a_case_saw(outcome, id_, facts):
    case = next(case for case in outcome.cases if case.id == id_)
    assert case.status is Status.PASS
    assert {name: case.facts[name] for name in facts} == facts


class _FewCases(Http502):
    def cases(self):
        return ()


class _WithoutFix(_FewCases):
    def fix(self):
        return Step(kind=StepKind.FIX, command="true", output="", seen=True, text=self.remedy)


class _WithoutFault(_FewCases):
    @property
    def pair(self):
        if self._pair is None:
            self._pair = Pair(self.rig, "nginx", KEPT)
        return self._pair


class _WrongFault(_FewCases):
    """Its upstream is ended by us in the middle: a crashed part."""

    def diagnose(self):
        self.pair.child.stop()
        self.rig.check_parts()
        return super().diagnose()


@pytest.mark.parametrize("broken", [_WithoutFix, _WithoutFault, _WrongFault])
def test_it_fails_without_its_fix_without_its_fault_and_with_a_crashed_part(broken):
    need_parts(Http502)
    outcome = run_trap(broken)
    assert outcome.status is Status.FAIL
    assert not outcome.verified
    assert outcome.reason is not None


def test_it_is_skipped_with_both_commands_when_nginx_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(parts, "_MORE_PLACES", ())
    outcome = run_trap(Http502)
    assert (outcome.status, outcome.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "apt-get install nginx-light" in str(outcome.reason.values)
    assert "brew install nginx" in str(outcome.reason.values)


def test_a_fault_whose_line_is_of_another_leaf_is_a_failed_case(monkeypatch):
    need_parts(Http502)
    wrong = next(fault for fault in FAULTS if fault.id == "resets")
    lied = [type(wrong)(**{**vars(wrong), "leaves": frozenset({"refused"})})]
    monkeypatch.setattr("labkit.traps.http502.trap.FAULTS", lied)
    with Rig("lied") as rig:
        (case,) = Http502(rig)._faults()
    assert case.status is Status.FAIL


@pytest.mark.parametrize(
    "line", LINES, ids=[f"{number}-{line['leaf'] or 'unknown'}" for number, line in enumerate(LINES)]
)
def test_a_published_line_is_of_its_leaf(line):
    assert line["url"].startswith("https://")
    (found,) = classify(line["text"])
    assert (found.leaf or "") == line["leaf"]
    assert (found.command is None) == (line["leaf"] == "")


def test_the_published_lines_are_many_and_of_many_leaves():
    assert len(LINES) >= 30
    assert sum(line["leaf"] == "" for line in LINES) >= 5
    assert len({line["leaf"] for line in LINES}) >= 25


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("", []),
        ("\n \n", []),
        ("2026/01/01 [notice] 1#1: start worker process 7", [None]),
        # macOS has other numbers, and kqueue says so itself
        ("kevent() reported that connect() failed (61: Connection refused) while connecting to upstream", ["refused"]),
        ("upstream timed out (60: Operation timed out) while reading response header from upstream", ["read-timeout"]),
        ("recv() failed (54: Connection reset by peer) while reading response header from upstream", ["reset"]),
        # what a client asked for, or an application said, does not decide
        ('directory index of "/srv/" is forbidden, client: a, request: "GET /no live upstreams HTTP/1.1"', [None]),
        ('FastCGI sent in stderr: "connect() failed (111: Connection refused)" while reading', ["application-error"]),
        ("no live upstreams while connecting\nupstream sent too big header", ["no-live-peer", "header-too-big"]),
    ],
)
def test_lines_are_classified(text, leaves):
    assert [one.leaf for one in classify(text)] == leaves


def test_a_line_keeps_its_number_and_its_upstream():
    (found,) = classify('\n\nno live upstreams while connecting, client: a, upstream: "http://two/", host: "b"\n')
    assert (found.line_number, found.upstream, found.statuses) == (3, "http://two/", (502,))


@pytest.mark.parametrize("leaf", tree().leaf, ids=lambda leaf: leaf.id)
def test_what_a_leaf_goes_by_stands_in_nginx_itself(leaf):
    """Its pieces of text are in the nginx that is installed: no wording is made up."""
    need_parts(Http502)
    said = parts.path_of("nginx").resolve().read_bytes()
    missing = [piece for piece in leaf.said if piece.encode() not in said]
    assert not missing


@pytest.mark.parametrize("leaf", tree().leaf, ids=lambda leaf: leaf.id)
def test_a_leaf_is_whole(leaf):
    assert leaf.stage in tree().stages
    assert leaf.patterns
    assert leaf.source.startswith("src/")
    assert all(re.compile(pattern) for pattern in leaf.patterns)
    for language in Language:
        assert say(leaf.cause.id, language) != leaf.cause.id
        assert say(leaf.fix.id, language) != leaf.fix.id


@pytest.mark.parametrize("language", list(Language))
def test_the_tree_is_drawn_with_every_leaf(language):
    drawn = ET.fromstring(svg(language, seen={"refused": 3}))
    words = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert LEAVES - {"refused"} <= words
    assert "refused (3)" in words
    assert say("trap_http502.tree.root", language) in words
    assert all(leaf in outline(language) for leaf in LEAVES)


def test_a_part_that_is_gone_raises_and_leaves_nothing():
    need_parts(Http502)
    with Rig("gone") as rig:
        folder = rig.folder
        pair = Pair(rig, "nginx", KEPT)
        pair.child.stop()
        with pytest.raises((LabError, OSError)):
            pair.race("POST")
    assert not folder.exists()


SAMPLE = "\n".join(["no live upstreams while connecting", *["upstream sent too big header"] * 2, "quite another line"])


@pytest.mark.parametrize("language", list(Language))
def test_a_log_is_shown_by_its_leaves_the_most_frequent_first(language):
    shown = list(lines(SAMPLE, language))
    starts = [line for line in shown if not line.startswith("  ")]
    assert [re.split("[::]", start)[0] for start in starts[:2]] == ["header-too-big", "no-live-peer"]
    assert "  4: quite another line" in shown
    assert len(list(lines("", language))) == 1


def test_the_command_classifies_a_log(tmp_path, capsys):
    log = tmp_path / "error.log"
    log.write_text(SAMPLE)
    with pytest.raises(SystemExit) as ended:
        main(["traps", "http502", "--log", str(log), "--json"])
    value = json.loads(capsys.readouterr().out)
    assert not ended.value.code
    assert [line["leaf"] for line in value["lines"]] == ["no-live-peer", "header-too-big", "header-too-big", None]
    assert value["unknown"] == 1
    jsonschema.validate(value, json.loads(Path("docs/schemas/traps-log.json").read_text()))


@pytest.mark.parametrize("arguments", [["mtls", "--log", "LOG"], ["--log", "nowhere.log"]])
def test_a_log_of_another_trap_or_one_that_is_not_there_is_wrong_use(tmp_path, capsys, arguments):
    (tmp_path / "error.log").write_text("")
    words = [str(tmp_path / "error.log") if word == "LOG" else word for word in arguments]
    with pytest.raises(SystemExit) as ended:
        main(["traps", *words])
    assert ended.value.code == 2
    assert "--log" in capsys.readouterr().err or "nowhere.log" in words


def test_the_notebook_draws_the_tree_with_what_the_faults_led_to(outcome, this_machine):
    report = TrapsReport(machine=this_machine, traps=(outcome,), taken_at="2026-01-01T00:00:00Z", duration_s=1.0)
    drawn = present.error_log_tree(report)
    assert re.search(r"refused \([2-9]\)", drawn._repr_svg_())
    assert "certificate-name (" not in drawn._repr_svg_()
    assert "closed-early" in repr(present.error_log_tree(None))
