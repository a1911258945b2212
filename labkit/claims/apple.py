"""What Macs said of themselves, as others published it (``apple.toml``), for machines that are not here."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims.base import saw
from labkit.model.base import Provenance
from labkit.model.claims import ClaimEvidence, EvidenceKind

FILE: Final = Path(__file__).with_name("apple.toml")


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all have: the chip, and where it was read."""

    chip: str
    source: str

    def evidence(self, text: str) -> ClaimEvidence:
        """Return it as evidence that was published elsewhere."""
        return saw(EvidenceKind.OUTPUT, f"{self.chip}: {text}", self.source, provenance=Provenance.IMPORTED)


class Core(_Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a core names itself."""

    implementer: str
    part: str
    said: str


class Sizes(_Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``sysctl hw`` says."""

    cache_line_bytes: int
    page_bytes: int


class Chase(_Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One load after another in random order."""

    buffer_bytes: int
    load_ns: float


class Frequency(_Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The highest of the fastest cores."""

    hz: int


class Reading(_Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is read in a second by all cores."""

    sequential_gb_per_s: float
    random_gb_per_s: float


class Published(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of the file."""

    cores: tuple[Core, ...]
    sysctl: tuple[Sizes, ...]
    chase: tuple[Chase, ...]
    clock: tuple[Frequency, ...]
    reading: tuple[Reading, ...]


def published(file: Path | None = None) -> Published:
    """Return what was published, or what another file says."""
    return msgspec.convert(tomllib.loads((file or FILE).read_text("utf-8")), Published)
