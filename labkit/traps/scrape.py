"""The trap of the scrape: Prometheus gives up on a target that answers, only later than scrape_timeout allows."""

import math
import os
import statistics
import sys
from collections.abc import Mapping
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import fetch, nginx
from labkit.traps.parts import Part, path_of, program
from labkit.traps.rig import Rig
from labkit.traps.scrape_server import CONFIGURATION, LATENCY_S, TARGET, Server
from labkit.traps.trap import Trap

_TOO_SHORT: Final = "100ms"
_LONG_ENOUGH: Final = "2s"
#: One answer of so many is slow in the case of the distribution.
_SLOW_OF: Final = 6
_OK: Final = 200


class Scrape(Trap):
    """Prometheus and a target with a fixed latency; the timeout alone is changed, by a reload of the configuration.

    A probe waits for a whole scrape under the timeout that is asked about, and reads what Prometheus tells of it.
    """

    id: ClassVar[str] = "scrape"
    needs: ClassVar[tuple[Part, ...]] = (
        program("prometheus", apt="prometheus", brew="prometheus"),
        program("promtool", apt="prometheus", brew="prometheus"),
        nginx.CURL,
    )
    sources: ClassVar[tuple[str, ...]] = (
        "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config",
        "https://prometheus.io/docs/concepts/jobs_instances/",
        "https://prometheus.io/docs/prometheus/latest/management_api/",
    )
    notes: ClassVar[tuple[str, ...]] = ("trap_scrape.note.macos",)

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._made: Server | None = None
        self._control: Server | None = None
        self._timeout = _TOO_SHORT

    @property
    def server(self) -> Server:
        """The server with the fault, which reproduce has started."""
        if self._made is None:
            self._made = Server(self.rig, "prometheus", self._timeout)
            # Beside it, for a Prometheus finds its first target five seconds after its start.
            self._control = Server(self.rig, "control", _LONG_ENOUGH)
        return self._made

    def _probe(self, kind: StepKind, server: Server, timeout: str) -> Step:
        seen = server.scraped(timeout=timeout)
        up = server.value("up")
        sample = server.value("orders_total")
        return Step(
            kind=kind,
            command=f"curl http://127.0.0.1:{server.port}/api/v1/targets; curl http://127.0.0.1:{server.port}/api/v1/query?query=up",
            output=f"health: {seen.health}\nlastError: {seen.last_error}\nscrape_timeout: {seen.scrape_timeout}\n"
            f"lastScrapeDuration: {seen.last_scrape_duration:.3f} s\nup {up}\norders_total {sample}\n",
            seen=seen.health == "down" and "context deadline exceeded" in seen.last_error,
            text=Text(id=f"trap_scrape.step.{kind}"),
            facts={
                "health": seen.health,
                "up": math.nan if up is None else up,
                "samples": sample is not None,
                "scrape_duration_s": seen.last_scrape_duration,
            },
        )

    def reproduce(self) -> Step:
        """Scrape with a timeout that is shorter than the target's latency."""
        return self._probe(StepKind.REPRODUCE, self.server, self._timeout)

    def diagnose(self) -> Step:
        """Measure the target's latency several times, and compare it with the timeout that Prometheus uses."""
        times = self._times(self.server.target, 3)
        now = self.server.state()
        timeout_s = _seconds(now.scrape_timeout) if now else math.nan
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"curl -so /dev/null -w '%{{http_code}} %{{time_total}}\\n' http://127.0.0.1:{self.server.target}/metrics",
            output="".join(f"{_OK} {one:.3f}\n" for one in times) + f"scrapeTimeout: {timeout_s:g} s\n",
            seen=min(times) > timeout_s,
            text=Text(
                id="trap_scrape.step.diagnose",
                values={"latency_s": f"{statistics.median(times):.2f}", "timeout_s": f"{timeout_s:g}"},
            ),
            facts={"latency_s": statistics.median(times), "scrape_timeout_s": timeout_s},
        )

    def fix(self) -> Step:
        """Give the scrape more time than the target needs, and reload."""
        before = self.server.state()
        self.server.configure(_LONG_ENOUGH)
        status, said = self.server.reload()
        self.server.scraped(after=before.last_scrape if before else "", timeout=_LONG_ENOUGH)
        self._timeout = _LONG_ENOUGH
        return Step(
            kind=StepKind.FIX,
            command=f"curl -X POST http://127.0.0.1:{self.server.port}/-/reload",
            output=f"-  scrape_timeout: {_TOO_SHORT}\n+  scrape_timeout: {_LONG_ENOUGH}\nHTTP {status}\n{said}",
            seen=status == _OK,
            text=Text(id="trap_scrape.step.fix"),
        )

    def verify(self) -> Step:
        """Look at the target again."""
        return self._probe(StepKind.VERIFY, self.server, self._timeout)

    def control(self) -> Step:
        """Look at a fresh server's target whose timeout was long enough from the start."""
        fresh = self._control or Server(self.rig, "control", _LONG_ENOUGH)
        return self._probe(StepKind.CONTROL, fresh, _LONG_ENOUGH)

    def cases(self) -> tuple[Case, ...]:
        """Try a timeout above the interval, count what failed scrapes leave behind, compare one curl with many."""
        return (self._refused(), self._kept(), self._gap(), self._distribution(), self._format_file())

    def _refused(self) -> Case:
        broken = self.rig.folder / "too-long.yml"
        broken.write_text(CONFIGURATION.format(interval="1s", timeout="3s", port=1))
        done = self.rig.run([path_of("promtool"), "check", "config", broken], check=False)
        said = done.stdout + done.stderr
        right = done.returncode != 0 and "scrape timeout greater than scrape interval" in said
        return Case(
            id="timeout-above-interval",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_scrape.case.timeout-above-interval"),
            command="promtool check config prometheus.yml",
            output=said,
            facts={"exit_code": done.returncode},
        )

    def _kept(self) -> Case:
        """A server that runs keeps its configuration when the new one is refused."""
        self.server.configuration.write_text(CONFIGURATION.format(interval="1s", timeout="3s", port=self.server.target))
        status, said = self.server.reload()
        now = self.server.state()
        kept = now.scrape_timeout if now else ""
        self.server.configure(self._timeout)
        right = status != _OK and kept == self._timeout
        return Case(
            id="reload-keeps-the-old",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_scrape.case.reload-keeps-the-old", values={"status": status}),
            command="curl -X POST http://127.0.0.1/-/reload",
            output=said,
            facts={"status": status, "scrape_timeout": kept},
        )

    def _gap(self) -> Case:
        """What the failed scrapes left: up is 0 at every one, and there is no sample of theirs, late or not."""
        failed = self.server.value("count_over_time(up[1h]) - sum_over_time(up[1h])")
        beyond = self.server.value("count_over_time(orders_total[1h]) - sum_over_time(up[1h])")
        right = failed is not None and failed > 0 and beyond == 0
        return Case(
            id="failed-not-delayed",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_scrape.case.failed-not-delayed"),
            command="curl -G http://127.0.0.1/api/v1/query "
            "--data-urlencode 'query=count_over_time(orders_total[1h]) - sum_over_time(up[1h])'",
            output=f"scrapes that failed {failed}\nsamples beyond those of the others {beyond}\n",
            facts={"failed_scrapes": failed or 0.0, "samples_of_failed": math.nan if beyond is None else beyond},
        )

    def _distribution(self) -> Case:
        port = self.rig.port()
        delays = [f"{LATENCY_S if number == _SLOW_OF else 0:g}" for number in range(1, _SLOW_OF + 1)]
        child = self.rig.start("a target that is slow at times", [sys.executable, "-I", TARGET, str(port), *delays])
        self.rig.listening(port)
        times = self._times(port, 2 * _SLOW_OF)
        self.rig.end(child)
        limit_s = _seconds(_TOO_SHORT)
        late = sum(one > limit_s for one in times)
        right = times[0] < LATENCY_S and max(times) >= LATENCY_S and late >= 2  # noqa: PLR2004
        curl = "curl -so /dev/null -w '%{time_total}\\n' http://127.0.0.1/metrics"
        return Case(
            id="one-sample-is-no-p99",
            status=Status.PASS if right else Status.FAIL,
            text=Text(
                id="trap_scrape.case.one-sample-is-no-p99",
                values={"first_s": f"{times[0]:.3f}", "most_s": f"{max(times):.3f}", "late": late, "count": len(times)},
            ),
            command=f"for i in $(seq {len(times)}); do {curl}; done",
            output="".join(f"{one:.3f}\n" for one in times),
            facts={"first_s": times[0], "most_s": max(times), "late": late, "requests": len(times)},
        )

    def _format_file(self) -> Case:
        """The often quoted ``-w "@curl-format.txt"`` wants a file that has to be written first."""
        url = f"http://127.0.0.1:{self.server.target}/metrics"
        done = fetch.curl(self.rig, "-S", "-o", os.devnull, "-w", "@curl-format.txt", url)
        right = not done.stdout.strip()
        return Case(
            id="curl-format-file",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_scrape.case.curl-format-file"),
            command='curl -w "@curl-format.txt" -o /dev/null -s http://127.0.0.1/metrics',
            output=done.stdout + done.stderr,
            facts={"exit_code": done.returncode},
        )

    def _times(self, port: int, count: int) -> list[float]:
        asked = ["-o", os.devnull, "-w", "%{time_total}", f"http://127.0.0.1:{port}/metrics"]
        return [float(fetch.curl(self.rig, *asked).stdout) for _ in range(count)]

    def versions(self) -> Mapping[str, str]:
        """Return Prometheus's and curl's."""
        said = self.rig.run([path_of("prometheus"), "--version"])
        return {"prometheus": (said.stdout + said.stderr).split()[2], "curl": nginx.curl_version(self.rig)}


def _seconds(duration: str) -> float:
    """Return a duration as Prometheus writes it, of one unit: 100ms, 2s."""
    return float(duration.removesuffix("ms")) / 1000 if duration.endswith("ms") else float(duration.removesuffix("s"))
