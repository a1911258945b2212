"""The notebooks keep their budget, declare their parameters, and run by hand with their defaults."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from labkit.bench import Plan
from labkit.bench.plan import LIMITS
from labkit.lab.profile import declared
from labkit.toolchain import pins

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def cells(path, kind):
    return [cell for cell in nbformat.read(str(path), as_version=4).cells if cell.cell_type == kind]


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def is_parameters(cell):
    return "parameters" in cell.metadata.get("tags", [])


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_install",
        "02_codegen",
        "03_binaries",
        "04_performance",
        "05_debugging",
        "06_traps",
        "07_claims",
        "compare",
    ]


def test_it_is_valid_and_holds_no_outputs_or_counts(notebook):
    document = nbformat.read(str(notebook), as_version=4)
    nbformat.validate(document)
    for cell in document.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
            assert set(cell.metadata) <= {"tags"}
    assert len({cell.id for cell in document.cells}) == len(document.cells)


def test_it_opens_with_the_question_and_closes_with_the_verdict(notebook):
    first, *_, last_words = cells(notebook, "markdown")
    for words in ("# ", "**The question:**", "**Who reads it:**", "**How long it takes:**"):
        assert words in first.source
    assert "verdict" in last_words.source.splitlines()[0]
    document = nbformat.read(str(notebook), as_version=4)
    assert document.cells[-1].cell_type == "code"
    # What compares records is no part of one.
    assert ("scraps.glue(" in document.cells[-1].source) is (notebook.stem != "compare")


def test_its_parameters_are_literals_with_a_comment_each(notebook):
    (cell,) = [cell for cell in cells(notebook, "code") if is_parameters(cell)]
    for line in code_lines(cell):
        assert re.fullmatch(r"[a-z_]+ = \S.*  # \S.*", line), line
    assert "toolchain" in declared(notebook)


def test_its_defaults_are_accepted_by_the_library(notebook):
    values = declared(notebook)
    assert pins.named(values.pop("toolchain"))
    assert Plan(**{name: value for name, value in values.items() if name in LIMITS})


def test_code_cells_keep_the_budget(notebook):
    code = [cell for cell in cells(notebook, "code") if not is_parameters(cell)]
    lengths = sorted(len(code_lines(cell)) for cell in code)
    assert len(code) <= 25
    assert max(lengths) <= 12
    assert sum(length <= 8 for length in lengths) >= 0.9 * len(lengths)


def test_there_is_more_prose_than_code(notebook):
    words = sum(len(cell.source.split()) for cell in cells(notebook, "markdown"))
    lines = sum(len(code_lines(cell)) for cell in cells(notebook, "code") if not is_parameters(cell))
    assert words >= 5 * lines


def test_cells_call_labkit_and_define_nothing(notebook):
    for cell in cells(notebook, "code"):
        tree = ast.parse(cell.source)  # a line with ! or %% does not parse
        for node in ast.walk(tree):
            assert not isinstance(node, FORBIDDEN)
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            assert all(module.startswith("labkit") for module in modules), modules
        assert cell.source.count("_figure(") <= 1


def test_every_code_cell_follows_words(notebook):
    document = nbformat.read(str(notebook), as_version=4)
    setup = 3  # title, parameters, imports
    for before, cell in zip(document.cells[setup - 1 :], document.cells[setup:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown"


def test_no_number_of_a_machine_stands_in_the_prose(notebook):
    units = r"\d[\d.,]*\s?(ns|µs|us|ms|s|seconds|KiB|MiB|GiB|KB|MB|GB|GHz|%)\b"
    for cell in cells(notebook, "markdown"):
        assert not re.search(units, cell.source), cell.source
