"""Batches on a cluster: real schedulers and workers on loopback, and what goes wrong with them."""

import datetime as dt
import hashlib
import os
import re
import shutil
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import nbformat
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import labkit
from labkit import lab
from labkit.cli.app import main
from labkit.cluster import address, cores, session, station
from labkit.cluster.address import Tls
from labkit.cluster.driver import Driver
from labkit.cluster.messages import Answer, Duty, File, Refusal, Said
from labkit.cluster.workers import Seen, Workers
from labkit.errors import ClusterError, UsageError
from labkit.lab import worker as lab_worker
from labkit.lab.identity import code
from labkit.lab.leftovers import VARIABLE
from labkit.lab.pool import Task
from labkit.model.batch import BatchPlan
from labkit.model.run import NotebookStatus
from labkit.system import proc, records
from labkit.system.environment import base
from tests.cluster_rig import NOTES, WORKER, Rig
from tests.support import impossible
from tests.test_lab import write_notebook

PROFILE = """\
machine: any
notebooks: [one, two]
parameters: {count: 3, name: x}
"""
#: Each execution leaves a line where the test finds it, whatever the worker's folders are.
SOURCE = f"""
import json, os, time
began = time.time()
time.sleep(PAUSE)
with open(os.environ["{NOTES}"], "a") as notes:
    worker = os.environ.get("{WORKER}", "")
    line = dict(name="NAME", count=count, x=name, worker=worker, pid=os.getpid(), began=began, ended=time.time())
    notes.write(json.dumps(line) + "\\n")
print("executed NAME")
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """A cluster: a worker for `alone`, one that takes two of `both` and whose M7 is a lie, one with another labkit."""
    folder = tmp_path_factory.mktemp("cluster")
    other = folder / "other"
    shutil.copytree(Path(labkit.__file__).parent, other / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "labkit/errors.py").open("a") as file:
        file.write("# another labkit\n")
    with Rig(folder) as rig:
        rig.worker("first", "alone=1")
        rig.worker("second", "both=2,M7=1", threads=2)
        rig.worker("third", "other=1", PYTHONPATH=str(other))
        yield rig


@pytest.fixture
def desk(tmp_path, monkeypatch):
    folder = tmp_path / "my desk"
    (folder / "params").mkdir(parents=True)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(folder)
    for name in ("one", "two"):
        write(folder, name)
    return folder


def write(folder, name, *more, pause=0.0, measures=False):
    path = write_notebook(folder, name, SOURCE.replace("NAME", name).replace("PAUSE", str(pause)), *more)
    document = nbformat.read(str(path), as_version=4)
    document.metadata["labkit"] = {"measures": measures}
    nbformat.write(document, str(path))


def profile(folder, more="", name="mine"):
    (folder / f"params/{name}.yaml").write_text(PROFILE + more)


def load(*names):
    return [each for name in names for each in lab.load_all(name)]


def execute(where, profiles, desk, **given):
    """Run a new batch of profiles on a cluster."""
    with session.opened(
        where, profiles, tls=given.pop("tls", None), patience_s=given.pop("patience_s", 30.0)
    ) as cluster:
        batch = lab.plan(profiles, desk / "runs", placing=cluster.place)
        return batch, lab.run(batch, elsewhere=cluster, **given)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def marked(begins):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(VARIABLE, "").startswith(begins) and not gone(process.pid):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def noted(rig, x):
    return [line for line in rig.noted() if line["x"] == x]


def overlap(one, other):
    return other["began"] < one["ended"] and one["began"] < other["ended"]


def test_each_notebook_goes_to_a_worker_with_its_label_and_what_measures_has_the_machine_alone(rig, desk):
    for name in ("one", "two", "slow"):
        write(desk, name, pause=2.0, measures=name == "slow")  # long enough for two to meet on a busy machine
    profile(desk, "axes: {name: [alone1, alone2]}\non: alone\n", "first")
    profile(desk, "axes: {name: [both1, both2]}\non: both\n".replace("[both1", "[both0, both1"), "second")
    text = PROFILE.replace("[one, two]", "[slow]")
    (desk / "params/slow.yaml").write_text(f"{text}axes: {{name: [slow1, slow2]}}\non: both\n")
    batch, found = execute(rig.address, load("first", "second", "slow"), desk)
    assert [[done.cause for done in record.notebooks] for record in found] == [[None] * len(r.jobs) for r in batch.runs]
    lines = [line for line in rig.noted() if line["x"][:-1] in {"alone", "both", "slow"}]
    assert len(lines) == 12
    assert {(line["x"][:-1], line["worker"]) for line in lines} == {
        ("alone", "first"), ("both", "second"), ("slow", "second"),
    }  # fmt: skip

    def beside(one, label):
        return [line["x"] for line in lines if line is not one and line["x"].startswith(label) and overlap(one, line)]

    assert [beside(line, "") for line in lines if line["name"] == "slow"] == [[], []]
    assert not any(beside(line, "alone") for line in lines if line["x"].startswith("alone"))
    assert any(beside(line, "both") for line in lines if line["x"].startswith("both"))  # the control: two at a time
    for run, record in zip(batch.runs, found, strict=True):
        assert records.read(run.folder / "record.json") == record
        assert all("executed" in (run.folder / done.file).read_text() for done in record.notebooks)
        assert "notebook" in (run.folder / "log.txt").read_text()
    assert not [path for run in batch.runs for path in run.folder.glob(".*")]


@pytest.mark.parametrize(
    ("more", "what", "remedy"),
    [
        ("on: nowhere\n", "has no worker with the label nowhere, which mine asks for", '--resources "nowhere=1"'),
        ("on: M7\n", "its label M7 is not its chip's", "Apple M7"),
        ("on: other\n", "its labkit is .* with the code", "the same wheel"),
        ("on: a b\n", "'a b', which is no label", "a word"),
        ('on: "1=2"\n', "which is no label", "a word"),
    ],
    ids=["unknown", "of another chip", "another labkit", "two words", "a sum"],
)
def test_a_label_that_no_worker_may_serve_is_an_error_before_anything_starts(rig, desk, capsys, more, what, remedy):
    profile(desk, more)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--params", "mine", "--cluster", rig.address])
    err = capsys.readouterr().err
    assert ended.value.code in {ClusterError.exit_code, UsageError.exit_code}
    assert re.search(what, err)
    assert remedy in err
    assert len(err.strip().splitlines()) == 2
    assert not (desk / "runs").exists()


def test_a_killed_driver_ends_what_it_ran_and_is_resumed(rig, desk):
    for name in ("one", "two"):
        write(desk, name, pause=0.8)
    profile(desk, "axes: {name: [killed1, killed2]}\non: both\n")
    command = [sys.executable, "-m", "labkit", "run", "--params", "mine", "--cluster", rig.address]
    environ = base(path=os.environ["PATH"], LABKIT_HOME=os.environ["LABKIT_HOME"])
    with proc.start(command, env=environ, cwd=desk) as running:
        proc.wait_until(
            lambda: bool(list(desk.glob("runs/*/*/.finished/*.json"))) or not running.alive(),
            timeout_s=60,
            what="the end of a notebook",
        )
        os.kill(running.pid, signal.SIGKILL)
        running.wait(60)
    (plan,) = desk.glob("runs/batches/*/batch.json")
    kept = list(desk.glob("runs/*/*/.finished/*.json"))
    before = Counter((line["name"], line["x"]) for line in rig.noted())
    named = {(path.stem, point_of(path.parent.parent, plan)) for path in kept}
    proc.wait_until(lambda: not marked(plan.parent.name), timeout_s=30, what="the end of what the driver ran")
    profiles = load("mine")
    with session.opened(rig.address, profiles) as cluster:
        batch = lab.resume(profiles, desk / "runs", placing=cluster.place)
        found = lab.run(batch, elsewhere=cluster)
    assert batch.id == plan.parent.name
    assert [[done.status for done in record.notebooks] for record in found] == [["done", "done"]] * 2
    assert kept
    after = Counter((line["name"], line["x"]) for line in rig.noted())
    for pair in ((name, x) for name in ("one", "two") for x in ("killed1", "killed2")):
        # what had come home is not executed again; what had not, is: once
        assert (pair, after[pair] - before[pair]) == (pair, 0 if pair in named else 1)


def point_of(run, plan):
    """Return what the parameter `name` of a run of a batch is."""
    found = msgspec.json.decode(plan.read_bytes(), type=BatchPlan)
    return next(each.point["name"] for each in found.runs if each.run == run.name)


CHILD = """
import subprocess, sys, time
if NAME == "one":
    line = "import os, time; os.setsid(); os.fork() and os._exit(0); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", line])
    time.sleep(PAUSE)
"""


def test_a_worker_that_is_killed_or_cut_off_costs_an_attempt_elsewhere_and_leaves_nothing(desk, tmp_path):
    with Rig(tmp_path / "rig", ttl="4s") as rig:
        for name in ("killed", "stopped", "left"):
            rig.worker(name, "pair=1" if name == "killed" else "pair=1,last=1" if name == "left" else "cut=1")
        for name in ("one", "two"):
            write(desk, name)
        document = CHILD.replace("NAME", repr("one")).replace("PAUSE", "1.0")
        write(desk, "one", document)
        profile(desk, "axes: {name: [p1, p2, p3]}\non: pair\n")
        profile(desk, "on: cut\n", "other")
        hit: list[str] = []

        def hurt():
            def starts(worker):
                return [line for line in rig.noted() if line["worker"] == worker and line["name"] == "one"]

            proc.wait_until(lambda: bool(starts("killed")), timeout_s=60, what="a notebook on the first worker")
            rig.kill("killed")
            hit.append("killed")
            proc.wait_until(lambda: bool(starts("stopped")), timeout_s=60, what="a notebook on the second worker")
            os.killpg(rig.workers["stopped"].pid, signal.SIGSTOP)
            hit.append("stopped")

        trouble = threading.Thread(target=hurt)
        trouble.start()
        batch, found = execute(rig.address, load("mine", "other"), desk, patience_s=2.0)
        trouble.join()
        assert hit == ["killed", "stopped"]
        pairs, cut = found[:3], found[3]
        assert [[done.status for done in record.notebooks] for record in pairs] == [["done", "done"]] * 3
        assert {line["worker"] for line in rig.noted() if line["x"] != "x"} >= {"killed", "left"}
        # the label that only the stopped one had: left for --resume, with its cause
        assert NotebookStatus.INTERRUPTED in [done.status for done in cut.notebooks]
        lost = [done for done in cut.notebooks if done.status is NotebookStatus.INTERRUPTED]
        assert all("no worker with the label cut is left" in done.cause for done in lost)
        assert all("--resume" in done.remedy for done in lost)
        os.killpg(rig.workers["stopped"].pid, signal.SIGCONT)
        killed = [line["pid"] for line in rig.noted() if line["worker"] in {"killed", "stopped"}]
        for pid in killed:
            proc.wait_until(lambda pid=pid: gone(pid), timeout_s=30, what=f"the end of the kernel {pid}")
        # started again, the batch goes on
        rig.worker("again", "cut=1")
        profiles = load("mine", "other")
        with session.opened(rig.address, profiles) as cluster:
            resumed = lab.resume(profiles, desk / "runs", placing=cluster.place)
            assert resumed.id == batch.id
            found = lab.run(resumed, elsewhere=cluster)
        assert {done.status for record in found for done in record.notebooks} == {"done"}
        proc.wait_until(lambda: not marked(batch.id), timeout_s=20, what="the end of what was left behind")


def certificate(folder, name, *, signer=None):
    """Write a key and a certificate that an authority has signed, or is one; return both, and their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (own, key) if signer is None else (signer[0].subject, signer[1])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return (made, key), cert_file, key_file


def test_a_cluster_with_tls_is_used_by_who_has_its_authoritys_certificate_alone(desk, tmp_path):
    authority, ca, _ = certificate(tmp_path / "tls", "authority")
    _, cert, key = certificate(tmp_path / "tls", "lab", signer=authority)
    _, stranger, stranger_key = certificate(tmp_path / "tls", "stranger")
    profile(desk, "on: safe\n")
    with Rig(tmp_path / "rig", tls={"ca-file": ca, "cert": cert, "key": key}) as rig:
        assert rig.address.startswith("tls://127.0.0.1:")
        rig.worker("safe", "safe=1")
        _batch, (record,) = execute(rig.address, load("mine"), desk, tls=Tls(ca=ca, cert=cert, key=key))
        assert [done.status for done in record.notebooks] == ["done", "done"]
        with pytest.raises(ClusterError, match="no scheduler answers at tls://"):
            execute(rig.address, load("mine"), desk, tls=Tls(ca=stranger, cert=stranger, key=stranger_key))


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("tcp://192.0.2.1:8786", "beyond this machine, without TLS"),
        ("tcp://lab.example:8786", "beyond this machine, without TLS"),
        ("tcp://0.0.0.0:8786", "beyond this machine, without TLS"),
        ("tcp://[2001:db8::1]:8786", "beyond this machine, without TLS"),
        ("tls://192.0.2.1:8786", "needs --tls-ca, --tls-cert, --tls-key"),
        ("lab:8786", "is no address"),
        ("tcp://", "is no address"),
        ("tcp://lab:port", "is no address"),
        ("http://127.0.0.1:8786", "is no address"),
        ("tcp://me@127.0.0.1:8786", "is no address"),
    ],
)
def test_an_address_that_is_none_or_would_be_reached_in_plain_is_refused(where, what):
    with pytest.raises(UsageError, match=what) as caught:
        address.checked(where, Tls())
    assert caught.value.remedy


@pytest.mark.parametrize("where", ["tcp://127.0.0.1", "tcp://localhost:8786", "tcp://[::1]:8786", "tcp://127.3.2.1:1"])
def test_this_machine_itself_is_reached_in_plain(where):
    found, security = address.checked(where, Tls())
    assert found.startswith(where)
    assert security is None


def test_certificates_are_for_tls_and_must_be_there(tmp_path):
    with pytest.raises(UsageError, match="--tls-ca would do nothing"):
        address.checked("tcp://127.0.0.1:8786", Tls(ca=tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match=r"--tls-ca: .* cannot be read"):
        address.checked("tls://lab.example:8786", Tls(ca=tmp_path / "ca.pem"))


def test_a_worker_or_scheduler_beyond_this_machine_without_tls_is_refused():
    workers = Workers(lambda: {"tcp://192.0.2.7:4000": Seen(1)}, lambda _address: identity())
    with pytest.raises(UsageError, match=r"a worker is at tcp://192\.0\.2\.7:4000, beyond this machine"):
        workers.refresh()


def test_a_scheduler_that_listens_on_a_network_in_plain_is_refused_by_whatever_name_it_is_reached(tmp_path):
    """It says itself where it listens, whoever reaches it by loopback."""
    with Rig(tmp_path / "rig", host="0.0.0.0") as rig:
        if address.is_loopback(urlsplit(rig.address).hostname):
            impossible("this machine has no address but its own")
        port = urlsplit(rig.address).port
        with (
            pytest.raises(UsageError, match=r"the scheduler listens at tcp://.*, beyond this machine, without TLS"),
            session.opened(f"tcp://127.0.0.1:{port}", []) as cluster,
        ):
            cluster.place([], [])


def test_nobody_there_is_one_line(desk, capsys):
    profile(desk)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--params", "mine", "--cluster", "tcp://127.0.0.1:9"])
    assert ended.value.code == ClusterError.exit_code
    err = capsys.readouterr().err.strip().splitlines()
    assert len(err) == 2
    assert "no scheduler answers at tcp://127.0.0.1:9" in err[0]


ABSENT = """
import sys
sys.modules["distributed"] = None
from labkit.cli.app import main
main(sys.argv[1:])
"""


def test_without_the_extra_it_is_one_line_and_nothing_else_needs_it(desk):
    profile(desk)
    environ = base(path=os.environ["PATH"], LABKIT_HOME=os.environ["LABKIT_HOME"])
    command = [sys.executable, "-c", ABSENT, "-q", "run", "--params", "mine"]
    asked = proc.run([*command, "--cluster", "local"], env=environ, timeout_s=60, cwd=desk, check=False)
    assert asked.returncode == 19
    assert "remedy: pip install 'labkit[cluster]'" in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 2
    more = {NOTES: str(desk / "notes.txt")}
    assert proc.run(command, env=environ | more, timeout_s=120, cwd=desk, check=False).returncode == 0


def test_a_local_cluster_has_a_worker_for_each_label_and_is_gone_afterwards(desk):
    profile(desk, "on: one\n")
    profile(desk, "on: another\nparameters: {count: 4, name: y}\n".replace("parameters", "axes", 0), "other")
    (desk / "params/other.yaml").write_text(PROFILE.replace("count: 3", "count: 4") + "on: another\n")
    command = [sys.executable, "-m", "labkit", "run", "--params", "mine", "--params", "other", "--cluster", "local"]
    environ = base(path=os.environ["PATH"], LABKIT_HOME=os.environ["LABKIT_HOME"])
    more = {NOTES: str(desk / "notes.txt"), "TMPDIR": str(desk.parent / "tmp")}
    (desk.parent / "tmp").mkdir()
    with proc.start(command, env=environ | more, cwd=desk) as running:
        assert running.wait(180) == 0, running.output()[1].decode()
        out = running.output()[0].decode()
    assert Path(out.strip().splitlines()[-1]).is_file()
    found = [records.read(path) for path in desk.glob("runs/*/*/record.json")]
    assert sorted(record.parameters["count"] for record in found) == [3, 4]
    assert {done.status for record in found for done in record.notebooks} == {"done"}
    assert not list((desk.parent / "tmp").glob("labkit-cluster-*"))

    def left():
        return [one.pid for one in psutil.process_iter() if str(desk.parent / "tmp") in _tmp(one)]

    proc.wait_until(lambda: not left(), timeout_s=20, what="the end of the cluster's processes")


def _tmp(process):
    try:
        return process.environ().get("TMPDIR", "") if not gone(process.pid) else ""
    except psutil.Error:
        return ""


def identity(**changed):
    here = station.whoami()
    return msgspec.structs.replace(here, **changed)


class Scripted:
    """A carrier whose workers answer as they are told, so that each lie and each loss has its test."""

    def __init__(self, *answers):
        self.answers, self.sent, self.swept = list(answers), [], []
        self._arrived = []

    def send(self, key, _order, address, resources):
        self.sent.append((address, dict(resources)))
        self._arrived.append((key, self.answers.pop(0)))

    def arrived(self, _timeout_s):
        return self._arrived.pop(0) if self._arrived else None

    def drop(self, key):
        pass

    def end_leftovers(self, address, mark):
        self.swept.append((address, mark))


def one_task(desk, **given):
    profile(desk, "on: both\n", "mine")
    (chosen,) = lab.load_all("mine", only=["one"])
    batch = lab.plan([chosen], desk / "runs", placing=lambda _p, _m: [lab_place(**given)])
    (run,) = batch.runs
    run.folder.mkdir(parents=True)
    return Task(run, run.jobs[0])


def lab_place(**given):
    from labkit.lab.runs import Place, here

    found = here()
    return Place(machine=given.get("machine", found.machine), python_version=found.python_version)


@pytest.fixture
def executed(desk, tmp_path, monkeypatch):
    """A task, and the answer that a worker gives that executed it."""
    monkeypatch.setenv(NOTES, str(tmp_path / "notes.txt"))
    task = one_task(desk)
    done = lab.runs.execute_job(task.run, task.job, bar=False)
    content = (task.run.folder / done.file).read_bytes()
    (task.run.folder / done.file).unlink()
    answer = Answer(said=Said(identity=identity(), done=done), files=(a_file(done.file, content),))
    return task, answer


def a_file(name, content):
    return File(name=name, sha256=hashlib.sha256(content).hexdigest(), content=content)


def drive(task, *answers, addresses=("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"), **given):
    carrier = Scripted(*answers)
    workers = Workers(lambda: dict.fromkeys(addresses, Seen(1, {"both": 1})), lambda _address: identity())
    workers.refresh()
    proc.wait_until(lambda: not workers.waiting(), timeout_s=30, what="the workers' answers")
    ((_task, done),) = Driver(carrier, workers, patience_s=0.0).execute([task])
    return carrier, done


def said(answer, **changed):
    return msgspec.structs.replace(answer, said=msgspec.structs.replace(answer.said, **changed))


def ended_as(answer, **changed):
    return said(answer, done=msgspec.structs.replace(answer.said.done, **changed))


def machine_of(answer, **changed):
    here = answer.said.identity
    return said(
        answer, identity=msgspec.structs.replace(here, machine=msgspec.structs.replace(here.machine, **changed))
    )


LIES = {
    "tampered": lambda a: msgspec.structs.replace(
        a, files=(msgspec.structs.replace(a.files[0], content=a.files[0].content.replace(b"executed", b"exeduced")),)
    ),
    "no file": lambda a: msgspec.structs.replace(a, files=()),
    "a path": lambda a: msgspec.structs.replace(a, files=(a_file("../../one.ipynb", a.files[0].content),)),
    "one more": lambda a: msgspec.structs.replace(a, files=(*a.files, a_file("record.json", b"{}"))),
    "twice": lambda a: msgspec.structs.replace(a, files=a.files * 2),
    "no notebook": lambda a: msgspec.structs.replace(a, files=(a_file("one.ipynb", b"{}"),)),
    "other parameters": lambda a: msgspec.structs.replace(
        a, files=(a_file("one.ipynb", a.files[0].content.replace(b'"count": 3', b'"count": 4')),)
    ),
    "another machine": lambda a: machine_of(a, chip="Apple M1", id="apple-m1-8c-16g-macos14"),
    "another memory": lambda a: machine_of(a, memory_bytes=1),
    "another Python": lambda a: said(a, identity=msgspec.structs.replace(a.said.identity, python_version="3.9.9")),
    "another labkit": lambda a: said(a, identity=msgspec.structs.replace(a.said.identity, code="0" * 16)),
    "another notebook": lambda a: ended_as(a, id="0" * 16),
    "another source": lambda a: ended_as(a, sha256="0" * 64),
    "another name": lambda a: ended_as(a, name="two"),
    "nothing": lambda a: msgspec.structs.replace(a, said=None),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_was_not_asked_for_is_not_used_and_the_notebook_is_executed_elsewhere(executed, lie):
    task, answer = executed
    carrier, done = drive(task, lie(answer), answer)
    assert done.status is NotebookStatus.DONE
    assert len({address for address, _resources in carrier.sent}) == 2  # the liar gets nothing more
    assert carrier.sent[0][1] == {"both": 1}
    assert (task.run.folder / "one.ipynb").read_bytes() == answer.files[0].content
    assert [path.name for path in task.run.folder.iterdir() if path.name != "log.txt"] == ["one.ipynb"]


def test_a_notebook_that_nobody_executes_right_is_left_with_the_cause(executed):
    task, answer = executed
    _carrier, done = drive(task, LIES["tampered"](answer), LIES["nothing"](answer))
    assert done.status is NotebookStatus.INTERRUPTED
    assert "no worker with the label both is left" in done.cause
    assert "holds no result" in done.cause
    assert done.remedy
    assert not (task.run.folder / "one.ipynb").exists()


def test_a_worker_whose_labkit_changed_is_a_recorded_failure_with_its_remedy(executed):
    task, _answer = executed
    refused = Refusal(why="its labkit is another", remedy="install the same wheel", lasting=True)
    carrier, done = drive(
        task, Answer(said=Said(identity=identity(), refused=refused)), addresses=["tcp://127.0.0.1:1"]
    )
    assert done.cause.endswith("refused it: its labkit is another")
    assert done.remedy == "install the same wheel"
    assert len(carrier.sent) == 1


@pytest.mark.parametrize(
    "answer",
    [Answer(failed="the process died", remedy="free memory"), ClusterError("the worker failed", remedy="look")],
    ids=["its process", "itself"],
)
def test_a_notebook_that_always_ends_its_worker_is_failed_after_three_attempts(executed, answer):
    task, _answer = executed
    carrier, done = drive(task, answer, answer, answer)
    assert done.status is NotebookStatus.FAILED
    assert done.cause.startswith("3 attempts failed, the last one: ")
    assert done.remedy
    assert len({address for address, _resources in carrier.sent}) == 2  # elsewhere first


def duty_of(task, **changed):
    source = lab.shipped.notebook(task.job.name)
    given = {
        "request": b"",
        "name": task.job.name,
        "measures": False,
        "mark": "m",
        "timeout_s": 1.0,
        "notebook_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "parameters": station.parameters_digest(task.run.profile.parameters_of(task.job.name)),
        "labkit": labkit.__version__,
        "code": code(),
    }
    return Duty(**given | changed)


@pytest.mark.parametrize(
    ("changed", "why", "lasting"),
    [
        ({}, None, None),
        ({"labkit": "9.9"}, "its labkit is .* the driver's is 9.9", True),
        ({"code": "0" * 16}, "its labkit is .* with 0000", True),
        ({"notebook_sha256": "0" * 64}, "the notebook that came", False),
        ({"parameters": "0" * 16}, "the parameters that came", False),
        ({"machine": "another"}, "where another was expected", True),
        ({"id": "0" * 16}, "another one here", True),
    ],
    ids=["all agrees", "version", "code", "notebook", "parameters", "machine", "id"],
)
def test_a_worker_refuses_what_does_not_agree(desk, changed, why, lasting):
    task = one_task(desk)
    request = msgspec.json.decode(lab_worker.request(task.run, task.job), type=lab_worker.Request)
    if "machine" in changed:
        request = msgspec.structs.replace(
            request, machine=msgspec.structs.replace(request.machine, id=changed.pop("machine"))
        )
    if "id" in changed:
        from dataclasses import replace

        request = msgspec.structs.replace(request, job=replace(request.job, id=changed.pop("id")))
    found = station.refusal(duty_of(task, **changed), request, station.whoami())
    if why is None:
        assert found is None
    else:
        assert re.search(why, found.why)
        assert found.lasting is lasting
        assert found.remedy


def test_the_lock_of_the_cores_lets_one_that_measures_be_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cores.token() == cores.token()
    assert len(cores.token()) == 32
    with cores.held(alone=False, wanted=lambda: False) as one, cores.held(alone=False, wanted=lambda: False) as two:
        assert one
        assert two
        with cores.held(alone=True, wanted=lambda: False) as three:
            assert not three
    with cores.held(alone=True, wanted=lambda: False):
        assert cores.token()  # a station says who it is while its worker holds the lock for it
    with cores.held(alone=True, wanted=lambda: False) as four, cores.held(alone=False, wanted=lambda: False) as five:
        assert four
        assert not five


@pytest.mark.parametrize(
    ("chip", "label", "fits"),
    [
        ("Apple M1", "M1", True),
        ("Apple M1 Ultra", "m1", True),
        ("Apple M2 Pro", "M2", True),
        ("Apple M2 Pro", "M1", False),
        ("Apple M10", "M1", False),
        ("AMD EPYC", "M3", False),
        (None, "M3", False),
        ("AMD EPYC", "bench", True),
        (None, None, True),
    ],
)
def test_a_label_that_names_a_chip_is_believed_from_such_a_chip_alone(chip, label, fits):
    from labkit.cluster.workers import Worker

    here = identity()
    here = msgspec.structs.replace(here, machine=msgspec.structs.replace(here.machine, chip=chip))
    found = Worker(address="tcp://127.0.0.1:1", seen=Seen(1, {label or "x": 1.0}), identity=here)
    assert (found.unfit(label) is None) is fits
