"""Opens a cluster for a batch: connects, or starts one of this machine's own, and waits for the workers it needs.

Dask's transport pickles which function is called (a name of :mod:`labkit.cluster.remote`) and an exception that one
raises; everything that labkit itself sends and reads is bytes (:mod:`labkit.cluster.messages`).
"""

import contextlib
import functools
import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from distributed import Client, Future, Security

from labkit.cluster import local, remote
from labkit.cluster.address import LOCAL, Tls, check_plain, checked
from labkit.cluster.driver import PATIENCE_S, Driver
from labkit.cluster.messages import Answer, Identity, Order
from labkit.cluster.workers import Seen, Workers, check_label
from labkit.errors import ClusterError, LabError
from labkit.lab import Profile
from labkit.lab.runs import Place
from labkit.system import proc

_CONNECT_S: Final = 10
_ANSWER_S: Final = 120.0
#: Seconds that are waited for workers which were started just before, when one is lacking.
_PATIENCE_S: Final = 5.0
_START_S: Final = 60.0


class Cluster(Driver):
    """A cluster that is open: places runs on its workers, and executes their notebooks there."""

    def __init__(self, carrier: "_Dask", workers: Workers, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__(carrier, workers, patience_s=patience_s)
        self._known = workers

    def place(self, profiles: Sequence[Profile], machines: Sequence[str | None]) -> list[Place]:
        """Give each profile a place (:data:`labkit.lab.Placing`); the workers that lack are waited for a little.

        Raises:
            ClusterError: No worker may execute one of them.
            UsageError: A label is none, or a worker is reached in plain over a network.

        """
        began = time.monotonic()
        while True:
            self._known.refresh()
            try:
                return self._known.place(profiles, machines)
            except ClusterError:
                # one that is there is waited for until it has said who it is, which starts a process there
                if time.monotonic() - began > (_START_S if self._known.waiting() else _PATIENCE_S):
                    raise
            threading.Event().wait(0.1)


@contextlib.contextmanager
def opened(
    where: str, profiles: Sequence[Profile], *, tls: Tls | None = None, jobs: int = 1, patience_s: float = PATIENCE_S
) -> Iterator[Cluster]:
    """Open a cluster and close it again; a local one is ended with all that it runs.

    Args:
        where: ``local``, or a scheduler's address.
        profiles: What is to be run; a local cluster gets a worker for each of their labels.
        tls: The files for an address with TLS.
        jobs: How many notebooks each worker of a local cluster executes at a time.
        patience_s: Seconds that a notebook waits for a worker that fits, after the last one went.

    Raises:
        ClusterError: Nobody answers there, or nobody that this labkit understands.
        UsageError: The address is none, or would be reached in plain over a network.

    """
    with contextlib.ExitStack() as ends:
        count = 0
        for profile in profiles:
            check_label(profile)
        if where == LOCAL:
            labels = sorted({profile.on for profile in profiles}, key=lambda label: label or "")
            where, tls = ends.enter_context(local.started(labels, threads=jobs))
            count = len(labels)
        address, security = checked(where, tls or Tls())
        client = ends.enter_context(_connected(address, security))
        carrier = _Dask(client)
        if count:
            proc.wait_until(
                lambda: len(carrier.look()) >= count, timeout_s=_START_S, what="the start of the cluster's workers"
            )
        yield Cluster(carrier, Workers(carrier.look, carrier.ask), patience_s=patience_s)


@contextlib.contextmanager
def _connected(address: str, security: Security | None) -> Iterator[Client]:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said by labkit, once
    try:
        client = Client(address, security=security, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        first = str(error).strip().split("\n", 1)[0]
        raise ClusterError(
            f"no scheduler answers at {address}: {first or type(error).__name__}",
            remedy="start one with `dask scheduler` and name the address that it prints; for TLS, one authority",
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=5)


class _Dask:
    """Carries orders by a client of Dask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._futures: dict[str, Future[Any]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def look(self) -> dict[str, Seen]:
        """Return the workers there are, as the scheduler says.

        Raises:
            ClusterError: It does not answer.
            UsageError: It listens in plain on a network.

        """
        try:
            found = msgspec.convert(self._client.scheduler_info(n_workers=-1), _Scheduler)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(
                f"the scheduler is gone: {error}", remedy="start it again, and go on with labkit run --resume"
            ) from error
        check_plain(found.address, what="the scheduler listens")
        return found.workers

    def ask(self, address: str) -> Identity:
        """Ask a worker who it is.

        Raises:
            ClusterError: It does not say.

        """
        said = self._identify(address, Order()).said
        if said is None:
            raise ClusterError("it could not start a process", remedy="look at the worker's own output")
        return said.identity

    def end_leftovers(self, address: str, mark: str) -> None:
        """Have a worker end what notebooks whose mark begins so have left; one that is gone cannot."""
        with contextlib.suppress(LabError):
            self._identify(address, Order(end_leftovers=mark))

    def _identify(self, address: str, order: Order) -> Answer:
        given = msgspec.msgpack.encode(order)
        try:
            # no task: a worker whose threads are all busy answers too; Dask gives it `dask_worker`
            answers = self._client.run(remote.identify, given, workers=[address], on_error="return")
        except Exception as error:  # whatever Dask's transport raises
            raise ClusterError(f"it cannot be asked: {error}", remedy="look at the worker's own output") from error
        found = answers.get(address)
        if not isinstance(found, bytes):
            raise ClusterError(
                f"it cannot say: {type(found).__name__}: {found}",
                remedy="install the same wheel of labkit, with its extra `cluster`, beside the worker",
            )
        answer = _answer(found)
        if answer.failed is not None:
            raise ClusterError(answer.failed, remedy=answer.remedy)
        return answer

    def send(self, key: str, order: bytes, address: str, resources: Mapping[str, float]) -> None:
        """Send an order to a worker."""
        future = self._client.submit(
            remote.execute,
            order,
            key=key,
            workers=[address],
            resources=dict(resources) or None,
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        self._futures[key] = future
        future.add_done_callback(functools.partial(self._done, key))

    def _done(self, key: str, _future: object) -> None:
        self._ended.put(key)

    def arrived(self, timeout_s: float) -> tuple[str, Answer | LabError] | None:
        """Return what became of an order; None when nothing came in time."""
        try:
            key = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            return None
        future = self._futures.get(key)
        if future is None:  # dropped
            return None
        try:
            return key, _answer(future.result(timeout=_ANSWER_S))
        except LabError as error:
            return key, error
        except Exception as error:  # noqa: BLE001 - whatever was raised there, and whatever the transport raises here
            what = f"the worker failed: {type(error).__name__}: {error}"
            return key, ClusterError(what, remedy="look at the worker's own output")

    def drop(self, key: str) -> None:
        """Want an answer no longer."""
        future = self._futures.pop(key, None)
        if future is not None:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                future.cancel(reason="labkit wants it no longer")


class _Scheduler(msgspec.Struct):
    address: str
    workers: dict[str, Seen]


def _answer(content: object) -> Answer:
    try:
        return msgspec.msgpack.decode(content if isinstance(content, bytes) else b"", type=Answer)
    except msgspec.MsgspecError as error:
        raise ClusterError(f"what a worker answered is no answer: {error}", remedy="look at that worker") from error
