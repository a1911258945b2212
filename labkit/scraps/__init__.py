"""A section's way through a notebook: glued in the last cell, read back by the batch. The only user of scrapbook.

scrapbook 0.5.0 as it comes turns NaN into text and refuses None, dates and tuples, so labkit registers an encoder of
its own, named ``labkit``: a section becomes plain JSON values, and a number that is not finite is refused. Paths
below the user's home and labkit's store are shortened before they are glued, for records are published.
"""

import logging
import math
from pathlib import Path
from typing import Any, Final

import msgspec
import scrapbook
from scrapbook.encoders import registry
from scrapbook.scraps import Scrap

from labkit.errors import RecordError
from labkit.model.base import Record
from labkit.model.claims import ClaimsRecord
from labkit.model.run import (
    BinariesSection,
    CodegenSection,
    DebuggingSection,
    InstallSection,
    PerformanceSection,
    TrapsSection,
)
from labkit.system.store import shown

log = logging.getLogger(__name__)

Section = (
    InstallSection
    | CodegenSection
    | BinariesSection
    | PerformanceSection
    | DebuggingSection
    | TrapsSection
    | ClaimsRecord
)

#: A section's name in the record, which is its scrap's name too.
SECTIONS: Final[dict[str, type[Section]]] = {
    "install": InstallSection,
    "codegen": CodegenSection,
    "binaries": BinariesSection,
    "performance": PerformanceSection,
    "debugging": DebuggingSection,
    "traps": TrapsSection,
    "claims": ClaimsRecord,
}


class _Encoder:
    """scrapbook's idea of an encoder, for labkit's records."""

    ENCODER_NAME = "labkit"

    def name(self) -> str:
        return self.ENCODER_NAME

    def encodable(self, data: object) -> bool:
        return isinstance(data, Record)

    def encode(self, scrap: Scrap) -> Scrap:
        return scrap._replace(data=_plain(msgspec.to_builtins(scrap.data), scrap.name))

    def decode(self, scrap: Scrap) -> Scrap:
        kind = SECTIONS.get(scrap.name)
        return scrap if kind is None else scrap._replace(data=msgspec.convert(scrap.data, kind))


registry.register(_Encoder())


def glue(section: Section) -> None:
    """Glue a notebook's section of the record.

    Raises:
        RecordError: A number in it is not finite.

    """
    name = next(name for name, kind in SECTIONS.items() if isinstance(section, kind))
    scrapbook.glue(name, section, encoder=_Encoder.ENCODER_NAME)


def read(notebook: Path) -> dict[str, Section]:
    """Return the sections that an executed notebook holds, by name.

    Raises:
        RecordError: The notebook or a section in it is damaged.

    """
    try:
        scraps = scrapbook.read_notebook(str(notebook)).scraps
    except (msgspec.ValidationError, ValueError, OSError) as error:
        raise RecordError(
            f"{notebook.name} holds no readable section: {error}", remedy="run the notebook again"
        ) from error
    return {name: scrap.data for name, scrap in scraps.items() if name in SECTIONS}


def _plain(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON values are what they are
    match value:
        case float() if not math.isfinite(value):
            raise RecordError(f"section {name} holds the number {value}", remedy="this is a fault in labkit: report it")
        case str():
            return shown(value)
        case dict():
            return {key: _plain(item, name) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, name) for item in value]
        case _:
            return value
