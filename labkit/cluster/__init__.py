"""Sends the notebooks of a batch to the workers of a Dask cluster. The only user of distributed, an extra.

What runs where: the driver (:mod:`labkit.cluster.session`) knows the workers (:mod:`labkit.cluster.workers`) and
gives each notebook to one of them (:mod:`labkit.cluster.driver`). In a worker :mod:`labkit.cluster.remote` hands it
to a warm process of its own (:mod:`labkit.cluster.station`), which checks all that must agree and executes it as a
local batch does. What it became comes home as bytes and is looked at before it is put in place
(:mod:`labkit.cluster.results`).

Nothing is imported here: workers and the scheduler import this package too.
"""
