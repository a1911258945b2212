"""Runs parameterised notebooks in a batch. The only user of papermill.

A profile (a YAML file under ``params/``) names the notebooks and every parameter that they declare, and may be a matrix
of them; all is checked whole before anything runs (:mod:`labkit.lab.profile`). Each notebook is executed and judged by
what it holds, not by what papermill's metadata call it (:mod:`labkit.lab.execute`); a run's sections become one
``record.json`` (:mod:`labkit.lab.runs`). A batch is some runs, which can be interrupted and resumed
(:mod:`labkit.lab.batch`).
"""

from labkit.lab.batch import Elsewhere, Told, run
from labkit.lab.plans import Batch, Placing, plan, resume
from labkit.lab.profile import Profile, load, load_all
from labkit.lab.runs import Job, Run
from labkit.lab.shipped import notebook_names, profile_names

__all__ = [
    "Batch",
    "Elsewhere",
    "Job",
    "Placing",
    "Profile",
    "Run",
    "Told",
    "load",
    "load_all",
    "notebook_names",
    "plan",
    "profile_names",
    "resume",
    "run",
]
