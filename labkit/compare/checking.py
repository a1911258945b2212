"""Is a record that came from outside what it says? Its schema whole, and whether its numbers and dates can be true."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from labkit.compare.reading import data_of, kind_of
from labkit.errors import LabError
from labkit.model.base import Text
from labkit.model.bench import Sample
from labkit.model.claims import ClaimsOutput, ClaimsRecord
from labkit.model.comparison import Checked, Fault
from labkit.model.imported import ImportedRecord
from labkit.model.regression import BenchOutput
from labkit.model.run import RunRecord
from labkit.system import records

#: A clock may be a little ahead of ours.
_AHEAD: Final = timedelta(hours=26)
#: labkit did not exist before.
_FIRST_YEAR: Final = 2024
_MOST_FAULTS: Final = 100

#: Fields that hold what is measured of something; less than nothing is impossible.
_POSITIVE: Final = re.compile(
    r"(_ns|_us|_ms|_s|_bytes|_per_op|_count|_hz|^median|^low|^high|^iterations|^n|^processes|^gomaxprocs|_percent)$"
)
#: Of these a negative value is a direction or an offset, not an amount.
_SIGNED: Final = frozenset({"change_percent", "low_percent", "high_percent", "drift"})
_DATE: Final = re.compile(r"(_at|^taken_at|^pinned_on|^released)$")
_DIGEST: Final = re.compile(r"[0-9a-f]{8,64}")
_PROVENANCES: Final[Mapping[str, frozenset[str]]] = {
    # A measured run may hold what is judged (verdicts) and what is cited (evidence), never what was made up.
    "measured": frozenset({"measured", "judged", "imported"}),
    "imported": frozenset({"imported"}),
    "judged": frozenset({"judged"}),
    "synthetic": frozenset({"synthetic", "judged", "measured", "imported"}),
}


def check(path: Path, *, now: datetime | None = None) -> Checked:
    """Return what is wrong with a file, a fault a line; none when it may be compared.

    Args:
        path: A run's record, a bench document or an imported one.
        now: The present, UTC; the clock's when None.

    Raises:
        UsageError: It cannot be read.

    """
    data = data_of(path)
    try:
        kind, _schema = kind_of(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Checked(file=str(path), kind="unknown", faults=(_fault("$", "not_json", why=str(error)),))
    if kind == "unknown":
        return Checked(file=str(path), kind=kind, faults=(_fault("$", "no_record"),))
    faults = [*_schema_faults(data, kind, path), *_plausible(data, now or datetime.now(UTC))]
    return Checked(file=str(path), kind=kind, faults=tuple(faults[:_MOST_FAULTS]))


def _fault(field: str, name: str, **values: str | float) -> Fault:
    return Fault(field=field, what=Text(id=f"compare.fault.{name}", values=values))


def _schema_faults(data: bytes, kind: str, path: Path) -> Iterator[Fault]:
    try:
        match kind:
            case "record":
                yield from _record_faults(records.decode(data, name=path.name))
            case "bench":
                msgspec.json.decode(data, type=BenchOutput)
            case "claims":
                msgspec.json.decode(data, type=ClaimsRecord if b'"ledger_digest"' in data else ClaimsOutput)
            case _:
                msgspec.json.decode(data, type=ImportedRecord)
    except LabError as error:
        yield _fault("$", "schema", why=error.what)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield _fault("$", "schema", why=str(error))


def _record_faults(record: RunRecord) -> Iterator[Fault]:
    """Yield what is wrong between fields."""
    if record.started_at > record.ended_at:
        yield _fault("ended_at", "ends_first", started=record.started_at, ended=record.ended_at)
    if not record.notebooks:
        yield _fault("notebooks", "no_notebook")
    for at, notebook in enumerate(record.notebooks):
        if notebook.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", notebook.sha256):
            yield _fault(f"notebooks[{at}].sha256", "digest", found=notebook.sha256[:80])
    for name, digest in (("params_digest", record.params_digest), *_digests(record)):
        if not _DIGEST.fullmatch(digest):
            yield _fault(name, "digest", found=digest[:80])
    for at, sample in enumerate(record.performance.samples if record.performance else ()):
        yield from _sample_faults(record, sample, f"performance.samples[{at}]")


def _sample_faults(record: RunRecord, sample: Sample, where: str) -> Iterator[Fault]:
    if sample.wall.n != len(sample.processes):
        yield _fault(f"{where}.wall.n", "count", found=sample.wall.n, wanted=len(sample.processes))
    for clock in (sample.wall, sample.cpu):
        if clock.low is not None and clock.high is not None and not clock.low <= clock.median <= clock.high:
            yield _fault(where, "interval", low=clock.low, median=clock.median, high=clock.high)
    if sample.taken_at > record.ended_at:
        yield _fault(f"{where}.taken_at", "after_its_run", found=sample.taken_at, ended=record.ended_at)
    system = {"macos": "darwin"}.get(record.machine.system, str(record.machine.system))
    if sample.platform.partition("/")[0] != system:
        yield _fault(f"{where}.platform", "platform", found=sample.platform, system=str(record.machine.system))


def _digests(record: RunRecord) -> Iterator[tuple[str, str]]:
    for at, sample in enumerate(record.performance.samples if record.performance else ()):
        yield f"performance.samples[{at}].toolchain", sample.toolchain
        yield f"performance.samples[{at}].worker", sample.worker
    if record.install is not None:
        yield "install.toolchain.digest", record.install.toolchain.digest


def _plausible(data: bytes, now: datetime) -> Iterator[Fault]:
    """Yield what no record can hold, wherever it stands."""
    try:
        whole = msgspec.json.decode(data)
    except msgspec.DecodeError:  # a number beyond all; reading by the schema has said so
        return
    kind = str(whole.get("provenance") or "measured")
    for where, name, value in _walk(whole, "", ""):
        if ".sources." in where or where.startswith("parameters"):  # texts under a field's name
            continue
        match value:
            case bool() | None:
                continue
            case int() | float():
                yield from _number(where, name, value)
            case str(text):
                yield from _text(where, name, text, kind, now)
            case _:
                raise AssertionError(f"JSON has no {type(value)}")


def _number(where: str, name: str, value: float) -> Iterator[Fault]:
    if not math.isfinite(value):
        yield _fault(where, "not_finite")
    elif value < 0 and name not in _SIGNED and _POSITIVE.search(name):
        yield _fault(where, "negative", found=value)
    elif value == 0 and name in {"iterations", "wall_time_ns"}:
        yield _fault(where, "zero")


def _text(where: str, name: str, text: str, kind: str, now: datetime) -> Iterator[Fault]:
    # JSON has no NaN: what stands for one is a text.
    if text.lower() in {"nan", "inf", "-inf", "infinity", "-infinity"}:
        yield _fault(where, "not_finite")
    elif name == "provenance" and text not in _PROVENANCES.get(kind, frozenset()):
        yield _fault(where, "provenance", found=text, whole=kind)
    elif _DATE.search(name):
        yield from _date(where, text, now)


def _walk(value: object, where: str, name: str) -> Iterator[tuple[str, str, object]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _walk(each, f"{where}.{key}" if where else str(key), str(key))
        case list():
            for at, each in enumerate(value):
                yield from _walk(each, f"{where}[{at}]", name)
        case _:
            yield where, name, value


def _date(where: str, text: str, now: datetime) -> Iterator[Fault]:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        yield _fault(where, "date", found=text[:80])
        return
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found > now + _AHEAD:
        yield _fault(where, "future", found=text)
    elif found.year < _FIRST_YEAR and not where.rpartition(".")[2].startswith(("pinned", "released")):
        yield _fault(where, "past", found=text)
