"""The rows as one HTML page that needs nothing else: the verdicts first, a matrix to sort and narrow, charts, and every cell in detail.

The matrix, the charts and the details are there without scripts; the script, which stands in the page, sorts, narrows and opens. Of a
large matrix the details are packed, and the script unpacks the one that is asked for. The page forbids itself to load anything
(`Content-Security-Policy`), and every text that is not its own is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from importlib import resources

from faultbench.report.headings import Row
from faultbench.report.markdown import headline
from faultbench.report.page.details import details
from faultbench.report.page.drop import drop
from faultbench.report.page.escaping import text
from faultbench.report.page.matrix import matrix
from faultbench.report.page.summary import audit, provenance, verdicts
from faultbench.report.page.tradeoffs import tradeoffs

MOST_OPEN = 100
"""With more rows than these their details are packed: a thousand would make a page of seven megabytes that a browser lays out slowly."""

_LEFT_OUT = "Of {cells} cells, only the details that were opened before printing are on paper; the matrix has all the figures."


def as_html(rows: Sequence[Row], command: Sequence[str], *, published: bool = False) -> str:
    """The rows as a page.

    Args:
        rows: What came out.
        command: The words that made it.
        published: Whether a section says what papers report.
    """
    style, script = _resource("style.css"), _resource("page.js")
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>faultbench: {text(headline(rows))}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#cells">To the matrix</a>
{verdicts(rows)}
<main>
{_cells(rows)}{audit(rows)}{_published(rows) if published else ""}{provenance(rows, command)}</main>
<script>{script}</script>
</body>
</html>
"""


def _cells(rows: Sequence[Row]) -> str:
    """The matrix, the charts and the details; of a single cell the details come first, and there is nothing to compare."""
    if len(rows) == 1:
        return _details(rows) + _matrix(rows)
    return _matrix(rows) + drop(rows) + tradeoffs(rows) + _details(rows)


def _matrix(rows: Sequence[Row]) -> str:
    return f'<section aria-labelledby="cells"><h2 id="cells">The matrix</h2>\n{matrix(rows)}</section>\n' if rows else ""


def _details(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    made = [details(row, place, alone=len(rows) == 1) for place, row in enumerate(rows)]
    if len(rows) == 1:
        return f'<section aria-labelledby="each"><h2 id="each">The cell</h2>\n<div id="details">{made[0]}</div></section>\n'
    if len(rows) <= MOST_OPEN:
        shown, how = "".join(made), '<p class="tools" hidden><button type="button" id="all">Open all</button></p>'
    else:
        shown = f'<script type="text/plain" id="packed">{_packed(made)}</script>'
        how = "<p>The verdicts in the matrix lead here: press one to see its cell.</p>"
        how += f'<p class="paper">{_LEFT_OUT.format(cells=len(rows))}</p>'
        how += '<noscript><p class="caution">The details of so many cells are packed, and a script unpacks them.</p></noscript>'
    return f"""<section aria-labelledby="each"><h2 id="each">Cell by cell</h2>
{how}
<div id="details">{shown}</div></section>
"""


def _packed(made: Sequence[str]) -> str:
    """Texts as base64 of their JSON, deflated: the alphabet has nothing that ends a script."""
    return base64.b64encode(zlib.compress(json.dumps(made).encode(), 9)).decode()


def _published(rows: Sequence[Row]) -> str:
    from faultbench.report.page.elsewhere import elsewhere

    return elsewhere(rows)


def _resource(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _digest(said: str) -> str:
    """What a content security policy knows an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(said.encode()).digest()).decode()}"
