"""Chapter 5.5: each verdict turns when something is changed: jstat's columns, or what a real run saw."""

import pytest

from labkit.claims import ClaimFacts
from labkit.claims.trap_runs import trap_run
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.model.traps import StepKind
from labkit.traps import jdk
from tests.claims_support import result, sentences
from tests.claims_support import turned as turned_by
from tests.support import missing
from tests.traps_records import with_step

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def other_jdk(executable, tmp_path):
    """Return a JDK of the real one's programs, whose jstat calls its tenth column otherwise."""
    real = jdk.folder()
    if real is None:
        missing("JDK", "apt-get install default-jdk-headless")
    for name in ("java", "javac", "jstack"):
        executable(name, f'exec {real / name} "$@"', tmp_path / "jdk/bin")
    swapped = "sed -e '1s/ GCT/ WAS/' -e '1s/ MU/ GCT/' -e '1s/ WAS/ MU/'"
    executable("jstat", f'{real / "jstat"} "$@" | {swapped}', tmp_path / "jdk/bin")
    return tmp_path / "jdk"


def test_5_5_01_a_jstat_with_other_columns(plain, other_jdk, monkeypatch):
    before = result("5.5.01", plain)
    monkeypatch.setenv("JAVA_HOME", str(other_jdk))
    after = result("5.5.01", ClaimFacts(plain.lab, own_tools={"jdk": other_jdk}))
    assert [each.verdict for each in (before, after)] == [REFUTED, CONFIRMED]
    assert "MU" in sentences(before)
    assert "Column 10 is GCT" in sentences(after)


def test_5_5_01_without_a_jdk_it_is_untested(plain, monkeypatch):
    monkeypatch.setattr(jdk, "folder", lambda: None)
    found = result("5.5.01", ClaimFacts(plain.lab))
    assert found.verdict is UNTESTED
    assert "default-jdk-headless" in sentences(found)


@pytest.fixture(scope="module")
def run(plain):
    ran = plain.get(trap_run("kafka"))
    if ran.status is Status.SKIP:
        pytest.skip(f"missing: {ran.reason.values}")
    return ran


def test_5_5_02_a_group_that_keeps_still(plain, run):
    still = with_step(run, StepKind.REPRODUCE, rebalanced=False)
    turned_by("5.5.02", plain, CONFIRMED, REFUTED, own_facts={"trap-kafka": still})


def test_5_5_02_a_shorter_pause_is_no_matter(plain, run):
    moved = with_step(run, StepKind.VERIFY, rebalanced=True)
    after = result("5.5.02", ClaimFacts(plain.lab, own_facts={"trap-kafka": moved}))
    assert after.verdict is CONFIRMED
    assert sentences(after) != sentences(result("5.5.02", plain))
