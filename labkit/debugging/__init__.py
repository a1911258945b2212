"""Debugging Go programs as an editor does: dlv over the Debug Adapter Protocol, and arm64 through qemu's gdb server.

* :func:`examine` takes the generated gRPC server through the whole chain and judges it.
* :func:`check` and :func:`debug` do it with any Go program; errors come with their remedy.
* :func:`debug_server`, :func:`debug_arm64` and :func:`try_configurations` are its parts, for whoever wants one.
* :mod:`labkit.debugging.vscode` writes launch.json and tasks.json.

No process outlives a session: not dlv, not what it started, whatever ends the session.
"""

from labkit.debugging.examine import debug_arm64, debug_server, examine, judge, refused, try_configurations
from labkit.debugging.permission import NotPermittedError
from labkit.debugging.program import Program, check
from labkit.debugging.server import debugger
from labkit.debugging.session import Call, Dlv, Moment, Place, debug, place

__all__ = [
    "Call",
    "Dlv",
    "Moment",
    "NotPermittedError",
    "Place",
    "Program",
    "check",
    "debug",
    "debug_arm64",
    "debug_server",
    "debugger",
    "examine",
    "judge",
    "place",
    "refused",
    "try_configurations",
]
