"""The HTML page: whole in itself, deaf to markup in names, and sorted by a real browser."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.report.page import as_html, text

COMMAND = ["faultbench", "run", "-l", "maml"]
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script>", "</style>", "&lt;", "'", "\x00", "\ud800"]
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)


class Reader(HTMLParser):
    """Tags with their attributes, and the text between."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.said = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)

    def count(self, tag):
        return sum(found == tag for found, _ in self.tags)


def test_the_page_shows_every_row_with_its_criteria_and_bearings(rows):
    page = Reader(as_html(rows.every_kind(), COMMAND))
    said = " ".join(page.said)
    assert "faultbench: 1 error, 1 fail, 2 unproven, 1 pass" in said
    assert page.count("section") == 7
    assert "faultbench run -l maml" in said
    assert "it broke: mend it" in said
    assert sum(attributes.get("class") == "range" for _, attributes in page.tags) > 5, "intervals are drawn"
    assert sum(attributes.get("class") in ("bar", "short") for _, attributes in page.tags) == 4 * 6 + 2, "a bar per fault bearing"


def test_nothing_is_loaded_from_anywhere(rows):
    page = as_html(rows.every_kind(), COMMAND)
    for tag, attributes in Reader(page).tags:
        assert not set(attributes) & {"src", "data", "action", "srcset", "ping"}, tag
        assert attributes.get("href", "#").startswith("#")
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_what_is_not_known_is_no_nan(rows):
    """A column of which nothing is known broke a neighbour's page."""
    blank = rows.judged(times=None, figures={})
    page = as_html([blank], COMMAND)
    assert "nan" not in re.sub(r"[A-Za-z]*nan[a-z]+", "", page.lower().split("<script>")[0])
    assert '<td class="number" data-value="">-</td>' in page


def test_a_page_of_nothing_says_so():
    assert "nothing was measured" in as_html([], COMMAND)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_markup(rows, name):
    row = rows.judged({"learner": name}, notes={name: name}, labels=[name])
    broken = rows.unscored({"learner": name}, error=name)
    harmless, hostile = Reader(as_html([rows.judged(notes={"a": "a"}, labels=["a"]), rows.unscored(error="a")], COMMAND)), None
    hostile = Reader(as_html([row, broken], ["faultbench", name]))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in harmless.tags]


@given(st.text(st.characters(codec=None)))
def test_any_text_is_text(said):
    page = Reader(f'<p title="{text(said)}">{text(said)}</p>')
    assert [tag for tag, _ in page.tags] == ["p"]


HAND = """
// Presses the heading "accuracy" twice and the heading "latency ms p50" once, and says in which order the rows then stand.
addEventListener("load", () => {
  const table = document.querySelector("table.sortable");
  const press = (name) => [...table.querySelectorAll("th button")].find((b) => b.textContent === name).click();
  const order = () => [...table.tBodies[0].rows].map((row) => row.cells[3].textContent).join(" ");
  const said = [order()];
  press("accuracy"); said.push(order());
  press("accuracy"); said.push(order());
  press("latency ms p50"); said.push(order());
  document.title = said.join(" | ");
});
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_real_browser_sorts_the_table_and_obeys_the_policy(rows, tmp_path):
    slow, fast = rows.times(latency_ms=30.0), rows.times(latency_ms=0.5)
    some = [
        rows.judged({"learner": "middle"}, outcome=rows.answers(40), times=slow),
        rows.judged({"learner": "worst"}, outcome=rows.answers(11), times=fast),
        rows.judged({"learner": "best"}, outcome=rows.answers(97), times=None),
        rows.unscored({"learner": "<b onclick=alert(1)>none"}, error="<script>document.title='broken'</script>"),
    ]
    page = as_html(some, COMMAND)
    # The test's script stands in for a user's hand. The page's policy keeps it out, unless it is told of it; then the page's own must
    # run under the same policy, or nothing is sorted.
    handled = page.replace("</body>", f"<script>{HAND}</script></body>")
    known = base64.b64encode(hashlib.sha256(HAND.encode()).digest()).decode()
    (tmp_path / "page.html").write_text(handled.replace("script-src ", f"script-src 'sha256-{known}' "))
    none = "<b onclick=alert(1)>none"
    orders = [f"middle worst best {none}", f"worst middle best {none}", f"best middle worst {none}", f"worst middle best {none}"]
    assert browsed(tmp_path, "page.html") == " | ".join(orders)
    (tmp_path / "guarded.html").write_text(handled)
    assert browsed(tmp_path, "guarded.html").startswith("faultbench: 1 error"), "a script that is not the page's own does not run"


def browsed(folder, name):
    """The title of a page after a browser has loaded it."""
    profile = f"--user-data-dir={folder / 'profile'}"
    words = ["--headless", "--disable-gpu", "--no-sandbox", profile, "--virtual-time-budget=2000", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM, *words, (folder / name).as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(folder)},
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[1]
    return title.replace("&lt;", "<").replace("&gt;", ">")
