"""Chapter 5.2, the connection pool: its timeout, its threads, what a threshold tells, and what ends an outage."""

from collections.abc import Iterable, Mapping

from labkit.claims import ledgers, pools, trap_cases
from labkit.claims.base import Value, measured, output, read_bytes
from labkit.claims.facts import ClaimFacts
from labkit.claims.pools import Load, Outage
from labkit.model.check import Status
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.traps import jars, jdk
from labkit.traps.pool.service import PACKAGE


class PoolCheck(trap_cases.CaseCheck):
    """Base: a check on HikariCP."""

    trap = "pool"
    wants = (jdk.part(), jars.part("HikariCP, H2", PACKAGE))
    turned_by = "another program on the pool"


class Breaker(PoolCheck):
    """Hold the only connection of pools with three timeouts, let six requests of each fail, and send one more.

    A breaker that has opened refuses that one at once, in less than half of the timeout.
    """

    id = "5.2.01"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what the last request waits."""
        waited = facts.get(pools.held).waited
        evidence = [
            measured(
                f"{each.failed} failed after {each.burst_longest_ms} ms at most, the next after {each.next_ms} ms; "
                f"{each.error}",
                f"HikariCP, connectionTimeout={each.timeout_ms}",
            )
            for each in waited
        ]
        opened = all(2 * each.next_ms < each.timeout_ms for each in waited)
        pairs = ", ".join(f"{each.next_ms} ms ({each.timeout_ms})" for each in waited)
        yield self.judged(opened, evidence, failed=waited[0].failed, pairs=pairs)


class Threads(PoolCheck):
    """Dump the threads with jstack while requests wait for a connection, and read the frames and states of those."""

    id = "5.2.04"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the most of the threads that wait."""
        seen = facts.get(pools.held).threads
        evidence = [
            output(
                "jstack PID",
                f"{seen.waiting} of {seen.requests} requests wait: {seen.in_get_connection} in getConnection, "
                f"{seen.blocked} BLOCKED, {seen.timed_waiting} TIMED_WAITING; {seen.shown}",
            )
        ]
        many, inside, blocked = seen.waiting, seen.in_get_connection, seen.blocked
        yield self.judged(2 * inside > many, evidence, waiting=many, inside=inside)
        timed = seen.timed_waiting
        yield self.judged(2 * blocked > many, evidence, part="b", waiting=many, blocked=blocked, timed=timed)


def _load(load: Load) -> ClaimEvidence:
    settings = f"connectionTimeout={load.timeout_ms} leakDetectionThreshold={load.leak_ms}"
    index = "with the index" if load.index else "without the index"
    cause = {"scan": "a query over the whole table", "lock": "a lock held by another transaction"}[load.cause]
    open_ = load.sent - load.ok - load.failed
    return measured(
        f"of {load.sent} requests {load.ok} answered, {load.failed} failed, {open_} still without an answer; "
        f"the longest {load.longest_ms} ms",
        f"HikariCP on H2; {cause}; {settings}; {index}",
    )


def _of(seen: Outage, cause: str, *, index: bool, timeout_ms: int) -> Load:
    return next(each for each in seen.loads if (each.cause, each.index, each.timeout_ms) == (cause, index, timeout_ms))


def _is_scan(case: Mapping[str, Value]) -> bool:
    return case["cause"] == "scan"


def _cases(loads: Iterable[Load]) -> list[Case]:
    return [
        Case(
            facts={"cause": each.cause},
            holds=each.ended,
            witness=f"{each.ok} of {each.sent} answered, {each.failed} failed",
        )
        for each in loads
    ]


class Together(PoolCheck):
    """Overload the pool by a query without its index and by a lock, with both settings and then with the index too.

    The stated timeout is the real one. The index alone, with HikariCP's defaults, is tried beside.
    """

    id = "5.2.02"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the three together, for each cause of the outage."""
        timeout = int(ledgers.own().find(self.id).number("timeout_ms"))
        seen = facts.get(pools.outage)
        before = _of(seen, "scan", index=False, timeout_ms=timeout)
        evidence = [_load(each) for each in seen.loads]
        if not before.failed:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        scan, lock = (_of(seen, cause, index=True, timeout_ms=timeout) for cause in ("scan", "lock"))
        alone = _of(seen, "scan", index=True, timeout_ms=pools.DEFAULT_TIMEOUT_MS)
        yield self.by_cases(
            _cases([scan, lock]),
            _is_scan,
            evidence,
            timeout=timeout,
            before=before.failed,
            sent=before.sent,
            after=scan.sent - scan.ok,
            alone=alone.sent - alone.ok,
            locked=lock.sent - lock.ok,
            locked_sent=lock.sent,
            refused=lock.failed,
        )


class LeakThreshold(PoolCheck):
    """Take connections and never close them, by the least threshold and the stated one; read the log later.

    A request that is slow and does close its connection is the control. What the task does when its time has come is
    read from its bytes.
    """

    id = "5.2.03"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each threshold by the leaks that it told of."""
        seen = facts.get(pools.outage)
        least, stated = seen.leaks
        evidence = [
            output(
                f"HikariCP's log, leakDetectionThreshold={each.threshold_ms}",
                f"{each.told} of {each.leaked} leaked connections told of in {each.held_ms} ms, "
                f"{each.given_back} given back; {each.line or '(nothing)'}",
            )
            for each in seen.leaks
        ]
        evidence.append(
            output("HikariCP's log, a slow request that closes its connection", f"told of {seen.slow_told} times")
        )
        if seen.leak_task:
            evidence.append(read_bytes("HikariCP, ProxyLeakTask", f"calls {', '.join(seen.leak_task)}"))
        cases = [
            Case(
                facts={"threshold_ms": each.threshold_ms, "held_ms": each.held_ms},
                holds=each.told >= each.leaked,
                witness=f"{each.told} of {each.leaked} told of",
            )
            for each in seen.leaks
        ]
        yield self.by_cases(
            cases,
            lambda case: float(case["held_ms"]) > float(case["threshold_ms"]),
            evidence,
            threshold=stated.threshold_ms,
            least=least.threshold_ms,
            told=least.told,
            leaked=least.leaked,
            held_s=f"{stated.held_ms / 1000:.0f}",
            free=least.given_back + stated.given_back,
            slow=seen.slow_told,
        )


def plans(facts: ClaimFacts) -> list[ClaimEvidence]:
    """Return what PostgreSQL says of the query and of a lock; nothing where it is not there."""
    return [
        output(" ".join(each.command.split()), each.output)
        for each in facts.get(pools.in_postgres)
        if each.status is not Status.SKIP
    ]


class Index(PoolCheck):
    """Look at the plan, the failures and the waits before the index and after it, for a slow query and for a lock.

    PostgreSQL's plans and times for the same table are shown beside, where it is.
    """

    id = "5.2.06"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the index without any other setting, for each cause of the outage."""
        seen = facts.get(pools.outage)
        timeout = int(ledgers.own().find("5.2.02").number("timeout_ms"))
        before = _of(seen, "scan", index=False, timeout_ms=timeout)
        scan, lock = (_of(seen, cause, index=True, timeout_ms=pools.DEFAULT_TIMEOUT_MS) for cause in ("scan", "lock"))
        evidence = [
            *(_load(each) for each in (before, scan, lock)),
            output("EXPLAIN ANALYZE, without the index", before.plan),
            output("EXPLAIN ANALYZE, with it", scan.plan),
            *plans(facts),
        ]
        yield self.by_cases(
            _cases([scan, lock]),
            _is_scan,
            evidence,
            rows=seen.rows_scanned,
            before=before.failed,
            sent=before.sent,
            after=scan.sent - scan.ok,
            longest=scan.longest_ms,
            locked=lock.sent - lock.ok,
            locked_sent=lock.sent,
        )
