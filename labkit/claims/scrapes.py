"""Prometheus with a timeout below its target's latency and with one above, and curl on steady and unsteady targets.

Server and target are those of the trap (:mod:`labkit.traps.scrape_server`). Nothing is judged here.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labkit.claims import trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.system import proc
from labkit.traps import fetch, scrape_server
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig
from labkit.traps.scrape_server import INTERVAL, LATENCY_S, Server

_RECIPE: Final = {
    "server": trap_cases.sources("scrape"),  # with the files that all traps share, scrape_server.py among them
}
#: The timeouts: one below the latency of the trap's target, one above it.
BELOW: Final = "100ms"
ABOVE: Final = "2s"
#: What the printed command takes its format from, and what must stand in it for a time to be printed.
FORMAT_FILE: Final = "curl-format.txt"
_FORMAT: Final = "%{time_total}\\n"
#: Of so many answers of the unsteady target the last is slow; a loop of requests meets them twice.
_SLOW_OF: Final = 6
_DELAYS_S: Final = {"steady": (LATENCY_S,), "unsteady": (*[0.0] * (_SLOW_OF - 1), LATENCY_S)}
_REQUESTS: Final = {"steady": 3, "unsteady": 2 * _SLOW_OF}
#: Runs of the printed command. The least is kept, for a busy machine may hold one of them up.
_RUNS: Final = 3
_CURL_TIMEOUT_S: Final = 30.0


class Scraped(Record, frozen=True, kw_only=True):
    """What one server tells of its target after some scrapes."""

    timeout: str
    latency_s: float  # of the target, as curl measures it
    health: str
    last_error: str
    scrapes: int
    succeeded: int
    samples: int  # of the target's metric, kept by the server
    latest_age_s: float | None  # of the latest sample; None: there is none


class Curled(Record, frozen=True, kw_only=True):
    """What the printed curl shows of a target."""

    format_file: bool  # whether the file that it names is there
    target: str  # steady: every answer is slow; unsteady: one of some
    printed: str  # the least of some runs, each with a quick answer where the target has any
    slow: int  # of the target's answers to a loop of requests, those that the timeout cuts off
    requests: int


class Scrapes(Record, frozen=True, kw_only=True):
    """What both servers tell."""

    interval: str
    scraped: tuple[Scraped, ...]


@probe("prometheus-scrapes", tools=("prometheus", "curl"), recipe=_RECIPE)
def scrapes(facts: ClaimFacts) -> Scrapes:
    """Run two servers on slow targets and ask them after two scrapes; a test's own target: ``scrape:target``."""
    program = _program(facts)
    facts.progress("Prometheus: a timeout below the target's latency and one above")
    with trap_cases.rig("scrapes") as rig:
        servers = {timeout: Server(rig, timeout, timeout, program=program) for timeout in (BELOW, ABOVE)}
        scraped = tuple(_scraped(rig, server, timeout) for timeout, server in servers.items())
    return Scrapes(interval=INTERVAL, scraped=scraped)


@probe("printed-curl", tools=("curl",), recipe=_RECIPE)
def printed_curl(facts: ClaimFacts) -> tuple[Curled, ...]:
    """Run the printed command on both targets, without its file and with it; a test's own target as above."""
    program = _program(facts)
    facts.progress("curl as it is printed, on a slow target and on one that is slow at times")
    with trap_cases.rig("curls") as rig:
        bare = {name: _printed(rig, _target(rig, program, delays)) for name, delays in _DELAYS_S.items()}
        (rig.folder / FORMAT_FILE).write_text(_FORMAT, "ascii")
        return tuple(
            each
            for name, delays in _DELAYS_S.items()
            for each in _curled(rig, name, bare[name], _target(rig, program, delays))
        )


def _program(facts: ClaimFacts) -> Path:
    return facts.replaced_tool("scrape:target") or scrape_server.TARGET


def seconds(duration: str) -> float:
    """Return a duration of one unit as Prometheus writes it: 100ms, 2s."""
    return float(duration.removesuffix("ms")) / 1000 if duration.endswith("ms") else float(duration.removesuffix("s"))


def _scraped(rig: Rig, server: Server, timeout: str) -> Scraped:
    first = server.scraped(timeout=timeout)
    now = server.scraped(after=first.last_scrape, timeout=timeout)
    rig.until("two scrapes that are kept", lambda: (server.value("count_over_time(up[1h])") or 0) >= 2)  # noqa: PLR2004
    return Scraped(
        timeout=timeout,
        latency_s=_time(rig, server.target),
        health=now.health,
        last_error=now.last_error,
        scrapes=round(server.value("count_over_time(up[1h])") or 0),
        succeeded=round(server.value("sum_over_time(up[1h])") or 0),
        samples=round(server.value("count_over_time(orders_total[1h])") or 0),
        latest_age_s=server.value("time() - max_over_time(timestamp(orders_total)[1h:1s])"),
    )


def _target(rig: Rig, program: Path, delays_s: Sequence[float]) -> int:
    # One of its own for each case: its first answers are the quick ones, whatever was asked of another.
    port = rig.port()
    rig.start("a target", [sys.executable, "-I", program, str(port), *(f"{each:g}" for each in delays_s)])
    rig.listening(port)
    return port


def _curled(rig: Rig, name: str, bare: str, port: int) -> tuple[Curled, ...]:
    printed = {False: bare, True: _printed(rig, port)}
    times = [_time(rig, port) for _ in range(_REQUESTS[name])]
    slow = sum(each > seconds(BELOW) for each in times)
    return tuple(
        Curled(format_file=there, target=name, printed=said, slow=slow, requests=len(times))
        for there, said in printed.items()
    )


def _printed(rig: Rig, port: int) -> str:
    """Run the command as it is printed; the rig's folder is where it looks for its file, and for the user's own."""
    (rig.folder / ".curlrc").touch()
    env = rig.environment(NO_PROXY="*", no_proxy="*", CURL_HOME=str(rig.folder))
    said = []
    for _run in range(_RUNS):
        done = proc.run(
            [path_of("curl"), "-w", f"@{FORMAT_FILE}", "-o", os.devnull, "-s", f"http://127.0.0.1:{port}/metrics"],
            env=env,
            timeout_s=_CURL_TIMEOUT_S,
            cwd=rig.folder,
            check=False,
        )
        said.append(done.stdout.strip() or f"(nothing; exit code {done.returncode})")
    return min(said)


def _time(rig: Rig, port: int) -> float:
    asked: list[str | Path] = ["-o", os.devnull, "-w", "%{time_total}", f"http://127.0.0.1:{port}/metrics"]
    return float(fetch.curl(rig, *asked).stdout)
