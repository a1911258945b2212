"""Findings and binaries' verdicts side by side: what each column's runs found, what is judged for who is not here."""

from collections.abc import Sequence

from labkit.compare.columns import Group
from labkit.compare.entry import Entry
from labkit.model.base import Text
from labkit.model.binary import Verdict
from labkit.model.check import Status
from labkit.model.comparison import Axis, BinaryCell, BinaryRow, FindingCell, FindingRow
from labkit.model.machine import System

_Check = tuple[str, str]  # section, id

_GRAVEST = (Status.FAIL, Status.PASS, Status.SKIP)


def findings(groups: Sequence[Group]) -> tuple[FindingRow, ...]:
    """Return a row a check, in the order of the runs."""
    titles: dict[_Check, Text] = {}
    counted = []
    for made in groups:
        counts: dict[_Check, dict[Status, int]] = {}
        for entry in made.looked_at:
            for id_, found in entry.findings.items():
                check = (found.section, id_)
                if check not in titles:
                    titles[check] = found.title
                of = counts.setdefault(check, {})
                of[found.status] = of.get(found.status, 0) + 1
        counted.append(counts)
    return tuple(
        FindingRow(
            id=check[1],
            title=title,
            section=check[0],
            cells=tuple(_cell(made, counts.get(check)) for made, counts in zip(groups, counted, strict=True)),
        )
        for check, title in titles.items()
    )


def _cell(made: Group, counts: dict[Status, int] | None) -> FindingCell:
    if made.judged_for is not None:
        return FindingCell(status=None, why=Text(id="compare.why.no_record", values={"chip": made.chip or made.name}))
    if not counts:
        return FindingCell(status=None, why=Text(id="compare.why.not_checked"))
    return FindingCell(status=next(each for each in _GRAVEST if each in counts), counts=counts)


def binaries(groups: Sequence[Group], axis: Axis) -> tuple[BinaryRow, ...]:
    """Return a row a program that a column's runs have looked at, each column's own programs together.

    Along another axis than machines all columns are one machine: a row is a program's name, with each column's own.
    """
    rows: list[BinaryRow] = []
    if axis is Axis.TRANSLATION:
        return ()
    owned = [
        {name: verdicts for entry in made.looked_at for name, verdicts in entry.binaries.items()} for made in groups
    ]
    if axis is not Axis.MACHINE:
        for name in dict.fromkeys(name for own in owned for name in own):
            found = [{each.machine: each for each in own.get(name, ())} for own in owned]
            cells = tuple(_verdict(own, made) for own, made in zip(found, groups, strict=True))
            rows.append(BinaryRow(name=name, made_on=None, cells=cells))
        return tuple(rows)
    for made, programs in zip(groups, owned, strict=True):
        for name, verdicts in programs.items():
            by_machine = {each.machine: each for each in verdicts}
            cells = tuple(_verdict(by_machine, other) for other in groups)
            rows.append(BinaryRow(name=name, made_on=made.name, cells=cells))
    return tuple(rows)


def _verdict(verdicts: dict[str, Verdict], made: Group) -> BinaryCell:
    target = made.judged_for or next((name for each in made.looked_at if (name := _target(each))), None)
    verdict = verdicts.get(target or "")
    if verdict is None:
        return BinaryCell(runs=None, machine=target, why=Text(id="compare.why.not_judged"))
    return BinaryCell(
        runs=verdict.runs,
        machine=verdict.machine,
        rule=verdict.rule,
        reasons=verdict.reasons,
        confirmed_on_hardware=verdict.confirmed_on_hardware,
    )


def _target(entry: Entry) -> str | None:
    """Return the name that verdicts have for a run's machine: m2-macos15, linux-amd64."""
    machine = entry.machine
    if machine is None:
        return None
    if machine.system is System.LINUX:
        return {"arm64": "linux-arm64", "x86_64": "linux-amd64"}.get(machine.architecture)
    words = (machine.chip or "").split()
    major = (machine.system_version or "").split(".")[0]
    return f"{words[1].lower()}-macos{major}" if len(words) > 1 and words[0] == "Apple" and major else None
