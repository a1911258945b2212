"""What the set's Go resolves, asks and refuses: replace, commit pins and go.sum, tried on small modules.

Each experiment has a module cache of its own and a module proxy on loopback that remembers what it was asked; what was
compiled is reused. The real modules come over the network once (:mod:`labkit.gobuild.resolution.stock`); afterwards
only what names ``network`` among its needs goes there. Nothing here says what is right: a record holds what happened.
"""

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from labkit.errors import NetworkError, ProcessError, UsageError
from labkit.gobuild.resolution import committing, depending, replacing, repository, stock, summing
from labkit.gobuild.resolution.trial import QUESTIONS, Question, RefusedError, Trial
from labkit.model.base import Text
from labkit.model.resolution import Experiment, GoStep, Outcome
from labkit.model.toolchain import Toolchain
from labkit.toolchain import find, golang

__all__ = ["names", "run"]

# In the order in which they are read.
_ROOMS: Final = tuple(module.__name__ for module in (replacing, committing, summing, depending))
_AT_ONCE: Final = 2  # each waits for its Go most of the time, but a build takes a core


def names() -> tuple[str, ...]:
    """Return the ids of all experiments, in the order in which they are read."""
    return tuple(sorted(QUESTIONS, key=lambda id_: _ROOMS.index(QUESTIONS[id_].run.__module__)))


def run(
    toolchain: Toolchain, only: Iterable[str] = (), *, progress: Callable[[str], None] | None = None
) -> tuple[Experiment, ...]:
    """Run experiments with a set's Go and return a record of each, in the order of :func:`names`.

    What cannot be tried here (no network and the modules were never fetched, no git) is skipped with its reason.

    Args:
        toolchain: The set.
        only: The ids of those to run; all when empty.
        progress: Called with the id of each before it is run.

    Raises:
        UsageError: There is no experiment of such an id.
        StoreError: The store could not be used.
        TimeoutExpiredError: Go did not end in minutes.

    """
    asked = frozenset(only)
    if unknown := asked - frozenset(names()):
        raise UsageError(f"there is no experiment named {min(unknown)!r}", remedy=f"choose among: {', '.join(names())}")
    chosen = [QUESTIONS[id_] for id_ in names() if not asked or id_ in asked]
    goods = _goods(toolchain) if any("stock" in question.needs for question in chosen) else _Goods()
    say = progress or (lambda _id: None)

    def one(question: Question) -> Experiment:
        say(question.id)
        reason = goods.missing(question)
        return _skipped(toolchain, question, reason) if reason else _tried(toolchain, question, goods)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return tuple(pool.map(one, chosen))


@dataclass(frozen=True, kw_only=True)
class _Goods:
    """What experiments need, or why it is not there."""

    modules: stock.Stock | None = None
    why: str = ""

    def missing(self, question: Question) -> Text | None:
        """Return why a question cannot be put here, None when it can."""
        if "stock" in question.needs and self.modules is None:
            return Text(id="resolution.skip.modules", values={"why": self.why})
        if "mirror" in question.needs and not (self.modules and self.modules.mirrors):
            return Text(id="resolution.skip.database")
        if "git" in question.needs and _git() is None:
            return Text(id="resolution.skip.git")
        return None


def _goods(toolchain: Toolchain) -> _Goods:
    try:
        return _Goods(modules=stock.obtain(toolchain))
    except (NetworkError, ProcessError) as error:
        return _Goods(why=error.what)


@cache
def _git() -> Path | None:
    return repository.find_git()


def _skipped(
    toolchain: Toolchain, question: Question, reason: Text, steps: tuple[GoStep, ...] = (), go_mod: str = ""
) -> Experiment:
    return Experiment(
        id=question.id,
        control=question.control,
        toolchain=toolchain.name,
        go_version=find(toolchain, "go").pinned_version,
        go_mod=go_mod,
        steps=steps,
        outcome=Outcome.SKIPPED,
        evidence=(),
        left=(),
        reason=reason,
    )


def _tried(toolchain: Toolchain, question: Question, goods: _Goods) -> Experiment:
    with tempfile.TemporaryDirectory(prefix="labkit-resolution-") as scratch:
        trial = Trial(
            toolchain=toolchain,
            work=Path(scratch),
            stock=goods.modules,
            mirrors="mirror" in question.needs,
            git=_git() if "git" in question.needs else None,
        )
        trial.main.mkdir()
        outcome = Outcome.DONE
        try:
            question.run(trial)
        except RefusedError as refused:
            outcome = Outcome.REFUSED
            if "network" in question.needs and golang.says_no_network(str(refused)):
                why = Text(id="resolution.skip.network", values={"why": str(refused)})
                return _skipped(toolchain, question, why, tuple(trial.steps))
        finally:
            trial.close()
        go_mod = trial.main / "go.mod"
        return Experiment(
            id=question.id,
            control=question.control,
            toolchain=toolchain.name,
            go_version=find(toolchain, "go").pinned_version,
            go_mod=trial.shown(go_mod.read_text("utf-8")) if go_mod.is_file() else "",
            steps=tuple(trial.steps),
            outcome=outcome,
            evidence=tuple(trial.evidence),
            left=trial.left(),
        )
