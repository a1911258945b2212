"""Two arms compared: pairs of fresh processes, roles swapped, one number a pair, an exact test. See docs/method.md."""

from labkit.bench.paired.experiment import compare, compare_all
from labkit.bench.paired.plan import PairedPlan
from labkit.bench.paired.translated import translated_arms, translated_plan

__all__ = ["PairedPlan", "compare", "compare_all", "translated_arms", "translated_plan"]
