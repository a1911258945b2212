"""Chapter 5.7: each verdict turns with the record of a run in which the one thing that matters was otherwise."""

import msgspec
import pytest

from labkit.claims import ClaimFacts
from labkit.claims.checks import chapter_5_7
from labkit.claims.trap_runs import trap_run
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.model.traps import StepKind
from tests.claims_support import result, sentences, turned
from tests.support import impossible
from tests.traps_records import with_case, with_step

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
IDS = ("5.7.01", "5.7.02", "5.7.03", "5.7.04", "5.7.05")


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def run(plain):
    ran = plain.get(trap_run("helm"))
    if ran.status is Status.SKIP:
        impossible("helm takes long to build: labkit traps helm --prepare, or brew install helm@3")
    return ran


def given(run):
    return {"own_facts": {"trap-helm": run}}


def test_5_7_01_a_key_that_did_not_come(plain, run):
    without = with_step(run, StepKind.REPRODUCE, new_key_added=False)
    turned("5.7.01", plain, REFUTED, CONFIRMED, **given(without))


def test_5_7_02_a_secret_that_nobody_could_change(plain, run):
    fixed = with_case(with_step(run, StepKind.REPRODUCE, secret_changed=False), "immutable", changed_without=False)
    turned("5.7.02", plain, CONDITIONAL, CONFIRMED, **given(fixed))


def test_5_7_02_an_api_without_the_rule(plain, run):
    lax = with_case(run, "immutable", refused_with_immutable=False)
    turned("5.7.02", plain, CONDITIONAL, REFUTED, **given(lax))


def test_5_7_03_a_label_that_made_another_object(plain, run):
    turned("5.7.03", plain, REFUTED, CONFIRMED, **given(with_case(run, "label", same_uid=False)))


def test_5_7_04_a_helm_that_replaces(plain, run):
    turned("5.7.04", plain, CONFIRMED, REFUTED, **given(with_case(run, "sent", replaced=True)))


def test_5_7_04_a_cluster_that_does_not_say_what_it_was_sent(plain, run):
    silent = with_case(run, "sent", status=Status.SKIP)
    found = result("5.7.04", ClaimFacts(plain.lab, **given(silent)))
    assert found.verdict is UNTESTED
    assert found.parts[0].untested.would_test.values == {"id": "helm"}


def test_5_7_05_an_upgrade_that_made_it_anew(plain, run):
    turned("5.7.05", plain, CONFIRMED, REFUTED, **given(with_step(run, StepKind.VERIFY, same_uid=False)))


@pytest.mark.parametrize("id_", IDS)
def test_a_trap_that_lacks_a_part_leaves_its_reason(plain, run, id_):
    skipped = msgspec.structs.replace(run, status=Status.SKIP, reason=run.title, steps=(), cases=())
    found = result(id_, ClaimFacts(plain.lab, **given(skipped)))
    assert found.verdict is UNTESTED
    assert sentences(found)


def test_the_api_s_own_types_are_quoted_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    chapter_5_7._documented.cache_clear()
    try:
        assert chapter_5_7._documented() == ()
        chapter_5_7._documented.cache_clear()
        types = tmp_path / "go/mod/k8s.io/api@v9/core/v1/types.go"
        types.parent.mkdir(parents=True)
        types.write_text("type Secret struct {\n\tX int\n\t// No data\n\t// can be changed.\n\tImmutable *bool\n}\n")
        assert [each.text for each in chapter_5_7._documented()] == ["No data can be changed."]
    finally:
        chapter_5_7._documented.cache_clear()
