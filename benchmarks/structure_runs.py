"""Whether the structure probes find this machine's own caches: several runs, each with fresh processes and another
seed.

Run in a quiet hour, from the checkout:

    .venv/bin/python -m benchmarks.structure_runs [--runs 5] [--processes 6] [--few] [--out FILE]

Prints a row for each run: what the machine says of L1d and L2, the stable knees nearest to them, whether they are
within a factor of 2, the knee of the pages' own cost, the first stride that misses twice, from where the curve is not
stable, and the load. The last line counts the runs in which both L1d and L2 were found so. Each run is kept in FILE as
it ends (one JSON document a line), and a run that is in FILE already is not taken again: remove the file to start
anew.
"""

import argparse
from pathlib import Path

import msgspec

from labkit.facts import Facts, performance
from labkit.model.base import Record
from labkit.model.structure import Curve, Structure
from labkit.present.structure import curve_of, size_text
from labkit.system.progress import bar


class Kept(Record, frozen=True, kw_only=True):
    """One run as it is kept."""

    run: int
    every: bool
    processes: int
    load_before: float | None
    structure: Structure


def stable(curve: Curve | None) -> str:
    """Return the stable knees of a curve, in its unit."""
    found = [knee.at for knee in curve.knees if knee.stable] if curve else []
    return ", ".join(size_text(at) if curve and curve.unit == "bytes" else f"{at:,.0f}" for at in found) or "none"


def row(kept: Kept) -> str:
    """Return a run as a line."""
    said = {each.name: each for each in kept.structure.said}
    parts = [f"run {kept.run}"]
    for name in ("l1d", "l2"):
        each = said.get(name)
        if each is None:
            parts.append(f"{name}: the machine does not say")
            continue
        found = "no stable knee" if each.found_bytes is None else size_text(each.found_bytes)
        parts.append(f"{name} said {size_text(each.said_bytes)}, found {found}: {'yes' if is_right(each) else 'NO'}")
    chase = curve_of(kept.structure, "chase")
    parts += [
        f"TLB knees {stable(curve_of(kept.structure, 'tlb-cost'))} pages",
        f"stride {stable(curve_of(kept.structure, 'line-stride'))}",
        f"not stable from {size_text(chase.unstable_from) if chase and chase.unstable_from else 'nowhere'}",
        f"load {kept.load_before}",
    ]
    return " | ".join(parts)


def is_right(said: object) -> bool:
    """Return whether a knee was found within a factor of 2."""
    return getattr(said, "within_a_factor_of_2", None) is True


def main() -> None:
    """Take the runs that are not there yet, and print all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--few", action="store_true", help="the points of the quick profile")
    parser.add_argument("--out", type=Path, default=Path("structure_runs.jsonl"))
    given = parser.parse_args()
    facts = Facts()
    there = given.out.read_bytes().splitlines() if given.out.exists() else []
    kept = [msgspec.json.decode(line, type=Kept) for line in there]
    good = 0
    for run in range(given.runs):
        one = next((each for each in kept if (each.run, each.every) == (run, not given.few)), None)
        if one is None:
            load = facts.condition().load_1min
            found = performance.probe_structure(
                facts, every=not given.few, processes=given.processes, seed=1 + run, progress=bar(f"run {run}")
            )
            one = Kept(run=run, every=not given.few, processes=given.processes, load_before=load, structure=found)
            with given.out.open("ab") as file:
                file.write(msgspec.json.encode(one) + b"\n")
        good += all(is_right(each) for each in one.structure.said if each.name in {"l1d", "l2"})
        print(row(one), flush=True)
    print(f"L1d and L2 both within a factor of 2: {good} of {given.runs} runs")


if __name__ == "__main__":
    main()
