"""Runs parameterised notebooks in a batch. The only user of papermill.

A profile (a YAML file under ``params/``) names the notebooks and every parameter that they declare; both are checked
whole before anything runs (:mod:`labkit.lab.profile`). Each notebook is executed and judged by what it holds, not by
what papermill's metadata call it (:mod:`labkit.lab.execute`); their sections become one ``record.json``
(:mod:`labkit.lab.batch`).
"""

from labkit.lab.batch import Run, plan, run
from labkit.lab.profile import Profile, load
from labkit.lab.shipped import notebook_names, profile_names

__all__ = ["Profile", "Run", "load", "notebook_names", "plan", "profile_names", "run"]
