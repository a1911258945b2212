"""Chapter 5.7, Helm and Secrets: judged by what one run of labkit's trap saw in the API before and after upgrades."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from labkit.claims.base import read_source
from labkit.claims.facts import ClaimFacts
from labkit.claims.trap_runs import TrapCheck, case, skipped, step, witnessed
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.traps import StepKind, TrapOutcome
from labkit.system.store import home

#: Where helm chooses between a patch and a replacement, and what it says there.
_CLIENT: Final = "pkg/kube/client.go"
_FORCE: Final = re.compile(r"// (if --force is applied[^\n]*)\n\tif force \{")
#: The field of a Secret in the API's own Go types, with the comment above it.
_TYPES: Final = "core/v1/types.go"
_FIELD: Final = re.compile(r"^type Secret struct \{.*?((?:\t// [^\n]*\n)+)\tImmutable \*bool", re.DOTALL | re.MULTILINE)


class _Helm(TrapCheck):
    trap = "helm"


class KeyAdded(_Helm):
    """Upgrade a release by --reuse-values to a chart whose Secret has one more key, and read the Secret in the API."""

    id = "5.7.01"
    turned_by = "the record of a run in which the key did not come"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by whether the key is there afterwards; what did not come is told from the same upgrade."""
        upgrade, added, nested = step(run, StepKind.REPRODUCE), case(run, "key_added"), case(run, "nested")
        values = step(run, StepKind.DIAGNOSE)
        yield self.judged(
            not (upgrade.facts["new_key_added"] and added.facts["key_added"]),
            [witnessed(each) for each in (upgrade, values, nested)],
            label=str(upgrade.facts["label"]) or "''",
            said=nested.output.splitlines()[0].rpartition(": ")[2] or "-",
        )


class Changeable(_Helm):
    """Change a value of a Secret by an upgrade, once as it is and once with ``immutable: true``.

    The refusal is the stand-in API's, which has the real one's rule; the API's own Go types say the same.
    """

    id = "5.7.02"
    turned_by = "the record of a run in which both were refused"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge both as cases."""
        fixed, upgrade = case(run, "immutable"), step(run, StepKind.REPRODUCE)
        cases = [
            Case(
                facts={"immutable": True},
                holds=bool(fixed.facts["refused_with_immutable"]),
                witness=fixed.output.rpartition("is invalid: ")[2] or fixed.output,
            ),
            Case(
                facts={"immutable": False},
                holds=not (fixed.facts["changed_without"] and upgrade.facts["secret_changed"]),
                witness=witnessed(upgrade).text,
            ),
        ]
        evidence = [witnessed(fixed), witnessed(upgrade), *_documented()]
        yield self.by_cases(cases, lambda seen: seen["immutable"] is True, evidence)


class NewLabel(_Helm):
    """Change a label of a Secret by an upgrade, and compare the object's uid before and after."""

    id = "5.7.03"
    turned_by = "the record of a run in which the object was another one"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by whether it is another object."""
        label, mended = case(run, "label"), step(run, StepKind.VERIFY)
        yield self.judged(
            not label.facts["same_uid"],
            [witnessed(label), witnessed(mended)],
            rolled=int(bool(label.facts["rolled"])),
            rolled_by_checksum=int(bool(mended.facts["rolled"])),
        )


class Replaced(_Helm):
    """Read which writing requests helm sent for its upgrades, and how one that changes an immutable Secret ended."""

    id = "5.7.04"
    turned_by = "the record of a run in which helm replaced objects"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by the requests: none replaces, and the API's refusal ends the upgrade."""
        sent, fixed = case(run, "sent"), case(run, "immutable")
        if skipped(sent):
            yield self.lacking(sent)
            return
        replaced = bool(sent.facts["replaced"]) or not fixed.facts["refused_with_immutable"]
        yield self.judged(
            not replaced,
            [witnessed(sent), witnessed(fixed), *_forced()],
            patches=int(sent.facts["patches"]),
            version=run.versions.get("helm", "-"),
        )


class MadeAnew(_Helm):
    """Compare the Secret's uid over every upgrade of the run, and its data."""

    id = "5.7.05"
    turned_by = "the record of a run in which an upgrade made it anew"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by the uids."""
        upgrades = [step(run, kind) for kind in (StepKind.REPRODUCE, StepKind.VERIFY, StepKind.CONTROL)]
        label = case(run, "label")
        same = [*(bool(each.facts["same_uid"]) for each in upgrades), bool(label.facts["same_uid"])]
        yield self.judged(
            all(same),
            [*(witnessed(each) for each in upgrades), witnessed(label)],
            count=len(same),
            changed=sum(bool(each.facts["secret_changed"]) for each in upgrades),
            rolled=sum(bool(each.facts["rolled"]) for each in upgrades),
        )


@cache
def _documented() -> tuple[ClaimEvidence, ...]:
    """Return what the API's Go types say of the field, where a module of them is in labkit's cache."""
    return _in_modules("k8s.io", "api@*", _TYPES, _FIELD)


@cache
def _forced() -> tuple[ClaimEvidence, ...]:
    """Return when helm's own source replaces instead of patching, where it is in labkit's cache."""
    return _in_modules("helm.sh/helm", "v3@*", _CLIENT, _FORCE)


def _in_modules(room: str, module: str, path: str, wanted: re.Pattern[str]) -> tuple[ClaimEvidence, ...]:
    for folder in sorted((home() / "go" / "mod" / room).glob(module), reverse=True):
        file = folder / path
        found = wanted.search(file.read_text("utf-8")) if file.is_file() else None
        if found is not None:
            said = " ".join(found[1].replace("//", " ").split())
            return (read_source(f"{room}/{folder.name}/{path}", said),)
    return ()
