"""Debugging sessions as tables: where a call stood, its stack, variables and registers; and configurations tried."""

from collections.abc import Sequence

import pandas as pd

from labkit.model.debugging import Debugging, Session, Stop, Trial
from labkit.present.table import Table, text_frame
from labkit.system.store import shown
from labkit.words import Language, render, say

_TOPIC = "debugging"
_COLUMNS = f"{_TOPIC}.column"
_REGISTERS_A_ROW = 4


def stops(record: Debugging) -> Table:
    """Show where calls stood, in every session."""
    return Table(stops_frame(record.sessions))


def stack(record: Debugging, place: str = "getter") -> Table:
    """Show the stacks at a place."""
    return Table(stack_frame(record.sessions, place))


def variables(record: Debugging, place: str = "handler") -> Table:
    """Show arguments, locals and expressions at a place."""
    return Table(variables_frame(record.sessions, place))


def registers(record: Debugging, place: str = "handler") -> Table:
    """Show the registers at a place, or why there are none of arm64."""
    return Table(registers_frame(record, place))


def trials(record: Debugging) -> Table:
    """Show what dlv did with each configuration."""
    return Table(trials_frame(record.trials))


def stops_frame(sessions: Sequence[Session], language: Language | None = None) -> pd.DataFrame:
    """Return one row a stop.

    Columns (all str, heads in the reader's language): platform, debugger, place, what stopped it, function, line, PC,
    and the range of the symbol that holds the PC where it was looked up.
    """
    rows = [
        {
            "platform": session.platform,
            "debugger": session.debugger,
            "place": _place(stop, language),
            "reason": say(f"{_TOPIC}.stop.{stop.reason}", language),
            "function": stop.function,
            "line": _line(stop.file, stop.line),
            "pc": "-" if stop.pc is None else f"{int(stop.pc, 16):#x}",
            "symbol": "-" if stop.symbol_start is None else f"{stop.symbol_start} + {stop.symbol_size_bytes}",
        }
        for session in sessions
        for stop in session.stops
    ]
    heads = ("platform", "debugger", "place", "reason", "function", "line", "pc", "symbol")
    return text_frame(rows, heads, _COLUMNS, language)


def stack_frame(sessions: Sequence[Session], place: str, language: Language | None = None) -> pd.DataFrame:
    """Return one row a call on the stack at a place (columns all str: platform, depth, function, line)."""
    rows = [
        {
            "platform": session.platform,
            "depth": str(depth),
            "function": frame.function,
            "line": _line(frame.file, frame.line),
        }
        for session, stop in _at(sessions, place)
        for depth, frame in enumerate(stop.stack)
    ]
    return text_frame(rows, ("platform", "depth", "function", "line"), _COLUMNS, language)


def variables_frame(sessions: Sequence[Session], place: str, language: Language | None = None) -> pd.DataFrame:
    """Return one row a variable at a place (columns all str: platform, name, type, value)."""
    rows = [
        {"platform": session.platform, "name": each.name, "type": each.type or "-", "value": shown(each.value)}
        for session, stop in _at(sessions, place)
        for each in stop.variables
    ]
    return text_frame(rows, ("platform", "name", "type", "value"), _COLUMNS, language)


def registers_frame(record: Debugging, place: str, language: Language | None = None) -> pd.DataFrame:
    """Return registers at a place, a few a row.

    Columns (all str): platform, then register and value again and again; the last row says why arm64 is not there.
    """
    rows: list[list[str]] = []
    for session, stop in _at(record.sessions, place):
        cells = [text for each in stop.registers for text in (each.name, each.value)]
        for start in range(0, len(cells), 2 * _REGISTERS_A_ROW):
            row = cells[start : start + 2 * _REGISTERS_A_ROW]
            rows.append([session.platform, *row, *[""] * (2 * _REGISTERS_A_ROW - len(row))])
    if record.not_emulated is not None:
        rows.append(["linux/arm64", "-", render(record.not_emulated, language), *[""] * (2 * _REGISTERS_A_ROW - 2)])
    pair = [say(f"{_COLUMNS}.name", language), say(f"{_COLUMNS}.value", language)]
    heads = [say(f"{_COLUMNS}.platform", language), *pair * _REGISTERS_A_ROW]
    return pd.DataFrame(rows, columns=pd.Index(heads), dtype="str")


def trials_frame(trials: Sequence[Trial], language: Language | None = None) -> pd.DataFrame:
    """Return one row a configuration (columns all str: configuration, mode, outcome, function, dlv's own words)."""
    rows = [
        {
            "configuration": say(f"{_TOPIC}.trial.{each.id}", language),
            "mode": f"{each.request}, {each.mode}",
            "outcome": say(f"{_TOPIC}.outcome.{each.outcome}", language),
            "stopped_in": each.stopped_in or "-",
            "said": shown(each.said.replace("\n", " / ")) or "-",
        }
        for each in trials
    ]
    return text_frame(rows, ("configuration", "mode", "outcome", "stopped_in", "said"), _COLUMNS, language)


def _at(sessions: Sequence[Session], place: str) -> list[tuple[Session, Stop]]:
    return [(session, stop) for session in sessions for stop in session.stops if stop.place == place]


def _place(stop: Stop, language: Language | None) -> str:
    return "-" if stop.place is None else say(f"{_TOPIC}.place.{stop.place}", language)


def _line(file: str | None, line: int | None) -> str:
    if file is None:
        return "-"
    return f"{file.rsplit('/', 1)[-1]}:{line}"
