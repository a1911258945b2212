"""Asks a part over HTTP on 127.0.0.1: with curl where a reader is to see the command, else in this process."""

import http.client
from pathlib import Path

from labkit.system.proc import Completed
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig

_TIMEOUT_S = 30.0


def get(port: int, path: str, *, method: str = "GET", body: str | None = None) -> tuple[int, str]:
    """Return the status and the body of a part's answer.

    Raises:
        OSError: Nothing listens there, or it hung up.
        http.client.HTTPException: What came is not HTTP.

    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def curl(rig: Rig, *arguments: str | Path) -> Completed:
    """Run curl in the rig's folder, whatever it ends with; without the proxy that the user may have set."""
    # Ours are on 127.0.0.1, which a proxy of the user's environment does not reach.
    env = rig.environment(NO_PROXY="*", no_proxy="*")
    return rig.run([path_of("curl"), "-q", "-s", "-m", "30", *arguments], env=env, check=False)
