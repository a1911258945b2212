"""A batch told to machines and to people: JUnit XML, Markdown, and GitHub's annotations.

JUnit: a suite a run, a case a notebook with its cause when it failed, and a case a finding that failed. What is not XML
(control characters in a program's words) is left out.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from labkit.model.check import Finding, Status
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.words import Language, render

#: Characters that XML 1.0 has no way to write.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def findings(record: RunRecord) -> tuple[Finding, ...]:
    """Return the findings that a record's gate would look at."""
    sections = (record.install, record.codegen, record.binaries, record.debugging)
    return tuple(finding for section in sections if section is not None for finding in section.findings)


def junit(records: Sequence[RunRecord]) -> str:
    """Return JUnit XML, as CI servers read it; times are in seconds."""
    root = ET.Element("testsuites", name="labkit")
    for record in records:
        _suite(root, record)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, record: RunRecord) -> None:
    suite = ET.SubElement(root, "testsuite", name=record.run, timestamp=record.started_at)
    properties = ET.SubElement(suite, "properties")
    about = {
        "machine": record.machine.id,
        "chip": record.machine.chip or "",
        "labkit": record.labkit_version,
        "profile": record.params_name,
        "repeat": str(record.repeat),
        **{f"parameter.{name}": str(value) for name, value in record.point.items()},
    }
    for name, value in about.items():
        ET.SubElement(properties, "property", name=name, value=_xml(value))
    for notebook in record.notebooks:
        _notebook_case(suite, notebook)
    for finding in findings(record):
        _finding_case(suite, finding)
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, element in counts.items():
        suite.set(name, str(len(suite.findall(f"testcase/{element}"))))
    suite.set("time", f"{sum(one.wall_time_s for one in record.notebooks):.3f}")


def _notebook_case(suite: ET.Element, notebook: NotebookRun) -> None:
    case = _case(suite, "notebooks", notebook.name, notebook.wall_time_s)
    if notebook.status is NotebookStatus.FAILED:
        _told(case, "error", notebook.cause or "it did not complete", notebook.remedy or "")
    elif notebook.status is NotebookStatus.INTERRUPTED:
        ET.SubElement(case, "skipped", message=_xml(notebook.cause or "interrupted"))
    elif notebook.carried_from:
        out = ET.SubElement(case, "system-out")
        out.text = _xml(f"carried over from {notebook.carried_from} ({notebook.carried_at})")


def _finding_case(suite: ET.Element, finding: Finding) -> None:
    case = _case(suite, "findings", finding.id, 0.0)
    if finding.status is Status.FAIL:
        _told(case, "failure", _title(finding), _remedy(finding))
    elif finding.status is Status.SKIP:
        reason = render(finding.reason, Language.ENGLISH) if finding.reason is not None else ""
        ET.SubElement(case, "skipped", message=_xml(reason))


def markdown(records: Sequence[RunRecord]) -> str:
    """Return a table of the runs, and below it what did not complete and which findings failed."""
    lines = [
        "| run | machine | notebooks | carried over | failing findings |",
        "|---|---|---|---|---|",
    ]
    for record in records:
        done = [one for one in record.notebooks if one.status is NotebookStatus.DONE]
        point = ", ".join(f"{name}: {value}" for name, value in record.point.items())
        lines.append(
            f"| {_cell(record.params_name)}{f' ({_cell(point)})' if point else ''}"
            f"{f' no. {record.repeat}' if record.repeat > 1 else ''} | {_cell(record.machine.id)} "
            f"| {len(done)} of {len(record.notebooks)} done | {sum(bool(one.carried_from) for one in done)} "
            f"| {sum(one.status is Status.FAIL for one in findings(record))} |"
        )
    broken = [(record, one) for record in records for one in record.notebooks if one.cause]
    if broken:
        lines += ["", "**Not complete**", ""]
        lines += [f"- `{one.name}` of `{record.run}`: {_cell(_cause(one))}" for record, one in broken]
    failing = [(record, one) for record in records for one in findings(record) if one.status is Status.FAIL]
    if failing:
        lines += ["", "**Failing findings**", ""]
        lines += [f"- `{one.id}` on {_cell(record.machine.id)}: {_cell(_title(one))}" for record, one in failing]
    return "\n".join([*lines, ""])


def annotations(records: Sequence[RunRecord]) -> Iterable[str]:
    """Yield GitHub's workflow commands: an error a notebook that did not complete, a warning a finding that failed."""
    for record in records:
        for one in record.notebooks:
            if one.cause:
                yield f"::error title={_property(f'{one.name} did not complete')}::{_message(_cause(one))}"
        for finding in findings(record):
            if finding.status is Status.FAIL:
                told = f"{_title(finding)} {_remedy(finding)}".strip()
                yield f"::warning title={_property(finding.id)}::{_message(told)}"


def _case(suite: ET.Element, group: str, name: str, time_s: float) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=group, name=_xml(name), time=f"{time_s:.3f}")


def _told(case: ET.Element, kind: str, message: str, more: str) -> None:
    element = ET.SubElement(case, kind, message=_xml(message))
    element.text = _xml(more)


def _title(finding: Finding) -> str:
    return render(finding.title, Language.ENGLISH)


def _remedy(finding: Finding) -> str:
    return render(finding.remedy.text, Language.ENGLISH) if finding.remedy is not None else ""


def _cause(notebook: NotebookRun) -> str:
    return f"{notebook.cause} ({notebook.remedy})" if notebook.remedy else str(notebook.cause)


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)


def _cell(text: str) -> str:
    """Return text that stays in its cell and is no markup."""
    escaped = re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;")


def _message(text: str) -> str:
    # https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
