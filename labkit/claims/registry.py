"""Which check is bound to which statement: every class of ``labkit/claims/checks`` that has an id."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from labkit.claims import checks
from labkit.claims.base import ClaimCheck
from labkit.errors import LabError


@cache
def registered() -> Mapping[str, ClaimCheck]:
    """Return the checks by the id of their statement.

    Raises:
        LabError: Two checks have the same id.

    """
    found: dict[str, ClaimCheck] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}.")):
        for kind in vars(importlib.import_module(module)).values():
            if not _is_check(kind, module):
                continue
            if kind.id in found:
                raise LabError(f"two checks are bound to {kind.id}", remedy="this is a fault in labkit: report it")
            found[kind.id] = kind()
    return found


def _is_check(kind: object, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, ClaimCheck) and kind.__module__ == module and "id" in vars(kind)
