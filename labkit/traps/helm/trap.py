"""The trap ``helm``, step by step: what an upgrade changes in the API, and what makes pods roll."""

import os
import re
from collections.abc import Mapping
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import postgres
from labkit.traps.helm.program import build, helm
from labkit.traps.helm.release import CLUSTER_VARIABLE, Cluster, Live
from labkit.traps.parts import Part
from labkit.traps.trap import Trap

_REUSE: Final = "--reuse-values"
_RESET: Final = "--reset-then-reuse-values"
_LABEL: Final = "v2"  # what the charts' values.yaml has as the default
_KEY: Final = "new-key"
_LONG: Final = re.compile(r"(?<=^.{12}).+")


def _needed_for_upgrades(part: Part) -> Part:
    """Return a part that the stand-in API's records need; a cluster that is named keeps them itself."""
    there = part.present
    object.__setattr__(part, "present", lambda: bool(os.environ.get(CLUSTER_VARIABLE)) or there())
    return part


class Helm(Trap):
    """Upgrade a release so that its Secret changes, and look in the API at what else did: the pods' template, a label.

    The chart and the flag are the handbook's at first, mended ones afterwards. The API is a stand-in of ours with the
    real server's rules for what is looked at; helm and its way of patching are real.
    """

    id = "helm"
    needs = (
        Part(
            name="helm 3",
            present=lambda: helm() is not None,
            brew="helm",
            other="labkit traps helm --prepare",
            prepared=True,
        ),
        _needed_for_upgrades(postgres.part()),
        _needed_for_upgrades(postgres.may_run()),
    )
    sources = (
        "https://helm.sh/docs/helm/helm_upgrade/",
        "https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments",
        "https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable",
    )
    notes = ("trap_helm.note.stub",)

    @classmethod
    def prepare(cls) -> None:
        """Build helm into labkit's store where none is on PATH."""
        build()

    def reproduce(self) -> Step:
        """Install the old chart, and upgrade to one with a new key, a new default and the handbook's flag."""
        self._cluster = Cluster(self.rig)
        self._release, self._chart, self._flag, self._turn = "shop", "faulty", _REUSE, 0
        self._cluster.install(self._release, "old")
        return self._probe(StepKind.REPRODUCE)

    def diagnose(self) -> Step:
        """Ask helm which values the release was rendered with, and look for what ties the pods to the Secret."""
        values = self._cluster.computed(self._release)
        manifest = self._cluster.run("get", "manifest", self._release).stdout
        tied = "checksum/secret" in manifest
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"helm get values {self._release} --all; helm get manifest {self._release} | grep checksum/secret",
            output=f"{values}\n{'' if tied else '(no checksum/secret in the manifest)'}",
            seen="secretVersion" not in values and not tied,
            text=Text(id="trap_helm.step.diagnose"),
            facts={"new_default_in_values": "secretVersion" in values, "checksum_in_manifest": tied},
        )

    def fix(self) -> Step:
        """Upgrade to the mended chart, by the flag that takes the chart's new defaults."""
        self._chart, self._flag = "mended", _RESET
        done = self._cluster.upgrade(self._release, self._chart, self._flag)
        return Step(
            kind=StepKind.FIX,
            command=f"helm upgrade {self._release} shop-0.3.0 {_RESET}\n"
            '+ checksum/secret: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}\n'
            "- new-key: {{ randAlphaNum 32 | b64enc }}\n+ new-key: {{ .Values.newKey }}  # drawn once, kept by lookup",
            output=done.stdout,
            seen="has been upgraded" in done.stdout,
            text=Text(id="trap_helm.step.fix"),
        )

    def verify(self) -> Step:
        """Change the Secret once more."""
        return self._probe(StepKind.VERIFY)

    def control(self) -> Step:
        """Change it in a release that began with the mended chart."""
        self._release, self._chart, self._flag = "control", "mended", _RESET
        self._cluster.install(self._release, self._chart)
        return self._probe(StepKind.CONTROL)

    def _probe(self, kind: StepKind) -> Step:
        """Change a value of the Secret by an upgrade; the symptom: no pod rolls, or the new default is not there."""
        self._turn += 1
        before = self._cluster.live(self._release)
        more = (self._flag, "--set", f"oldKey=value-{self._turn}")
        self._cluster.upgrade(self._release, self._chart, *more)
        after = self._cluster.live(self._release)
        facts: dict[str, str | int | float | bool] = {
            "secret_changed": before.data != after.data,
            "rolled": after.generation > before.generation,
            "label": after.label or "",
            "same_uid": before.uid == after.uid,
            "new_key_added": _KEY in after.data and _KEY not in before.data,
        }
        if kind is StepKind.REPRODUCE:
            self._before, self._after = before, after
        return Step(
            kind=kind,
            command=f"helm upgrade {self._release} {self._chart} {' '.join(more)}; "
            f"helm status {self._release} --show-resources -o json",
            output=f"{_shown(before)}\n{_shown(after)}",
            seen=bool(facts["secret_changed"]) and (not facts["rolled"] or after.label != _LABEL),
            text=Text(
                id=f"trap_helm.step.{kind}",
                values={"before": before.generation, "after": after.generation, "label": after.label or "''"},
            ),
            facts=facts,
        )

    def cases(self) -> tuple[Case, ...]:
        """Return what the handbook says of keys, labels and immutability, looked at one by one."""
        return (
            self._case_key_added(),
            self._case_label(),
            self._case_random(),
            self._case_checksum_of_random(),
            self._case_kept(),
            self._case_nested(),
            self._case_immutable(),
            self._case_sent(),
        )

    def versions(self) -> Mapping[str, str]:
        """Return helm's version; one built by `go install` says two of its numbers only."""
        return {"helm": self._cluster.version()}

    def _case_key_added(self) -> Case:
        before, after = self._before, self._after
        return _case(
            "key_added",
            seen=_KEY in after.data and before.uid == after.uid,
            command=f"helm upgrade shop shop-0.2.0 {_REUSE}",
            output=f"{_shown(before)}\n{_shown(after)}",
            facts={"key_added": _KEY in after.data, "same_uid": before.uid == after.uid},
        )

    def _case_label(self) -> Case:
        cluster = self._cluster
        cluster.install("labelled", "faulty")
        before = cluster.live("labelled")
        cluster.upgrade("labelled", "faulty", "--set", "secretVersion=v3")
        after = cluster.live("labelled")
        facts = {"same_uid": before.uid == after.uid, "rolled": after.generation > before.generation}
        return _case(
            "label",
            seen=after.label == "v3" and facts == {"same_uid": True, "rolled": False},
            command="helm upgrade labelled shop-0.2.0 --set secretVersion=v3",
            output=f"{_shown(before)}\n{_shown(after)}",
            facts=facts,
        )

    def _case_random(self) -> Case:
        lines = [_line(self._cluster.template("faulty"), f"{_KEY}:") for _ in range(2)]
        return _case(
            "random",
            seen=len(set(lines)) == len(lines),
            command=f"helm template shop shop-0.2.0 | grep {_KEY}  # twice",
            output="\n".join(lines),
            facts={"values": len(set(lines))},
        )

    def _case_checksum_of_random(self) -> Case:
        cluster = self._cluster
        lines = [_line(cluster.template("restless"), "checksum/secret:") for _ in range(2)]
        cluster.install("restless", "restless")
        generations = [cluster.live("restless").generation]
        for _ in range(2):
            cluster.upgrade("restless", "restless", _RESET)
            generations.append(cluster.live("restless").generation)
        return _case(
            "checksum_of_random",
            seen=len(set(lines)) == len(lines) and generations == [1, 2, 3],
            command="helm template shop shop-0.2.1 | grep checksum/secret  # twice",
            output="\n".join([*lines, f"generations after upgrades that change nothing: {generations}"]),
            facts={"checksums": len(set(lines)), "rolls_without_a_change": generations[-1] - generations[0]},
        )

    def _case_kept(self) -> Case:
        cluster = self._cluster
        before = cluster.live("control")
        cluster.upgrade("control", "mended", _RESET)
        after = cluster.live("control")
        facts = {
            "same_value": before.data[_KEY] == after.data[_KEY],
            "rolled": after.generation > before.generation,
            "checksum": bool(after.checksum),
        }
        return _case(
            "kept",
            seen=facts == {"same_value": True, "rolled": False, "checksum": True},
            command=f"helm upgrade control shop-0.3.0 {_RESET}",
            output=f"{_shown(before)}\n{_shown(after)}",
            facts=facts,
        )

    def _case_nested(self) -> Case:
        cluster = self._cluster
        cluster.install("nested", "old")
        refused = cluster.upgrade("nested", "nested", _REUSE, check=False)
        taken = cluster.upgrade("nested", "nested", _RESET, check=False)
        said = _line(refused.stderr, "nil pointer")
        return _case(
            "nested",
            seen=refused.returncode != 0 and bool(said) and taken.returncode == 0,
            command=f"helm upgrade nested shop-0.2.2 {_REUSE}",
            output=f"{said}\n\n$ helm upgrade nested shop-0.2.2 {_RESET}\n{taken.stdout}",
            facts={"reuse_exit_code": refused.returncode, "reset_exit_code": taken.returncode},
        )

    def _case_immutable(self) -> Case:
        cluster = self._cluster
        cluster.install("fixed", "immutable")
        refused = cluster.upgrade("fixed", "immutable", "--set", "oldKey=second", check=False)
        return _case(
            "immutable",
            seen=refused.returncode != 0 and "field is immutable when `immutable` is set" in refused.stderr,
            command="helm upgrade fixed shop-0.1.1 --set oldKey=second",
            output=refused.stderr,
            facts={
                "refused_with_immutable": refused.returncode != 0,
                "changed_without": self._before.data != self._after.data,
                "rule_by_stub": cluster.api is not None,
            },
        )

    def _case_sent(self) -> Case:
        sent = self._cluster.requests()
        writes = [f"{one['method']} {one['type']} {one['path'].split('/namespaces/')[0]}" for one in sent]
        methods = {one["method"] for one in sent}
        facts = {"patches": sum(one["method"] == "PATCH" for one in sent), "replaced": "PUT" in methods}
        if self._cluster.api is None:
            text = Text(id="trap_helm.case.sent_wanted")
            return Case(id="sent", status=Status.SKIP, text=text, reason=Text(id="trap_helm.case.sent_not_seen"))
        return _case(
            "sent",
            seen="PATCH" in methods and not facts["replaced"],
            command="the stand-in's own list of what it was sent",
            output="\n".join(dict.fromkeys(writes)),
            facts=facts,
        )


def _case(id_: str, *, seen: bool, command: str, output: str, facts: Mapping[str, str | int | float | bool]) -> Case:
    status = Status.PASS if seen else Status.FAIL
    text = Text(id=f"trap_helm.case.{id_}")
    return Case(id=id_, status=status, text=text, command=command, output=output, facts=facts)


def _shown(live: Live) -> str:
    """Return what is looked at, the drawn letters cut short."""
    data = ", ".join(f"{key}={_LONG.sub('...', value)}" for key, value in sorted(live.data.items()))
    return f"Secret uid={live.uid[:8]} label={live.label!r} data: {data}; Deployment generation={live.generation}"


def _line(text: str, wanted: str) -> str:
    return next((line.strip() for line in text.splitlines() if wanted in line), "")
