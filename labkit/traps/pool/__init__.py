"""The trap ``pool``: connections that a lock holds exhaust a pool, and every further request waits for nothing."""

from labkit.traps.pool.trap import Pool

__all__ = ["Pool"]
