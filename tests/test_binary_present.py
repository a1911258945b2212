"""Binaries in notebooks: the frames' columns and types, and views that escape what a file holds."""

import pandas as pd
import pytest

from labkit.binary import inspect
from labkit.present.binaries import BinaryView, binaries_frame, binaries_table, verdicts_frame, verdicts_table
from labkit.words import Language
from tests.binary_synthetic import X86_64, Elf, Macho, fat


@pytest.fixture
def binaries(tmp_path):
    (tmp_path / "fat").write_bytes(
        fat([Macho(cpu=X86_64, subtype=3, sign=None), Macho(team="TEAM123456", sign="adhoc")])
    )
    (tmp_path / "elf").write_bytes(Elf(libraries=("libc.so.6", "<b>&lib")).data())
    (tmp_path / "empty").write_bytes(b"")
    return [inspect(tmp_path / name) for name in ("fat", "elf", "empty")]


def test_one_row_a_slice_and_one_for_a_file_without(binaries):
    frame = binaries_frame(binaries)
    assert list(frame["architecture"].fillna("-")) == ["x86_64", "arm64", "x86_64", "-"]
    assert list(frame["signature"].fillna("-")) == ["none", "adhoc", "none", "-"]
    assert list(frame["error"].fillna("-")) == ["-", "-", "-", "an empty file"]
    assert frame["team"].iloc[1] == "TEAM123456"
    assert frame["bad_pages"].iloc[1] == 0
    assert frame["bad_pages"].isna().tolist() == [True, False, True, True]


_BOOLEAN = {"symbols", "dwarf", "hardened_runtime", "confirmed_on_hardware"}
_INTEGER = {"size_bytes", "pages", "bad_pages"}


@pytest.mark.parametrize("some", [True, False], ids=["some", "none"])
def test_columns_have_their_documented_types_even_without_rows(binaries, some):
    for frame in (binaries_frame(binaries if some else []), verdicts_frame(binaries if some else [])):
        for name, kind in frame.dtypes.items():
            wanted = "boolean" if name in _BOOLEAN else "Int64" if name in _INTEGER else "string"
            assert str(kind) == wanted, name
    documented = binaries_frame.__doc__ or ""
    assert all(f"``{name}``" in documented for name in binaries_frame([]).columns)


def test_one_row_a_file_and_machine(binaries):
    frame = verdicts_frame(binaries)
    assert len(frame) == 15
    assert set(frame["runs"]) == {"yes", "no", "unknown"}
    assert pd.Series(frame["reasons"]).str.contains("Gatekeeper").any()


def test_a_view_escapes_what_a_file_holds(binaries):
    html = BinaryView(binaries)._repr_html_()
    assert "&lt;b&gt;&amp;lib" in html
    assert "<b>" not in html
    assert html.count("<details>") == 3
    assert "an empty file" in html
    assert "✓" in html
    assert repr(BinaryView(binaries)).count("\n") == 2


@pytest.mark.parametrize("language", Language)
def test_tables_to_read_have_heads_in_the_readers_language(binaries, language):
    for frame in (binaries_table(binaries, language), verdicts_table(binaries, language)):
        assert not frame.isna().any().any()
        chinese = any("\u4e00" <= character <= "\u9fff" for head in frame.columns for character in head)
        assert chinese is (language is Language.CHINESE)
