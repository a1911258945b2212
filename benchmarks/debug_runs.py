"""Debugs the generated server many times in a row: the same stops each time, and no process left.

    python benchmarks/debug_runs.py [RUNS]

Prints a line a run and way (dlv natively, qemu's gdb server for arm64), then whether all runs of a way stopped alike.
Alike means: the same places, functions, lines, stacks, names and types of variables, names of registers and reply;
values and addresses differ by nature. The exit code is 1 when runs differ, a session left a process, or a finding
failed.
"""

import sys
import time

import msgspec

from labkit import debugging
from labkit.errors import ImpossibleHereError
from labkit.facts import Facts
from labkit.model.check import Status
from labkit.model.debugging import Session
from labkit.system.store import digest

RUNS = 20


class Reply(msgspec.Struct):
    reply: str


def signature(session: Session) -> str:
    """Return what must be alike in every run."""
    stops = [
        {
            "place": stop.place,
            "reason": stop.reason,
            "function": stop.function,
            "line": stop.line,
            "file": None if stop.file is None else stop.file.rsplit("/", 1)[-1],
            "stack": [[frame.function, frame.line] for frame in stop.stack],
            "variables": [[each.name, each.type] for each in stop.variables],
            "named": [each.value for each in stop.variables if each.name.endswith(".Name")],
            "registers": [each.name for each in stop.registers],
            "symbol": stop.symbol,
        }
        for stop in session.stops
    ]
    reply = None if session.reply is None else msgspec.json.decode(session.reply, type=Reply).reply
    return digest({"stops": stops, "reply": reply, "breakpoints": [each.verified for each in session.breakpoints]})


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    facts = Facts("current")
    ways = {"dlv": debugging.debug_server, "qemu": debugging.debug_arm64}
    seen: dict[str, list[str]] = {}
    bad = 0
    print("run  way   platform     debugger              stops  left  failed  seconds  stops' digest")
    for number in range(1, runs + 1):
        for way, run in list(ways.items()):
            started = time.monotonic()
            try:
                session = run(facts)
            except ImpossibleHereError as error:
                print(f"{way}: {error}")
                del ways[way]
                continue
            took = time.monotonic() - started
            failed = sum(each.status is Status.FAIL for each in debugging.judge([session], (), None))
            seen.setdefault(way, []).append(signature(session))
            bad += failed + len(session.left_processes)
            print(
                f"{number:3}  {way:4}  {session.platform:11}  {session.debugger:20}  {len(session.stops):5}"
                f"  {len(session.left_processes):4}  {failed:6}  {took:7.2f}  {seen[way][-1]}",
                flush=True,
            )
    for way, signatures in seen.items():
        kinds = len(set(signatures))
        bad += kinds - 1
        print(f"{way}: {len(signatures)} runs, {kinds} kind{'s' if kinds > 1 else ''} of stops")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
