"""What a batch tells CI: JUnit XML that parses, Markdown that is no markup of others, GitHub's annotations."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from labkit.lab import summary
from labkit.model.base import Text
from labkit.model.check import Remedy, Status
from labkit.model.run import NotebookRun, NotebookStatus
from labkit.system import proc, records
from labkit.system.environment import base
from tests.test_batch import PROFILE, profile, write
from tests.test_batch import desk as desk  # noqa: PLC0414 - a fixture
from tests.test_lab import write_notebook

GOLDEN = Path(__file__).parent / "golden/record-1.json"
NASTY = "one\x1b[31m <b>&amp;\x00 | `x` *y*\r\n::error::second ]]> \ud800 end"


def notebook(name, status=NotebookStatus.DONE, **more) -> NotebookRun:
    given = {"cause": None, "remedy": None, "sha256": None, "wall_time_s": 1.5}
    return NotebookRun(name=name, status=status, file=f"{name}.ipynb", **(given | more))


@pytest.fixture(scope="module")
def record():
    """A real record with a failed, an interrupted and a carried-over notebook, and one finding failing."""
    read = records.read(GOLDEN)
    found = list(read.install.findings)
    found[0] = msgspec.structs.replace(
        found[0], status=Status.FAIL, remedy=Remedy(text=Text(id="no.such.text", values={}))
    )
    return msgspec.structs.replace(
        read,
        install=msgspec.structs.replace(read.install, findings=tuple(found)),
        point={"count": NASTY},
        repeat=2,
        notebooks=(
            notebook("fine"),
            notebook("old", carried_from="run-0", carried_at="2026-11-24T00:00:00+00:00"),
            notebook("bad", NotebookStatus.FAILED, cause=NASTY, remedy="mend it"),
            notebook("half", NotebookStatus.INTERRUPTED, cause="interrupted with Ctrl-C", remedy="go on"),
        ),
    )


def test_junit_counts_what_it_holds(record):
    root = ET.fromstring(summary.junit([record, record]))
    suites = root.findall("testsuite")
    assert len(suites) == 2
    for suite in suites:
        cases = suite.findall("testcase")
        failed = [one for one in summary.findings(record) if one.status is Status.FAIL]
        skipped = [one for one in summary.findings(record) if one.status is Status.SKIP]
        assert suite.get("tests") == str(len(cases)) == str(4 + len(summary.findings(record)))
        assert (suite.get("errors"), suite.get("failures")) == ("1", str(len(failed)))
        assert suite.get("skipped") == str(1 + len(skipped))
        assert len(failed) >= 1
    assert root.get("errors") == "2"
    error = root.find("testsuite/testcase[@name='bad']/error")
    assert error.get("message").startswith("one[31m <b>&amp; | `x` *y*")
    assert error.text == "mend it"
    assert "carried over from run-0" in root.find("testsuite/testcase[@name='old']/system-out").text


def test_markdown_keeps_to_its_table_and_holds_no_markup_of_others(record):
    told = summary.markdown([record])
    head, row = told.splitlines()[1:3]
    assert head == "|---|---|---|---|---|"
    assert row.replace("\\|", "").count("|") == 6
    assert "2 of 4 done | 1 |" in row
    assert "<b>" not in told.replace("\\<b\\>", "")
    assert "`bad`" in told
    assert "mend it" in told


def test_annotations_are_one_line_each_and_cannot_be_forged(record):
    lines = list(summary.annotations([record]))
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert lines[0].startswith("::error title=bad did not complete::one")
    assert "%0D%0A::error::second" in lines[0]  # within the message, not a command of its own
    assert sum(line.startswith("::warning") for line in lines) >= 1


def test_the_command_writes_them_and_tells_githubs_runner(desk):
    write(desk, "two")
    write_notebook(desk, "one", "1 / 0")
    profile(desk, PROFILE)
    environment = base(
        path=os.environ["PATH"],
        LABKIT_HOME=os.environ["LABKIT_HOME"],
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(desk / "step.md"),
    )
    command = [sys.executable, "-m", "labkit", "run", "--params", "mine", "--junit", "out/junit.xml"]
    done = proc.run(command, env=environment, cwd=desk, timeout_s=120, check=False)
    assert done.returncode == 16
    assert "::error title=one did not complete::cell" in done.stderr
    assert "ZeroDivisionError" in (desk / "step.md").read_text()
    assert ET.parse(desk / "out/junit.xml").getroot().get("errors") == "1"
    (kept,) = desk.glob("runs/batches/*/junit.xml")
    assert kept.read_bytes() == (desk / "out/junit.xml").read_bytes()
