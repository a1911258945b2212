"""Runs in which every text is a payload, and what looks whether a page did anything; no test itself."""

import itertools
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import msgspec

from labkit.claims import own
from labkit.model.claims import CheckError, ClaimResult, ClaimsRecord, FactUse
from labkit.model.run import TrapsSection
from labkit.model.traps import TrapOutcome, TrapsReport
from labkit.site import figures
from labkit.system import records
from tests.browser import payloads
from tests.browser.synthetic import finding, machine, made, record

ADDRESSES = (
    "javascript:RUN", "data:text/html,<script>RUN</script>", "//example.org/x", " https://example.org/x",
    "https://example.org/'onclick='RUN", 'https://example.org/"onmouseover="RUN', "vbscript:RUN", "file:///etc/hosts",
)  # fmt: skip
#: How many payloads one field holds: few, so that each stands in many.
AT_ONCE = 3
WHOLE_FIGURE = {
    "data": [
        {"type": "bar", "x": [3, 1, 2], "y": ["one", "two <b>b</b>", "three"], "orientation": "h", "name": "kept"}
    ],
    "layout": {
        "title": {"text": "Harmless"},
        "annotations": [{"text": "<a href='https://example.org/kept'>kept</a>", "x": 1, "y": 0, "showarrow": False}],
    },
}
WHOLE_TABLE = (
    "<table class='dataframe'><thead><tr><th>tool</th></tr></thead><tbody><tr><td style='color: red'>protoc</td></tr>"
    "</tbody></table><p>a <b>kept</b> <a href='https://example.org/kept'>link</a>"
    " <img alt='dot' src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg+M9QDwADgQGAWtsR1gAAAABJRU5ErkJggg=='></p>"  # noqa: E501
)
CODE = "print('<script>canary(/code/.source)</script>')  # </pre></details><img src=x: onerror=canary(/code/.source)>"
MIMES = (
    "text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml", "image/png", "application/javascript",
    "application/json", "application/pdf", "application/geo+json", "application/vdom.v1+json",
    "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json",
    "application/vnd.vega.v6+json", "application/vnd.vegalite.v6+json", "application/x-unheard-of",
)  # fmt: skip
_STRUCTURED = {
    "application/vdom.v1+json": lambda text: {"tagName": "div", "attributes": {"onclick": text}, "children": [text]},
    "application/geo+json": lambda text: {"type": "Feature", "geometry": None, "properties": {text: text}},
    "application/vnd.jupyter.widget-view+json": lambda text: {"model_id": text, "version_major": 2},
    "application/json": lambda text: {text: [text]},
    "application/vnd.vega.v6+json": lambda text: {"data": [{"url": "https://example.org/vega", "name": text}]},
    "application/vnd.vegalite.v6+json": lambda text: {"data": {"url": "https://example.org/vega"}, "mark": text},
    "application/vnd.jupyter.widget-state+json": lambda text: {"state": {text: {"state": {"value": text}}}},
}


def spoilt(value, turn, *, keep=()):
    """Return a record in which every text is the next payloads of ``turn``; enumerations and fields of ``keep`` stay."""  # noqa: E501
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return "".join(itertools.islice(turn, AT_ONCE))
    if isinstance(value, tuple):
        return tuple(spoilt(one, turn, keep=keep) for one in value)
    if isinstance(value, Mapping):
        return {next(turn): spoilt(inner, turn, keep=keep) for inner in value.values()}
    if isinstance(value, msgspec.Struct):
        changed = {
            name: spoilt(getattr(value, name), turn, keep=keep) for name in value.__struct_fields__ if name not in keep
        }
        return msgspec.structs.replace(value, **changed)
    return value


def judged(id_, chapter, verdict):
    """Return a statement with all that one may have."""
    text = {"id": "claims.kind.output", "values": {"a": "b"}}
    case = {"facts": {"os": "linux"}, "witness": "seen", "holds": True}
    known = {
        "confirmed": {},
        "refuted": {},
        "conditional": {"condition": {"predicate": text, "holds": [case], "fails": [case]}},
        "untested": {
            "untested": {"reason": text, "would_test": text, "tried": ["this"]},
            "confirmed_on_hardware": False,
        },
    }[verdict]
    evidence = [{"kind": "output", "text": "said", "source": "a tool", "provenance": "synthetic"}]
    parts = [{"part": part, "verdict": verdict, "evidence": evidence, "instead": text} | known for part in "ab"]
    return made(
        ClaimResult, id=id_, chapter=chapter, verdict=verdict, bound=True, judged_parts=2, all_parts=2, parts=parts,
        date="2026-11-24", command="labkit claims", method="by hand", facts=["a fact"], tools={"go": "1.2.3"},
    )  # fmt: skip


def claims_record(turn):
    """Return a run over the ledger whose texts are payloads; every other statement keeps its id and so its wording."""
    verdicts = itertools.cycle(("confirmed", "refuted", "conditional", "untested"))
    found = [
        judged(each.id, each.chapter, verdict) for each, verdict in zip(own().statements[::6], verdicts, strict=False)
    ]
    kept = [spoilt(each, turn, keep=("id", "chapter") if at % 2 else ()) for at, each in enumerate(found)]
    plain = made(
        ClaimsRecord, machine=machine(), date="2026-11-24", toolchain="0", ledger_digest="0",
        facts=[made(FactUse, name="a fact", date="now", digest="0")],
        errors=[made(CheckError, id="1.01", what="it fell", remedy="again")],
    )  # fmt: skip
    return msgspec.structs.replace(spoilt(plain, turn), claims=tuple(kept))


def plain_claims():
    """Return the same run over the ledger, harmless."""
    verdicts = itertools.cycle(("confirmed", "refuted", "conditional", "untested"))
    found = [
        judged(each.id, each.chapter, verdict) for each, verdict in zip(own().statements[::12], verdicts, strict=False)
    ]
    return made(ClaimsRecord, machine=machine(), date="2026-11-24", claims=found)


def traps_section(turn):
    """Return what traps saw, their logs and texts payloads."""
    text = {"id": "traps.none_run"}
    steps = [{"kind": "fix", "command": "curl", "output": "502", "seen": True, "text": text, "facts": {"a": "b"}}]
    cases = [{"id": "one", "status": "fail", "text": text, "output": "log", "reason": text, "facts": {"leaves": "x"}}]
    trap = made(
        TrapOutcome, id="http502", status="fail", title=text, symptom="502", cause=text, fix=text, reason=text,
        steps=steps, cases=cases, versions={"nginx": "1"}, notes=[text], sources=["https://example.org"],
    )  # fmt: skip
    report = msgspec.structs.replace(
        made(TrapsReport, machine=machine(), taken_at="now"),
        traps=(spoilt(trap, turn), spoilt(trap, turn, keep=("id",))),
    )
    return TrapsSection(chosen=next(turn), report=report)


def spoilt_record():
    """Return a run's record with everything in it, as somebody who means ill could have written it."""
    plain = records.read(Path("tests/golden/record-1.json").absolute())
    turn = itertools.cycle(payloads.texts().values())
    written = spoilt(plain, turn, keep=("file", "started_at"))
    every = [
        finding(
            f"f{at} {text}", "fail", link=payloads.filled(link, "link"), reason={"id": text, "values": {text: text}}
        )
        for at, (text, link) in enumerate(zip(payloads.texts().values(), itertools.cycle(ADDRESSES), strict=False))
    ]
    files = ("outputs.ipynb", "texts.ipynb", "figures.ipynb", "../x")
    return msgspec.structs.replace(
        written,
        run="20261123-140000-0123abcd",
        parameters={text: text for text in payloads.texts().values()},
        claims=claims_record(turn),
        traps=traps_section(turn),
        install=msgspec.structs.replace(written.install, findings=(*written.install.findings, *every)),
        notebooks=tuple(
            msgspec.structs.replace(each, file=file) for each, file in zip(written.notebooks, files, strict=True)
        ),
    )


def _cell(*outputs, source=CODE, **more):
    return {"cell_type": "code", "source": source, "outputs": outputs, "execution_count": 1, "metadata": {}} | more


def _shown(mime, text):
    return {
        "output_type": "display_data",
        "metadata": {mime: {"isolated": text}},
        "data": {mime: _STRUCTURED.get(mime, str)(text)},
    }


def _figure(data, layout):
    return _shown(
        figures.MIME, {"data": data, "layout": layout, "config": {"plotlyServerURL": "https://example.org/s"}}
    )


_STRUCTURED[figures.MIME] = lambda figure: figure
HARMLESS = (
    {"cell_type": "markdown", "source": "# Harmless\n\nKept **bold**.\n\n```python\nimport os\n```", "metadata": {}},
    _cell(_shown("text/html", WHOLE_TABLE), _figure(**WHOLE_FIGURE)),
    _cell({"output_type": "stream", "name": "stdout", "text": "\x1b[31mkept red\x1b[0m"}),
)


def notebook_of_outputs(some=None):
    """Return a notebook with every payload in an output of every MIME type."""
    cells = [_cell(*(_shown(mime, text) for mime in MIMES)) for text in payloads.texts(some).values()]
    return _book(*HARMLESS, *cells)


def notebook_of_texts(some=None):
    """Return a notebook with every payload as prose, source, stream, error, attachment and raw cell."""
    cells = []
    for text in payloads.texts(some).values():
        error = {"output_type": "error", "ename": text, "evalue": text, "traceback": [text, text]}
        streams = [{"output_type": "stream", "name": name, "text": text} for name in ("stdout", "stderr", text)]
        cells += [
            {"cell_type": "raw", "source": text, "metadata": {"format": text}},
            _cell(*streams, error, source=text, id=text),
            {"cell_type": "markdown", "source": f"- one\n\n{text}", "metadata": {}, "attachments": _attached(text)},
            {"cell_type": "markdown", "source": text, "metadata": {}, "attachments": _attached(text)},
        ]
    return _book(*HARMLESS, *cells)


def _attached(text):
    return {name: {"image/svg+xml": text, "image/png": f'"{text}'} for name in ("x.svg", text, '"onerror="RUN')}


def notebook_of_figures():
    """Return a notebook with plotly's payloads, and one figure with every payload as a text of each kind."""
    every = [*payloads.texts().values()]
    many = {
        "type": "bar",
        "y": every,
        "x": [*range(1, 1 + len(every))],
        "orientation": "h",
        "text": every,
        "hovertext": every,
    }
    notes = [{"text": text, "x": 1, "y": position, "hovertext": text} for position, text in enumerate(every)]
    named = [{"type": "scatter", "x": [1], "y": [1], "name": text} for text in every[::4]]
    odd = [payloads.filled(figure, name) for name, figure in payloads.FIGURES.items()]
    title = {"text": every[0] + "<br>".join(every[-9:])}
    return _book(
        *HARMLESS, _cell(_figure([many], {"annotations": notes[:40], "title": title, "yaxis": {"title": every[1]}})),
        _cell(_figure(named, {"legend": {"title": {"text": every[3]}}})), *(_cell(_figure(*each)) for each in odd),
    )  # fmt: skip


def _book(*cells):
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {}, "title": "</title>"}, "cells": cells}
    )


def run_folders(place, some=None):
    """Write two runs' folders below ``place``: one of payloads and a plain one, and return them."""
    folder = place / "spoilt"
    folder.mkdir(parents=True)
    records.write(folder / "record.json", spoilt_record())
    (folder / "outputs.ipynb").write_text(notebook_of_outputs(some), "utf-8")
    (folder / "texts.ipynb").write_text(notebook_of_texts(some), "utf-8")
    (folder / "figures.ipynb").write_text(notebook_of_figures(), "utf-8")
    plain = place / "plain"
    plain.mkdir()
    records.write(plain / "record.json", record(notebooks=()))
    return [folder, plain]


#: Everything a reader could touch is touched; links to the web are not followed, for they may stand.
TOUCH = """async () => {
  const skip = new Set(['lk-head', 'lk-find', 'lk-tools']);
  for (const at of document.querySelectorAll('details')) at.open = true;
  for (const at of [...document.querySelectorAll('body *')]) {
    if (at.closest('.lk-head, .lk-find, .lk-tools')) continue;
    for (const kind of ['pointerover', 'mouseover', 'mouseenter', 'focus', 'pointerdown'])
      at.dispatchEvent(new Event(kind, {bubbles: kind !== 'focus'}));
    const address = at.getAttribute('href') ?? at.getAttribute('xlink:href') ?? '';
    if (at.localName === 'a' ? !/^(https?:|mailto:|[\\w.\\/-]*(#|$))/.test(address) : /^(button|area|input|p)$/.test(at.localName))
      at.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
  }
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""  # noqa: E501

#: What stands on a page that may not: names of elements, attributes, addresses, ids, classes, places.
FAULTS = """() => {
  const found = [];
  const own = new Set(['lk-scroll', 'lk-short', 'lk-long', 'lk-formula']);
  const wrong = 'iframe, frame, frameset, object, embed, form, base, applet, portal, audio, video, template, math:not([alttext]), '
    + 'math :is(a, annotation, annotation-xml, semantics, maction, mglyph, style, img, svg), '
    + 'math :is([href], [style], [id], [class], [src], [actiontype]), '
    + 'foreignObject, marquee, plaintext, xmp, area, meta[http-equiv=refresh], link[rel=preload], link[rel=prefetch], '
    + 'main style, main link, main meta, main script:not([type="application/json"]), body > script, '
    + '.lk-prose input, .lk-prose svg, .lk-prose button, .lk-prose [id]:not([id^="s-"]), main [name], '
    + '[srcdoc], [formaction], [ping], [srcset], [background], main [autofocus], main [popover]';
  for (const at of document.querySelectorAll(wrong)) found.push('element ' + at.outerHTML.slice(0, 90));
  const furniture = '.lk-prose *, .lk-text *, .lk-said *, td *, .lk-code pre *';
  for (const at of document.querySelectorAll('*')) {
    for (const each of at.attributes) {
      if (/^on/i.test(each.name)) found.push('handler ' + at.outerHTML.slice(0, 90));
      if (/^(href|src|xlink:href|action|poster|data)$/i.test(each.name)
          && /^\\W*(javascript|vbscript|data:text|data:image\\/svg[^;]*,|blob|filesystem|file|\\/\\/|\\\\)/i.test(each.value.replace(/[\\s\\x00-\\x1f]/g, '')))
        found.push('address ' + at.outerHTML.slice(0, 90));
      if (each.name === 'style' && /url\\(/i.test(each.value) && !/url\\((&quot;|["'])?#/i.test(each.value) && !/url\\(["']?file:[^)]*#clip/i.test(each.value))
        found.push('style ' + at.outerHTML.slice(0, 90));
    }
  }
  for (const at of document.querySelectorAll('.lk-prose *, .lk-text *')) {
    const style = getComputedStyle(at);
    if (!['static', 'relative'].includes(style.position)) found.push('place ' + at.outerHTML.slice(0, 90));
    for (const each of at.classList) if (/^(lk-|plotly|modebar|js-)/.test(each) && !own.has(each)) found.push('class ' + at.outerHTML.slice(0, 90));
  }
  if (Object.prototype.polluted !== undefined) found.push('prototype');
  for (const name of ['getElementById', 'querySelector', 'body', 'documentElement'])
    if (document[name] instanceof HTMLCollection || document[name]?.localName === 'img') found.push('clobbered ' + name);
  return found;
}"""  # noqa: E501
