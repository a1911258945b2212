"""A folder with short notebooks and a matrix over them, for what measures batches; the notebooks measure nothing."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook


def make(folder: Path, sources: dict[str, str], points: int) -> None:
    """Write notebooks by name and source, and a profile ``many`` that runs them at so many points."""
    for name, source in sources.items():
        parameters = new_code_cell("count = 1  # which point it is", metadata={"tags": ["parameters"]})
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        document = new_notebook(
            cells=[parameters, new_code_cell(source)],
            metadata={"kernelspec": kernel, "labkit": {"measures": False}},
        )
        path = folder / f"notebooks/{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(document, str(path))
    (folder / "params").mkdir(exist_ok=True)
    (folder / "params/many.yaml").write_text(
        f"machine: any\nnotebooks: [{', '.join(sources)}]\nparameters: {{count: 0}}\n"
        f"axes: {{count: [{', '.join(map(str, range(points)))}]}}\n",
        encoding="utf-8",
    )
