"""The trap configmap: whole, with its fix taken out, without its fault, with a crash, and skipped."""

import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import jdk, parts, private
from labkit.traps.configmap import ConfigMap
from labkit.traps.configmap.service import Service
from labkit.traps.configmap.volume import DATA, ConfigMapVolume
from labkit.traps.running import run_trap
from labkit.words import Language, render
from tests.support import missing

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="impossible here: it needs Linux")


class Quick(ConfigMap):
    """The trap without its cases, and with little patience where the symptom is wanted."""

    patience_s = 1.0

    def cases(self):
        return ()


@pytest.fixture(scope="module")
def whole():
    """The trap, run once; Spring's half too where it was prepared."""
    if not ConfigMap.needs[0].present():
        missing("watchdog", "pip install 'labkit[traps]'")
    if jdk.folder() is not None:
        ConfigMap.prepare()
    return run_trap(ConfigMap)


@pytest.fixture(scope="module")
def cases(whole):
    return {case.id: case for case in whole.cases}


def test_it_passes_whole(whole):
    assert (whole.status, whole.verified) == (Status.PASS, True), whole
    assert whole.symptom == "greeting=v2\ngreeting=v1"
    by_kind = {step.kind: step.facts for step in whole.steps}
    assert by_kind[StepKind.REPRODUCE]["log"] == ""  # 5.1.07: no log line says so
    assert by_kind[StepKind.VERIFY]["answer"] == "greeting=v3"


@LINUX
def test_the_process_watches_nothing_before_and_the_folder_afterwards(whole):
    by_kind = {step.kind: step.facts for step in whole.steps}
    assert (by_kind[StepKind.DIAGNOSE]["watches"], by_kind[StepKind.FIX]["watches"]) == (0, 1)


def test_ls_shows_the_links_time_which_does_not_change(cases):
    assert cases["listing"].facts == {"link_mtime_changed": False, "file_mtime_changed": True, "inode_changed": True}


@LINUX
def test_the_update_is_one_rename_and_no_event_names_the_file(cases):
    assert cases["events"].output.splitlines() == [
        "created ..time", "created ..data_tmp", "moved ..data_tmp ..data", "deleted ..time",
    ]  # fmt: skip
    assert cases["file_watch"].facts["second_noticed"] is False


@LINUX
def test_the_watch_works_without_any_capability(cases):
    facts = cases["no_capabilities"].facts
    assert (facts["noticed"], facts["capabilities"], facts["no_new_privs"]) == (True, 0, True)


def test_a_subpath_never_changes_or_says_why_it_was_not_tried(cases):
    case = cases["subpath"]
    if private.possible():
        assert (case.status, case.facts) == (Status.PASS, {"volume": "greeting=v2", "subpath": "greeting=v1"})
    else:
        assert (case.status, case.reason.id) == (Status.SKIP, "traps.impossible.namespace")


def test_springs_half(cases):
    if jdk.folder() is None:
        missing("java", "apt-get install default-jdk-headless, or brew install openjdk")
    facts = cases["refresh"].facts
    assert (facts["get_status"], facts["post_status"], facts["post_body"]) == (405, 200, '["greeting"]')
    assert (facts["without_scope"], facts["with_scope"], facts["second_post_body"]) == ("v1", "v2", "[]")
    assert cases["property"].facts == {"reload_enabled": True, "config_reload_enabled": False, "default": "false"}


def test_it_fails_when_its_fix_is_taken_out():
    class Unmended(Quick):
        def fix(self):
            return Step(kind=StepKind.FIX, command="", output="", seen=True, text=Text(id="trap_configmap.step.fix"))

    outcome = run_trap(Unmended)
    assert (outcome.status, outcome.reason.id, outcome.fix) == (Status.FAIL, "traps.failed.verify", None)


def test_it_fails_where_the_fault_is_not():
    class Healthy(Quick):
        def reproduce(self):
            self._volume = ConfigMapVolume.fresh(self.rig.folder)
            self._service = Service(self.rig, self._volume.file, "data")
            return self._probe(StepKind.REPRODUCE)

    outcome = run_trap(Healthy)
    assert (outcome.status, outcome.reason.id, outcome.symptom) == (Status.FAIL, "traps.failed.reproduce", None)


def test_a_crashed_service_is_an_error_and_never_a_pass():
    class Crashing(Quick):
        def fix(self):
            step = super().fix()
            os.killpg(self._service.child.pid, signal.SIGKILL)
            self._service.child.wait(30)
            return msgspec.structs.replace(step, seen=True)

    outcome = run_trap(Crashing)
    assert (outcome.status, outcome.reason.id) == (Status.FAIL, "traps.failed.error")
    assert "signal 9 (SIGKILL)" in render(outcome.reason, Language.ENGLISH)


def test_it_is_skipped_where_watchdog_is_missing(monkeypatch):
    monkeypatch.setattr(ConfigMap, "needs", (parts.package("watchdog", "no_such_module"),))
    outcome = run_trap(ConfigMap)
    assert (outcome.status, outcome.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "labkit[traps]" in render(outcome.reason, Language.ENGLISH)


def test_the_volume_is_laid_out_as_the_kubelets(tmp_path):
    volume = ConfigMapVolume.fresh(tmp_path)
    old = volume.generation()
    assert volume.file.readlink() == Path(DATA) / volume.file.name
    assert old.startswith("..2")
    assert volume.write({volume.file.name: "greeting=v1\n"}) is False
    assert volume.generation() == old
    volume.next()
    assert (volume.generation() != old, (volume.folder / old).exists()) == (True, False)
    assert sorted(path.name for path in volume.folder.iterdir()) == [volume.generation(), DATA, volume.file.name]
