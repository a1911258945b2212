"""What others could write into a record, a notebook or a benchmark's text so that a page does something; data, no test.

``RUN`` stands for JavaScript that tells the test its payload's id, ``URL`` for an address that no page may ask for.
``PAYLOADS`` is put as it stands into each place that takes text; ``FIGURES`` are plotly's, ``TERMINAL`` a terminal's.
"""

RUN = "RUN"
URL = "URL"

_SCRIPTS = {
    "script": "<script>RUN</script>",
    "script in capitals": "<ScRiPt\n>RUN</sCrIpT >",
    "script torn apart": "<scr<script>ipt>RUN</scr</script>ipt>",
    "script after a closed one": "</script><script>RUN</script>",
    "script after a closed title": "</title></textarea></style></noscript></template></select><script>RUN</script>",
    "script as a module": "<script type=module>RUN</script>",
    "script from elsewhere": "<script src='URL'></script>",
    "script with a slash": "<script/x>RUN</script>",
    "script in a comment that was closed": "<!--><script>RUN</script>-->",
    "script after a comment's other end": "<!-- --!><script>RUN</script>",
    "script in CDATA": "<![CDATA[><script>RUN</script>]]>",
    "script behind a processing instruction": "<?x ><script>RUN</script>?>",
    "script with a zero byte": "<scr\x00ipt>RUN</scr\x00ipt><svg><script>RUN</script></svg>",
    "script out of an attribute": "'\"><script>RUN</script>",
    "script out of JSON": '"}]}</script><script>RUN</script>',
    "script out of a string": "';RUN;//\";RUN;//`;RUN;//</script><script>RUN</script>",
    "template literal": "${RUN}{{RUN}}{%RUN%}<img src=x: onerror=RUN>",
    "line separators": "\u2028RUN\u2029<img src=x: onerror=RUN>",
}
_HANDLERS = {
    "image error": "<img src=x: onerror=RUN>",
    "image error with slashes": "<img/src=x:/onerror=RUN>",
    "image error with a form feed": "<img\x0csrc=x:\x0conerror=RUN>",
    "image error in entities": "<img src=x: onerror=&#x52;UN&semi;>".replace("&#x52;UN", "RUN"),
    "image error after a broken attribute": '<img "="><img src="x:`" `<script>"` onerror=RUN>',
    "image load": "<img src=data:image/gif;base64,R0lGODlhAQABAAAAACw= onload=RUN onerror=RUN>",
    "image that is not closed": "<img src=x: onerror=RUN //",
    "image spelt image": "<image src=x: onerror=RUN>",
    "picture": "<picture><source srcset=x:><img onerror=RUN></picture>",
    "video source": "<video><source onerror=RUN></video>",
    "audio": "<audio src=x: onerror=RUN>",
    "details": "<details open ontoggle=RUN>x</details>",
    "focus": "<input autofocus onfocus=RUN>",
    "focus on a div": "<div tabindex=1 autofocus onfocus=RUN>x</div>",
    "pointer": "<p onpointerover=RUN onmouseover=RUN onclick=RUN>touch</p>",
    "style and animation": "<style>@keyframes k{}</style><p style='animation-name:k' onanimationstart=RUN>x</p>",
    "marquee": "<marquee onstart=RUN>x</marquee>",
    "body": "<body onload=RUN onpageshow=RUN>",
    "svg load": "<svg onload=RUN>",
    "svg load with slashes": "<svg/onload=RUN>",
    "svg animation": "<svg><animate onbegin=RUN attributeName=x dur=1s></svg>",
    "svg style load": "<svg><style onload=RUN></style></svg>",
    "object": "<object data=x: onerror=RUN></object>",
    "embedded object": "<embed src='javascript:RUN'>",
    "content visibility": "<p oncontentvisibilityautostatechange=RUN style='content-visibility:auto;display:block'>x</p>",  # noqa: E501
    "scroll snap": "<a onbeforetoggle=RUN popovertarget=p>x</a><p popover id=p onbeforetoggle=RUN>x</p>",
}
_LINKS = {
    "link": "<a href='javascript:RUN'>press</a>",
    "link in capitals": "<a href='JaVaScRiPt:RUN'>press</a>",
    "link in entities": "<a href='&#106;avascript&colon;RUN'>press</a>",
    "link in long entities": "<a href='&#0000106&#x0061;vascript:RUN'>press</a>",
    "link with a tab": "<a href='java\tscript:RUN'>press</a>",
    "link with an entity's newline": "<a href='java&NewLine;script&colon;RUN'>press</a>",
    "link after a control character": "<a href='\x01javascript:RUN'>press</a>",
    "link after a space": "<a href=' &nbsp;javascript:RUN'>press</a><a href='  javascript:RUN'>press</a>",
    "link with a comment": "<a href='javascript://%0aRUN'>press</a>",
    "link in vbscript": "<a href='vbscript:RUN'>press</a>",
    "link to data": "<a href='data:text/html,<script>RUN</script>'>press</a>",
    "link to a blob": "<a href='blob:https://example.org/x'>press</a><a href='filesystem:x'>press</a>",
    "link without a scheme": "<a href='//example.org/x'>press</a><a href='\\\\example.org\\x'>press</a>",
    "link that pings": "<a href='#x' ping='URL'>press</a>",
    "link in svg": "<svg><a xlink:href='javascript:RUN'><text y=20>press</text></a></svg>",
    "link in svg by animation": "<svg><a><animate attributeName=href values='javascript:RUN'/><text y=20>x</text></a></svg>",  # noqa: E501
    "link in mathml": "<math href='javascript:RUN'><mi>press</mi></math>",
    "image map": "<map name=m><area href='javascript:RUN' coords=0,0,9,9></map>",
    "form": "<form action='javascript:RUN'><button>press</button></form>",
    "form's button": "<form><button formaction='javascript:RUN'>press</button></form>",
    "form's other button": "<button form=f formaction='javascript:RUN'>press</button><form id=f></form>",
    "form elsewhere": "<form action='URL' method=post><input name=a value=b><input type=submit></form>",
    "select": "<select><option>x</select><isindex action='javascript:RUN' type=submit>",
}
_FRAMES = {
    "frame": "<iframe src='javascript:parent.RUN'></iframe>",
    "frame from elsewhere": "<iframe src='URL'></iframe>",
    "frame with a document": "<iframe srcdoc='<script>RUN</script>'></iframe>",
    "frame with a document in entities": "<iframe srcdoc='&lt;img src=x: onerror=RUN&gt;'></iframe>",
    "frame of data": "<iframe src='data:text/html,<script>RUN</script>'></iframe>",
    "object of data": "<object data='data:text/html,<script>RUN</script>'></object>",
    "fenced frame": "<fencedframe></fencedframe><portal src='URL'></portal><img src=x: onerror=RUN>",
}
_CONFUSED = {
    "mathml and a style": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x: onerror=RUN&gt;'>",  # noqa: E501
    "mathml and malignmark": "<math><mtext><table><malignmark><style><img src=x: onerror=RUN></style></table></mtext></math>",  # noqa: E501
    "mathml in svg": "<svg></p><style><g title='</style><img src=x: onerror=RUN>'></svg>",
    "svg's title": "<svg><title><img src=x: onerror=RUN></title></svg>",
    "svg's foreign object": "<svg><foreignObject><img src=x: onerror=RUN></foreignObject></svg>",
    "svg's desc and a template": "<svg><desc><template><img src=x: onerror=RUN></template><img src=x: onerror=RUN></desc></svg>",  # noqa: E501
    "svg's use": '<svg><use href=\'data:image/svg+xml,<svg id=x xmlns="http://www.w3.org/2000/svg"><image href="URL"/></svg>#x\'/></svg>',  # noqa: E501
    "svg's image": "<svg><image href='URL' width=9 height=9 /></svg>",
    "svg's fill": "<svg><rect width=9 height=9 style='fill:url(URL#x)' onload=RUN /></svg>",
    "annotation": "<math><annotation-xml encoding='text/html'><img src=x: onerror=RUN></annotation-xml></math>",
    "noscript": "<noscript><p title='</noscript><img src=x: onerror=RUN>'></noscript>",
    "noembed": "<noembed><p title='</noembed><img src=x: onerror=RUN>'></noembed>",
    "noframes": "<noframes><p title='</noframes><img src=x: onerror=RUN>'></noframes>",
    "xmp": "<xmp><p title='</xmp><img src=x: onerror=RUN>'></xmp>",
    "textarea": "<textarea><p title='</textarea><img src=x: onerror=RUN>'></textarea>",
    "title": "<title><p title='</title><img src=x: onerror=RUN>'></title>",
    "style as text": "<style><p title='</style><img src=x: onerror=RUN>'></style>",
    "comment in an attribute": "<!-- <p title='--><img src=x: onerror=RUN>'> -->",
    "comment for a browser": "<!--[if true]><img src=x: onerror=RUN><![endif]--><img src=x: onerror=RUN>",
    "table that moves things": "<table><img src=x: onerror=RUN><tr><td></table>",
    "nested forms": "<form><math><mtext></form><form><mglyph><style></math><img src=x: onerror=RUN>",
    "template": "<template><script>RUN</script></template><img src=x: onerror=RUN>",
    "shadow root": "<div><template shadowrootmode=open><img src=x: onerror=RUN></template></div>",
    "declarations of entities": "<!DOCTYPE x [<!ENTITY y '<img src=x: onerror=RUN>'>]>&y;<img src=x: onerror=RUN>",
}
_STYLES = {
    "import": "<style>@import 'URL';</style>",
    "import of an address": "<style>@import url(URL);</style>",
    "style sheet elsewhere": "<link rel=stylesheet href='URL'>",
    "preload": "<link rel=preload as=image href='URL'>",
    "prefetch": "<link rel=prefetch href='URL'><link rel=preconnect href='URL'><img src='URL'>",
    "picture from elsewhere": "<img src='URL'>",
    "set of pictures": "<img srcset='URL 1x'>",
    "picture that comes late": "<img loading=eager src='URL' fetchpriority=high>",
    "background": "<p style='background:url(URL)'>x</p>",
    "background of a table": "<table background='URL'><tr><td background='URL'>x</table>",
    "list's picture": "<ul style='list-style-image:url(URL)'><li>x</ul>",
    "border's picture": "<p style='border:9px solid;border-image:url(URL) 1'>x</p>",
    "escaped address": "<p style='background:u\\72l(URL)'>x</p>",
    "content": "<style>p::after{content:url(URL)}</style><p>x</p>",
    "font": "<style>@font-face{font-family:f;src:url(URL)}p{font-family:f}</style><p>x</p>",
    "style that reads": "<style>input[name=x][value^=a]{background:url(URL)}</style><input name=x value=ab>",
    "expression": "<p style='width:expression(RUN)'>x</p><p style='behavior:url(URL)'>x</p>",
    "binding": "<p style='-moz-binding:url(URL)'>x</p>",
    "variable": "<p style='--x:url(URL);background:var(--x)'>x</p>",
    "over the page": "<p style='position:fixed;inset:0;z-index:9'>over</p>",
    "over the page by a class": "<div class='plotly-notifier'>over</div><div class='modebar modebar--hover'>over</div>",
    "the site's own badge": "<span class='lk-badge lk-badge-measured'>dressed</span>",
    "the site's own banner": "<p class='x lk-banner\tlk-banner-done'>dressed</p>",
    "the site's own figure": "<div data-figure data-failed='<img src=x: onerror=RUN>'>dressed</div>",
    "hidden page": "<style>.lk-main,body{display:none!important}</style>",
    "video's poster": "<video poster='URL'></video>",
    "track": "<video><track src='URL' default></video><audio src='URL' autoplay></audio>",
    "input's picture": "<input type=image src='URL'>",
    "manifest": "<link rel=manifest href='URL'><link rel=icon href='URL'>",
}
_CLOBBERING = {
    "document": "<img name=documentElement><form id=documentElement name=querySelector></form>",
    "Plotly": "<a id=Plotly></a><a id=Plotly name=newPlot href='javascript:RUN'>press</a>",
    "the site's names": "<input id=find><p id=found>dressed</p><p id=error>dressed</p><p id=content>dressed</p>",
    "the site's claims": "<article class=lk-claim id=claim-1.06 data-id=1.06 data-kind=confirmed>dressed</article>",
    "body": "<form name=body></form><img name=getElementById>",
    "prototype": "<p id=__proto__>x</p><p id=constructor>x</p>",
}
#: These take the rest of the page with them, or the page away.
_WHOLE = {
    "meta refresh": "<meta http-equiv=refresh content='0;url=URL'>",
    "meta policy": "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><img src='URL'>",
    "base": "<base href='URL/'><img src=x>",
    "plaintext": "<img src=x: onerror=RUN><plaintext>",
    "unclosed comment": "<img src=x: onerror=RUN><!--",
    "unclosed script": "<img src=x: onerror=RUN><script>",
    "unclosed textarea": "<img src=x: onerror=RUN><textarea>",
    "frameset": "<frameset onload=RUN><frame src='URL'></frameset>",
}
HTML = _SCRIPTS | _HANDLERS | _LINKS | _FRAMES | _CONFUSED | _STYLES | _CLOBBERING | _WHOLE
WHOLE = frozenset(_WHOLE)
MARKDOWN = {
    "markdown link": "[press](javascript:RUN)",
    "markdown link in entities": "[press](&#106;avascript:RUN)",
    "markdown link in brackets": "[press](<java\tscript:RUN>)",
    "markdown link by reference": "[press][it]\n\n[it]: javascript:RUN 'title'",
    "markdown link with a title": "[press](https://example.org 'a\" onclick=\"RUN')",
    "markdown autolink": "<javascript:RUN>",
    "markdown link to data": "[press](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "markdown image": "![x](URL)",
    "markdown image with a handler": "![x](x: 'a\" onerror=\"RUN')",
    "markdown image of an svg": "![x](data:image/svg+xml,<svg/onload=RUN>)",
    "markdown attachment": "![x](attachment:x.svg)",
    "markdown attachment's name": '![x](attachment:"onerror="RUN)',
    "markdown html block": "<div>\n\n<script>RUN</script>\n\n**bold**\n\n</div>",
    "markdown html in a line": "a <img src=x: onerror=RUN> line",
    "markdown code": "```<img src=x: onerror=RUN>\n<img src=x: onerror=RUN>\n```",
    "markdown diagram": "```mermaid\n</pre><img src=x: onerror=RUN>\n```",
    "markdown formula": "$$</script><img src=x: onerror=RUN>$$ and $\\href{javascript:RUN}{press}$",
    "markdown formula's text": "$\\text{<img src=x: onerror=RUN>}$ $\\mbox{</mtext></math><img src=x: onerror=RUN>}$",
    "markdown formula's style": "$\\style{background:url(URL)}{x} \\class{lk-head}{x} \\cssId{document}{x}$",
    "markdown formula in a name": '![$\\text{" onerror="RUN}$](x:) [press](https://example.org \'$" onclick="RUN$\')',
    "markdown formula that defines": "$\\def\\x{\\text{<img src=x: onerror=RUN>}}\\x$",
    "markup of a formula": "<math><maction actiontype=statusline xlink:href=javascript:RUN>press</maction>"
    "<mtext><table><mglyph><style><img src=x: onerror=RUN></style></mglyph></table></mtext></math>",
    "markdown environment": "\\begin{x}<img src=x: onerror=RUN>\\end{x}",
    "markdown table": "| <img src=x: onerror=RUN> | b |\n|---|---|\n| [press](javascript:RUN) | y |",
    "markdown heading": "# <img src=x: onerror=RUN> Plotly\n\n## document",
    "markdown footnote": "x[^<img src=x: onerror=RUN>]\n\n[^<img src=x: onerror=RUN>]: y",
}
TERMINAL = {
    "terminal link": "\x1b]8;;javascript:RUN\x1b\\press\x1b]8;;\x1b\\",
    "terminal link without an end": "\x1b]8;;javascript:RUN\x07press <img src=x: onerror=RUN>",
    "terminal title": "\x1b]0;<img src=x: onerror=RUN>\x07",
    "terminal clipboard": "\x1b]52;c;UlVO\x07<img src=x: onerror=RUN>",
    "terminal colour": '\x1b[38;2;1;2;3"onmouseover="RUN"mx\x1b[0m',
    "terminal markup between colours": "\x1b[31m<img src=x: \x1b[32monerror=RUN>\x1b[0m",
    "terminal device": "\x1bP<img src=x: onerror=RUN>\x1b\\\x9b31m<img src=x: onerror=RUN>",
    "terminal overwritten": "<img src=x: \ronerror=RUN>\r<img src=x: onerror=RUN>",
    "turned over": "\u202e>RUN=rorreno :x=crs gmi<\u202c \u2066<img src=x: onerror=RUN>",
}
TEXTS = HTML | MARKDOWN | TERMINAL

_BAR = {"type": "bar", "x": [1, 2], "y": ["a", "b"], "orientation": "h"}
_LINK = "<a href='javascript:RUN' target='_self'>press</a><a href=\"URL\" popup=\"width=9\">read</a>"
_PIXEL = {"source": "URL", "x": 0, "y": 1, "sizex": 1, "sizey": 1, "xref": "paper", "yref": "paper"}
_SET = {"label": "press", "method": "relayout", "args": ["images[0].source", "URL"]}
#: Each a figure: data and layout.
FIGURES = {
    "link in an annotation": ([_BAR], {"annotations": [{"text": _LINK, "x": 1, "y": 0, "captureevents": True}]}),
    "link in hover": ([_BAR | {"hovertemplate": _LINK, "hovertext": _LINK, "text": _LINK, "name": _LINK}], {}),
    "link in a title": ([_BAR], {"title": {"text": _LINK, "subtitle": {"text": _LINK}}, "xaxis": {"title": _LINK}}),
    "style in a text": ([_BAR | {"text": ["<span style='fill:url(URL);background:url(URL)'>x</span>"] * 2}], {}),
    "markup in a text": ([_BAR | {"text": ["<img src=x: onerror=RUN>", "<svg onload=RUN>"]}], {}),
    "picture": ([_BAR], {"images": [_PIXEL]}),
    "picture in a template": ([_BAR], {"template": {"layout": {"images": [_PIXEL | {"name": "x"}], "title": _LINK}}}),
    "picture of an svg": ([_BAR], {"images": [_PIXEL | {"source": "data:image/svg+xml,<svg onload='RUN'/>"}]}),
    "picture as a trace": ([{"type": "image", "source": "URL"}], {}),
    "picture by a button": (
        [_BAR], {"updatemenus": [{"type": "buttons", "buttons": [_SET]}], "sliders": [{"steps": [_SET]}]},
    ),
    "countries": ([{"type": "choropleth", "locations": ["DEU"], "z": [1]}], {"geo": {"resolution": 50}}),
    "places": ([{"type": "scattergeo", "lon": [1], "lat": [1]}], {"geo": {"scope": "europe"}}),
    "shapes from elsewhere": ([{"type": "choropleth", "geojson": "URL", "locations": ["x"], "z": [1]}], {}),
    "map": ([{"type": "scattermap", "lon": [1], "lat": [1]}], {"map": {"style": "URL", "layers": [{"source": "URL"}]}}),
    "old map": ([{"type": "scattermapbox", "lon": [1], "lat": [1]}], {"mapbox": {"style": "URL", "accesstoken": "x"}}),
    "subplot of a map": ([_BAR], {"map": {"style": "URL"}, "geo": {"visible": True}, "mapbox2": {"style": "URL"}}),
    "modebar": ([_BAR], {"modebar": {"add": ["sendChartToCloud", "sendDataToCloud", "drawline"]}}),
    "prototype": ([_BAR | {"__proto__": {"x": 1}}], {"__proto__": {"polluted": 1}, "constructor": {"prototype": {}}}),
    "colour and font": ([_BAR], {"font": {"family": "x;background:url(URL)"}, "paper_bgcolor": "url(URL)"}),
    "table": ([{"type": "table", "header": {"values": [_LINK]}, "cells": {"values": [[_LINK]], "format": ["<"]}}], {}),
    "not a type": ([{"type": "</script><script>RUN</script>"}], {}),
}  # fmt: skip


def filled(value, name):
    """Return a payload, or a figure with one in it, with its id and address."""
    if isinstance(value, str):
        plain = name.replace(" ", "-").replace("'", "")
        return value.replace(RUN, f"canary(/{plain}/.source)").replace(URL, f"https://example.org/{plain}")
    if isinstance(value, dict):
        return {key: filled(inner, name) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, name) for inner in value]
    return value


def texts(some=None):
    """Return the payloads of text by their ids, those that take a page with them last."""
    chosen = TEXTS if some is None else some
    return {name: filled(chosen[name], name) for name in sorted(chosen, key=WHOLE.__contains__)}
