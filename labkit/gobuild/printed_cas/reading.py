"""The handbook's listing, line by line, and the ways to read it: text in, Go assembly out. It builds and runs nothing.

The listing mixes two syntaxes: MOVD is Go's name of the instruction and ``R2`` its name of a register, while
``LDAXR R2, [R0]`` and ``W4`` have Arm's order and brackets. So it has to be read before it can be assembled; every
reading keeps the listing's registers and lines and differs only in what its first line means.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

_LINE: Final = re.compile(r"\s*([A-Z]+)\s*([^/]*?)\s*(?://.*)?")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading: what its first line is (None: nothing), and which register holds what on entry."""

    id: str
    first: str | None
    entry: Mapping[str, str]  # register: argument


#: The prose under the listing: "R0 is the address, R1 the new value, R3 the expected old value".
_PROSE: Final = {"R0": "ptr", "R1": "new", "R3": "old"}
READINGS: Final = (
    # MOVD is Go's, and Go's moves go from left to right: R3 becomes R1, the new value.
    Reading(id="source-first", first="MOVD R1, R3", entry=_PROSE),
    # All other lines have Arm's order, from right to left: R1 becomes R3, the old value.
    Reading(id="destination-first", first="MOVD R3, R1", entry=_PROSE),
    # The line's comment, "load the old value into R3", makes R1 the old value on entry.
    Reading(id="as-commented", first="MOVD R1, R3", entry={"R0": "ptr", "R1": "old", "R5": "new"}),
    # Without it the registers are what the prose says. This is a repair, no longer the listing.
    Reading(id="without-first-line", first=None, entry=_PROSE),
)
#: A routine that is no compare-and-swap, and Go's own: what the program can see, and that it sees no ghosts.
_CONTROLS: Final = ('\t{"torn", torn, nil},', '\t{"sync/atomic", control, nil},')
_INTERRUPTED: Final = "(ptr *uint64, old, new uint64, flags *[64]uint64) (swapped bool, status, loads uint64)"
_OFFSETS: Final = {"ptr": 0, "old": 8, "new": 16, "flags": 24}


def printed() -> tuple[str, ...]:
    """Return the listing as the handbook prints it."""
    return tuple(resources.files(__package__).joinpath("listing.txt").read_text("utf-8").splitlines())


def lines(reading: Reading, listing: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Return a reading of the listing in Go's syntax: same instructions, same registers, same order of lines.

    Args:
        reading: How its first line is read.
        listing: Another one in its syntax; the printed one when None. A line may be a label.

    """
    first, *others = printed() if listing is None else listing
    if _LINE.fullmatch(first) is None or not first.startswith("MOVD R1, R3"):
        raise AssertionError(f"the listing begins with {first!r}")
    own = () if reading.first is None else (reading.first,)
    return own + tuple(_translated(line) for line in others)


def _translated(line: str) -> str:
    """Turn a line of Arm's order into Go's: operands reversed, ``[R0]`` as ``(R0)``, W registers by the W forms."""
    if line.strip().endswith(":"):
        return line.strip()
    match = _LINE.fullmatch(line)
    if match is None:
        raise AssertionError(f"a line of the listing that is none: {line!r}")
    name, operands = match[1], [each.strip() for each in match[2].split(",")]
    go = [re.sub(r"^\[(\w+)\]$", r"(\1)", each).replace("W4", "R4") for each in operands]
    match name:
        case "CMP" | "LDAXR":
            return f"{name} {', '.join(reversed(go))}"
        case "STLXR":  # status, value, address: in Go value, address, status
            return f"{name} {go[1]}, {go[2]}, {go[0]}"
        case "CBNZ":
            return f"{'CBNZW' if 'W4' in operands else name} {', '.join(go)}"
        case _:
            return f"{name} {', '.join(go)}"


def assembly(readings: tuple[Reading, ...] = READINGS, listing: tuple[str, ...] | None = None) -> str:
    """Return cas_arm64.s: for each reading a routine, and one that lets another thread in after the load."""
    text = ["// Written by labkit from the handbook's listing; do not edit.", '#include "textflag.h"', ""]
    for reading in readings:
        body = lines(reading, listing)
        text += _routine(reading, "cas", 40, body, loads=False)
        text += _routine(reading, "interrupted", 56, _interrupted(body), loads=True)
    return "\n".join(text) + "\n"


def table(readings: tuple[Reading, ...] = READINGS) -> str:
    """Return routines.go: the routines' declarations, and the table of them with two controls."""
    names: Callable[[Reading, str], str] = lambda reading, kind: f"{kind}_{_word(reading)}"  # noqa: E731
    text = ["package main", ""]
    for reading in readings:
        text += [
            "//go:noescape",
            f"func {names(reading, 'cas')}(ptr *uint64, old, new uint64) (swapped bool, status uint64)",
            "",
            "//go:noescape",
            f"func {names(reading, 'interrupted')}{_INTERRUPTED}",
            "",
        ]
    rows = [f'\t{{"{each.id}", {names(each, "cas")}, {names(each, "interrupted")}}},' for each in readings]
    return "\n".join([*text, "var routines = []routine{", *rows, *_CONTROLS, "}", ""])


def symbol(reading: Reading) -> str:
    """Return the name of a reading's routine in the program."""
    return f"main.cas_{_word(reading)}"


def _word(reading: Reading) -> str:
    return reading.id.replace("-", "_")


def _interrupted(body: tuple[str, ...]) -> tuple[str, ...]:
    # After the load: count it, say that it happened, and wait for the other thread. Acquire and release, so that the
    # other's write lies between; R8 to R12 are not the listing's.
    meanwhile = "ADD $1, R10; MOVD $1, R11; STLR R11, (R8); ADD $256, R8, R9; again:; LDAR (R9), R12; CBZ R12, again"
    at = next(index for index, line in enumerate(body) if line.startswith("LDAXR"))
    return (*body[: at + 1], *meanwhile.split("; "), *body[at + 1 :])


def _routine(reading: Reading, kind: str, size: int, body: tuple[str, ...], *, loads: bool) -> list[str]:
    out = 32 if loads else 24
    flags = ["MOVD flags+24(FP), R8", "MOVD ZR, R10"] if loads else []
    end = ["MOVD R4, status+{}(FP)", *(["MOVD R10, loads+{}(FP)"] if loads else []), "RET"]
    ends = [line.format(out + 8 if "status" in line else out + 16) for line in end]
    return [
        f"// func {kind}_{_word(reading)}",
        f"TEXT ·{kind}_{_word(reading)}(SB), NOSPLIT, $0-{size}",
        *(f"\tMOVD {name}+{_OFFSETS[name]}(FP), {register}" for register, name in reading.entry.items()),
        *(f"\t{line}" for line in flags),
        "\tMOVD $99, R4",  # what the status shows when the conditional store is not reached
        *(line if line.endswith(":") else f"\t{line}" for line in body),
        "\tMOVD $1, R7",
        f"\tMOVB R7, swapped+{out}(FP)",
        *(f"\t{line}" for line in ends),
        "fail:",
        f"\tMOVB ZR, swapped+{out}(FP)",
        *(f"\t{line}" for line in ends),
        "",
    ]
