"""The trap ``kafka`` on librdkafka's mock cluster. The runs are mostly waiting, so they go side by side."""

import importlib.util
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import jars, jdk
from labkit.traps.kafka import Kafka, broker, collector
from labkit.traps.kafka import group as groups
from labkit.traps.rig import Rig
from labkit.traps.running import run_trap
from tests.support import missing


class Unmended(Kafka):
    """Its fix changes nothing."""

    def fix(self):
        return Step(kind=StepKind.FIX, command="", output="", seen=True, text=self.remedy)


class Patient(Kafka):
    """Its session outlasts the pause from the beginning: there is no fault."""

    session_ms = 45000


class Crashing(Kafka):
    """Its paused consumer dies."""

    def _pause(self, group, most_s):
        os.kill(group.first.running.pid, signal.SIGKILL)
        return super()._pause(group, most_s)


class DyingCluster(Kafka):
    """Its cluster dies while a consumer is paused."""

    def _pause(self, group, most_s):
        cluster = next(child for what, child in self.rig._children if what == "the mock cluster")
        os.kill(cluster.pid, signal.SIGKILL)
        return super()._pause(group, most_s)


@pytest.fixture(scope="module")
def outcomes():
    """Every run, by its class."""
    if not all(part.present() for part in Kafka.needs):
        missing("confluent-kafka", "pip install 'labkit[traps]'")
    kinds = (Kafka, Unmended, Patient, Crashing, DyingCluster)
    with ThreadPoolExecutor(max_workers=len(kinds)) as pool:
        return dict(zip(kinds, pool.map(run_trap, kinds), strict=True))


def step(outcome, kind):
    return next(step for step in outcome.steps if step.kind == kind)


def case(outcome, id_):
    return next(case for case in outcome.cases if case.id == id_)


def test_the_trap_passes(outcomes):
    outcome = outcomes[Kafka]
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.verified
    assert "SESSTMOUT" in outcome.symptom
    assert "Consumer group session timed out" in outcome.symptom
    assert set(outcome.versions) >= {"confluent-kafka", "librdkafka"}


def test_the_other_consumer_takes_over_while_the_first_is_paused(outcomes):
    reproduced = step(outcomes[Kafka], "reproduce")
    assert reproduced.facts["taken_over"] is True
    assert reproduced.facts["pause_ms"] > reproduced.facts["session_ms"] == 4000


def test_the_cluster_waits_for_as_long_as_the_session_lasts(outcomes):
    facts = step(outcomes[Kafka], "diagnose").facts
    assert facts["silent_ms"] > facts["session_ms"]
    assert 3000 <= facts["out_after_ms"] < facts["silent_ms"]


@pytest.mark.parametrize("kind", ["verify", "control"])
def test_a_session_above_the_pause_is_kept(outcomes, kind):
    facts = step(outcomes[Kafka], kind).facts
    assert facts["rebalanced"] is False
    assert facts["session_ms"] > facts["pause_ms"] >= 10000


def test_a_short_pause_changes_nothing(outcomes):
    facts = case(outcomes[Kafka], "short").facts
    assert facts["rebalanced"] is False
    assert 1000 <= facts["pause_ms"] < facts["session_ms"]


def test_column_10_of_jstat_is_no_pause(outcomes):
    if jdk.folder() is None:
        missing("a JDK", "apt-get install default-jdk-headless, or brew install openjdk")
    facts = case(outcomes[Kafka], "jstat").facts
    assert (facts["column_10"], facts["full_collections"], facts["matches_pattern"]) == ("MU", 1, True)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(Unmended, "traps.failed.verify", id="its fix taken out"),
        pytest.param(Patient, "traps.failed.reproduce", id="no fault in it"),
    ],
)
def test_it_fails(outcomes, kind, reason):
    outcome = outcomes[kind]
    assert (outcome.status, outcome.verified, outcome.reason.id) == (Status.FAIL, False, reason)


@pytest.mark.parametrize(("kind", "part"), [(Crashing, "consumer A"), (DyingCluster, "the mock cluster")])
def test_a_part_that_crashes_is_an_error_and_no_pass(outcomes, kind, part):
    outcome = outcomes[kind]
    assert (outcome.status, outcome.reason.id) == (Status.FAIL, "traps.failed.error")
    assert f"{part} ended by itself with signal 9 (SIGKILL)" in outcome.reason.values["what"]


def test_without_the_library_it_is_skipped(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "confluent_kafka" else find(name))
    skipped = run_trap(Kafka)
    assert (skipped.status, skipped.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "pip install 'labkit[traps]'" in skipped.reason.values["commands"]


def test_without_a_jdk_its_case_is_skipped_with_both_ways_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(jdk, "HOMEBREW", ())
    with Rig("kafka") as rig:
        skipped = collector.case(rig)
    assert skipped.status is Status.SKIP
    assert "apt-get install default-jdk-headless | brew install openjdk" in skipped.reason.values["commands"]


def test_the_large_form_runs_only_when_it_is_asked_for(monkeypatch):
    monkeypatch.delenv(broker.VARIABLE, raising=False)
    with Rig("kafka") as rig:
        skipped = broker.case(rig, 4000, 20000, 10.0)
    assert skipped.status is Status.SKIP
    assert skipped.reason.values == {"variable": "LABKIT_TRAPS_LARGE"}


def test_the_large_form_says_what_it_lacks(monkeypatch, tmp_path):
    monkeypatch.setenv(broker.VARIABLE, "helm,kafka")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "empty"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(jdk, "HOMEBREW", ())
    with Rig("kafka") as rig:
        assert "apt-get install default-jdk-headless" in broker.case(rig, 4000, 20000, 10.0).reason.values["commands"]


def test_the_brokers_libraries_are_pinned_whole():
    pinned = jars.pinned(broker.PACKAGE)
    assert {"kafka_2.13", "kafka-clients", "slf4j-api", "slf4j-simple"} <= {jar.artifact for jar in pinned}


EVENT = {"at_s": 1.0, "event": "commit", "partitions": [0]}


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        pytest.param([EVENT], [EVENT], False, id="commits alone"),
        pytest.param([EVENT | {"event": "lost"}], [EVENT], True, id="the paused one lost its share"),
        pytest.param([EVENT], [EVENT | {"event": "revoke"}], True, id="the other was told to rebalance"),
        pytest.param([EVENT | {"event": "refused", "error": "X"}], [], True, id="a commit was refused"),
    ],
)
def test_what_counts_as_a_rebalance(first, second, wanted):
    import msgspec

    events = [tuple(msgspec.convert(one, groups.Event) for one in side) for side in (first, second)]
    pause = groups.Pause(
        began_s=0.0, ended_s=1.0, rebalanced_s=None, taken_over_s=None, first=events[0], second=events[1], log=""
    )
    assert pause.rebalanced is wanted
