"""Prometheus with a timeout below its target's latency and with one above, and curl on steady and unsteady targets.

Server and target are those of the trap (:mod:`labkit.traps.scrape_server`). Nothing is judged here.
"""

import os
import sys
from pathlib import Path
from typing import Final

from labkit.claims import trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.system import environment, proc
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
#: Of so many answers of the unsteady target the last is slow.
_SLOW_OF: Final = 6
_ROUNDS: Final = 2
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
    printed: str
    slowest_s: float  # of the target's answers to a loop of requests
    slow: int  # of those, the ones that the timeout cuts off
    requests: int


class Scrapes(Record, frozen=True, kw_only=True):
    """All of it."""

    interval: str
    scraped: tuple[Scraped, ...]
    curled: tuple[Curled, ...]


@probe("prometheus-scrapes", tools=("prometheus", "curl"), recipe=_RECIPE)
def scrapes(facts: ClaimFacts) -> Scrapes:
    """Run two servers on slow targets and ask them after two scrapes; a test's own target: ``scrape:target``."""
    program = facts.replaced_tool("scrape:target") or scrape_server.TARGET
    facts.progress("Prometheus: a timeout below the target's latency and one above")
    with trap_cases.rig("scrapes") as rig:
        servers = {timeout: Server(rig, timeout, timeout, program=program) for timeout in (BELOW, ABOVE)}
        unsteady = _unsteady(rig, program)
        curled = _curled(rig, {"steady": servers[BELOW].target, "unsteady": unsteady})
        scraped = tuple(_scraped(rig, server, timeout) for timeout, server in servers.items())
    return Scrapes(interval=INTERVAL, scraped=scraped, curled=curled)


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


def _unsteady(rig: Rig, program: Path) -> int:
    port = rig.port()
    delays = [f"{LATENCY_S if number == _SLOW_OF else 0:g}" for number in range(1, _SLOW_OF + 1)]
    rig.start("a target that is slow at times", [sys.executable, "-I", program, str(port), *delays])
    rig.listening(port)
    return port


def _curled(rig: Rig, targets: dict[str, int]) -> tuple[Curled, ...]:
    printed = {(False, name): _printed(rig, port) for name, port in targets.items()}
    # The unsteady target's turn begins anew, so that the printed command has its first answer.
    for _rest in range(_SLOW_OF - 1):
        _time(rig, targets["unsteady"])
    (rig.folder / FORMAT_FILE).write_text(_FORMAT, "ascii")
    printed |= {(True, name): _printed(rig, port) for name, port in targets.items()}
    times = {name: [_time(rig, port) for _ in range(_ROUNDS * _SLOW_OF)] for name, port in targets.items()}
    limit_s = seconds(BELOW)
    return tuple(
        Curled(
            format_file=there,
            target=name,
            printed=said,
            slowest_s=max(times[name]),
            slow=sum(each > limit_s for each in times[name]),
            requests=len(times[name]),
        )
        for (there, name), said in printed.items()
    )


def _printed(rig: Rig, port: int) -> str:
    """Run the command as it is printed, on a target; the rig's folder is where it looks for its file."""
    url = f"http://127.0.0.1:{port}/metrics"
    done = proc.run(
        [path_of("curl"), "-w", f"@{FORMAT_FILE}", "-o", os.devnull, "-s", url],
        env=environment.base(),
        timeout_s=_CURL_TIMEOUT_S,
        cwd=rig.folder,
        check=False,
    )
    return done.stdout.strip() or f"(nothing; exit code {done.returncode})"


def _time(rig: Rig, port: int) -> float:
    asked: list[str | Path] = ["-o", os.devnull, "-w", "%{time_total}", f"http://127.0.0.1:{port}/metrics"]
    return float(fetch.curl(rig, *asked).stdout)
