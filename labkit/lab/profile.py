"""Profiles and the parameters that notebooks declare, checked whole before anything runs.

A profile with ``axes`` is a matrix: one profile a point of it (:mod:`labkit.lab.matrix` makes them).

A notebook declares its parameters in the one cell tagged ``parameters``: one literal assignment a line, with a
comment. A profile sets every one of them. Names must be plain identifiers: papermill writes them into code as they
are.
"""

import ast
import difflib
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec
import nbformat
import yaml

from labkit.bench.plan import LIMITS, Plan
from labkit.claims.section import check as check_claims
from labkit.codegen import collection
from labkit.errors import UsageError
from labkit.lab import matrix, shipped
from labkit.model.machine import Machine
from labkit.toolchain import pins
from labkit.traps.running import chosen_ids

Value = matrix.Value

_EXAMPLE = "linux"
#: Seconds that one cell, and one notebook with all its cells, may take unless a profile says otherwise.
CELL_TIMEOUT_S: Final = 2700
RUN_TIMEOUT_S: Final = 7200


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile as it is written. ``like`` names another one: its notebooks, and its parameters but for those here."""

    machine: str
    like: str | None = None
    notebooks: tuple[str, ...] = ()
    parameters: dict[str, Value] = {}
    axes: dict[str, tuple[Value, ...]] = {}
    exclude: tuple[dict[str, Value], ...] = ()
    include: tuple[dict[str, Value], ...] = ()
    repeats: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    on: str | None = None
    cell_timeout_s: Annotated[int, msgspec.Meta(ge=1)] = CELL_TIMEOUT_S
    run_timeout_s: Annotated[int, msgspec.Meta(ge=1)] = RUN_TIMEOUT_S


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A checked profile: which notebooks to run on what machine, and each one's parameters."""

    name: str
    machine: str  # any, linux, macos, or a chip such as Apple M1
    notebooks: tuple[str, ...]
    parameters: Mapping[str, Value]
    point: Mapping[str, Value] = field(default_factory=dict)  # where in its matrix it is; empty when there is none
    repeat: int = 1  # the how-manieth of its repeats it is
    on: str | None = None  # the label of the workers of a cluster that may run it
    cell_timeout_s: int = CELL_TIMEOUT_S
    run_timeout_s: int = RUN_TIMEOUT_S

    def parameters_of(self, notebook: str) -> dict[str, Value]:
        """Return the parameters that one notebook declares, with this profile's values."""
        return {name: self.parameters[name] for name in declared(shipped.notebook(notebook))}


def load(name: str, *, only: Sequence[str] = ()) -> Profile:
    """Return a profile by its path or name, checked against the notebooks that it runs.

    Args:
        name: The file's path, or the name of a profile.
        only: Run only these of its notebooks.

    Raises:
        UsageError: The file, a notebook or a parameter is unknown, missing or wrongly typed; or it is a matrix.

    """
    found = load_all(name, only=only)
    if len(found) > 1:
        raise UsageError(f"{name} is {len(found)} profiles, a matrix", remedy="name a profile without axes and repeats")
    return found[0]


def load_all(name: str, *, only: Sequence[str] = ()) -> tuple[Profile, ...]:
    """Return a profile, or each point of a matrix, repeats next to each other; every one is checked.

    Raises:
        UsageError: As for :func:`load`, or the matrix has no point, one twice, or an ``exclude`` that fits none.

    """
    path = shipped.profile(name)
    written = _read(path)
    notebooks = _chosen(written.notebooks, only, path.name)
    points = matrix.points(matrix.Matrix(written.axes, written.exclude, written.include), path.name)
    return tuple(
        _checked(path, written, notebooks, point, repeat)
        for point in points
        for repeat in range(1, written.repeats + 1)
    )


def _checked(
    path: Path, written: _File, notebooks: tuple[str, ...], point: Mapping[str, Value], repeat: int
) -> Profile:
    parameters = written.parameters | dict(point)
    everything = {parameter for notebook in written.notebooks for parameter in declared(shipped.notebook(notebook))}
    for parameter in parameters:
        _check_name(parameter, everything, path.name)
    for notebook in notebooks:
        for parameter, default in declared(shipped.notebook(notebook)).items():
            if parameter not in parameters:
                raise UsageError(
                    f"{path.name} does not set {parameter!r}, which {notebook} declares",
                    remedy=f"add it under parameters, for example {parameter}: {default!r}",
                )
            _check_type(parameter, parameters[parameter], default, path.name)
    _check_values(parameters)
    return Profile(
        name=path.stem,
        machine=written.machine,
        notebooks=notebooks,
        parameters=parameters,
        point=point,
        repeat=repeat,
        on=written.on,
        cell_timeout_s=written.cell_timeout_s,
        run_timeout_s=written.run_timeout_s,
    )


def declared(notebook: Path) -> dict[str, Value]:
    """Return the parameters that a notebook declares, with their defaults.

    Raises:
        UsageError: It is no notebook, or its parameters cell is missing, doubled or more than literals.

    """
    try:
        cells = nbformat.read(str(notebook), as_version=4).cells
    except Exception as error:  # nbformat raises its own, json's and jsonschema's errors
        raise UsageError(f"{notebook} is not a notebook: {error}", remedy="name a notebook file") from error
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise UsageError(
            f"{notebook.name} has {len(tagged)} cells tagged 'parameters'", remedy="tag exactly one cell so"
        )
    values: dict[str, Value] = {}
    for line in ast.parse(tagged[0].source).body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                try:
                    values[name] = ast.literal_eval(value)
                except ValueError as error:
                    raise UsageError(
                        f"parameter {name!r} of {notebook.name} is not a literal", remedy="give it a plain value"
                    ) from error
            case _:
                raise UsageError(
                    f"the parameters cell of {notebook.name} holds more than assignments of literals",
                    remedy="move everything else to another cell",
                )
    return values


def check_machine(profile: Profile, machine: Machine) -> None:
    """Check that a profile is meant for this machine.

    Raises:
        UsageError: It is for another chip or system.

    """
    # An M1 Pro, Max or Ultra is an M1.
    of_the_chip = (machine.chip or "").startswith(f"{profile.machine} ")
    if profile.machine not in {"any", machine.system.value, machine.chip} and not of_the_chip:
        raise UsageError(
            f"profile {profile.name} is for {profile.machine}, this machine is {machine.chip} ({machine.system})",
            remedy="choose a profile for this machine, such as quick",
        )


def _read(path: Path) -> _File:
    """Return a profile with what it takes from the one that it is like."""
    written = _read_alone(path)
    if written.like is None:
        for field in ("notebooks", "parameters"):
            if not getattr(written, field):
                raise UsageError(
                    f"{path.name} has no {field}", remedy=f"give them, or name a profile that has: like: {_EXAMPLE}"
                )
        return written
    other = _read_alone(shipped.profile(written.like))
    if other.like is not None:
        raise UsageError(
            f"{path.name} is like {written.like}, which is itself like {other.like}",
            remedy=f"name the one that stands by itself: like: {other.like}",
        )
    if written.notebooks:
        raise UsageError(
            f"{path.name} is like {written.like} and names notebooks of its own",
            remedy="leave notebooks out, and choose among them with --only",
        )
    return msgspec.structs.replace(written, notebooks=other.notebooks, parameters=other.parameters | written.parameters)


def _read_alone(path: Path) -> _File:
    try:
        written = yaml.safe_load(path.read_text("utf-8"))
        if isinstance(written, dict):  # in YAML 1.1, which PyYAML reads, the bare word `on` is a truth
            written = {"on" if key is True else key: value for key, value in written.items()}
        return msgspec.convert(written, _File)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name a profile") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}", remedy="mend the file") from error
    except msgspec.ValidationError as error:
        fields = ", ".join(_File.__struct_fields__)
        raise UsageError(f"{path.name}: {error}", remedy=f"a profile has exactly the fields {fields}") from error


def _chosen(notebooks: tuple[str, ...], only: Sequence[str], name: str) -> tuple[str, ...]:
    for wanted in only:
        if wanted not in notebooks:
            near = difflib.get_close_matches(wanted, notebooks, n=1)
            raise UsageError(
                f"{name} runs no notebook {wanted!r}",
                remedy=f"did you mean {near[0]!r}?" if near else f"it runs {', '.join(notebooks)}",
            )
    return tuple(notebook for notebook in notebooks if not only or notebook in only)


def _check_name(parameter: str, known: set[str], name: str) -> None:
    if not parameter.isidentifier() or keyword.iskeyword(parameter):
        raise UsageError(
            f"{name}: {parameter!r} is not a parameter's name", remedy="use letters, digits and underscores only"
        )
    if parameter not in known:
        near = difflib.get_close_matches(parameter, known, n=1)
        raise UsageError(
            f"{name} sets {parameter!r}, which no notebook of it declares",
            remedy=f"did you mean {near[0]!r}?" if near else f"they declare {', '.join(sorted(known))}",
        )


def _check_values(parameters: Mapping[str, Value]) -> None:
    # What the rooms would refuse in the first cell that uses it is refused here, before anything runs.
    if "toolchain" in parameters:
        pins.named(str(parameters["toolchain"]))
    if "collection" in parameters:
        collection.check_name(str(parameters["collection"]))
    if "traps" in parameters:
        chosen_ids(str(parameters["traps"]))
    if "claims" in parameters:
        check_claims(str(parameters["claims"]), str(parameters.get("claims_facts", "kept")))
    plan = {name: value for name, value in parameters.items() if name in LIMITS}
    if plan:
        msgspec.convert(plan, Plan)


def _check_type(parameter: str, value: Value, default: Value, name: str) -> None:
    fits = type(value) is type(default) or (isinstance(default, float) and type(value) is int) or default is None
    if not fits:
        raise UsageError(
            f"{name}: {parameter} is {value!r} ({type(value).__name__}), "
            f"the notebook's own is {default!r} ({type(default).__name__})",
            remedy=f"give a value of type {type(default).__name__}",
        )
