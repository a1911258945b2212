"""Names the causes of an error text: 48 known failure modes and a few of labkit's own, ranked by evidence.

Beside them stand the handbook's statements and the traps that are about the text.

The rules are data (``rules.toml``, ``pointers.toml``); nothing here starts a process, reads the host or uses the
network.
"""

from labkit.doctor.symptoms.cause import Cause
from labkit.doctor.symptoms.pointers import Leads, leads
from labkit.doctor.symptoms.ranking import diagnose

__all__ = ["Cause", "Leads", "diagnose", "leads"]
