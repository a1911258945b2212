"""The trap ``pool``, step by step: HikariCP on H2 in a JVM; what a database server shows is in :mod:`.database`."""

import re
from collections.abc import Mapping
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import jars, jdk
from labkit.traps.pool import database
from labkit.traps.pool.service import JARS, PACKAGE, Condition, Service, compiled
from labkit.traps.trap import Trap

_POOL: Final = "orders-pool"
_SILENT: Final = "silent-pool"  # the same, with the default connectionTimeout
_SIZE: Final = 2
_REQUESTS: Final = 8
_WAITERS: Final = _REQUESTS - _SIZE
_TIMEOUT_MS: Final = 1000  # short beside the default, long beside what a busy machine needs for eight requests
_DEFAULT_TIMEOUT_MS: Final = 30000
_LEAK_MS: Final = 2000  # the least that HikariCP takes
_SYMPTOM: Final = "java.sql.SQLTransientConnectionException"
_FRAME: Final = "com.zaxxer.hikari.pool.HikariPool.getConnection"
_LEAK: Final = "Connection leak detection triggered"
_SCANNED_ROWS: Final = 300_000
_MANY: Final = 200


class Pool(Trap):
    """Send eight requests to a pool of two while a batch job holds the row's lock, and see what each is answered.

    The cause is read from the threads (jstack). The fix ends what holds the connections: the batch job is committed.
    """

    id = "pool"
    needs = (jdk.part(), jars.part("HikariCP, H2", PACKAGE))
    sources = (
        "https://github.com/brettwooldridge/HikariCP#gear-configuration-knobs-baby",
        "https://www.postgresql.org/docs/current/functions-info.html",
        "https://docs.oracle.com/en/java/javase/17/docs/specs/man/jstack.html",
    )
    notes = ("trap_pool.note.root",)

    @classmethod
    def prepare(cls) -> None:
        """Fetch the libraries."""
        jars.classpath(JARS, PACKAGE)

    def reproduce(self) -> Step:
        """Send requests while the lock is held."""
        self._classpath = compiled(self.rig)
        self._service = Service(self.rig, self._classpath)
        self._service.say("open", pool=_POOL, size=_SIZE, timeout=_TIMEOUT_MS, leak=0)
        self._service.say("batch", do="begin")
        return self._probe(StepKind.REPRODUCE, self._service)

    def diagnose(self) -> Step:
        """Dump the threads while requests wait, with HikariCP's default time to wait."""
        service = self._service
        service.say("open", pool=_SILENT, size=_SIZE, timeout=_DEFAULT_TIMEOUT_MS, leak=0)
        service.say("go", pool=_SILENT, n=_REQUESTS, query="one")
        service.until("requests that wait for a connection", _SILENT, Condition(waiting=_WAITERS, holding=_SIZE))
        dump = self.rig.run([*jdk.watching("jstack"), str(service.pid)])
        self._silent = service.state(_SILENT)
        threads = _threads(dump.stdout, f"request-{_SILENT}-")
        waiting = [thread for thread in threads if _FRAME in thread]
        holding = [thread for thread in threads if "org.h2." in thread and _FRAME not in thread]
        gc = self.rig.run([*jdk.watching("jstat"), "-gcutil", str(service.pid)]).stdout
        facts = {
            "waiting_in_getconnection": len(waiting),
            "timed_waiting": sum("java.lang.Thread.State: TIMED_WAITING" in thread for thread in waiting),
            "blocked": sum("java.lang.Thread.State: BLOCKED" in thread for thread in waiting),
            "holding_in_database": len(holding),
            "gc_time_s": float(gc.split("\n")[1].split()[-1]),
        }
        shown = "\n\n".join([_first_lines(thread) for thread in (*holding[:1], *waiting[:1])])
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"jstack {service.pid} | grep -A 12 request-",
            output=f"{shown}\n\n$ jstat -gcutil {service.pid}\n{gc}",
            seen=len(waiting) == _WAITERS and len(holding) == _SIZE,
            text=Text(
                id="trap_pool.step.diagnose",
                values={"waiting": len(waiting), "holding": len(holding), "state": "TIMED_WAITING"},
            ),
            facts=facts,
        )

    def fix(self) -> Step:
        """Commit the transaction that holds the lock; what waits for it goes on by itself."""
        self._service.say("batch", do="commit")
        done = self._service.until(
            "the end of what waited", _SILENT, Condition(ok=self._service.state(_SILENT)["sent"])
        )
        self._silent_after = done
        return Step(
            kind=StepKind.FIX,
            command="COMMIT;  -- in the batch job's transaction, whose lock the connections' holders wait for",
            output=_shown(done),
            seen=done["ok"] == _REQUESTS,
            text=Text(id="trap_pool.step.fix", values={"n": done["ok"]}),
            facts={"ok": done["ok"], "failed": done["failed"]},
        )

    def verify(self) -> Step:
        """Send the same requests to the same pool."""
        return self._probe(StepKind.VERIFY, self._service)

    def control(self) -> Step:
        """Send them to a service in which no batch job ever ran."""
        fresh = Service(self.rig, self._classpath)
        fresh.say("open", pool=_POOL, size=_SIZE, timeout=_TIMEOUT_MS, leak=0)
        return self._probe(StepKind.CONTROL, fresh)

    def _probe(self, kind: StepKind, service: Service) -> Step:
        service.until("the pool's connections", _POOL, Condition(total=_SIZE))
        service.say("go", pool=_POOL, n=_REQUESTS, query="one")

        def answered() -> dict[str, int] | None:
            now = service.state(_POOL)
            settled = now["ok"] + now["failed"] + (now["holding"] if now["failed"] else 0)
            return now if settled >= _REQUESTS else None

        now = self.rig.until("an answer to every request", answered)
        said = service.say("state", pool=_POOL)["error"]
        return Step(
            kind=kind,
            command=f"{_REQUESTS} requests at once; maximumPoolSize={_SIZE} connectionTimeout={_TIMEOUT_MS}",
            output=said or _shown(now),
            seen=now["failed"] > 0 and said.startswith(_SYMPTOM),
            text=Text(
                id=f"trap_pool.step.{kind}",
                values={"failed": now["failed"], "all": _REQUESTS, "size": _SIZE, "timeout_ms": _TIMEOUT_MS},
            ),
            facts={"failed": now["failed"], "ok": now["ok"], "timeout_ms": _TIMEOUT_MS, "pool_size": _SIZE},
        )

    def cases(self) -> tuple[Case, ...]:
        """Return what the settings do each alone, and what the database itself shows."""
        return (
            self._case_silent(),
            self._case_minimum(),
            *self._cases_leak(),
            self._case_index(),
            *database.cases(self.rig),
        )

    def versions(self) -> Mapping[str, str]:
        """Return the JDK's version and the libraries'."""
        libraries = {jar.artifact: jar.version for jar in jars.pinned(PACKAGE)}
        return {"JDK": jdk.version(), **libraries, **database.versions()}

    def _case_silent(self) -> Case:
        during, after = self._silent, self._silent_after
        return Case(
            id="silent",
            status=_status(during["waiting"] == _WAITERS and not during["failed"] and after["ok"] == _REQUESTS),
            text=Text(
                id="trap_pool.case.silent", values={"waiting": during["waiting"], "timeout_ms": _DEFAULT_TIMEOUT_MS}
            ),
            command=f"{_REQUESTS} requests at once; maximumPoolSize={_SIZE} connectionTimeout={_DEFAULT_TIMEOUT_MS}",
            output=f"{_shown(during)}\n{_shown(after)}",
            facts={
                "waiting": during["waiting"],
                "failed_while_held": during["failed"],
                "ok_after_release": after["ok"],
                "longest_ms": after["longest_ms"],
            },
        )

    def _case_minimum(self) -> Case:
        refused = self._service.ask("open", pool="too-short", size=1, timeout=100, leak=0).get("refused", "")
        return Case(
            id="minimum",
            status=_status("connectionTimeout cannot be less than 250ms" in refused),
            text=Text(id="trap_pool.case.minimum"),
            command="connectionTimeout=100",
            output=refused,
        )

    def _cases_leak(self) -> tuple[Case, ...]:
        service = self._service
        effective = {
            threshold: service.say("open", pool=f"leak-{threshold}", size=_SIZE, timeout=_TIMEOUT_MS, leak=threshold)
            for threshold in (_LEAK_MS - 1, _LEAK_MS, 60000)
        }
        service.say("open", pool="slow", size=_SIZE, timeout=_TIMEOUT_MS, leak=_LEAK_MS)
        for threshold in effective:
            service.say("drop", pool=f"leak-{threshold}", n=_SIZE)
        service.say("batch", do="begin")
        service.say("go", pool="slow", n=1, query="one")
        told = self.rig.until("the warnings of a leak", lambda: _leaks(service.log(), 1 + _SIZE))
        service.say("batch", do="commit")
        slow = service.until("the slow request's end", "slow", Condition(ok=1))
        returned = self.rig.until("the pool's word on it", lambda: _line(service.log(), "unleaked"))
        service.say("go", pool=f"leak-{_LEAK_MS}", n=1, query="one")
        after = service.until("an answer after the leak", f"leak-{_LEAK_MS}", Condition(failed=1))
        by_slow = [line for line in told if "request-slow-" in line]
        disabled = _line(service.log(), "leakDetectionThreshold is less than 2000ms") or ""
        return (
            Case(
                id="leak",
                status=_status(len(told) - len(by_slow) == _SIZE and after["failed"] == 1),
                text=Text(id="trap_pool.case.leak", values={"n": _SIZE, "threshold_ms": _LEAK_MS}),
                command=f"{_SIZE} connections taken and not closed; leakDetectionThreshold={_LEAK_MS}",
                output="\n".join(line for line in told if line not in by_slow) + f"\n{_shown(after)}",
                facts={
                    "warnings": len(told) - len(by_slow),
                    "reclaimed": after["idle"],
                    "failed_after": after["failed"],
                    "warnings_at_60000": sum("leak-60000" in line for line in told),
                },
            ),
            Case(
                id="leak_minimum",
                status=_status(effective[_LEAK_MS - 1]["leak"] == "0" and bool(disabled)),
                text=Text(id="trap_pool.case.leak_minimum", values={"threshold_ms": _LEAK_MS - 1}),
                command=f"leakDetectionThreshold={_LEAK_MS - 1}",
                output=disabled,
                facts={"effective_ms": int(effective[_LEAK_MS - 1]["leak"])},
            ),
            Case(
                id="slow",
                status=_status(len(by_slow) == 1 and slow["ok"] == 1),
                text=Text(id="trap_pool.case.slow", values={"threshold_ms": _LEAK_MS}),
                command=f"a request that waits for a lock and then closes; leakDetectionThreshold={_LEAK_MS}",
                output="\n".join([*by_slow, returned]),
                facts={"warnings": len(by_slow), "ok": slow["ok"], "longest_ms": slow["longest_ms"]},
            ),
        )

    def _case_index(self) -> Case:
        service = self._service
        service.say("rows", n=_SCANNED_ROWS)
        service.say("open", pool="narrow", size=1, timeout=_TIMEOUT_MS, leak=0)

        def many() -> dict[str, int]:
            service.say("go", pool="narrow", n=_MANY, query="old")
            return service.until("an answer to every query", "narrow", _all_answered)

        plan_before = service.say("plan")["plan"]
        before = many()
        service.say("index")
        plan_after = service.say("plan")["plan"]
        after = many()
        return Case(
            id="index",
            status=_status(before["failed"] > 0 and after["failed"] == 0 and "tableScan" not in plan_after),
            text=Text(
                id="trap_pool.case.index", values={"before": before["failed"], "after": after["failed"], "all": _MANY}
            ),
            command="CREATE INDEX orders_by_status ON orders (status, created_at)",
            output=f"{plan_before}\n{_shown(before)}\n\n{plan_after}\n{_shown(after)}",
            facts={
                "failed_before": before["failed"],
                "failed_after": after["failed"],
                "rows_scanned_before": _scanned(plan_before),
                "rows_scanned_after": _scanned(plan_after),
            },
        )


def _status(seen: bool) -> Status:
    return Status.PASS if seen else Status.FAIL


def _all_answered(numbers: dict[str, int]) -> bool:
    return numbers["ok"] + numbers["failed"] == numbers["sent"]


def _shown(numbers: dict[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in numbers.items())


def _threads(dump: str, name: str) -> list[str]:
    return [block for block in dump.split("\n\n") if block.lstrip().startswith(f'"{name}')]


def _first_lines(thread: str, n: int = 12) -> str:
    """Return a thread's head and the frames that tell, of a stack that may be fifty frames deep."""
    lines = thread.strip().splitlines()
    telling = [line for line in lines[2:] if re.search(r"at (com\.zaxxer|org\.h2|Orders)", line)]
    return "\n".join([*lines[:2], *telling[:n]])


def _leaks(log: str, n: int) -> list[str] | None:
    found = [line for line in log.splitlines() if _LEAK in line]
    return found if len(found) >= n else None


def _line(log: str, wanted: str) -> str | None:
    return next((line for line in log.splitlines() if wanted in line), None)


def _scanned(plan: str) -> int:
    found = re.search(r"scanCount: (\d+)", plan)
    return int(found.group(1)) if found else -1
