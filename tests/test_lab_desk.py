"""``labkit lab`` lays ready what JupyterLab needs: this environment's kernel, no news, a notebook to begin with."""

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from labkit import present
from labkit.errors import UsageError
from labkit.lab import desk
from labkit.lab.profile import declared
from labkit.present.parameters import names
from labkit.words import Language
from tests.lab_server import DEADLINE_S, Server
from tests.test_notebooks import NOTEBOOKS, is_parameters


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_explains_its_parameters_right_below_them(notebook):
    code = [cell for cell in nbformat.read(str(notebook), as_version=4).cells if cell.cell_type == "code"]
    assert is_parameters(code[0])
    assert code[1].source.endswith("\npresent.parameters(globals())")
    for language in Language:
        shown = present.parameters(declared(notebook), language).frame
        assert shown.iloc[:, 0].tolist() == list(declared(notebook))
        assert shown.iloc[:, 3].str.len().min() > 5


def test_only_parameters_that_a_notebook_declares_are_explained():
    assert set(names()) == {name for notebook in NOTEBOOKS for name in declared(notebook)}


def test_a_new_notebook_is_one_that_the_batch_accepts(tmp_path):
    made = desk.new_notebook(tmp_path, "08_my_question")
    document = nbformat.read(str(made), as_version=4)
    nbformat.validate(document)
    assert document.cells[0].source.startswith("# 08 my question\n")
    assert declared(made) == {"toolchain": "current"}
    for words in ("**The question:**", "**Who reads it:**", "**How long it takes:**"):
        assert words in document.cells[0].source
    assert "verdict" in document.cells[-2].source.splitlines()[0]
    assert all(cell.get("outputs", []) == [] for cell in document.cells)
    with pytest.raises(UsageError, match="is there already"):
        desk.new_notebook(tmp_path, "08_my_question.ipynb")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "-x", "名", "x" * 81, "a\n"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="is no name for a notebook"):
        desk.new_notebook(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_new_notebook_runs_as_it_is(tmp_path, facts):
    from nbclient import NotebookClient

    assert facts.toolchain
    document = nbformat.read(str(desk.new_notebook(tmp_path, "mine")), as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_PROGRESS", "off")
        NotebookClient(document, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in document.cells for output in cell.get("outputs", [])]
    assert len(outputs) == 4
    assert all("text/html" in output["data"] for output in outputs)
    assert any("/go" in output["data"]["text/html"] for output in outputs)


def value_of(options, name):
    (value,) = [option.partition("=")[2] for option in options if option.startswith(f"--{name}=")]
    return value


def test_the_users_options_go_before_labkits(tmp_path):
    options = desk.options(tmp_path, more=["--LabApp.default_url=/lab", "--allow-root"])
    assert value_of(options, "LabApp.default_url") == "/lab"
    assert options[-1] == "--allow-root"
    assert value_of(options, "LabApp.news_url") == "None"


def test_a_taken_port_is_refused_by_its_number(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be had: Address already in use"):
            desk.options(tmp_path, port=port)
    assert value_of(desk.options(tmp_path, port=port), "ServerApp.port") == str(port)


def test_what_jupyter_path_names_already_comes_after(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    first = desk.lay({"JUPYTER_PATH": f"/one{os.pathsep}/two", "JUPYTER_CONFIG_PATH": "/three"})
    assert first["JUPYTER_CONFIG_PATH"].endswith(f"{os.pathsep}/three")
    ours, *others = first["JUPYTER_PATH"].split(os.pathsep)
    assert others == ["/one", "/two"]
    assert desk.lay(first) == first
    assert json.loads((Path(ours) / "kernels/python3/kernel.json").read_text())["argv"][0] == sys.executable


@pytest.fixture
def hostile(tmp_path):
    """An environment whose user has a python3 of another environment's, and settings that would ask for news."""
    kernel = tmp_path / "data/kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "hostile", "language": "python"}))
    settings = tmp_path / "config/jupyter_lab_config.py"
    settings.parent.mkdir()
    settings.write_text("c.LabApp.news_url = 'http://127.0.0.1:9/news'\nc.ServerApp.root_dir = '/'\n")
    return {
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }


@pytest.fixture
def serve(tmp_path, hostile):
    with contextlib.ExitStack() as stack:

        def serve(*options):
            server = Server(tmp_path, hostile, *options)
            stack.callback(server.kill)
            return server

        yield serve


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_it_serves_the_folder_with_this_environments_kernel_and_leaves_none_behind(serve, tmp_path, number):
    server = serve("--new", "mine")
    assert server.told["root_dir"] == str(tmp_path / "a place")
    assert (tmp_path / "a place/notebooks/mine.ipynb").is_file()
    spec = json.loads(server.ask("api/kernelspecs"))["kernelspecs"]["python3"]["spec"]
    assert spec["display_name"] == "Python 3 (labkit)"
    setting = json.loads(server.ask("lab/api/settings/@jupyterlab/apputils-extension:notification"))
    assert '"default": "false"' in json.dumps(setting["schema"]["properties"]["fetchNews"])
    assert json.loads(server.ask("lab/api/news")) == {"news": []}  # also when the user's settings want them
    server.ask("api/kernels", {})
    (kernel,) = server.wait_for(server.kernels)
    assert kernel.cmdline()[0] == sys.executable
    assert server.end(number) == 0, server.said()
    psutil.wait_procs([kernel], timeout=DEADLINE_S)
    assert not kernel.is_running()


def test_it_takes_the_port_that_is_named(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve("--port", str(port))
    assert server.told["port"] == port
    assert server.end() == 0
