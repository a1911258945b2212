"""Whose numbers they are, as far as a published text's goos, goarch and cpu lines tell.

Go prints Apple's brand string on darwin/arm64 (``Apple M1 Pro``; ``Apple M1 (Virtual)`` in a virtual machine). A
darwin/amd64 program asks the processor instead, and Rosetta 2 answers ``VirtualApple @ 2.50GHz`` on every chip: that it
was translated is certain, by which chip is not said.
"""

import re
from collections.abc import Mapping
from typing import Final

from labkit.machine.names import names
from labkit.model.imported import StatedMachine

_APPLE: Final = re.compile(r"(?:Apple )?M(\d{1,2})(?: (Pro|Max|Ultra))?(?: \((Virtual)\))?", re.IGNORECASE)
_ROSETTA: Final = "VirtualApple"
_X86_MAKERS: Final = re.compile(r"\b(?:Intel|AMD|GenuineIntel|AuthenticAMD)\b")


def apple_chip(text: str) -> str | None:
    """Return an Apple chip's name as labkit's tables have it (``Apple M1 Pro``), None for another text.

    A chip newer than the tables is named by the same pattern.
    """
    match = _APPLE.fullmatch(_named(text))
    if match is None:
        return None
    name = f"Apple M{int(match[1])}" + (f" {match[2].capitalize()}" if match[2] else "")
    known = {*names().soc.values(), *(f"Apple {entry.name}" for entry in names().cpufamily)}
    return next((chip for chip in known if chip.lower() == name.lower()), name)


def _named(text: str) -> str:
    """Return what stands before the first comma or semicolon: people add the Go version behind it."""
    return " ".join(re.split("[;,]", text, maxsplit=1)[0].split())


def stated(config: Mapping[str, str], *, chip: str | None = None) -> StatedMachine:
    """Return the machine that configuration lines state; ``chip``: what the importer says of one that they do not."""
    cpu, goarch = config.get("cpu"), config.get("goarch")
    said = None if cpu is None or cpu.startswith(_ROSETTA) else (apple_chip(cpu) or " ".join(cpu.split()))
    by_importer = said is None and chip is not None
    named = chip if by_importer else said
    match = _APPLE.fullmatch(_named(cpu or ""))
    return StatedMachine(
        chip=named,
        translated=_translated(cpu, goarch, named),
        virtual=True if match is not None and match[3] else None,
        cpu=cpu,
        goos=config.get("goos"),
        goarch=goarch,
        chip_stated_by=None if named is None else "importer" if by_importer else "text",
    )


def _translated(cpu: str | None, goarch: str | None, chip: str | None) -> bool | None:
    if cpu is not None and cpu.startswith(_ROSETTA):
        return True
    if chip is not None and apple_chip(chip) is not None:
        return {"arm64": False, "amd64": True}.get(goarch or "")
    if cpu is not None and _X86_MAKERS.search(cpu) and goarch in {"amd64", "386"}:
        return False  # the processor itself answered
    return None


def shared(machines: tuple[StatedMachine, ...]) -> StatedMachine:
    """Return what all machines have in common: the machine itself when there is one."""
    fields = StatedMachine.__struct_fields__
    same = {field: getattr(machines[0], field) for field in fields} if machines else {}
    return StatedMachine(
        **{field: value for field, value in same.items() if all(getattr(each, field) == value for each in machines)}
    )
