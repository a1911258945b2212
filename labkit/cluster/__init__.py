"""Sends the notebooks of a batch to the workers of a Dask cluster. The only user of distributed, an extra."""
