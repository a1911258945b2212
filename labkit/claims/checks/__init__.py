"""The checks, one module (or a few) a chapter: every class with an ``id`` is bound to that statement."""
