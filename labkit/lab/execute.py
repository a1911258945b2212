"""Executes one notebook through papermill, in limits, and says how it really ended.

papermill's metadata call a notebook completed after a dead kernel, a timeout or Ctrl-C. So the exception that ended
it decides, and beyond that what the notebook holds: an execution count on every code cell, no error output, an end
time.

The notebook is written under a temporary name while it runs and renamed when it has ended. The kernel's own stdout
and stderr go to the run's log; labkit's log lines from within the kernel do too. Nothing that a notebook started
outlives it: the kernel's process group is ended, and what left that group is looked for (:mod:`labkit.lab.leftovers`).
"""

import contextlib
import errno
import json
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError

from labkit.errors import LabError, StoreError
from labkit.lab import leftovers
from labkit.lab.engine import NAME as ENGINE
from labkit.lab.engine import Limits
from labkit.lab.profile import CELL_TIMEOUT_S, RUN_TIMEOUT_S, Value
from labkit.model.run import NotebookRun, NotebookStatus
from labkit.system import logs, progress
from labkit.system.proc import adopted, ignoring_interrupts
from labkit.system.store import file_digest, home, saying_why, shown

log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 120
_RUNNING: Final = ".running"
#: Bytes of a socket's path without its number, of the 103 that macOS takes and the 107 that Linux does.
_LONGEST_SOCKET: Final = 96
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def execute(
    source: Path,
    folder: Path,
    parameters: Mapping[str, Value],
    *,
    log_file: Path,
    bar: bool,
    limits: Limits | None = None,
    mark: str = "",
) -> NotebookRun:
    """Execute a notebook into a run's folder and return how it ended.

    A failure is a result, not an exception, but for a full disk. Ctrl-C is recorded, and raised again by the caller.

    Args:
        source: The notebook.
        folder: The run's folder.
        parameters: Its parameters, checked before.
        log_file: Where the kernel's streams and log lines go.
        bar: Whether a progress bar over cells is shown on standard error.
        limits: How long and how much; the usual ones when None.
        mark: How the mark of what the notebook starts begins.

    """
    running = folder / _RUNNING / source.name
    with saying_why(f"cannot write {running}"):
        running.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    status, cause, remedy = NotebookStatus.DONE, None, None
    bounds = limits or Limits(cell_timeout_s=CELL_TIMEOUT_S, run_timeout_s=RUN_TIMEOUT_S)
    own_mark = leftovers.mark(mark)
    try:
        with log_file.open("ab") as stream, _environment(log_file, own_mark), contextlib.ExitStack() as kernels:
            started_by = kernels.enter_context(leftovers.ending(own_mark))
            papermill.execute_notebook(
                str(source),
                str(running),
                parameters=dict(parameters),
                engine_name=ENGINE,
                kernel_name="python3",
                progress_bar=bar,
                log_output=False,
                start_timeout=_START_TIMEOUT_S,
                limits=bounds,
                kernel_manager_class=_manager(stream, kernels, started_by),
            )
        cause = _unfinished(running)
        if cause is not None:
            status, remedy = NotebookStatus.FAILED, f"read {log_file.name}, and run the notebook by hand"
    except KeyboardInterrupt:
        status, cause = NotebookStatus.INTERRUPTED, "interrupted with Ctrl-C"
        remedy = "run it again: what was provisioned and built is kept"
    except Exception as error:  # whatever ended it is recorded with the notebook
        if (
            isinstance(error, OSError) and error.errno in _FULL
        ):  # it says nothing of the notebook: --resume runs it again
            running.unlink(missing_ok=True)
            raise StoreError(
                f"cannot write {running}: {error.strerror}", remedy="free space, and go on with labkit run --resume"
            ) from error
        status = NotebookStatus.FAILED
        cause, remedy = _explain(error, log_file, bounds)
        log.debug("%s failed", source.name, exc_info=True)
    with ignoring_interrupts():
        _keep(running, folder / source.name, source)
    return NotebookRun(
        name=source.stem,
        status=status,
        file=source.name,
        sha256=file_digest(source),
        wall_time_s=time.monotonic() - started,
        cause=None if cause is None else shown(cause),
        remedy=remedy,
    )


def _explain(error: Exception, log_file: Path, limits: Limits) -> tuple[str, str]:  # noqa: PLR0911 - a table of causes
    if limits.broken is not None:  # what was seen when the kernel was ended for it
        return limits.broken, limits.remedy
    match error:
        case PapermillExecutionError():
            # A LabError shows itself as "what (remedy)"; the cell and the last line of anything else are enough.
            first = str(error.evalue).strip().split("\n", 1)[0]
            return f"cell {error.exec_count} failed: {error.ename}: {first}", (
                "read the failed cell in the notebook's page; run the notebook by hand to look closer"
            )
        case DeadKernelError():
            return "the kernel died while a cell ran (out of memory, or a crash)", (
                f"read the end of {log_file.name}, free memory, and run it again"
            )
        case CellTimeoutError():
            return f"a cell did not end within {limits.cell_timeout_s} s", (
                "run the notebook by hand and look at that cell, or give the profile a longer cell_timeout_s"
            )
        case LabError():
            return error.what, error.remedy
        case PapermillException() | OSError() | RuntimeError():
            return f"it could not be run: {error}", f"read {log_file.name}"
        case _:
            return f"it could not be run: {type(error).__name__}: {error}", f"read {log_file.name}"


def _unfinished(notebook: Path) -> str | None:
    # What papermill's own metadata would not tell.
    document = nbformat.read(str(notebook), as_version=4)
    for number, cell in enumerate(document.cells, 1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if any(output.output_type == "error" for output in cell.outputs):
            return f"cell {number} holds an error"
        if cell.execution_count is None:
            return f"cell {number} was not run"
    if not document.metadata.get("papermill", {}).get("end_time"):
        return "it has no end time"
    return None


def _keep(running: Path, final: Path, source: Path) -> None:
    with saying_why(f"cannot keep {final.name}"):
        if not _is_whole(running):  # nothing, or half of it, was written: keep the notebook as it would have run
            running.write_bytes(source.read_bytes())
        running.replace(final)
        with contextlib.suppress(OSError):  # another notebook of the run is at work
            running.parent.rmdir()


def _is_whole(running: Path) -> bool:
    try:
        json.loads(running.read_bytes())
    except (OSError, ValueError):
        return False
    return True


class _environment:  # noqa: N801 - reads as a statement
    """The variables that a kernel started meanwhile sees."""

    def __init__(self, log_file: Path, mark: str) -> None:
        self._wanted = {
            logs.VARIABLE: str(log_file.absolute()),
            progress.VARIABLE: progress.OFF,  # a bar would end up in the notebook
            "IPYTHONDIR": str(home() / "ipython"),  # no start-up files or history of the user's
            "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel, not one of the user's
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            leftovers.VARIABLE: mark,
        }
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        with saying_why("cannot make a folder for the notebook's kernel"):
            (home() / "ipython").mkdir(parents=True, exist_ok=True)
        self._before = {name: os.environ.get(name) for name in self._wanted}
        os.environ.update(self._wanted)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _manager(stream: IO[bytes], kernels: contextlib.ExitStack, started_by: leftovers.Kernel) -> type[Any]:
    # Two kernels that start at once can be given one free TCP port: one in some hundreds then never answers. A socket
    # in a folder of the kernel's own is nobody else's, and no other user of the machine can reach it.
    sockets = Path(kernels.enter_context(tempfile.TemporaryDirectory(prefix="lk-", ignore_cleanup_errors=True))) / "k"

    class OwnedKernelManager(AsyncKernelManager):
        """A kernel manager whose kernel writes to the run's log, and whose kernel's group ends with the notebook."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - jupyter_client's signature
            super().__init__(*args, **kwargs)
            if len(os.fsencode(sockets)) <= _LONGEST_SOCKET:
                self.transport, self.ip = "ipc", str(sockets)

        async def _async_start_kernel(self, **kwargs: Any) -> None:  # noqa: ANN401 - jupyter_client's signature
            await super()._async_start_kernel(**kwargs, stdout=stream, stderr=stream)
            # jupyter_client makes a kernel the leader of a session of its own
            pid = getattr(self.provisioner, "pid", None)
            if pid is not None:
                kernels.enter_context(adopted(pid))

        async def _async_shutdown_kernel(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - jupyter_client's
            pid = getattr(self.provisioner, "pid", None)
            if pid is not None:
                started_by.look(pid)
            await super()._async_shutdown_kernel(*args, **kwargs)

        start_kernel = _async_start_kernel
        shutdown_kernel = _async_shutdown_kernel

    return OwnedKernelManager
