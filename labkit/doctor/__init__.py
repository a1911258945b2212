"""Judges the facts of an installation: is it right, does it generate, are the binaries what they should be?

Each rule is a small class over literal subjects (:mod:`labkit.doctor.subjects`); :func:`examine_install` and its like
apply the rules of one question to a machine's facts.
"""

from labkit.doctor.examine import examine_binaries, examine_codegen, examine_install, failures

__all__ = ["examine_binaries", "examine_codegen", "examine_install", "failures"]
