"""docs/inspect.md says what the rules say; LABKIT_UPDATE_DOCS=1 writes its table anew."""

import os
from pathlib import Path

from labkit.binary.judging import rules

_PAGE = Path(__file__).parent.parent / "docs" / "inspect.md"
_BEGIN, _END = "<!-- rules: begin -->\n", "<!-- rules: end -->"


def _table():
    lines = ["| rule | runs | confirmed on | source |", "|---|---|---|---|"]
    for id_, rule in rules().items():
        confirmed = ", ".join(rule["confirmed_on"]) or "no machine"
        lines.append(f"| `{id_}` | {rule['runs']} | {confirmed} | {rule['source']} |")
    return "\n".join(lines) + "\n"


def test_the_page_lists_every_rule_with_its_source():
    page = _PAGE.read_text("utf-8")
    head, rest = page.split(_BEGIN)
    _, tail = rest.split(_END)
    wanted = head + _BEGIN + _table() + _END + tail
    if os.environ.get("LABKIT_UPDATE_DOCS"):
        _PAGE.write_text(wanted, "utf-8")
    assert _PAGE.read_text("utf-8") == wanted


def test_the_page_names_every_field_of_the_record():
    from labkit.model.binary import Binary, GoInfo, Signature, Slice, Verdict

    page = _PAGE.read_text("utf-8")
    for record in (Binary, GoInfo, Signature, Slice, Verdict):
        missing = [name for name in record.__struct_fields__ if f"`{name}`" not in page]
        assert not missing, (record.__name__, missing)
