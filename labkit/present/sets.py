"""The sets side by side, what decided the versions of one, and how to switch to it, as frames."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from labkit.model.toolchain import Toolchain
from labkit.present.table import text_frame
from labkit.system.store import shown, shown_command
from labkit.toolchain import find, program
from labkit.toolchain.compat import Answer, By, Choice, Conflict, SetFit, catalogue
from labkit.toolchain.pins import PinnedSet, PluginTool
from labkit.words import Language, say

#: The first Go whose go.mod has tool lines (https://go.dev/doc/go1.24#tools).
_TOOL_LINES: Final = (1, 24)
_VALUE_OF: Final = re.compile(r"\$([a-z-]+)")  # in a bound: another axis's own value


def sets_frame(sets: Sequence[PinnedSet], used: str, language: Language | None = None) -> pd.DataFrame:
    """Return one row a part and one column a set, the one that this run uses first (all str).

    Parts: go, protoc, plugins, runtime modules, optional tools, the date of the pins. What a set lacks is a dash.
    """
    ordered = sorted(sets, key=lambda each: each.name != used)
    columns = {each.name: _parts(each, language) for each in ordered}
    parts = list(dict.fromkeys(part for column in columns.values() for part in column))
    last = say("sets.pinned_on", language)
    parts.sort(key=lambda part: part == last)
    heads = [say("sets.used", language, name=name) if name == used else name for name in columns]
    rows = [[part, *(column.get(part, "-") for column in columns.values())] for part in parts]
    return pd.DataFrame(rows, columns=pd.Index([say("sets.column.part", language), *heads]), dtype="str")


def _parts(pinned: PinnedSet, language: Language | None) -> dict[str, str]:
    def dated(tool: PluginTool) -> str:
        return f"{tool.version} ({tool.released})"

    return {
        "go": f"{pinned.go.version} ({pinned.go.released})",
        "protoc": f"{pinned.protoc.version} ({pinned.protoc.released})",
        **{tool.name: dated(tool) for tool in pinned.plugins},
        **{each.module: each.version for each in pinned.modules},
        **{say("sets.optional", language, name=tool.name): dated(tool) for tool in pinned.optional},
        say("sets.pinned_on", language): pinned.pinned_on,
    }


def fit_frame(answer: Answer, toolchain: Toolchain, language: Language | None = None) -> pd.DataFrame:
    """Return one row an axis of the solver's answer for a module: what the set has, the newest that fits, and why.

    Columns (all str): part, in this set, newest that fits, decided by. A conflict has a row for each part in it.
    Then one row a set of labkit: whether it fits the module, and what speaks against it.
    """
    has = {tool.name: tool.pinned_version for tool in toolchain.tools}
    has |= {each.module.rsplit("/", 1)[-1]: each.version.removeprefix("v") for each in toolchain.modules}
    if isinstance(answer.result, Conflict):
        chosen = dict.fromkeys(answer.result.axes, ("-", _bounds(answer.result.bounds, answer, language)))
    else:
        chosen = {each.axis: (each.version, _decided(each, answer, language)) for each in answer.result.choices}
    rows = [
        {"part": axis, "has": has.get(axis, "-"), "newest": newest, "decided": decided}
        for axis, (newest, decided) in chosen.items()
    ]
    rows += [_set_row(fit, answer, language) for fit in answer.sets]
    return text_frame(rows, ("part", "has", "newest", "decided"), "sets.column", language)


def _decided(choice: Choice, answer: Answer, language: Language | None) -> str:
    match choice.by:
        case By.STATED:
            return say(
                "sets.stated", language, origin=say(f"compat.origin.{answer.wish.origins[choice.axis]}", language)
            )
        case By.NEWEST:
            return say("compat.newest", language)
        case By.BOUNDS:
            excluded = say("sets.excluded", language, version=choice.newer or "")
            return f"{excluded} {_bounds(choice.bounds, answer, language)}"


def _set_row(fit: SetFit, answer: Answer, language: Language | None) -> dict[str, str]:
    if fit.excluded_by:
        verdict, why = "sets.fits_not", _bounds(fit.excluded_by, answer, language)
    elif fit.given_up:
        verdict, why = "sets.fits_but", _bounds(fit.given_up, answer, language)
    else:
        verdict, why = "sets.fits", "-"
    return {
        "part": say("sets.set", language, name=fit.name),
        "has": "-",
        "newest": say(verdict, language),
        "decided": why,
    }


def _bounds(ids: Sequence[str], answer: Answer, language: Language | None) -> str:
    return "; ".join(_bound(id_, answer, language) for id_ in ids)


def _bound(id_: str, answer: Answer, language: Language | None) -> str:
    bound = next((each for each in catalogue().bounds if each.id == id_), None)
    if bound is None:  # a wish that the set does not meet
        return id_

    stated = answer.wish.values  # noqa: PD011 - a mapping, no frame

    def text(conditions: Mapping[str, str]) -> str:
        said = ", ".join(f"{axis} {condition}" for axis, condition in conditions.items())
        return _VALUE_OF.sub(lambda found: stated.get(found[1], found[1]), said)

    if not bound.when:
        return say("sets.bound_always", language, id=id_, needs=text(bound.needs))
    return say("sets.bound", language, id=id_, when=text(bound.when), needs=text(bound.needs))


def switching_frame(toolchain: Toolchain, language: Language | None = None) -> pd.DataFrame:
    """Return one row a way to use a set: what it is for, the command, and what to mind (all str)."""
    name, go = toolchain.name, find(toolchain, "go").pinned_version
    plugin = find(toolchain, "protoc-gen-go")
    has_tools = tuple(int(part) for part in go.split(".")[:2]) >= _TOOL_LINES
    commands = {
        "run": f"toolchain: {name}",
        "shell": f'eval "$(labkit setup --env {name})"',
        "back": "labkit_undo",
        "module": f"go get -tool {plugin.source}" if has_tools else "-",
        "separate": f"go get -modfile=tools.mod -tool {plugin.source}" if has_tools else "-",
        "plugin": f"protoc --plugin=protoc-gen-go={shown_command(shown(str(program(toolchain, 'protoc-gen-go'))))} ...",
        "remove": f"labkit setup --remove {name}",
    }
    rows = [
        {
            "way": say(f"sets.way.{way}", language),
            "command": command,
            "mind": say("sets.too_old", language, go=go) if command == "-" else say(f"sets.mind.{way}", language),
        }
        for way, command in commands.items()
    ]
    return text_frame(rows, ("way", "command", "mind"), "sets.column", language)
