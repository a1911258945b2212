"""The trap ``helm``: the stand-in API's rules by themselves, and the whole trap where a helm is."""

import http.client
import json
import sys
from pathlib import Path

import pytest

from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import helm as room
from labkit.traps import postgres
from labkit.traps.helm import Helm, program, release
from labkit.traps.rig import Rig
from labkit.traps.running import prepare, run_trap
from tests.support import impossible, missing

SECRETS = "/api/v1/namespaces/default/secrets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture(scope="module")
def parts():
    if program.helm() is None:
        impossible("helm takes long to build: labkit traps helm --prepare, or brew install helm@3")
    if postgres.folder() is None:
        missing("PostgreSQL", "apt-get install postgresql, or brew install postgresql@17")


@pytest.fixture(scope="module")
def outcome(parts):
    """The whole trap, once."""
    return run_trap(Helm)


def step(outcome, kind):
    return next(step for step in outcome.steps if step.kind == kind)


def case(outcome, id_):
    return next(case for case in outcome.cases if case.id == id_)


def test_the_trap_passes(outcome):
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.verified
    assert outcome.versions["helm"].startswith("v3.")
    assert "label=''" in outcome.symptom


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("reproduce", {"secret_changed": True, "rolled": False, "label": "", "same_uid": True, "new_key_added": True}),
        ("verify", {"secret_changed": True, "rolled": True, "label": "v2", "same_uid": True}),
        ("control", {"secret_changed": True, "rolled": True, "label": "v2", "same_uid": True}),
    ],
)
def test_what_an_upgrade_changed(outcome, kind, wanted):
    facts = step(outcome, kind).facts
    assert {name: facts[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("id_", "wanted"),
    [
        ("key_added", {"key_added": True, "same_uid": True}),
        ("label", {"same_uid": True, "rolled": False}),
        ("random", {"values": 2}),
        ("checksum_of_random", {"checksums": 2, "rolls_without_a_change": 2}),
        ("kept", {"same_value": True, "rolled": False, "checksum": True}),
        ("nested", {"reuse_exit_code": 1, "reset_exit_code": 0}),
        ("immutable", {"refused_with_immutable": True, "changed_without": True, "rule_by_stub": True}),
        ("sent", {"replaced": False}),
    ],
)
def test_a_case_shows_what_it_says(outcome, id_, wanted):
    facts = case(outcome, id_).facts
    assert {name: facts[name] for name in wanted} == wanted


def test_a_missing_default_is_named_as_helm_names_it(outcome):
    assert "nil pointer evaluating interface {}.enabled" in case(outcome, "nested").output


def test_without_its_fix_the_trap_fails(parts):
    class Unmended(Helm):
        def fix(self):
            return Step(kind=StepKind.FIX, command="", output="", seen=True, text=self.remedy)

    failed = run_trap(Unmended)
    assert (failed.status, failed.verified) == (Status.FAIL, False)
    assert failed.reason.id == "traps.failed.verify"


@pytest.mark.parametrize(("chart", "flag"), [("mended", "--reuse-values"), ("restless", "--reset-then-reuse-values")])
def test_half_of_the_fix_is_no_whole_one(parts, chart, flag):
    class Half(Helm):
        def cases(self):
            return ()

        def fix(self):
            self._chart, self._flag = chart, flag
            return Step(kind=StepKind.FIX, command="", output="", seen=True, text=self.remedy)

    half = run_trap(Half)
    if chart == "mended":  # the flag of old leaves the new default out still
        assert half.reason.id == "traps.failed.verify"
    else:  # pods roll, though on every upgrade, which a case shows and the steps do not look at
        assert step(half, "verify").facts["rolled"] is True


def test_without_the_fault_there_is_no_symptom(parts):
    class Whole(Helm):
        def reproduce(self):
            self._cluster = release.Cluster(self.rig)
            self._release, self._chart, self._flag, self._turn = "shop", "mended", "--reset-then-reuse-values", 0
            self._cluster.install(self._release, self._chart)
            return self._probe(StepKind.REPRODUCE)

    failed = run_trap(Whole)
    assert failed.reason.id == "traps.failed.reproduce"


def test_an_api_that_crashes_is_an_error_and_no_pass(parts):
    class Crashing(Helm):
        def verify(self):
            self._cluster.api.stop()
            return super().verify()

    failed = run_trap(Crashing)
    assert failed.status is Status.FAIL
    assert failed.reason.id == "traps.failed.error"


@pytest.fixture
def no_helm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "empty"))


def test_without_helm_it_is_skipped_and_says_how_to_get_it(no_helm):
    skipped = run_trap(Helm)
    assert (skipped.status, skipped.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "brew install helm" in skipped.reason.values["commands"]
    assert "labkit traps helm --prepare" in skipped.reason.values["commands"]


def test_a_cluster_that_is_named_needs_no_postgresql(monkeypatch):
    monkeypatch.setattr(postgres, "folder", lambda: None)
    assert [part.name for part in Helm.needs[1:] if not part.present()] == ["PostgreSQL"]
    monkeypatch.setenv(release.CLUSTER_VARIABLE, "/somewhere/kubeconfig")
    assert [part.name for part in Helm.needs[1:] if not part.present()] == []


def test_preparing_builds_it_though_it_is_missing(monkeypatch, no_helm):
    monkeypatch.setattr(postgres, "PLACES", ())
    built = []
    monkeypatch.setattr(room.trap, "build", lambda: built.append(True))
    monkeypatch.setattr(Helm, "needs", Helm.needs[:1])
    assert list(prepare(["helm"])) == [("helm", None)]
    assert built == [True]


@pytest.mark.parametrize(("said", "taken"), [("v3.19.2+g8766e71", True), ("v4.0.1+g12500dd", False), ("", False)])
def test_only_a_helm_3_of_the_host_is_used(monkeypatch, executable, tmp_path, said, taken):
    found = executable("helm", f"echo '{said}'")
    monkeypatch.setenv("PATH", str(found.parent))
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "empty"))
    assert (program.helm() == found) is taken


def test_the_pin_is_whole():
    pin = program.pin()
    assert pin.package.startswith(pin.module)


def test_charts_say_what_they_are_made_of(tmp_path):
    charts = release.Charts(tmp_path)
    for name in charts.known:
        place = charts.path(name)
        assert sorted(file.name for file in (place / "templates").iterdir()) == ["deployment.yaml", "secret.yaml"]
    assert "randAlphaNum" in (tmp_path / "faulty" / "templates" / "secret.yaml").read_text()
    assert "lookup" in (tmp_path / "mended" / "templates" / "secret.yaml").read_text()


class Client:
    def __init__(self, port):
        self.port = port

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=json.dumps(body) if body else None)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def api():
    with Rig("helm") as rig:
        port = rig.port()
        rig.start("stub", [sys.executable, "-I", Path(release.__file__).with_name("stub.py"), str(port)])
        rig.listening(port)
        yield Client(port)


def test_a_secret_keeps_its_uid_and_takes_new_keys(api):
    _, made = api("POST", SECRETS, {"kind": "Secret", "metadata": {"name": "a"}, "data": {"old": "MQ=="}})
    code, changed = api("PATCH", f"{SECRETS}/a", {"metadata": {"labels": {"v": "2"}}, "data": {"new": "Mg=="}})
    assert code == 200
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert changed["data"] == {"old": "MQ==", "new": "Mg=="}


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        pytest.param({"data": {"old": "Mg=="}}, 422, id="data"),
        pytest.param({"immutable": None}, 422, id="the word itself"),
        pytest.param({"metadata": {"labels": {"v": "2"}}}, 200, id="a label may change"),
    ],
)
def test_an_immutable_secret_keeps_its_data(api, patch, code):
    api("POST", SECRETS, {"kind": "Secret", "metadata": {"name": "b"}, "immutable": True, "data": {"old": "MQ=="}})
    assert api("PATCH", f"{SECRETS}/b", patch)[0] == code


@pytest.mark.parametrize(
    ("patch", "generation"),
    [
        pytest.param({"metadata": {"labels": {"v": "2"}}}, 1, id="a label of its own"),
        pytest.param({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, 2, id="the pods' annotation"),
        pytest.param({"spec": {"replicas": 1}}, 1, id="what it is already"),
    ],
)
def test_a_deployments_generation_counts_changes_of_its_spec(api, patch, generation):
    api("POST", DEPLOYMENTS, {"kind": "Deployment", "metadata": {"name": "c"}, "spec": {"replicas": 1}})
    assert api("PATCH", f"{DEPLOYMENTS}/c", patch)[1]["metadata"]["generation"] == generation


def test_what_is_not_there_is_said_as_the_api_says_it(api):
    code, status = api("GET", f"{SECRETS}/none")
    assert (code, status["kind"], status["reason"]) == (404, "Status", "NotFound")
    assert api("PATCH", f"{SECRETS}/none", {"data": {}})[0] == 404
