"""The warm process beside a worker that executes notebooks, as :mod:`labkit.lab.worker` does for a local batch.

Before it executes one it looks whether everything is what the driver thinks: labkit's version and code, the notebook,
its parameters, this machine, and with all of it the notebook's id. Else it refuses, and says why.
"""

import platform
from pathlib import Path

import msgspec

from labkit.system import lean

lean.without_iri_grammar()

import labkit  # noqa: E402 - what follows imports jsonschema
from labkit import machine  # noqa: E402
from labkit.cluster import cores  # noqa: E402
from labkit.cluster.messages import NOTEBOOKS_FOLDER, Duty, Identity, Line, Refusal, Said  # noqa: E402
from labkit.lab import identity, leftovers, worker  # noqa: E402
from labkit.lab.profile import Profile  # noqa: E402
from labkit.model.machine import Machine  # noqa: E402
from labkit.system.store import digest, file_digest  # noqa: E402


def same_machine(one: Machine, other: Machine) -> bool:
    """Return whether two readings are of machines that cannot be told apart; where a field was read does not matter."""
    return _told(one) == _told(other)


def whoami() -> Identity:
    """Return who executes here."""
    return Identity(
        labkit=labkit.__version__,
        code=identity.code(),
        python_version=platform.python_version(),
        machine=machine.read(),
        cores=cores.token(),
    )


def reply(line: bytes) -> bytes:
    """Do what a line says."""
    asked = msgspec.json.decode(line, type=Line)
    here = whoami()
    if asked.end_leftovers is not None:
        leftovers.end(asked.end_leftovers)
    if asked.duty is None:
        return msgspec.json.encode(Said(identity=here))
    request = msgspec.json.decode(asked.duty.request, type=worker.Request)
    refused = refusal(asked.duty, request, here)
    if refused is not None:
        return msgspec.json.encode(Said(identity=here, refused=refused))
    return msgspec.json.encode(Said(identity=here, done=worker.execute(request)))


def refusal(duty: Duty, request: worker.Request, here: Identity) -> Refusal | None:
    """Return why a notebook must not be executed here, or None."""
    if (duty.labkit, duty.code) != (here.labkit, here.code):
        return other_labkit(here, duty.labkit, duty.code)
    if not same_machine(request.machine, here.machine):
        return Refusal(
            why=f"it is {here.machine.id}, where {request.machine.id} was expected",
            remedy="start each worker on the machine that its label names",
            lasting=True,
        )
    profile = msgspec.convert(request.profile, Profile)
    source = Path(NOTEBOOKS_FOLDER) / f"{duty.name}.ipynb"
    if file_digest(source) != duty.notebook_sha256:
        return Refusal(why="the notebook that came is not the one that was sent", remedy=_AGAIN, lasting=False)
    parameters = profile.parameters_of(duty.name)
    if parameters_digest(parameters) != duty.parameters:
        return Refusal(why="the parameters that came are not those that were sent", remedy=_AGAIN, lasting=False)
    if identity.notebook_id(source, parameters, here.machine, profile.repeat) != request.job.id:
        return Refusal(why="the notebook's id would be another one here", remedy=_SAME_LABKIT, lasting=True)
    return None


_AGAIN = "look at the network and at the worker's disk, and go on with labkit run --resume"
_SAME_LABKIT = "install the same wheel of labkit, or the same commit, on both and start the worker again"


def other_labkit(here: Identity, version: str, code: str) -> Refusal:
    """Return the refusal of a worker whose labkit is not the driver's."""
    return Refusal(
        why=f"its labkit is {here.labkit} with the code {here.code}, the driver's is {version} with {code}",
        remedy=_SAME_LABKIT,
        lasting=True,
    )


def parameters_digest(parameters: object) -> str:
    """Return the digest of a notebook's parameters."""
    return digest({"parameters": parameters})


def _told(found: Machine) -> Machine:
    return msgspec.structs.replace(found, sources={}, missing={})


if __name__ == "__main__":
    worker.serve(reply)
