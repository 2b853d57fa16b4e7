"""The page as a screen reader has it, from the accessibility tree of Chromium, and by the rules of axe-core (WCAG 2.2, A and AA)."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest

from faultbench.report.page import as_html

pytestmark = pytest.mark.slow

CONTROLS = {"link", "button", "combobox", "searchbox", "textbox", "checkbox", "DisclosureTriangle"}
LANDMARKS = ["banner", "main", "search"]


class Tree:
    """The accessibility tree of a page, as far as assistive technology is given it."""

    def __init__(self, page):
        self.all = page.call("Accessibility.getFullAXTree")["nodes"]
        self._by_id = {node["nodeId"]: node for node in self.all}
        self.nodes = [node for node in self.all if not node["ignored"]]

    def of(self, *roles):
        return [node for node in self.nodes if role(node) in roles]

    def within(self, node):
        for child in node.get("childIds", ()):
            found = self._by_id.get(child)
            if found:
                yield found
                yield from self.within(found)

    def said(self, node):
        return "".join(name(one) for one in self.within(node) if role(one) == "StaticText")


def role(node):
    return node.get("role", {}).get("value")


def name(node):
    return node.get("name", {}).get("value", "")


def told(node, about):
    return next((one["value"].get("value") for one in node.get("properties", ()) if one["name"] == about), None)


def faults(page):
    """What a screen reader would miss: nothing, or a line for each."""
    tree = Tree(page)
    found = [f"{role(node)} without a name" for node in tree.of(*CONTROLS, "table", "figure", "region", "image") if not name(node).strip()]
    # The scrolled body and the page itself apart, what takes the focus is a control or a group with a name.
    reached = [node for node in tree.nodes if told(node, "focusable") and role(node) != "RootWebArea"]
    found += [f"{role(node)} takes the focus and says nothing" for node in reached if not name(node).strip()]
    found += [f"no {kind}" for kind in LANDMARKS if len(tree.of(kind)) != 1]
    levels = [told(node, "level") for node in tree.of("heading")]
    found += [f"a heading of level {after} after {before}" for before, after in itertools.pairwise([0, *levels]) if after > before + 1]
    for table in tree.of("table"):
        inside = [role(one) for one in tree.within(table)]
        if "columnheader" not in inside and "rowheader" not in inside:
            found.append(f"the table {name(table)} has no headings")
    for figure in tree.of("figure"):
        inside = list(tree.within(figure))
        drawn = [one for one in inside if role(one) == "image" or (role(one) == "group" and "against" in name(one))]
        words = [one for one in inside if role(one) in ("table", "link") and name(one)]
        if not drawn or not words:
            found.append(f"the figure {name(figure)} has no drawing, or nothing says in words what it draws")
    live = [node for node in tree.of("status") if told(node, "live") == "polite"]
    if not any("cells" in tree.said(node) for node in live):
        found.append("nothing that is read out says how many cells there are")
    return found


def test_all_that_is_on_the_page_has_a_role_and_a_name(rows, shown):
    page = shown(rows.at_two_levels())
    assert faults(page) == []
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert faults(page) == []
    tree = Tree(page)
    assert {name(node) for node in tree.of("combobox")} == {"verdict", "scenario", "learner", "compressor"}
    assert len(tree.of("figure")) == 3
    assert [told(node, "level") for node in tree.of("heading")][:2] == [1, 2]


def test_a_page_of_one_cell_has_names_too(rows, shown):
    tree = Tree(shown([rows.judged()]))
    assert [node for node in tree.of(*CONTROLS, "table", "region") if not name(node).strip()] == []


PLANTED = {
    "combobox without a name": ("<label>learner<select", "<label><select"),
    "table without a name": ('<caption class="unseen">Every cell of the matrix', '<caption hidden class="unseen">Every cell of the matrix'),
    "figure without a name": ('aria-labelledby="drop0"', ""),
    "link without a name": ("<title>maml none x86", "<title></title><title>maml none x86"),
    "image without a name": ('role="img" aria-label=', 'role="img" data-label='),
    "a heading of level 4 after 1": ('<h2 id="cells">The matrix</h2>', '<h4 id="cells">The matrix</h4>'),
    "no main": ("<main>", "<main role='presentation'>"),
    "group takes the focus and says nothing": (
        '<pre tabindex="0" role="group" aria-label="The command">',
        '<pre tabindex="0" role="group">',
    ),
    "nothing that is read out says how many cells there are": ('<output id="count" aria-live="polite">', '<output id="count" role="note">'),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(rows, shown, fault):
    sound, broken = PLANTED[fault]

    def change(page):
        assert sound in page
        return page.replace(sound, broken, 1)

    assert fault in faults(shown(rows.at_two_levels(), change))


def test_every_point_of_a_chart_says_its_figures(rows, shown):
    some = rows.at_two_levels()
    tree = Tree(shown(some))
    charts = [node for node in tree.of("group") if "against accuracy" in name(node)]
    assert len(charts) == 4
    points = [name(one) for chart in charts for one in tree.within(chart) if role(one) == "link"]
    assert len(points) == 16
    mean, low, high = (some[0]["accuracy"][part] for part in ("mean", "ci_low", "ci_high"))
    assert points.count(f"maml none x86: {mean:.3f} ({low:.3f}–{high:.3f}), 3.00 ms") == 1
    assert any("on the front" in point for point in points)
    assert not any(role(one) == "StaticText" for chart in charts for one in tree.within(chart)), (
        "the axes are not read out as loose figures"
    )


def test_a_row_is_named_by_its_axes_and_a_sorted_column_says_so(rows, shown):
    page = shown(rows.at_two_levels())
    page.evaluate("[...document.querySelectorAll('#matrix thead button')].find((b) => b.textContent === 'accuracy').click()")
    tree = Tree(page)
    (matrix,) = [node for node in tree.of("table") if "matrix" in name(node)]
    headers = [name(one) for one in tree.within(matrix) if role(one) == "rowheader"]
    assert headers[:3] == ["unseen-bearing [T3]", "centroid", "none"], "the worst first"
    assert page.evaluate("[...document.querySelectorAll('#matrix th')].map((one) => one.ariaSort).filter(Boolean)") == ["ascending"]
    assert "sorted by accuracy, ascending" in [tree.said(node) for node in tree.of("status")]


def test_how_many_rows_a_filter_leaves_is_read_out_and_what_is_left_out_is_not(rows, shown):
    page = shown(rows.at_two_levels())
    page.evaluate("""(() => {
      const words = document.getElementById('words');
      words.value = 'prune40';
      words.dispatchEvent(new Event('input', {bubbles: true}));
    })()""")
    tree = Tree(page)
    assert "2 of 9 cells" in [tree.said(node) for node in tree.of("status") if told(node, "live") == "polite"]
    charts = [node for node in tree.of("group") if "against accuracy" in name(node)]
    points = [name(one) for chart in charts for one in tree.within(chart) if role(one) == "link"]
    assert len(points) == 4
    assert all("prune40" in point for point in points)


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, from the package that carries it: no page of ours does."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None:
        pytest.skip("no axe-core: pip install '.[dev]'")
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


def broken_rules(page, axe):
    """The rules of WCAG that a page breaks, how many words have enough contrast, and what could not be decided."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(f"{axe};0")
    return page.evaluate("""axe.run(document, {
      preload: false,
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }).then((found) => ({
      broken: found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`),
      contrasts: found.passes.filter((one) => one.id === 'color-contrast').map((one) => one.nodes.length)[0],
      open: [...new Set(found.incomplete.flatMap((one) => one.nodes.map((node) => `${one.id} ${node.any[0]?.data?.messageKey}`)))],
    }))""")


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 400)])
def test_no_rule_of_wcag_is_broken(rows, shown, axe, dark, width):
    found = broken_rules(shown(rows.at_two_levels()[::2], dark=dark, width=width), axe)
    assert found["broken"] == []
    assert found["contrasts"] > 100
    # What axe cannot see behind: words in a drawing (test_words_stand_out_in_light_and_in_dark has their colours), a lone letter, a cell
    # that is scrolled out of sight.
    undecided = {"imgNode", "shortTextContent", "bgOverlap", "elmPartiallyObscured"}
    assert {one for one in found["open"] if one not in {f"color-contrast {key}" for key in undecided}} == set()


@pytest.mark.parametrize(
    ("rule", "sound", "broken"),
    [
        ("select-name", "<label>learner<select", "<label><select"),
        ("color-contrast", "--soft: #5b636d", "--soft: #a0a8b1"),
        ("aria-allowed-attr", '<th scope="col" class="number">', '<th scope="col" class="number" aria-checked="true">'),
        ("nested-interactive", 'class="chart points" role="group"', 'class="chart points" role="img"'),
    ],
)
def test_axe_finds_a_planted_fault(rows, browser, axe, tmp_path, rule, sound, broken):
    page = as_html(rows.at_two_levels()[::4], ["faultbench", "run"])
    assert sound in page
    (tmp_path / "page.html").write_text(unguarded(page).replace(sound, broken), encoding="utf-8")
    browser.open(tmp_path / "page.html")
    assert rule in [one.partition(":")[0] for one in broken_rules(browser, axe)["broken"]]


def unguarded(page):
    """The page without its policy: a changed style would be refused."""
    return page.replace("Content-Security-Policy", "nothing")


def test_the_page_itself_holds_no_axe(rows):
    assert "deque" not in as_html(rows.every_kind(), ["faultbench", "run"]).lower()
