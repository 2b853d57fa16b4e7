"""A page with a section for each recording: one file, no network, readable on a phone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from faultbench.discovery import one_line
from faultbench.inspection.plots import COLOURS, PANELS, SHAFT, Caption, described, panels
from faultbench.inspection.views import View

_FONTS = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
"""Where a reader has not the first, the second is as wide."""

_STYLE = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; max-width: 100rem; padding: 1rem; background: #fff; color: #222; font: 1rem/1.4 {_FONTS}; }}
h1 {{ font-size: 1.4rem; margin: 0; }}
h2 {{ font-size: 1.15rem; margin: 0; }}
section {{ border-top: 1px solid #ddd; padding: 1rem 0; }}
p {{ margin: 0.2rem 0; overflow-wrap: anywhere; }}
.what {{ color: #444; font-size: 0.9rem; }}
.panels {{ display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }}
figure {{ margin: 0; }}
figure svg {{ display: block; width: 100%; height: auto; }}
ul {{ display: flex; flex-wrap: wrap; gap: 0 1.2rem; list-style: none; margin: 0.4rem 0; padding: 0; font-size: 0.9rem; }}
li b {{ border-bottom: 0.2em solid; }}
footer {{ border-top: 1px solid #ddd; color: #555; font-size: 0.8rem; padding-top: 0.5rem; }}
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is fetched and nothing runs, whatever a data set calls its recordings."""

_ID = re.compile(r'((?:\sid|href)="#?|url\(#)')
_SIZE = re.compile(r'\s(?:width|height)="[^"]*"')


def page(views: Sequence[View], caption: Caption) -> bytes:
    """The recordings as one HTML file, UTF-8.

    Args:
        views: The sections.
        caption: Title, subtitle and small print.
    """
    sections = [_section(number, view, drawn) for number, (view, drawn) in enumerate(zip(views, panels(views), strict=True))]
    shaft = f'<li><b style="border-color: {SHAFT}">shaft</b>, 1x to 6x</li>' if any(view.shaft_hz for view in views) else ""
    known = {line.name for view in views for line in view.lines}
    lines = "".join(f'<li><b style="border-color: {COLOURS[name]}">{name}</b></li>' for name in COLOURS if name in known)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{_text(caption.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{_text(caption.title)}</h1>
<p class="what">{_text(caption.subtitle)}</p>
<ul>{lines}{shaft}</ul>
</header>
<main>
{"".join(sections)}</main>
<footer>
{"".join(f"<p>{_text(note)}</p>" for note in caption.notes)}
</footer>
</body>
</html>
""".encode()


def _section(number: int, view: View, drawn: dict[str, str]) -> str:
    figures = "".join(f"<figure>{_inline(drawn[name], f'r{number}{name[0]}-', f'{name} of {view.heading}')}</figure>\n" for name in PANELS)
    lines = "".join(f"<li>{line.name} {line.hz:.1f} Hz ({line.order:.3f}x)</li>" for line in view.lines)
    return f"""<section>
<h2>{_text(view.heading)}</h2>
<p class="what">{_text(described(view))}</p>
<div class="panels">
{figures}</div>
<ul>{lines}</ul>
</section>
"""


def _inline(svg: str, prefix: str, label: str) -> str:
    """An SVG as a part of a page: as wide as there is room, its names made the page's own."""
    start = svg.index("<svg")
    head, body = svg[start : svg.index(">", start)], svg[svg.index(">", start) :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _ID.sub(lambda found: found[1] + prefix, body).replace("'DejaVu Sans'", _FONTS)
    return f'{_SIZE.sub("", head)} role="img" aria-label="{_text(label)}"{body}'


def _text(text: str) -> str:
    return escape(one_line(text, most=1000))
