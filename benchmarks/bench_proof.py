"""Proves docs/method.md on a real machine: experiments without a difference, and with one of a known size.

    python -m benchmarks.bench_proof [--minutes N] [--table]

Takes experiments until the plan or the time is over; each is a line of bench_proof.jsonl, so that Ctrl-C loses at most
one, and the next call goes on. With the plan done (or --table) the table in docs/method.md is written. ``--minutes 0``
with ``--table`` only writes. A change of the rule or of the worker is refused
while there is data, for the rule comes first; ``--worker PATH`` goes on with the worker that the data was taken with.

Experiments by condition: quiet (nothing but what the machine does anyway), and busy (a hog on each core, started here).
"""

import argparse
import contextlib
import hashlib
import json
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.bench_rivals import benchstat, criterion
from labkit import machine
from labkit.bench.paired import PairedPlan, compare, conditions
from labkit.facts import Facts
from labkit.model.paired import Arm, Clock, Difference
from labkit.system import environment, proc, store

RAW: Final = Path(__file__).with_suffix(".jsonl")
PAGE: Final = Path(__file__).parents[1] / "docs" / "method.md"

#: For each size of the true slowdown in percent: the kernels, and experiments a kernel, quiet and busy. What makes the
#: slowdown is whole operations, of which 2 % takes 50 in a slice: too long for an FFT, so a small message stands there.
PLAN: Final = {
    0: (("fft-4096", "protobuf-marshal-large", "chase@65536"), 67, 17),
    5: (("fft-4096", "protobuf-marshal-large", "chase@65536"), 34, 9),
    2: (("protobuf-unmarshal-small", "protobuf-marshal-large", "chase@65536"), 34, 9),
}

_RULE: Final = Path(compare.__code__.co_filename).parent
_HOG: Final = "while True: pass"


def rule_digest() -> str:
    """Return what stands for the rule: every file that takes part in pairs and verdicts."""
    files = ("signed_rank", "sequential", "judging", "conditions", "plan", "cores", "experiment")
    text = b"".join((_RULE / f"{name}.py").read_bytes() for name in files) + (_RULE / "levels.toml").read_bytes()
    return hashlib.sha256(text).hexdigest()[:12]


def wanted() -> list[dict[str, Any]]:
    """Return every experiment, in an order in which any beginning holds all kinds."""
    all_ = [
        {"busy": busy, "percent": percent, "kernel": kernel, "index": index}
        for percent, (kernels, *counts) in PLAN.items()
        for busy, count in zip((False, True), counts, strict=True)
        for kernel in kernels
        for index in range(count)
    ]
    return random.Random(20240229).sample(all_, k=len(all_))


def key(experiment: dict[str, Any]) -> str:
    """Return an experiment's name."""
    state = "busy" if experiment["busy"] else "quiet"
    return f"{state}/{experiment['percent']}/{experiment['kernel']}/{experiment['index']}"


def known() -> dict[str, dict[str, Any]]:
    """Return what was taken before; a line that was cut off is taken again."""
    found = {}
    for line in RAW.read_text("utf-8").splitlines() if RAW.is_file() else []:
        with contextlib.suppress(json.JSONDecodeError):
            taken = json.loads(line)
            found[taken["key"]] = taken
    return found


@contextlib.contextmanager
def neighbours(busy: bool) -> Iterator[list[int]]:
    """Keep a busy loop on every core meanwhile, when one is wanted; gives their process ids."""
    with contextlib.ExitStack() as hogs:
        count = (os.cpu_count() or 1) if busy else 0
        hog = [sys.executable, "-c", _HOG]
        yield [hogs.enter_context(proc.start(hog, env=environment.base())).pid for _ in range(count)]


def take(experiment: dict[str, Any], worker: Path) -> dict[str, Any]:
    """Take one experiment. The slower arm is the changed one in every second, else the baseline."""
    units, slower_is_changed = 100 + experiment["percent"], experiment["index"] % 2 == 0
    seed = int(hashlib.sha256(key(experiment).encode()).hexdigest()[:12], 16)
    arms = [
        Arm(label=name, program=(str(worker),), kernel=experiment["kernel"], units=units if slower else 100)
        for name, slower in (("baseline", not slower_is_changed), ("changed", slower_is_changed))
    ]
    started = time.monotonic()
    with neighbours(experiment["busy"]):
        found = compare(*arms, PairedPlan(seed=seed))
    return {
        "key": key(experiment),
        "expected": 0 if not experiment["percent"] else 1 if slower_is_changed else -1,
        "seconds": round(time.monotonic() - started, 2),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": found.before.load_1min,
        **summary(found),
        "rivals": rivals(found, seed),
    }


def summary(found: Difference) -> dict[str, Any]:
    """Return what is kept: of each pair both log ratios and both arms' median times, in ns an iteration."""
    alike = found.baseline.iterations / found.changed.iterations
    told = found.verdict
    return {
        "judgement": str(told.judgement),
        "wall_judgement": str(found.other.judgement),
        "stopped": str(found.stopped),
        "pairs": told.pairs,
        "p": told.looks[-1].overall_p_value if told.looks else 1.0,
        "ratio": told.ratio,
        "low": told.low,
        "high": told.high,
        "could_have_seen": told.could_have_seen,
        "cpu_share": round(found.cpu_share, 3),
        "seed": found.seed,
        "cpu": [round(conditions.log_ratio(pair, Clock.CPU, alike), 6) for pair in found.pairs],
        "wall": [round(conditions.log_ratio(pair, Clock.WALL, alike), 6) for pair in found.pairs],
        "times": {
            name: [[round(x, 2) for x in arm] for arm in per_process(found, Clock(name))] for name in ("cpu", "wall")
        },
    }


def per_process(found: Difference, clock: Clock) -> tuple[list[float], list[float]]:
    """Return each process's median time an iteration, in ns: the baseline's and the changed arm's."""
    both = []
    for name, facts in (("baseline", found.baseline), ("changed", found.changed)):
        slices = [
            [conditions.time_ns(s, clock) / facts.iterations for s in getattr(pair, name)] for pair in found.pairs
        ]
        both.append([sorted(times)[len(times) // 2] for times in slices])
    return both[0], both[1]


def rivals(found: Difference, seed: int) -> dict[str, int]:
    """Return what the other rules say of the same data: +1 slower, -1 faster, 0 nothing shown."""
    said = {}
    for clock in Clock:
        said[f"benchstat {clock}"] = benchstat(*per_process(found, clock))
        pair = found.pairs[0]
        slices = [
            [conditions.time_ns(s, clock) / facts.iterations for s in arm]
            for arm, facts in ((pair.baseline, found.baseline), (pair.changed, found.changed))
        ]
        said[f"criterion {clock}"] = criterion(slices[0], slices[1], seed)
    return said


def shown(taken: dict[str, Any]) -> int:
    """Return what labkit said: +1 slower, -1 faster, 0 nothing shown."""
    return {"slower": 1, "faster": -1}.get(taken["judgement"], 0)


def upper(count: int, n: int) -> float:
    """Return the 95 % upper bound of a share of which ``count`` of ``n`` were seen (Clopper and Pearson, one-sided)."""
    low, high = count / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        tail = sum(math.comb(n, k) * middle**k * (1 - middle) ** (n - k) for k in range(count + 1))
        low, high = (middle, high) if tail > 0.05 else (low, middle)
    return high


def table(all_: list[dict[str, Any]]) -> str:
    """Return the results as Markdown."""
    rows = []
    for percent in PLAN:
        for state in ("quiet", "busy"):
            some = [taken for taken in all_ if taken["key"].startswith(f"{state}/{percent}/")]
            if not some:
                continue
            n, verdicts = len(some), sum(taken["judgement"] != "too_noisy" for taken in some)
            counts = [sum(_right(shown(taken), taken) for taken in some)]
            names = ("benchstat wall", "benchstat cpu", "criterion wall", "criterion cpu")
            counts += [sum(_right(taken["rivals"][name], taken) for taken in some) for name in names]
            seconds = sorted(taken["seconds"] for taken in some)
            pairs = sorted(taken["pairs"] for taken in some)
            bound = f" (at most {100 * upper(counts[0], n):.1f} %)" if not percent else ""
            cells = [
                "no difference: alarms" if not percent else f"{percent} % slower: found",
                state,
                str(n),
                f"**{_share(counts[0], n)}**{bound}",
                *(_share(count, n) for count in counts[1:]),
                _share(verdicts, n),
                str(pairs[n // 2]),
                f"{seconds[n // 2]:.1f}, {seconds[-1]:.1f}",
            ]
            rows.append("| " + " | ".join(cells) + " |")
    who = machine.read()
    days = sorted({taken["taken_at"][:10] for taken in all_})
    loads = sorted(taken["load"] for taken in all_ if taken["key"].startswith("quiet") and taken["load"] is not None)
    load = f"load average before the quiet experiments {loads[len(loads) // 2]:.1f} in the median" if loads else ""
    machine_ = f"{who.chip}, {who.logical_core_count} logical cores{', virtual' if who.virtual else ''}"
    heads = ("truth", "machine", "experiments", "labkit", "benchstat, wall", "benchstat, CPU", "criterion, wall")
    heads += ("criterion, CPU", "verdict given", "pairs, median", "s: median, most")
    return (
        f"{len(all_)} of {len(wanted())} planned experiments, {', '.join(days)}, {machine_}, "
        f"{who.system_name or who.system}; {load}; rule {all_[0].get('rule', rule_digest())}.\n\n"
        f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n" + "\n".join(rows) + "\n"
    )


def _right(said: int, taken: dict[str, Any]) -> bool:
    """Return whether it counts: any difference shown where there is none, the right one where there is one."""
    return said != 0 if taken["expected"] == 0 else said == taken["expected"]


def _share(count: int, n: int) -> str:
    return f"{count} ({100 * count / n:.1f} %)"


_BEGIN, _END = "<!-- proof: made by benchmarks.bench_proof -->", "<!-- /proof -->"


def write_table(all_: list[dict[str, Any]]) -> None:
    """Put the table into docs/method.md."""
    before, rest = PAGE.read_text("utf-8").split(_BEGIN, 1)
    store.write_atomically(PAGE, f"{before}{_BEGIN}\n{table(all_)}{_END}{rest.split(_END, 1)[1]}")


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=math.inf)
    options.add_argument("--table", action="store_true")
    options.add_argument("--worker", type=Path)
    asked = options.parse_args()
    worker = asked.worker or Path(Facts("current").worker.path)
    fixed = {"rule": rule_digest(), "worker": store.file_digest(worker)[:12]}
    taken, end = known(), time.monotonic() + 60 * asked.minutes
    if asked.minutes > 0:
        other = next((one for one in taken.values() if any(one[name] != fixed[name] for name in fixed)), None)
        if other is not None:
            print(f"{RAW} was taken with another rule or worker; move it away to start anew")
            return 2
        with contextlib.suppress(KeyboardInterrupt), RAW.open("a", encoding="utf-8") as raw:
            for experiment in wanted():
                if key(experiment) in taken:
                    continue
                if time.monotonic() > end:
                    break
                one = take(experiment, worker) | fixed
                taken[one["key"]] = one
                raw.write(json.dumps(one, separators=(",", ":")) + "\n")
                raw.flush()
                said = f"{one['key']}: {one['judgement']}, {one['pairs']} pairs, {one['seconds']} s"
                print(f"{len(taken)}/{len(wanted())} {said}", flush=True)
    done = len(taken) == len(wanted())
    if taken and (asked.table or done):
        write_table(list(taken.values()))
    print(table(list(taken.values())) if taken else "nothing was taken")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
