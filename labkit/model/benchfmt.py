"""Lines of a Go benchmark file, as records: results, unit metadata, and lines that could not be read."""

from labkit.model.base import Record


class GoValue(Record, frozen=True, kw_only=True):
    """One measurement in base units (``sec``, ``B``), with the value and unit as they stand in the file."""

    value: float
    unit: str
    original_value: float
    original_unit: str


class GoResult(Record, frozen=True, kw_only=True):
    """A benchmark line, with the configuration lines in force above it."""

    name: str  # without the word Benchmark: Encode/format=json-48
    iterations: int
    values: tuple[GoValue, ...]
    config: tuple[tuple[str, str], ...]  # (key, value), in the file's order
    line: int  # from 1

    def value(self, unit: str) -> float | None:
        """Return the first measurement in a base unit, None when the line has none."""
        return next((each.value for each in self.values if each.unit == unit), None)


class GoUnit(Record, frozen=True, kw_only=True):
    """What a ``Unit`` line says: ``better=lower``, ``assume=exact``."""

    unit: str  # in base units
    original_unit: str
    key: str
    value: str
    line: int


class BrokenLine(Record, frozen=True, kw_only=True):
    """A line that is meant for benchmarks and cannot be read, and why; the lines after it are read."""

    line: int
    why: str


class GoFile(Record, frozen=True, kw_only=True):
    """A whole file: its records in their order. What is no benchmark line (PASS, ok, logs) is not among them."""

    name: str
    records: tuple[GoResult | GoUnit | BrokenLine, ...]

    @property
    def results(self) -> tuple[GoResult, ...]:
        """The benchmark lines."""
        return tuple(record for record in self.records if isinstance(record, GoResult))

    @property
    def units(self) -> tuple[GoUnit, ...]:
        """What ``Unit`` lines say."""
        return tuple(record for record in self.records if isinstance(record, GoUnit))

    @property
    def broken(self) -> tuple[BrokenLine, ...]:
        """The lines that could not be read."""
        return tuple(record for record in self.records if isinstance(record, BrokenLine))
