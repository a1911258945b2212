"""A real Dask cluster on loopback: a scheduler and workers as processes, each of which tells notebooks its name."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Self

from labkit.system import proc
from labkit.system.environment import host

WORKER = "LABKIT_TEST_WORKER"
NOTES = "LABKIT_TEST_NOTES"


class Rig:
    """A cluster; a context manager, at whose end every process of it is gone."""

    def __init__(
        self, folder: Path, *, tls: dict[str, Path] | None = None, ttl: str | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.folder = folder
        self.notes = folder / "notes.txt"
        self.home = folder / "home"
        self._tls = [word for name, path in (tls or {}).items() for word in (f"--tls-{name}", str(path))]
        self._ttl, self._host = ttl, host
        self._ends = contextlib.ExitStack()
        self.workers: dict[str, proc.Running] = {}
        self.address = ""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "scheduler.json"
        running = self._start("dask_scheduler", "--port", "0", "--scheduler-file", str(file))
        proc.wait_until(lambda: file.is_file() or not running.alive(), timeout_s=60, what="the scheduler's start")
        assert file.is_file(), running.completed().stderr
        self.address = json.loads(file.read_bytes())["address"]
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def worker(self, name: str, resources: str, *, threads: int = 1, **more: str) -> proc.Running:
        words = ["--nthreads", str(threads), "--memory-limit", "0", "--local-directory", str(self.folder), "--no-nanny"]
        words += ["--resources", resources] if resources else []
        self.workers[name] = self._start("dask_worker", self.address, *words, **{WORKER: name} | more)
        return self.workers[name]

    def _start(self, module: str, *words: str, **more: str) -> proc.Running:
        environ = dict(host()) | {"LABKIT_HOME": str(self.home), NOTES: str(self.notes)} | more
        if self._ttl:
            environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = self._ttl
        common = [*self._tls, "--host", self._host, "--no-dashboard"]
        argv = [sys.executable, "-m", f"distributed.cli.{module}", *words, *common]
        return self._ends.enter_context(proc.start(argv, env=environ, cwd=self.folder))

    def kill(self, name: str) -> None:
        """End a worker as a power cut would."""
        os.kill(self.workers[name].pid, 9)
        self.workers[name].wait(60)

    def noted(self) -> list[dict]:
        """Return what the notebooks wrote down."""
        try:
            return [json.loads(line) for line in self.notes.read_text().splitlines()]
        except FileNotFoundError:
            return []
