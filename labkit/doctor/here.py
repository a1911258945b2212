"""Looks at this machine as ``labkit doctor`` does: the host's tools, and labkit's set where the store holds it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labkit import machine, toolchain
from labkit.doctor.examine import examine_install
from labkit.doctor.host import examine_host
from labkit.facts import Facts
from labkit.model.check import Finding
from labkit.model.host import HostFacts
from labkit.toolchain.inventory import take_inventory
from labkit.toolchain.look import in_store


def look(*, project: Path | None = None, store: bool = True) -> tuple[HostFacts, tuple[Finding, ...]]:
    """Return the host's facts and all findings. Nothing is provisioned and no network is used.

    Args:
        project: The folder whose files are looked at too; None: the current one, unless it is the user's home or /.
        store: Whether labkit's own set is examined as well, where it has been provisioned.

    """
    here = machine.read()
    folders = in_store("current", toolchain.host_platform(here))
    with ThreadPoolExecutor(max_workers=1) as pool:
        own = pool.submit(_own_set) if store and folders else None
        facts = take_inventory(here, project=project or _current(), own=folders or ())
        findings = examine_host(facts)
        return facts, findings + (own.result() if own else ())


def _own_set() -> tuple[Finding, ...]:
    return examine_install(Facts("current"))


def _current() -> Path | None:
    folder = Path.cwd()
    return None if folder in {Path.home(), Path(folder.anchor)} else folder
