"""The handbook's statements, each bound to a check that judges it on this machine, now.

* :mod:`~labkit.claims.ledgers` holds the statements: ``ledger/*.toml``, in our words, in both languages. No verdict
  stands there.
* :mod:`~labkit.claims.checks` holds one module (or a few) a chapter: small classes on
  :class:`~labkit.claims.base.ClaimCheck`, bound by their ``id``.
* :mod:`~labkit.claims.facts` is what they share: the facts of this machine, Go of other days, probes that are gathered
  once and kept with their date.
* :mod:`~labkit.claims.running` runs them; :mod:`~labkit.claims.agreed` compares with an agreed list.

How to write a check stands in docs/claims.md.
"""

from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.claims.ledgers import Ledger, own
from labkit.claims.registry import registered
from labkit.claims.running import prepare, run
from labkit.claims.section import section

__all__ = ["ClaimFacts", "Ledger", "Probe", "own", "prepare", "probe", "registered", "run", "section"]
