"""What is taken out of HTML that others wrote, and what stays."""

from html.parser import HTMLParser

import pytest

from labkit.site.sanitise import clean

#: Each tries to run code, to load something, to send something, or to look like a part of the page.
PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "script in capitals": "<ScRiPt>alert(1)</sCrIpT>",
    "script torn apart": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "script from elsewhere": '<script src="https://example.org/x.js"></script>',
    "event handler": '<img src=x onerror="alert(1)">',
    "event handler without quotes": "<b onclick=alert(1)>x</b>",
    "event handler after a slash": "<img/src=x/onerror=alert(1)>",
    "body handler": "<body onload=alert(1)>",
    "details handler": "<details open ontoggle=alert(1)>",
    "javascript link": '<a href="javascript:alert(1)">x</a>',
    "javascript link in entities": '<a href="&#106;avascript&colon;alert(1)">x</a>',
    "javascript link with a tab": '<a href="java\tscript:alert(1)">x</a>',
    "javascript link after a control character": '<a href="\x01javascript:alert(1)">x</a>',
    "vbscript link": '<a href="vbscript:msgbox(1)">x</a>',
    "data link": '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "link without a scheme": '<a href="//example.org/x">x</a>',
    "iframe": '<iframe src="https://example.org"></iframe>',
    "iframe srcdoc": '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "object": '<object data="https://example.org/x.swf"></object>',
    "embed": '<embed src="https://example.org/x.swf">',
    "form": '<form action="https://example.org"><input name=a><button>send</button></form>',
    "image from elsewhere": '<img src="https://example.org/pixel.png">',
    "image of an svg": '<img src="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=">',
    "picture source": '<picture><source srcset="https://example.org/x.png"></picture>',
    "srcset": '<img srcset="https://example.org/x.png 2x">',
    "svg script": "<svg><script>alert(1)</script></svg>",
    "svg handler": "<svg onload=alert(1)></svg>",
    "svg link": '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "svg animate": "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "mathml": "<math><mtext><table><mglyph><style><img src onerror=alert(1)></style></mglyph></table></mtext></math>",
    "noscript": '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "template": "<template><script>alert(1)</script></template>",
    "comment": "<!--><script>alert(1)</script>-->",
    "conditional comment": "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "style element": "<style>@import url(https://example.org/x.css)</style>",
    "style with a url": '<p style="background-image: url(https://example.org/x.png)">x</p>',
    "style over the page": '<p style="position: fixed; top: 0; z-index: 9">x</p>',
    "link element": '<link rel=stylesheet href="https://example.org/x.css">',
    "meta refresh": '<meta http-equiv=refresh content="0;url=https://example.org">',
    "base": '<base href="https://example.org/">',
    "video": '<video src="https://example.org/x.mp4" onerror=alert(1)></video>',
    "audio": "<audio src=x onerror=alert(1)></audio>",
    "marquee": "<marquee onstart=alert(1)>x</marquee>",
    "id": '<p id="error">x</p>',
    "name": '<a name="Plotly">x</a>',
    "the site's own class": '<p class="lk-badge lk-badge-measured">measured</p>',
    "plotly's own class": '<div class="plotly-notifier">over the page</div>',
    "the site's own data": '<div data-figure data-failed="x"></div>',
    "tabindex": "<p tabindex=1 autofocus onfocus=alert(1)>x</p>",
    "plaintext": "<plaintext><script>alert(1)</script>",
    "xmp": "<xmp><script>alert(1)</script></xmp>",
    "title breakout": "<title><script>alert(1)</script></title>",
    "textarea breakout": "<textarea></textarea><script>alert(1)</script>",
    "attribute breakout": '<p title="&quot;><script>alert(1)</script>">x</p>',
    "unclosed tag": "<img src=x onerror=alert(1) ",
    "zero byte": "<scr\x00ipt>alert(1)</scr\x00ipt>",
}  # fmt: skip
HARMLESS = {"class": {"lk-scroll"}, "role": {"group"}, "tabindex": {"0"}, "rel": {"noopener noreferrer nofollow"}}


class Seen(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.attributes = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_nothing_that_runs_loads_or_poses_stays(payload):
    cleaned = str(clean(f"before {payload} after"))
    seen = Seen(cleaned)
    assert not {"script", "style", "iframe", "object", "embed", "form", "input", "button", "svg", "math"} & {*seen.tags}
    assert not {"link", "meta", "base", "video", "audio", "template", "noscript", "source", "title"} & {*seen.tags}
    for _, name, value in seen.attributes:
        assert name in {"alt", "title", "style", "open"} or value in HARMLESS.get(name, ()), cleaned
        assert name != "style" or "url" not in value
        assert name != "style" or "position" not in value
    assert "before" in cleaned


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_cleaning_again_finds_nothing_more(payload):
    once = str(clean(payload))
    assert Seen(str(clean(once))).tags == Seen(once).tags


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">x</a>',
        '<a href="mailto:someone@example.org">x</a>',
        '<a href="#s-verdict">x</a>',
        '<a href="02_codegen.html">x</a>',
        '<img alt="a dot" src="data:image/png;base64,iVBORw0KGgo="/>',
        '<p style="color: red; text-align: right;">x</p>',
        "<details><summary>more</summary>x</details>",
        '<pre class="labkit-source" tabindex="0">a &lt; b</pre>',
        '<div class="highlight"><span class="kn">import</span></div>',
        "<b>bold</b> <em>em</em> <code>code</code> <sup>2</sup>",
        "a &lt;script&gt; that is only named",
    ],
)
def test_harmless_html_is_kept(html):
    assert str(clean(html)) == html


def test_a_pandas_table_is_kept_and_scrolls():
    import pandas as pd

    frame = pd.DataFrame({"tool": ["go", "<b>protoc</b>"], "n": [1, 2]})
    cleaned = str(clean(frame.to_html(index=False)))
    assert cleaned.startswith('<div class="lk-scroll" role="group" tabindex="0"><table')
    assert ">tool</th>" in cleaned
    assert "&lt;b&gt;protoc&lt;/b&gt;" in cleaned
    assert "dataframe" in cleaned


def test_a_styled_pandas_table_loses_its_style_sheet_but_no_value():
    html = (
        '<style>#T_1 td {color: red}</style><table id="T_1"><tr><td id="T_1_row0" class="data row0">7</td></tr></table>'
    )
    cleaned = str(clean(html))
    assert "color" not in cleaned
    assert ">7</td>" in cleaned


@pytest.mark.parametrize(
    ("text", "kind"),
    [("protoc-gen-go-grpc", "lk-short"), ("a sentence of thirty letters, so", None), ("long " * 20, "lk-long")],
    ids=["a name", "a phrase", "a text"],
)
def test_a_cell_is_sized_by_its_text(text, kind):
    cleaned = str(clean(f'<table><tr><td class="data">{text}</td></tr></table>'))
    assert f'<td class="data{"" if kind is None else " " + kind}">' in cleaned


def test_an_image_that_may_not_be_loaded_is_said():
    assert str(clean('<img src="https://example.org/x.png" alt="the flame graph">')) == "[the flame graph]"


def test_headings_get_ids_once_a_page():
    ids = set()
    first = str(clean("<h2>How fast is it?</h2>", ids=ids))
    again = str(clean("<h2>How fast is it?</h2><h2>多快</h2>", ids=ids))
    assert 'id="s-how-fast-is-it"' in first
    assert "s-how-fast-is-it" not in again
    assert 'id="s-多快"' in again
    assert "id=" not in str(clean("<h2>Output</h2>"))
