"""The trap ``pool`` on the JDK, the libraries and the PostgreSQL of this machine."""

import os

import pytest

from labkit.errors import NetworkError, ProcessError, ProvisionError
from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.system import proc
from labkit.traps import jars, jdk, postgres
from labkit.traps.pool import Pool, database
from labkit.traps.pool.service import PACKAGE, Service, compiled
from labkit.traps.rig import Rig
from labkit.traps.running import run_trap
from tests.support import missing, need


@pytest.fixture(scope="module")
def parts():
    if jdk.folder() is None:
        missing("a JDK", "apt-get install default-jdk-headless, or brew install openjdk")
    if not jars.there("pool", PACKAGE):
        need("mvn")


@pytest.fixture(scope="module")
def outcome(parts):
    """The whole trap, once."""
    return run_trap(Pool)


def step(outcome, kind):
    return next(step for step in outcome.steps if step.kind == kind)


def case(outcome, id_):
    return next(case for case in outcome.cases if case.id == id_)


def test_the_trap_passes(outcome):
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.verified
    assert outcome.symptom.startswith("java.sql.SQLTransientConnectionException: orders-pool - Connection is not ")
    assert {"JDK", "HikariCP", "h2", "slf4j-simple"} <= set(outcome.versions)
    assert outcome.versions["slf4j-simple"] == "1.7.36"


def test_the_threads_wait_and_are_not_blocked(outcome):
    facts = step(outcome, StepKind.DIAGNOSE).facts
    assert (facts["waiting_in_getconnection"], facts["timed_waiting"], facts["blocked"]) == (6, 6, 0)
    assert facts["holding_in_database"] == 2


@pytest.mark.parametrize(
    ("id_", "wanted"),
    [
        pytest.param("silent", {"waiting": 6, "failed_while_held": 0, "ok_after_release": 8}, id="30000 says nothing"),
        pytest.param(
            "leak", {"warnings": 2, "reclaimed": 0, "failed_after": 1, "warnings_at_60000": 0}, id="logs only"
        ),
        pytest.param("leak_minimum", {"effective_ms": 0}, id="below 2000 it is off"),
        pytest.param("slow", {"warnings": 1, "ok": 1}, id="a slow request is no leak"),
        pytest.param("index", {"failed_after": 0, "rows_scanned_before": 300002}, id="the index cures"),
    ],
)
def test_a_case_shows_what_it_says(outcome, id_, wanted):
    facts = case(outcome, id_).facts
    assert {name: facts[name] for name in wanted} == wanted


def test_a_timeout_below_250_ms_is_refused_in_the_pools_own_words(outcome):
    assert "connectionTimeout cannot be less than 250ms" in case(outcome, "minimum").output


def test_postgresql_says_which_index_and_which_lock(outcome):
    if postgres.folder() is None:
        missing("PostgreSQL", "apt-get install postgresql, or brew install postgresql@17")
    index, lock = case(outcome, "postgres_index"), case(outcome, "postgres_lock")
    assert index.facts["plan_before"] == "Seq Scan"
    assert index.facts["plan_after"] in {"Index Only Scan", "Index Scan"}
    assert lock.facts == {"wait_event_type": "Lock", "blocker_named": True}


def no_cases(self):
    return ()


def test_without_its_fix_the_trap_fails(parts):
    class Unmended(Pool):
        cases = no_cases

        def fix(self):
            return Step(kind=StepKind.FIX, command="", output="", seen=True, text=self.remedy)

    failed = run_trap(Unmended)
    assert (failed.status, failed.verified) == (Status.FAIL, False)
    assert failed.reason.id == "traps.failed.verify"


def test_without_the_fault_there_is_no_symptom(parts, monkeypatch):
    say = Service.say
    monkeypatch.setattr(
        Service, "say", lambda self, command, **words: {} if command == "batch" else say(self, command, **words)
    )
    failed = run_trap(Pool)
    assert failed.status is Status.FAIL
    assert failed.reason.id == "traps.failed.reproduce"
    assert failed.symptom is None


def test_a_service_that_crashes_is_an_error_and_no_pass(parts):
    class Crashing(Pool):
        def verify(self):
            self._service._child.stop()
            return super().verify()

    failed = run_trap(Crashing)
    assert failed.status is Status.FAIL
    assert failed.reason.id == "traps.failed.error"
    assert "SIGKILL" in failed.reason.values["what"]


def test_without_a_jdk_it_is_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(jdk, "HOMEBREW", ())
    skipped = run_trap(Pool)
    assert (skipped.status, skipped.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "apt-get install default-jdk-headless" in skipped.reason.values["commands"]
    assert "brew install openjdk" in skipped.reason.values["commands"]


@pytest.mark.parametrize("lacking", ["part", "may_run"])
def test_without_postgresql_its_half_is_skipped_with_the_reason(monkeypatch, lacking):
    there = getattr(postgres, lacking)()
    object.__setattr__(there, "present", lambda: False)
    monkeypatch.setattr(postgres, lacking, lambda: there)
    with Rig("pool") as rig:
        skipped = database.cases(rig)
    assert [(case.id, case.status) for case in skipped] == [
        ("postgres_index", Status.SKIP), ("postgres_lock", Status.SKIP),
    ]  # fmt: skip
    assert all(case.reason == there.reason() for case in skipped)


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_a_service_leaves_nothing_in_the_systems_folder(parts, how):
    with Rig("pool") as rig:
        service = Service(rig, compiled(rig))
        rig.run([*jdk.watching("jstack"), str(service.pid)])
        folder, pid = rig.folder, service.pid
        assert jdk.left_behind(pid)
        if how == "killed":
            service._child.stop()
    assert not folder.exists()
    assert jdk.left_behind(pid) == []


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_a_cluster_leaves_no_shared_memory_and_no_process(how):
    if postgres.folder() is None or not postgres.may_run().present():
        missing("PostgreSQL", "apt-get install postgresql, or brew install postgresql@17")

    def segments():
        return proc.run([need("ipcs"), "-m"], env={}, timeout_s=30).stdout.split()

    with Rig("pool") as rig:
        cluster = postgres.Cluster(rig)
        assert cluster.version()
        lines = (cluster.socket / "data" / "postmaster.pid").read_text().splitlines()
        pid, segment = int(lines[0]), lines[6].split()[-1]
        folder = rig.folder
        assert segment in segments()
        if how == "killed":
            rig._children[0][1].stop()
    assert not folder.exists()
    assert not proc_exists(pid)
    assert segment not in segments()


def proc_exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        pytest.param(
            'for word in "$@"; do case $word in -DoutputDirectory=*) cd "${word#*=}";; esac; done\n'
            "for name in HikariCP-5.1.0 h2-2.2.224 slf4j-api-1.7.36 slf4j-simple-1.7.36; do echo x > $name.jar; done",
            ProvisionError,
            r"HikariCP-5.1.0.jar has the sha256 73cb3858.*, the pin wants a47a6ee6",
            id="another content",
        ),
        pytest.param("true", ProvisionError, "has the sha256 no file", id="nothing came"),
        pytest.param(
            "echo cannot resolve >&2; exit 1", NetworkError, "could not fetch.*cannot resolve", id="no network"
        ),
    ],
)
def test_what_maven_brings_is_looked_at(monkeypatch, executable, tmp_path, body, error, message):
    maven = executable("mvn", body)
    monkeypatch.setenv("PATH", f"{maven.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "empty"))
    with pytest.raises(error, match=message):
        jars.classpath("pool", PACKAGE)
    assert not jars.there("pool", PACKAGE)


def test_what_maven_is_asked_for_brings_nothing_along(monkeypatch, executable, tmp_path):
    maven = executable("mvn", f'cp "$4" "{tmp_path}/asked.xml"; exit 1')
    monkeypatch.setenv("PATH", f"{maven.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "empty"))
    with pytest.raises(NetworkError):
        jars.classpath("pool", PACKAGE)
    asked = (tmp_path / "asked.xml").read_text()
    assert asked.count("<dependency>") == asked.count("<exclusion>") == len(jars.pinned(PACKAGE))


def test_a_refusal_of_the_service_is_an_error(parts):
    with Rig("pool") as rig:
        service = Service(rig, compiled(rig))
        with pytest.raises(ProcessError, match="connectionTimeout cannot be less than 250ms"):
            service.say("open", pool="a", size=1, timeout=1, leak=0)
