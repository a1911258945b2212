"""JupyterLab as ``labkit lab`` starts it, for tests: asked over its own interface, ended with all it started."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

DEADLINE_S = 60


class Server:
    """JupyterLab as ``labkit lab`` starts it, asked over its own interface."""

    def __init__(self, folder, environ, *options):
        self.runtime = folder / "runtime"
        self.runtime.mkdir()
        root = ("--", "--allow-root") if os.geteuid() == 0 else ()
        self.log = (folder / "server.log").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "labkit", "lab", str(folder / "a place"), "--no-browser", *options, *root],
            env={**os.environ, **environ, "JUPYTER_RUNTIME_DIR": str(self.runtime)},
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip
        self.told = self.wait_for(self._told)

    def wait_for(self, condition):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            answer = condition()
            if answer:
                return answer
            assert self.process.poll() is None, self.said()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)
        raise AssertionError(self.said())

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text()

    def _told(self):
        for file in self.runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, urllib.error.URLError):
                self.told = json.loads(file.read_text())
                self.ask("api/status")
                return self.told
        return None

    def ask(self, path, body=None, *, method=None):
        request = urllib.request.Request(
            self.told["url"] + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"token {self.told['token']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def kernels(self):
        return [
            each for each in psutil.Process(self.process.pid).children(recursive=True)
            if "ipykernel_launcher" in each.cmdline()
        ]  # fmt: skip

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
