"""Sections go through a notebook whole, shortened where they name the user's folders, and never as NaN."""

from pathlib import Path

import msgspec
import pytest

from labkit import scraps
from labkit.errors import RecordError
from labkit.model.run import InstallSection, PerformanceSection
from labkit.system import store


@pytest.fixture
def section(facts):
    return InstallSection(condition=facts.condition(), toolchain=facts.toolchain, newer=(), findings=())


def encoded(section, name="install"):
    from scrapbook.scraps import Scrap

    return scraps._Encoder().encode(Scrap(name, section, "labkit"))


def test_a_section_comes_back_as_it_was_but_for_shortened_paths(section):
    scrap = scraps._Encoder().decode(encoded(section))
    assert scrap.data.condition == section.condition
    assert scrap.data.toolchain.digest == section.toolchain.digest
    assert all(tool.path.startswith("$LABKIT_HOME/") for tool in scrap.data.toolchain.tools)


def test_the_users_folders_are_not_in_it(section):
    text = msgspec.json.encode(encoded(section).data).decode()
    assert str(store.home()) not in text
    assert str(Path.home()) + "/" not in text


def test_a_number_that_is_not_finite_is_refused(section):
    condition = msgspec.structs.replace(section.condition, load_1min=float("nan"))
    broken = PerformanceSection(condition_before=condition, condition_after=condition, samples=())
    with pytest.raises(RecordError, match="nan"):
        encoded(broken, "performance")


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(RecordError, match=r"broken\.ipynb"):
        scraps.read(tmp_path / "broken.ipynb")
