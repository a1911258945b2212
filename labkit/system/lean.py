"""Leaves out of this process what a library imports on the chance and labkit never uses.

For labkit's own processes, the batch and its workers; never for a notebook's kernel, where the user may want it.
"""

import sys


def without_iri_grammar() -> None:
    """Keep jsonschema from building a grammar of internationalised addresses, which takes longer than all of papermill.

    jsonschema (4.26 of 2026) imports rfc3987_syntax when it is there, for a format that no notebook's schema names, and
    does without when it is not. Nothing happens when it has been imported already.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # None is how an import is refused
