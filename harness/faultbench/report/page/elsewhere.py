"""What papers report, as a closed section of the page: on request, and apart from all that was measured."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.report.headings import Row
from faultbench.report.literature.table import CAUTION, HEADING, beside, graded, levels_of, numbered, reference
from faultbench.report.page.escaping import text
from faultbench.report.page.tabling import table


def elsewhere(rows: Sequence[Row]) -> str:
    """The section."""
    found, heading = beside(rows), text(HEADING.rstrip(":"))
    if not found:
        return (
            f'<section aria-labelledby="elsewhere"><h2 id="elsewhere">{heading}</h2><p>Nothing is known of these data sets.</p></section>\n'
        )
    sources, own, dim = numbered(found), levels_of(rows), ' class="leaky"'
    lines = "".join(
        f"<tr{dim if one.level not in own else ''}><td>{text(one.dataset)}</td><td>{text(one.level)}</td>"
        f"<td>{text(one.metric)} {text(one.figure)}</td><td>{text(one.method)}</td><td>{text(one.task)}</td><td>{text(one.split)}</td>"
        f"<td>[{sources[one.source]}], {text(one.where)}</td></tr>"
        for one in found
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("data set", "level", "figure", "method", "task", "split", "source"))
    read = "".join(f"<li>{text(reference(source))}<br><span class=note>Read: {text(source.checked)}</span></li>" for source in sources)
    grades = "".join(f"<li>{text(line)}</li>" for line in graded(found, sources))
    return f"""<section aria-labelledby="elsewhere"><h2 id="elsewhere">{heading}</h2>
<p class="caution">{text(CAUTION)}</p>
<details><summary>{len(found)} figures of {len(sources)} papers</summary>
{table(heading, head, lines, kind="prose")}
<h3>Sources</h3><ol>{read}</ol>
<h3>How the levels were graded</h3><ul>{grades}</ul></details></section>
"""
