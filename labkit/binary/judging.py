"""Verdicts: would a named machine run this file? The rules are data; their conditions are apple.py's and linux.py's."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from labkit.binary import apple, linux
from labkit.binary.conditions import COMMON, Case, Condition
from labkit.binary.machines import DEFAULT_MACHINES, Target, target
from labkit.binary.machines import check as check_machines
from labkit.model.base import Text
from labkit.model.binary import Binary, Format, Runs, SignatureKind, Slice, Verdict

__all__ = ["DEFAULT_MACHINES", "check_machines", "judge", "rules"]

#: Which slice Apple silicon takes first: kern_exec.c grades the native ones above those that Rosetta runs.
_PREFERRED: Final = ("arm64", "arm64e", "x86_64h", "x86_64")
_FAMILIES: Final = {Format.MACHO: "macho-", Format.ELF: "elf-"}
_BEFORE: Final = frozenset({"unreadable", "script", "other-format", "macho-on-linux", "elf-on-macos"})


_CONDITIONS: Final = COMMON | apple.CONDITIONS | linux.CONDITIONS


@cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the rules by id, in their order."""
    listed = tomllib.loads(resources.files(__package__).joinpath("rules.toml").read_text("utf-8"))["rule"]
    return {rule["id"]: rule for rule in listed}


@cache
def _applicable(format_: Format) -> tuple[tuple[str, Mapping[str, Any], Condition], ...]:
    """Return the rules for files of a format that have slices, each with its condition."""
    families = (_FAMILIES[format_], "not-a-")
    return tuple(
        (id_, rule, _CONDITIONS[id_])
        for id_, rule in rules().items()
        if id_ not in _BEFORE and id_.startswith(families)
    )


def judge(binary: Binary, machine: str) -> Verdict:
    """Return whether a machine would run a binary, and by which rule.

    The first rule that holds decides. ``yes`` means that nothing in the bytes speaks against it; what the bytes cannot
    tell (Gatekeeper, revocation) is among the reasons.

    Raises:
        UsageError: The machine's name is unknown.

    """
    where = target(machine)
    if not binary.slices:
        return _without_slices(binary, where)
    if binary.format is Format.MACHO and where.system != "macos":
        return _verdict("macho-on-linux", where, {"format": "Mach-O"})
    if binary.format is Format.ELF and where.system != "linux":
        return _verdict("elf-on-macos", where, {"format": "ELF"})
    chosen = _choose(binary, where)
    for id_, rule, condition in _applicable(binary.format):
        case = Case(binary=binary, target=where, slice=chosen, rule=rule)
        slots = condition(case)
        if slots is not None:
            return _verdict(id_, where, slots, _caveats(case, Runs(rule["runs"])))
    raise AssertionError(f"no rule holds for {binary.path} on {machine}")  # the last rule of a family always does


def _choose(binary: Binary, where: Target) -> Slice:
    if where.system == "macos":
        for architecture in _PREFERRED:
            for slice_ in binary.slices:
                if slice_.architecture == architecture:
                    return slice_
    return binary.slices[0]


def _without_slices(binary: Binary, where: Target) -> Verdict:
    if binary.error is not None:
        return _verdict("unreadable", where, {"error": binary.error})
    if binary.kind is not None and binary.kind.startswith("script "):
        return _verdict("script", where, {"interpreter": binary.kind.removeprefix("script ")})
    return _verdict("other-format", where, {"kind": binary.kind or "?"})


def _verdict(id_: str, where: Target, slots: Mapping[str, str | int], caveats: tuple[Text, ...] = ()) -> Verdict:
    rule = rules()[id_]
    return Verdict(
        machine=where.name,
        runs=Runs(rule["runs"]),
        reasons=(Text(id=f"binary.rule.{id_}", values=slots), *caveats),
        rule=id_,
        source=rule["source"],
        confirmed_on_hardware=where.name in rule["confirmed_on"],
    )


def _caveats(case: Case, runs: Runs) -> tuple[Text, ...]:
    """Return what the bytes cannot tell although nothing in them speaks against it, and what could."""
    if runs not in {Runs.YES, Runs.TRANSLATED}:
        return ()
    names: list[str] = []
    if case.slice.file_type != "executable":
        names.append("a-library")
    if case.binary.format is Format.MACHO:
        names.append("gatekeeper")
        signed = case.slice.signature
        if signed.signers:
            names.append("revocation")
        if signed.kind is not SignatureKind.NONE and signed.bad_pages is None:
            names.append("pages-not-hashed")
    return tuple(Text(id=f"binary.caveat.{name}") for name in names)
