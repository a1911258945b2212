"""The trap of the 502: an idle connection that the upstream closes as nginx reuses it, and the faults beside it."""

import http.client
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import fetch, nginx
from labkit.traps.http502.faults import FAULTS, Fault
from labkit.traps.http502.pair import IDLE_S, KEPT, KEPT_TOO_LONG, Pair, start_upstream
from labkit.traps.http502.tree import errors_of, leaves_of
from labkit.traps.nginx import Nginx
from labkit.traps.parts import Part, program
from labkit.traps.rig import Rig
from labkit.traps.trap import Trap

_ROUNDS: Final = 2


class Http502(Trap):
    """nginx before a small upstream that closes idle connections; the race is made certain by holding the worker.

    Each further fault of :mod:`labkit.traps.http502.faults` is one case, found by the tree from its log lines.
    """

    id: ClassVar[str] = "http502"
    needs: ClassVar[tuple[Part, ...]] = (nginx.NGINX, nginx.CURL, program("ps", apt="procps"))
    sources: ClassVar[tuple[str, ...]] = (
        "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout",
        "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
        "https://github.com/nginx/nginx/blob/master/src/http/ngx_http_upstream.c",
    )
    notes: ClassVar[tuple[str, ...]] = ("trap_http502.note.macos",)

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._pair: Pair | None = None

    @property
    def pair(self) -> Pair:
        """The nginx and the upstream with the fault, which reproduce has started."""
        if self._pair is None:
            self._pair = Pair(self.rig, "nginx", KEPT_TOO_LONG)
        return self._pair

    def _probe(self, kind: StepKind, pair: Pair) -> Step:
        since = pair.nginx.mark()
        rounds = [pair.race("POST") for _ in range(_ROUNDS)]
        said = pair.nginx.said(since)
        bad = [one for one in rounds if one.status == http.client.BAD_GATEWAY]
        answers = "".join(f"HTTP {one.status}\n" for one in rounds)
        return Step(
            kind=kind,
            command=f"curl -X POST http://127.0.0.1:{pair.port}/orders; tail error.log",
            output=answers + errors_of(said),
            seen=bool(bad),
            text=Text(id=f"trap_http502.step.{kind}"),
            facts={
                "requests": len(rounds),
                "bad_gateways": len(bad),
                "reused_while_closing": sum(one.reused for one in rounds),
                "leaves": ", ".join(leaves_of(said)),
            },
        )

    def reproduce(self) -> Step:
        """POST in the instant in which the upstream closes the idle connection."""
        return self._probe(StepKind.REPRODUCE, self.pair)

    def diagnose(self) -> Step:
        """Classify the log, ask the upstream for its health and idle time, and nginx for its own."""
        leaves = leaves_of(self.pair.nginx.said())
        health = fetch.curl(self.rig, "-i", f"http://127.0.0.1:{self.pair.upstream}/health").stdout
        kept = [line.strip() for line in self.pair.nginx.dump().splitlines() if "keepalive_timeout" in line]
        status = int(health.split()[1]) if health else 0
        answered = f"Keep-Alive: timeout={IDLE_S:.0f}" in health
        return Step(
            kind=StepKind.DIAGNOSE,
            command="labkit traps http502 --log error.log; "
            f"curl -i http://127.0.0.1:{self.pair.upstream}/health; nginx -T | grep keepalive_timeout",
            output=f"{', '.join(leaves)}\n\n{health}\n{chr(10).join(kept)}\n",
            seen=leaves == ["closed-early"] and status == http.client.OK and answered and bool(kept),
            text=Text(
                id="trap_http502.step.diagnose",
                values={
                    "leaf": ", ".join(leaves) or "-",
                    "health": status,
                    "upstream_s": f"{IDLE_S:g}",
                    "nginx": kept[0].removeprefix("keepalive_timeout ").rstrip(";") if kept else "-",
                },
            ),
            facts={
                "leaf": ", ".join(leaves),
                "health_status": status,
                "reset_in_log": "Connection reset" in self.pair.nginx.said(),
                "upstream_restarted": not self.pair.child.alive(),
            },
        )

    def fix(self) -> Step:
        """Give nginx the shorter idle time and reload it."""
        command = self.pair.nginx.reload(self.pair.http(KEPT))
        return Step(
            kind=StepKind.FIX,
            command=command,
            output=f"-        keepalive_timeout {KEPT_TOO_LONG};\n+        keepalive_timeout {KEPT};\n",
            seen=KEPT in self.pair.nginx.dump(),
            text=Text(id="trap_http502.step.fix"),
        )

    def verify(self) -> Step:
        """Send the same requests."""
        return self._probe(StepKind.VERIFY, self.pair)

    def control(self) -> Step:
        """Send the same requests to a fresh pair whose nginx closes first."""
        return self._probe(StepKind.CONTROL, Pair(self.rig, "control", KEPT))

    def cases(self) -> tuple[Case, ...]:
        """Put in each fault, and look at its status and at its lines' leaves."""
        return (*self._faults(), self._get_again(), self._at_start(), self._killed(), self._head())

    def _faults(self) -> tuple[Case, ...]:
        front = self.rig.port()
        ports = {fault.id: (self.rig.port(), self.rig.port()) for fault in FAULTS}
        plan = {ports[fault.id][0]: fault.behaviour for fault in FAULTS if fault.behaviour}
        child = start_upstream(self.rig, plan)
        for port, behaviour in plan.items():
            if not behaviour.startswith(("dns", "full")):
                self.rig.listening(port)
        server = Nginx(self.rig, "faults", level="warn")
        blocks = "\n".join(_filled(fault.upstream, *ports[fault.id]) for fault in FAULTS)
        locations = "\n".join(
            f"location = /{fault.id} {{ {_filled(fault.location, *ports[fault.id])} }}" for fault in FAULTS
        )
        server.start(f"{blocks}\nserver {{ listen 127.0.0.1:{front}; {locations} }}")
        done = tuple(self._case(fault, server, front) for fault in FAULTS)
        self.rig.check_parts()
        self.rig.end(child)
        return done

    def _case(self, fault: Fault, server: Nginx, front: int) -> Case:
        since = server.mark()
        asked = ["-o", os.devnull, "-w", "%{http_code}", f"http://127.0.0.1:{front}/{fault.id}"]
        for _ in range(fault.requests - 1):
            fetch.curl(self.rig, *asked)
        status = int(fetch.curl(self.rig, *asked).stdout)
        said = server.said(since)
        leaves = leaves_of(said)
        right = status in fault.statuses and frozenset(leaves) == fault.leaves
        values: dict[str, str | int | float] = {"id": fault.id, "status": status}
        if fault.leaves:
            words = Text(id="trap_http502.case.log", values={**values, "leaves": ", ".join(leaves) or "-"})
        else:
            words = Text(id="trap_http502.case.nothing", values=values)
        if fault.id == "one-peer-down":
            words = Text(id="trap_http502.case.one_peer", values={"count": fault.requests})
        return Case(
            id=fault.id,
            status=Status.PASS if right else Status.FAIL,
            text=words,
            command=f"curl -s http://127.0.0.1:{front}/{fault.id}; tail error.log",
            output=f"HTTP {status:03d}\n{errors_of(said)}",
            facts={"status": status, "leaves": ", ".join(leaves), "lines": len(said.splitlines())},
        )

    def _get_again(self) -> Case:
        pair = Pair(self.rig, "again", KEPT_TOO_LONG)
        since = pair.nginx.mark()
        one = pair.race("GET")
        said = pair.nginx.said(since)
        right = one.reused and one.status == http.client.OK and leaves_of(said) == ["closed-early"]
        return Case(
            id="get-is-tried-again",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_http502.case.get_again"),
            command=f"curl http://127.0.0.1:{pair.port}/orders; tail error.log",
            output=f"HTTP {one.status}\n{errors_of(said)}",
            facts={"status": one.status, "reused_while_closing": one.reused, "leaves": ", ".join(leaves_of(said))},
        )

    def _at_start(self) -> Case:
        broken = Nginx(self.rig, "at-start")
        broken.configure("upstream unknown { server nosuch.invalid; }")
        # glibc asks its name servers for ten seconds and more when the machine has no network.
        done = broken.test(env=self.rig.environment(RES_OPTIONS="timeout:1 attempts:1"))
        found = leaves_of(done.stderr)
        right = done.returncode != 0 and found[:1] == ["name-at-start"]  # then the summary of nginx -t
        return Case(
            id="name-at-start",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_http502.case.at_start"),
            command="nginx -t",
            output=done.stderr,
            facts={"exit_code": done.returncode, "leaves": ", ".join(found)},
        )

    def _killed(self) -> Case:
        front, port, control = self.rig.port(), self.rig.port(), self.rig.port()
        child = start_upstream(self.rig, {port: "silent", control: "control"})
        self.rig.listening(port)
        self.rig.listening(control)
        server = Nginx(self.rig, "killed")
        server.start(f"server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}")
        asked = json.loads(fetch.get(control, "/")[1])["requests"]
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(fetch.get, front, "/")
            self.rig.until("the request", lambda: json.loads(fetch.get(control, "/")[1])["requests"] > asked)
            self.rig.end(child)
            status = answer.result()[0]
        said = server.said()
        right = status == http.client.BAD_GATEWAY and leaves_of(said) == ["closed-early"]
        return Case(
            id="worker-killed",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_http502.case.killed"),
            command=f"curl http://127.0.0.1:{front}/ & kill -9 {child.pid}; tail error.log",
            output=f"HTTP {status}\n{errors_of(said)}",
            facts={"status": status, "leaves": ", ".join(leaves_of(said))},
        )

    def _head(self) -> Case:
        port = self.rig.port()
        child = start_upstream(self.rig, {port: "get-only"})
        self.rig.listening(port)
        url = f"http://127.0.0.1:{port}/health"
        codes = ("-o", os.devnull, "-w", "%{http_code}", url)
        head, get = (int(fetch.curl(self.rig, *options, *codes).stdout) for options in (("-I",), ()))
        self.rig.end(child)
        right = (head, get) == (http.client.METHOD_NOT_ALLOWED, http.client.OK)
        return Case(
            id="health-by-head",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_http502.case.head", values={"head": head, "get": get}),
            command=f"curl -I {url}; curl {url}",
            output=f"HTTP {head}\nHTTP {get}\n",
            facts={"head_status": head, "get_status": get},
        )

    def versions(self) -> Mapping[str, str]:
        """Return nginx's and curl's."""
        return {"nginx": nginx.version(self.rig), "curl": nginx.curl_version(self.rig)}


def _filled(text: str, port: int, dead: int) -> str:
    return text.replace("{p}", str(port)).replace("{q}", str(dead))
