"""The address that an imported number is cited by."""

from typing import Final
from urllib.parse import urlsplit

from labkit.errors import UsageError

_NAME_IT: Final = "give the address where others can read the text: --source https://..."


def checked(source: str | None) -> str:
    """Return an address when it can be cited.

    Raises:
        UsageError: There is none, or it is no http or https address, or holds a password.

    """
    if not source:
        raise UsageError("an imported number needs its source, and --source names none", remedy=_NAME_IT)
    try:
        parts = urlsplit(source)
        host, secret = parts.hostname, parts.password or parts.username
    except ValueError:
        host, secret, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or any(letter.isspace() for letter in source):
        raise UsageError(f"--source is {source!r}, which is no http or https address", remedy=_NAME_IT)
    if secret:
        raise UsageError("--source holds a user's name or password", remedy="leave it out of the address")
    return source
