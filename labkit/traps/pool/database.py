"""The database's half of the trap: on a real PostgreSQL, the missing index and the lock, each as the server says it."""

import re
from collections.abc import Mapping
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.traps import postgres
from labkit.traps.rig import PATIENCE_S, Rig

_FILL: Final = """INSERT INTO orders SELECT n, CASE n % 10000 WHEN 0 THEN 'pending' ELSE 'done' END,
    timestamp '2024-01-01' + n * interval '1 second', '' FROM generate_series(1, 200000) n"""
_QUERY: Final = "SELECT count(*) FROM orders WHERE status = 'pending' AND created_at < timestamp '2024-01-02'"
_BLOCKED: Final = (
    "SELECT pid, wait_event_type, pg_blocking_pids(pid) FROM pg_stat_activity "
    "WHERE cardinality(pg_blocking_pids(pid)) > 0"
)
_REMEDY: Final = "run it once more with -v and read the log for what the server said"


def cases(rig: Rig) -> tuple[Case, ...]:
    """Return the two cases, or both skipped with the reason where PostgreSQL is not there or may not run."""
    for part in (postgres.part(), postgres.may_run()):
        if not part.present():
            reason = part.reason()
            return tuple(
                Case(id=id_, status=Status.SKIP, text=Text(id=f"trap_pool.case.{id_}_wanted"), reason=reason)
                for id_ in ("postgres_index", "postgres_lock")
            )
    cluster = postgres.Cluster(rig)
    cluster.psql(
        "CREATE TABLE orders (id int PRIMARY KEY, status text, created_at timestamp, note text)",
        _FILL,
        "ANALYZE orders",
    )
    return (_index(cluster), _lock(rig, cluster))


def versions() -> Mapping[str, str]:
    """Return PostgreSQL's version, where it is there."""
    programs = postgres.folder()
    return {} if programs is None else {"PostgreSQL": programs.parent.name.removeprefix("postgresql@")}


def _index(cluster: postgres.Cluster) -> Case:
    change = "CREATE INDEX orders_by_status ON orders (status, created_at)"
    explain = f"EXPLAIN (ANALYZE, COSTS OFF) {_QUERY}"
    serially = "SET max_parallel_workers_per_gather = 0"  # one plan on machines with few and many cores
    before = cluster.psql(serially, explain).stdout
    cluster.psql(change, "VACUUM ANALYZE orders")
    after = cluster.psql(serially, explain).stdout
    return Case(
        id="postgres_index",
        status=Status.PASS if "Seq Scan on orders" in before and _uses_index(after) else Status.FAIL,
        text=Text(id="trap_pool.case.postgres_index", values={"before_ms": _ms(before), "after_ms": _ms(after)}),
        command=f"{explain};\n{change};",
        output=f"{before}\n{after}",
        facts={
            "plan_before": _node(before),
            "plan_after": _node(after),
            "execution_before_ms": _ms(before),
            "execution_after_ms": _ms(after),
        },
    )


def _lock(rig: Rig, cluster: postgres.Cluster) -> Case:
    holder, waiter = cluster.session(), cluster.session()
    holder.write_line("BEGIN; UPDATE orders SET note = 'batch' WHERE id = 1; SELECT pg_backend_pid();", remedy=_REMEDY)
    pid = holder.read_line(timeout_s=PATIENCE_S, remedy=_REMEDY)
    waiter.write_line("UPDATE orders SET note = 'request' WHERE id = 1; SELECT 'done';", remedy=_REMEDY)
    blocked = rig.until("a session that waits for a lock", lambda: cluster.psql(_BLOCKED).stdout.strip() or None)
    ended = cluster.psql(f"SELECT pg_terminate_backend({int(pid)})").stdout.strip()
    answer = waiter.read_line(timeout_s=PATIENCE_S, remedy=_REMEDY)
    return Case(
        id="postgres_lock",
        status=Status.PASS if f"|Lock|{{{pid}}}" in blocked and answer == "done" else Status.FAIL,
        text=Text(id="trap_pool.case.postgres_lock", values={"pid": pid}),
        command=f"{_BLOCKED};\nSELECT pg_terminate_backend({pid});",
        output=f"{blocked}\n{ended}\n{answer}",
        facts={"wait_event_type": blocked.split("|")[1], "blocker_named": f"{{{pid}}}" in blocked},
    )


def _uses_index(plan: str) -> bool:
    return bool(re.search(r"Index (Only )?Scan", plan)) and "Seq Scan" not in plan


def _node(plan: str) -> str:
    """Return the plan's lowest node, which reads the table."""
    nodes = re.findall(r"((?:Bitmap |Parallel )?(?:Seq|Index(?: Only)?|Heap) Scan)", plan)
    return str(nodes[-1]) if nodes else "none"


def _ms(plan: str) -> float:
    found = re.search(r"Execution Time: ([\d.]+) ms", plan)
    return float(found.group(1)) if found else -1.0
