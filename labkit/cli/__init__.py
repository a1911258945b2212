"""The ``labkit`` command: one module a command, and one place where errors end.

Importing this loads Typer and nothing else that is heavy; each command imports what it needs when it runs.
"""

from labkit.cli.app import main

__all__ = ["main"]
