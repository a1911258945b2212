"""What all tests share: this machine's real toolchain, provisioned once into the store that labkit itself uses."""

import logging
import os
import signal
from pathlib import Path

import pytest

from labkit import machine
from labkit.facts import Facts
from labkit.system import store
from tests.support import refused_skip

# A kernel or command that a test starts must not find the settings of whoever runs the tests.
for name in ("LABKIT_LANG", "LABKIT_LOG", "LABKIT_PROGRESS", "GOFLAGS", "GOOS", "GOARCH", "GOBIN"):
    os.environ.pop(name, None)


# A shell's background job inherits that Ctrl-C is ignored, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def facts():
    """Facts of this machine with the current set."""
    return Facts("current")


@pytest.fixture(scope="session")
def toolchain(facts):
    """The current set, provisioned (a minute the first time on a machine)."""
    return facts.toolchain


@pytest.fixture(scope="session")
def this_machine():
    return machine.read()


@pytest.fixture
def spaced_home(tmp_path, toolchain, monkeypatch):
    """A LABKIT_HOME whose name holds spaces, with the store that is already there behind it."""
    home = tmp_path / "a lab with spaces"
    home.mkdir()
    real = store.home()
    for name in ("store", "go"):
        (home / name).symlink_to(real / name)
    monkeypatch.setenv("LABKIT_HOME", str(home))
    return home


@pytest.fixture
def empty_store(tmp_path, toolchain, monkeypatch):
    """A LABKIT_HOME with an empty store; modules and compiled packages are those that are already there."""
    home = tmp_path / "empty home"
    home.mkdir()
    (home / "go").symlink_to(store.home() / "go")
    monkeypatch.setenv("LABKIT_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def _no_handlers_left():
    """A test that sets up logging takes it down again."""
    before = list(logging.getLogger("labkit").handlers)
    yield
    os.environ.pop("LABKIT_PROGRESS", None)  # labkit -q sets it for its process
    for handler in list(logging.getLogger("labkit").handlers):
        if handler not in before:
            logging.getLogger("labkit").removeHandler(handler)
            handler.close()


@pytest.fixture
def executable(tmp_path):
    """Return a function that makes a small shell program in a folder of this test and returns its path."""

    def make(name: str, body: str, folder: Path | None = None) -> Path:
        path = (folder or tmp_path / "bin") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip that is not accepted into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        refused = refused_skip(reason)
        if refused:
            report.outcome, report.longrepr = "failed", refused
    return report


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


@pytest.fixture
def update_golden(request):
    return request.config.getoption("--update-golden")
