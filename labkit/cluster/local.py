"""A cluster of this machine's own: a scheduler and a labelled worker for each label, gone with this process.

They listen on 127.0.0.1 and speak TLS by a certificate that is made for them and never leaves their folder, so that
no other user of the machine can send them code.
"""

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from distributed import Security

from labkit.cluster.address import Tls
from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system import proc
from labkit.system.environment import host

_START_S: Final = 60.0
_REMEDY: Final = "run it with -v, or start a scheduler and workers by hand and name their address (docs/batches.md)"


@contextlib.contextmanager
def started(labels: Sequence[str | None], *, threads: int) -> Iterator[tuple[str, Tls]]:
    """Start a scheduler and a worker for each label, None being a worker without one; give its address and certificate.

    Args:
        labels: The workers' labels.
        threads: How many notebooks each of them executes at a time.

    Raises:
        ProcessError: One of them did not start.

    """
    with contextlib.ExitStack() as ends:
        folder = Path(
            ends.enter_context(tempfile.TemporaryDirectory(prefix="labkit-cluster-"))
        )  # nobody else's to read
        tls = _certificate(folder)
        files = ["--tls-ca-file", str(tls.ca), "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
        common = [*files, "--protocol", "tls", "--host", "127.0.0.1", "--no-dashboard"]
        scheduler_file = folder / "scheduler.json"
        scheduler = ends.enter_context(
            _start("dask_scheduler", folder, *common, "--port", "0", "--scheduler-file", str(scheduler_file))
        )
        _wait_for(scheduler, scheduler_file)
        address = str(json.loads(scheduler_file.read_bytes())["address"])
        for label in labels:
            words = [*common, "--nthreads", str(threads), "--memory-limit", "0", "--local-directory", str(folder)]
            words += ["--resources", f"{label}={threads}"] if label else []
            ends.enter_context(_start("dask_worker", folder, address, *words))
        yield address, tls


def _start(module: str, folder: Path, *words: str) -> proc.Running:
    return proc.start([sys.executable, "-m", f"distributed.cli.{module}", *words], env=dict(host()), cwd=folder)


def _wait_for(running: proc.Running, file: Path) -> None:
    try:
        proc.wait_until(lambda: file.is_file() or not running.alive(), timeout_s=_START_S, what="the scheduler's start")
    except TimeoutExpiredError as error:
        raise ProcessError(error.what, remedy=_REMEDY) from error
    if not file.is_file():
        raise ProcessError(f"Dask's scheduler ended: {running.completed().last_words()}", remedy=_REMEDY)


def _certificate(folder: Path) -> Tls:
    made = Security.temporary().get_tls_config_for_role("client")
    tls = Tls(ca=folder / "ca.pem", cert=folder / "cert.pem", key=folder / "key.pem")
    for path, content in (
        (tls.ca, made["ca_file"]),
        (tls.cert, made["cert"]),
        (tls.key, made["key"]),
    ):
        assert path is not None  # noqa: S101 - for mypy
        path.write_text(str(content), "ascii")
    return tls
