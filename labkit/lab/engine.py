"""papermill's engine with limits: how long a cell and a notebook may take, how much a notebook may put out.

Beyond a limit the kernel is ended at once, and what was broken is written down for whoever explains the failure:
nbclient only sees a dead kernel.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

NAME: Final = "labkit"
#: Bytes of output that a notebook may hold; a page of them could not be opened.
MAX_OUTPUT_BYTES: Final = 20 * 1024 * 1024
_MIB: Final = 1024 * 1024


@dataclass(kw_only=True)
class Limits:
    """What a notebook may take, in seconds and bytes; and what it broke of that, in words."""

    cell_timeout_s: float
    run_timeout_s: float
    max_output_bytes: int = MAX_OUTPUT_BYTES
    broken: str | None = None
    remedy: str = ""
    started: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """Return the seconds that are left of the notebook's time."""
        return self.started + self.run_timeout_s - time.monotonic()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, counting and timing."""

    def __init__(self, nb_man: Any, *, limits: Limits, **given: Any) -> None:  # noqa: ANN401 - papermill's signature
        super().__init__(nb_man, timeout_func=self._time_left, **given)
        self._limits = limits
        self._put_out = 0
        self._ending: asyncio.Task[None] | None = None

    def _time_left(self, _cell: object) -> int:
        left_s = self._limits.left_s()
        return max(1, round(min(left_s, self._limits.cell_timeout_s)))

    async def _async_handle_timeout(self, timeout: int, cell: Any = None) -> Any:  # noqa: ANN401, ASYNC109 - nbclient's
        if self._limits.left_s() <= 1:
            self._break(
                f"the notebook did not end within {self._limits.run_timeout_s:g} s",
                "run it by hand and look at its slow cells, or give the profile a longer run_timeout_s",
            )
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:  # noqa: ANN401 - nbclient's
        """Take a message of the kernel, unless the notebook has put out too much."""
        if msg["msg_type"] in {"stream", "display_data", "execute_result", "update_display_data", "error"}:
            self._put_out += _size(msg["content"])
            if self._put_out > self._limits.max_output_bytes:
                if self._limits.broken is None:
                    self._break(
                        f"cell {cell_index + 1} flooded its output: the notebook holds more than "
                        f"{self._limits.max_output_bytes // _MIB} MiB",
                        "print less, or write to a file",
                    )
                    # nbclient waits for the kernel's answer, which may never come, and notices its death
                    self._ending = asyncio.ensure_future(self.km.shutdown_kernel(now=True))
                return None
        return super().process_message(msg, cell, cell_index)

    def _break(self, what: str, remedy: str) -> None:
        self._limits.broken, self._limits.remedy = what, remedy


def _size(content: object) -> int:
    match content:
        case str() | bytes():
            return len(content)
        case dict():
            return sum(map(_size, content.values()))
        case list():
            return sum(map(_size, content))
        case _:
            return 8


class _Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine but for its client."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,  # noqa: ANN401 - papermill's signature
        kernel_name: str,
        *,
        limits: Limits,
        start_timeout: int,
        kernel_manager_class: type[Any],
        **_: Any,  # noqa: ANN401 - papermill's signature
    ) -> Any:  # noqa: ANN401 - papermill's signature
        """Execute the notebook within its limits."""
        return _Client(
            nb_man,
            limits=limits,
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            kernel_manager_class=kernel_manager_class,
        ).execute()


papermill_engines.register(NAME, _Engine)
