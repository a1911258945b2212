"""The trap timezone: whole, with its fix taken out, without its fault, and skipped; its cron fires where root may."""

import pytest

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import jdk, parts, private
from labkit.traps.running import run_trap
from labkit.traps.timezone import TimeZone, cron, namespaces
from labkit.words import Language, render
from tests.support import missing, need

UTC, LOCAL = "00:00 UTC +0000", "08:00 CST +0800"


class Quick(TimeZone):
    """The trap without its cases."""

    def cases(self):
        return ()


@pytest.fixture(scope="module")
def whole(toolchain):
    """The trap, run once."""
    if not all(part.present() for part in TimeZone.needs):
        missing("tzdata", "apt-get install tzdata")
    return run_trap(TimeZone)


@pytest.fixture(scope="module")
def cases(whole):
    return {case.id: case for case in whole.cases}


def test_it_passes_whole(whole):
    assert (whole.status, whole.verified) == (Status.PASS, True), whole
    assert whole.symptom == "00:00 Asia +0000"
    facts = whole.steps[0].facts
    assert (facts["exit_code"], facts["error_text"]) == (0, "")


@pytest.mark.parametrize(("case", "said"), [("tz_cst", "00:00 CST +0000"), ("tz_cst_8", LOCAL)])
def test_a_string_in_tz_needs_no_data(cases, case, said):
    assert (cases[case].status, cases[case].output) == (Status.PASS, said)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("bare", UTC),
        ("tz_without_data", "00:00 Asia +0000"),
        ("data_only", UTC),
        ("etc_timezone", UTC),
        ("etc_localtime", LOCAL),
        ("localtime_without_data", LOCAL),
        ("tz_with_data", LOCAL),
        ("recipe", LOCAL),
    ],
)
def test_which_of_the_recipes_files_has_an_effect(cases, case, said):
    if not private.possible():
        assert (cases[case].status, cases[case].reason.id) == (Status.SKIP, "traps.impossible.namespace")
        pytest.skip("impossible here: it needs a private mount namespace")
    assert (cases[case].status, cases[case].output) == (Status.PASS, said)


def test_where_languages_take_their_data_from(cases):
    assert "ZoneInfoNotFoundError" in cases["python"].output
    assert cases["python_tzdata"].output == LOCAL
    if not private.possible():
        pytest.skip("impossible here: it needs a private mount namespace")
    assert cases["go"].output == "unknown time zone Asia/Shanghai"
    assert cases["go_tzdata"].output == LOCAL
    if jdk.folder() is None:
        missing("java", "apt-get install default-jdk-headless, or brew install openjdk")
    assert cases["java"].output == LOCAL


def test_a_cron_fires_by_its_own_zone(cases):
    if not private.ROOT.present():
        assert cases["cron_localtime"].reason.id == "traps.impossible.root"
        pytest.skip("impossible here: only root may change the root folder of a cron")
    need("cron")
    if cron._faketime() is None:
        missing("libfaketime", "apt-get install libfaketime")
    fired = {id_: case.facts["fired_at_eight"] for id_, case in cases.items() if id_.startswith("cron_")}
    assert fired == {
        "cron_not_at_eight": False,
        "cron_eight_hours_late": True,
        "cron_tz_line": False,
        "cron_etc_timezone": False,
        "cron_localtime": True,
    }
    assert cases["cron_eight_hours_late"].facts["shanghai_hour"] == 16
    assert "CRON_TZ=Asia/Shanghai" in cases["cron_tz_line"].output  # as crontab -l printed it


def test_it_fails_when_its_fix_is_taken_out():
    class Unmended(Quick):
        def fix(self):
            return Step(kind=StepKind.FIX, command="", output="", seen=True, text=Text(id="trap_timezone.step.fix"))

    outcome = run_trap(Unmended)
    assert (outcome.status, outcome.reason.id, outcome.fix) == (Status.FAIL, "traps.failed.verify", None)


def test_it_fails_where_the_fault_is_not():
    class Healthy(Quick):
        def reproduce(self):
            self._install(self._data)
            return self._probe(StepKind.REPRODUCE)

    outcome = run_trap(Healthy)
    assert (outcome.status, outcome.reason.id, outcome.symptom) == (Status.FAIL, "traps.failed.reproduce", None)


def test_a_date_that_crashes_is_no_symptom(executable, monkeypatch):
    monkeypatch.setenv("PATH", str(executable("date", "kill -9 $$").parent))
    outcome = run_trap(Quick)
    assert (outcome.status, outcome.symptom) == (Status.FAIL, None)


def test_a_case_that_says_something_else_fails_the_trap(monkeypatch):
    monkeypatch.setattr(namespaces, "_STRINGS", {"tz_cst": ("CST", LOCAL)})

    class Strings(TimeZone):
        def cases(self):
            return namespaces.strings(self.rig)

    outcome = run_trap(Strings)
    assert (outcome.status, outcome.reason.values) == (Status.FAIL, {"cases": "tz_cst"})


def test_it_is_skipped_where_the_zone_data_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(parts, "_MORE_PLACES", ())
    outcome = run_trap(TimeZone)
    assert (outcome.status, outcome.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    said = render(outcome.reason, Language.ENGLISH)
    assert "apt-get install coreutils" in said
    assert "brew install coreutils" in said
