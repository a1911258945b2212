"""A run that was broken off: its results so far, a line each, by the digest of what they depend on."""

import contextlib
from pathlib import Path

import msgspec

from labkit import __version__
from labkit.claims.facts import ClaimFacts
from labkit.claims.ledgers import Ledger
from labkit.model.claims import ClaimResult
from labkit.system.store import digest, home, saying_why


class Progress:
    """The results of the run at hand, on disk as soon as they are there.

    Args:
        ledger: The statements.
        facts: Whose machine and set count.

    """

    def __init__(self, ledger: Ledger, facts: ClaimFacts) -> None:
        machine = facts.machine
        key = digest(
            {
                "labkit": __version__,
                "ledger": ledger.digest,
                "machine": [machine.id, machine.system_version, machine.kernel],
                "toolchain": facts.lab.toolchain.digest,
            }
        )
        self._file: Path = home() / "claims" / f"run-{key}.jsonl"

    def known(self) -> dict[str, ClaimResult]:
        """Return what a run that was broken off had judged, by id; a half line is left out."""
        found: dict[str, ClaimResult] = {}
        with contextlib.suppress(OSError):
            for line in self._file.read_bytes().splitlines():
                with contextlib.suppress(msgspec.DecodeError):
                    result = msgspec.json.decode(line, type=ClaimResult)
                    found[result.id] = result
        return found

    def keep(self, result: ClaimResult) -> None:
        """Add a result.

        Raises:
            StoreError: It could not be written.

        """
        with saying_why(f"cannot write {self._file}"):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as stream:
                stream.write(msgspec.json.encode(result) + b"\n")

    def forget(self) -> None:
        """Remove what was kept: the run is complete, or a new one begins."""
        with saying_why(f"cannot remove {self._file}"):
            self._file.unlink(missing_ok=True)
