"""The static site: runs in, pages out; the only room that knows nbconvert.

A page is made from a run's record and its executed notebooks, both of which may come from another machine: nothing in
them is trusted. The site opens from disk, and no page loads anything from elsewhere.
"""

from labkit.site.build import publish

__all__ = ["publish"]
