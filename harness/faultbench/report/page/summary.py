"""What a reader wants first and last: the verdicts in words, what the splits keep apart, and how to repeat all of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from faultbench.data.audit import PROMISES, STANDS_FOR, promises
from faultbench.report.headings import WORST_FIRST, Row, cell_name, groups, is_judged, level
from faultbench.report.page.criteria import cards
from faultbench.report.page.escaping import text, verdict_class
from faultbench.report.page.matrix import place_links
from faultbench.report.page.tabling import table
from faultbench.report.wording import UNKNOWN
from faultbench.results.verdict import ERROR, FAIL, NOT_APPLICABLE, PASS, UNPROVEN

_SAID = 8
"""So many verdicts are said in words at the top; the matrix has them all."""

_DRAWN = 3
"""So many cells at most have their criteria drawn at the top."""

_RELATIONS = {"support/query": "support and query share no", "source/target": "source and target share no"}


def verdicts(rows: Sequence[Row]) -> str:
    """The head of the page: a band with the verdict in words, then the cells that it is about, with their criteria where they are few."""
    places = place_links(rows)
    counted = [f'<span class="verdict {verdict_class(word)}">{text(said)}</span>' for said, word in _counts(rows)]
    gated = [row for row in rows if row["verdict"]["gated"] or row["verdict"]["overall"] == ERROR]
    ordered = sorted(gated, key=lambda row: ("leaks" in (row["watermark"] or ""), WORST_FIRST.index(row["verdict"]["overall"])))
    shown = ordered or (list(rows) if len(rows) == 1 else [])
    said = "".join(_said(row, places[id(row)], with_cards=len(shown) <= _DRAWN) for row in shown[:_SAID])
    more = f'<p class="note">{len(shown) - _SAID} more are in the matrix.</p>' if len(shown) > _SAID else ""
    quick = '<p class="caution">A quick run: its figures show that all works, and prove nothing.</p>' if _is_quick(rows) else ""
    list_ = f'<section aria-label="Verdicts"><ul class="said">{said}</ul>{more}</section>' if said else ""
    word, sentence = in_words(rows)
    return f"""<header class="band {verdict_class(word)}"><div><p class="kind">faultbench</p>
<h1>{text(sentence)}</h1>
<p class="counts">{" ".join(counted)}</p>{quick}</div></header>
<div class="first">{list_}</div>
"""


def _said(row: Row, place: int, *, with_cards: bool) -> str:
    overall = row["verdict"]["overall"]
    name = f'<a href="#row{place}" class="name">{text(cell_name(row))}</a>'
    if with_cards and is_judged(row) and row["verdict"]["criteria"]:
        return f'<li><span class="verdict {verdict_class(overall)}">{text(overall)}</span> {name}{cards(row)}</li>'
    return f'<li><span class="mark {verdict_class(overall)}"></span>{name} {text(row["verdict"]["sentence"])}</li>'


def in_words(rows: Sequence[Row]) -> tuple[str, str]:
    """The worst verdict among those that count, and the sentence that a reader sees first."""
    broke = [row for row in rows if row["verdict"]["overall"] == ERROR]
    gated = [row["verdict"]["overall"] for row in rows if row["verdict"]["gated"] and row["verdict"]["overall"] != ERROR]
    if not rows:
        return NOT_APPLICABLE, "Nothing was measured"
    if FAIL in gated or broke:
        parts = [f"{gated.count(FAIL)} of {_how_many(len(gated))} {'fails' if gated.count(FAIL) == 1 else 'fail'}"] if FAIL in gated else []
        parts += [f"{_how_many(len(broke))} could not be computed"] if broke else []
        return FAIL, f"Failed: {' and '.join(parts)}"
    if UNPROVEN in gated:
        some = gated.count(UNPROVEN)
        of = "the cell" if len(gated) == 1 else f"all {some} cells" if some == len(gated) else f"{some} of {len(gated)} cells"
        return UNPROVEN, f"Unproven: {of} {'lacks' if some == 1 else 'lack'} the evidence"
    if gated:
        return PASS, "Passed: " + ("the cell meets" if len(gated) == 1 else f"all {len(gated)} cells meet") + " every criterion"
    return NOT_APPLICABLE, "Nothing was judged: there are only baselines, or cells that make no sense"


def _how_many(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"


def _counts(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for word in WORST_FIRST:
        found = sum(row["verdict"]["overall"] == word and not (row["baseline"] and is_judged(row)) for row in rows)
        if found:
            yield f"{found} {word}", word
    if baselines := sum(row["baseline"] and is_judged(row) for row in rows):
        yield f"{baselines} baseline", "baseline"


def _is_quick(rows: Sequence[Row]) -> bool:
    return any(row["cell"].get("quick") for row in rows)


def audit(rows: Sequence[Row]) -> str:
    """What each split keeps apart. One that does not is refused before anything is trained: a row with figures has passed its audit."""
    lines = "".join(_audited(group) for group in groups(rows) if any(map(is_judged, group)))
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("data set", "scenario", "stands for", "promise, held", "judged on"))
    head += '<th scope="col" class="number">looks</th>'
    return f"""<section aria-labelledby="audit"><h2 id="audit">The audit of the splits</h2>
<p>Checked by ids and by the samples themselves before anything was trained; a split that breaks its level is refused.
<code>faultbench data audit -d DATASET -s SCENARIO</code> shows the audit in full. Looks are the cells that were ever scored on the same
target recordings: what was chosen after many of them is worth less than its interval says.</p>
{table("What each split keeps apart", head, lines, kind="prose")}</section>
"""


def _audited(group: Sequence[Row]) -> str:
    row = next(row for row in group if is_judged(row))
    cell = row["cell"]
    missing = cell["missing_recordings"]
    units = row["accuracy"]["clusters"] if row["accuracy"] else UNKNOWN
    judged_on = f"{units} units{f', {missing} recordings missing' if missing else ''}"
    looks = max((row["looks"] or 0 for row in group), default=0)
    leaks = f'<br><span class="note">{text(row["watermark"])}</span>' if row["watermark"] else ""
    cells = [
        text(cell["dataset"]),
        f"{text(level(row))}{leaks}",
        text(STANDS_FOR.get(cell["level"], UNKNOWN)),
        _promised(row),
        text(judged_on),
    ]
    named = "".join(f'<th scope="row">{one}</th>' for one in cells[:2])
    return f'<tr>{named}{"".join(f"<td>{one}</td>" for one in cells[2:])}<td class="number">{looks or UNKNOWN}</td></tr>'


def _promised(row: Row) -> str:
    if row["cell"]["level"] not in PROMISES:
        return UNKNOWN
    kept = promises(row["cell"]["level"], row["cell"]["note"] or "")
    return "<br>".join(f"{_RELATIONS[relation]} {text(', '.join(things))}" for relation, things in kept.items())


def provenance(rows: Sequence[Row], command: Sequence[str]) -> str:
    """The command that repeats it, and with what it was computed."""
    items = [("command", f'<pre tabindex="0" role="group" aria-label="The command"><code>{text(shlex.join(command))}</code></pre>')]
    protocols = sorted({row["protocol"] for row in rows})
    items.append(("protocol", text(", ".join(map(str, protocols)) or UNKNOWN)))
    devices = dict.fromkeys(_device(row) for row in rows if row["device"])
    items += [("device", "<br>".join(map(text, devices)))] if devices else []
    versions = dict.fromkeys(", ".join(f"{name} {found}" for name, found in row["versions"].items()) for row in rows if row["versions"])
    items += [("versions", "<br>".join(map(text, versions)))] if versions else []
    lines = "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in items)
    return f'<section aria-labelledby="provenance"><h2 id="provenance">To repeat it</h2><dl>{lines}</dl></section>\n'


def _device(row: Row) -> str:
    device = row["device"]
    known = [device.get("name"), device.get("cpu"), device.get("cores") and f"{device['cores']} cores", device.get("os")]
    return f"{row['kind'] or 'unknown evidence'} on {', '.join(str(one) for one in known if one)}"
