"""What HikariCP does when connections are held: waits by connectionTimeout, threads, leaks, and what ends an outage.

The program is the trap's own service on H2 (:mod:`labkit.traps.pool.service`), told what to do in another order. What
is recorded are its numbers, its log and its threads; nothing is judged here.
"""

import contextlib
import math
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labkit.claims import ledgers, trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.traps import Case
from labkit.traps import jars, jdk, pool
from labkit.traps.pool import database
from labkit.traps.pool.service import JARS, PACKAGE, Condition, Service
from labkit.traps.rig import Rig

SOURCE: Final = Path(pool.__file__).parent / "Orders.java"
#: HikariCP's own connectionTimeout, and the least leakDetectionThreshold that it takes, in ms.
DEFAULT_TIMEOUT_MS: Final = 30000
LEAST_LEAK_MS: Final = 2000
_TIMEOUTS_MS: Final = (250, 500, 1000)  # the least that HikariCP takes, and more
_BURST: Final = 6
_SIZE: Final = 2
_REQUESTS: Final = 8
_ROWS: Final = 300_000
_ESTIMATE: Final = 20  # queries, to learn how many are too many
_TRIES: Final = 2
_OVERLOAD: Final = 1.6  # how much longer all queries take than a request may wait
_LEAK: Final = "Connection leak detection triggered"
_RECIPE: Final = {"sources": trap_cases.sources("pool")}


class Waited(Record, frozen=True, kw_only=True):
    """What requests waited for a pool whose only connection is held, in ms: many at once, then one more."""

    timeout_ms: int
    failed: int
    burst_longest_ms: int
    next_ms: int  # of one request more, sent when all of the burst had failed
    error: str


class Threads(Record, frozen=True, kw_only=True):
    """The threads of requests as jstack shows them."""

    requests: int
    in_get_connection: int
    blocked: int
    timed_waiting: int
    waiting: int  # requests without a connection, as the service counts them
    shown: str  # the head of one that waits


class Held(Record, frozen=True, kw_only=True):
    """What became of the waits, and of the threads meanwhile."""

    waited: tuple[Waited, ...]
    threads: Threads


class Load(Record, frozen=True, kw_only=True):
    """What became of requests that were sent at once, under some settings."""

    cause: str  # scan: each reads the whole table; lock: each waits for a transaction of another
    timeout_ms: int
    leak_ms: int
    index: bool
    sent: int
    ok: int
    failed: int
    longest_ms: int
    plan: str  # of the query, where it is one

    @property
    def ended(self) -> bool:
        """Whether every request was answered."""
        return self.ok == self.sent


class Leak(Record, frozen=True, kw_only=True):
    """What a threshold told of connections that were taken and never closed."""

    threshold_ms: int
    effective_ms: int
    held_ms: int  # when the log was read
    leaked: int
    told: int  # of them, in the log
    given_back: int  # connections that were free again afterwards
    line: str


class Outage(Record, frozen=True, kw_only=True):
    """Two outages, one by a query without its index, one by a lock."""

    loads: tuple[Load, ...]
    leaks: tuple[Leak, ...]
    slow_told: int  # warnings of a leak for a request that is slow and gives its connection back
    rows_scanned: int
    query_ms: float  # one such query, of several at once in turn
    leak_task: tuple[str, ...]  # the methods that HikariCP's task for a leak calls, by its bytes


@probe("pool-waits", tools=("java", "jstack"), recipe=_RECIPE)
def held(facts: ClaimFacts) -> Held:
    """Let a transaction hold the only connection of pools, and send requests; a test's program: ``pool:program``."""
    with _services(facts, 1) as (rig, (service,)):
        service.say("batch", do="begin")
        names = {timeout: f"pool-{timeout}" for timeout in _TIMEOUTS_MS}
        for timeout, name in names.items():
            service.say("open", pool=name, size=1, timeout=timeout, leak=0)
            service.say("go", pool=name, n=1, query="one")
        service.say("open", pool="silent", size=_SIZE, timeout=DEFAULT_TIMEOUT_MS, leak=0)
        for name in names.values():
            service.until("the held connection", name, Condition(holding=1))
            service.say("go", pool=name, n=_BURST, query="one")
        bursts = {name: _failed(service, name, _BURST) for name in names.values()}
        errors = {name: service.say("state", pool=name)["error"] for name in names.values()}
        for name in names.values():
            service.say("go", pool=name, n=1, query="one")
        nexts = {name: _failed(service, name, 1) for name in names.values()}
        service.say("go", pool="silent", n=_REQUESTS, query="one")
        service.until("requests that hold every connection", "silent", Condition(holding=_SIZE))
        threads = rig.until("requests that wait", lambda: _threads(rig, service, "silent"))
        service.say("batch", do="commit")
    return Held(
        waited=tuple(
            Waited(
                timeout_ms=timeout,
                failed=bursts[name]["failed"],
                burst_longest_ms=bursts[name]["longest_ms"],
                next_ms=nexts[name]["longest_ms"],
                error=errors[name],
            )
            for timeout, name in names.items()
        ),
        threads=threads,
    )


@probe("pool-outage", tools=("java",), recipe=_RECIPE)
def outage(facts: ClaimFacts) -> Outage:
    """Overload a pool by a query without its index and by a lock; with the stated settings, then with the index."""
    timeout = int(ledgers.own().find("5.2.02").number("timeout_ms"))
    threshold = int(ledgers.own().find("5.2.03").number("threshold_ms"))
    with _services(facts, 2) as (_rig, (scanning, locked)):
        facts.progress("HikariCP: a query without its index, and a lock")
        leaks = _lock_begins(locked, timeout, threshold)
        scanning.say("rows", n=_ROWS)
        for name, wait, leak in (("together", timeout, threshold), ("plain", DEFAULT_TIMEOUT_MS, 0)):
            scanning.say("open", pool=name, size=1, timeout=wait, leak=leak)
        began = time.monotonic()
        _sent(scanning, "plain", _ESTIMATE)
        query_ms = (time.monotonic() - began) * 1000 / _ESTIMATE
        many = max(_REQUESTS, math.ceil(timeout * _OVERLOAD / query_ms))
        plan = scanning.say("plan")["plan"]
        without = _sent(scanning, "together", many)
        for _more in range(_TRIES):
            if without["failed"]:
                break
            many *= 2  # the estimate was taken while the machine was busier
            without = _sent(scanning, "together", many)
        loads = [_load("scan", (timeout, threshold), without, plan, index=False)]
        scanning.say("index")
        after = scanning.say("plan")["plan"]
        loads.append(_load("scan", (timeout, threshold), _sent(scanning, "together", many), after))
        loads.append(_load("scan", (DEFAULT_TIMEOUT_MS, 0), _sent(scanning, "plain", many), after))
        now = _failed(locked, "together", _REQUESTS)
        loads.append(_load("lock", (timeout, threshold), now))
        loads.append(_load("lock", (DEFAULT_TIMEOUT_MS, 0), locked.state("plain")))
        told = tuple(_leak(locked, *each) for each in leaks)
        slow_told = _told(locked.log(), "request-slow-")
        locked.say("batch", do="commit")
        slow = locked.until("the slow request's end", "slow", lambda numbers: _answered(numbers) >= numbers["sent"])
    scanned = re.search(r"scanCount: (\d+)", plan)
    return Outage(
        loads=tuple(loads),
        leaks=told,
        slow_told=slow_told if slow["ok"] else 0,
        rows_scanned=int(scanned[1]) if scanned else 0,
        query_ms=round(query_ms, 3),
        leak_task=trap_cases.java_calls("com.zaxxer.hikari.pool.ProxyLeakTask", jars.classpath(JARS, PACKAGE)),
    )


@probe("pool-database", tools=("postgres", "psql"), recipe=_RECIPE)
def in_postgres(_facts: ClaimFacts) -> tuple[Case, ...]:
    """Return what PostgreSQL's own plan and its sessions show, skipped where it is not there."""
    with trap_cases.rig("pg") as rig:
        return database.cases(rig)


def _lock_begins(service: Service, timeout_ms: int, threshold_ms: int) -> list[tuple[str, int, int, float]]:
    """Let a transaction hold a row, with the index in place; send requests and leak connections."""
    service.say("index")
    service.say("batch", do="begin")
    service.say("open", pool="together", size=_SIZE, timeout=timeout_ms, leak=threshold_ms)
    service.say("open", pool="plain", size=_SIZE, timeout=DEFAULT_TIMEOUT_MS, leak=0)
    service.say("open", pool="slow", size=1, timeout=timeout_ms, leak=LEAST_LEAK_MS)
    leaks = []
    for threshold in (LEAST_LEAK_MS, threshold_ms):
        name = f"leak-{threshold}"
        effective = service.say("open", pool=name, size=_SIZE, timeout=timeout_ms, leak=threshold)["leak"]
        service.say("drop", pool=name, n=_SIZE)
        leaks.append((name, threshold, int(effective), time.monotonic()))
    service.say("go", pool="slow", n=1, query="one")
    for name in ("together", "plain"):
        service.say("go", pool=name, n=_REQUESTS, query="one")
    return leaks


def _leak(service: Service, name: str, threshold_ms: int, effective_ms: int, since: float) -> Leak:
    numbers, log = service.state(name), service.log()
    held_ms = round((time.monotonic() - since) * 1000)
    line = next((line for line in log.splitlines() if _LEAK in line and f"{name} " in line), "")
    return Leak(
        threshold_ms=threshold_ms,
        effective_ms=effective_ms,
        held_ms=held_ms,
        leaked=_SIZE,
        told=_told(log, f"{name} "),
        given_back=numbers["idle"],
        line=line,
    )


def _told(log: str, wanted: str) -> int:
    return sum(_LEAK in line and wanted in line for line in log.splitlines())


def _load(
    cause: str, settings: tuple[int, int], numbers: dict[str, int], plan: str = "", *, index: bool = True
) -> Load:
    return Load(
        cause=cause,
        timeout_ms=settings[0],
        leak_ms=settings[1],
        index=index,
        sent=numbers["sent"],
        ok=numbers["ok"],
        failed=numbers["failed"],
        longest_ms=numbers["longest_ms"],
        plan=plan,
    )


def _answered(numbers: dict[str, int]) -> int:
    return numbers["ok"] + numbers["failed"]


def _sent(service: Service, name: str, n: int) -> dict[str, int]:
    service.say("go", pool=name, n=n, query="old")
    return service.until("an answer to every query", name, lambda numbers: _answered(numbers) >= n)


def _failed(service: Service, name: str, n: int) -> dict[str, int]:
    """Wait until every request has failed that could not get a connection; those that hold one do not end."""
    return service.until(
        "an answer to every request", name, lambda numbers: _answered(numbers) + (n > _BURST) * numbers["holding"] >= n
    )


def _threads(rig: Rig, service: Service, name: str) -> Threads | None:
    dump = rig.run([*jdk.watching("jstack"), str(service.pid)]).stdout
    threads = [block.strip() for block in dump.split("\n\n") if block.lstrip().startswith(f'"request-{name}-')]
    # Those that hold a connection are within the driver.
    waiting = [block for block in threads if "org.h2." not in block]
    if len(waiting) != _REQUESTS - _SIZE:
        return None
    inside = [block for block in waiting if "com.zaxxer.hikari.pool.HikariPool.getConnection" in block]
    return Threads(
        requests=len(threads),
        waiting=len(waiting),
        in_get_connection=len(inside),
        blocked=sum("java.lang.Thread.State: BLOCKED" in block for block in waiting),
        timed_waiting=sum("java.lang.Thread.State: TIMED_WAITING" in block for block in waiting),
        shown=_head(waiting[0]),
    )


def _head(thread: str) -> str:
    lines = [line.strip() for line in thread.splitlines()]
    return "; ".join([lines[1], *(line for line in lines[2:] if re.match(r"at (com\.zaxxer|Orders)", line))][:5])


@contextlib.contextmanager
def _services(facts: ClaimFacts, n: int) -> Iterator[tuple[Rig, list[Service]]]:
    libraries = jars.classpath(JARS, PACKAGE)
    source = facts.replaced_tool("pool:program") or SOURCE
    path = f"{trap_cases.java_classes('orders', source, libraries)}{os.pathsep}{libraries}"
    with trap_cases.rig("pool") as rig:
        yield rig, [Service(rig, path) for _ in range(n)]
