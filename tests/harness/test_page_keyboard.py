"""The page by the keyboard alone, with the keys that a person presses: every control is reached in order, seen, and does its work."""

from __future__ import annotations

import pytest

from faultbench.report.page import MOST_OPEN

pytestmark = pytest.mark.slow

ORDER = "[...document.querySelectorAll('#matrix tbody tr:not([hidden])')].map((row) => row.dataset.r).join(' ')"
NUMBERED = """(() => {
  const all = [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex]')];
  window.stops = all.filter((one) => one.tabIndex >= 0 && one.checkVisibility({visibilityProperty: true}));
  return window.stops.map((one) => `${one.localName} ${(one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 30)}`);
})()"""
WHERE = "window.stops.indexOf(document.activeElement)"
PAUSE = "new Promise((done) => setTimeout(done, 50))"


def focus(page, selector):
    """Puts the focus on a control as the Tab key would: from the one before it."""
    page.evaluate(f"{selector}.focus()")


def heading(name):
    return f"[...document.querySelectorAll('#matrix thead button')].find((one) => one.textContent === '{name}')"


def count(page):
    return page.evaluate("document.getElementById('count').textContent")


def unseen(page):
    """The kinds of stops at which the page looks the same with the focus and without, going by the Tab key from stop to stop."""
    found, looked_at = [], set()
    for _ in page.evaluate(NUMBERED):
        page.press("Tab")
        kind, *box = page.evaluate("""(() => {
          const one = document.activeElement, inner = one.querySelector('.point') ?? one;
          const {left, top, width, height} = inner.getBoundingClientRect();
          return [`${one.localName} ${one.className.baseVal ?? one.className}`.split(' ').slice(0, 2).join(' '),
            Math.max(left - 8, 0), Math.max(top - 8, 0), Math.min(width + 16, 1200), Math.min(height + 16, 800)];
        })()""")
        if kind in looked_at:
            continue
        looked_at.add(kind)
        scrolled = page.evaluate("[scrollX, scrollY]")
        box = [box[0] + scrolled[0], box[1] + scrolled[1], *box[2:]]
        focused = page.part(*box)
        page.evaluate("window.last = document.activeElement; last.blur()")
        if page.part(*box) == focused:
            found.append(kind)
        page.evaluate("last.focus({preventScroll: true})")
    assert len(looked_at) >= 7, looked_at
    return found


def test_the_tab_key_reaches_every_control_in_the_order_of_the_page_and_back(rows, shown):
    page = shown(rows.at_two_levels())
    stops = page.evaluate(NUMBERED)
    assert len(stops) > 50
    assert stops[0] == "a To the matrix"
    kinds = [stop.split()[0] for stop in stops]
    assert kinds.count("select") == 4
    assert kinds.count("summary") == 9 + 3 + 1, "the cells, the tables of the figures, the papers"
    reached = []
    for _ in stops:
        page.press("Tab")
        reached.append(page.evaluate(WHERE))
    assert reached == list(range(len(stops)))
    page.press("Tab", shift=True)
    assert page.evaluate(WHERE) == len(stops) - 2


def test_the_focus_is_seen_on_every_kind_of_control(rows, shown):
    assert unseen(shown(rows.at_two_levels())) == []


def test_a_focus_that_is_not_seen_is_found(rows, shown):
    page = shown(rows.at_two_levels())
    page.evaluate("""(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(':focus-visible { outline: none !important; }');
      document.adoptedStyleSheets.push(sheet);
    })()""")
    found = unseen(page)
    assert "summary " in found
    assert any(kind.startswith("a verdict") for kind in found)


def test_the_first_stop_leads_past_the_verdicts_to_the_matrix(rows, shown):
    page = shown(rows.at_two_levels())
    page.press("Tab")
    page.press("Enter")
    page.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "select"


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_heading_sorts_by_enter_and_by_space_and_keeps_the_focus(rows, shown, key):
    page = shown(rows.at_two_levels())
    focus(page, heading("accuracy"))
    page.press(key)
    assert page.evaluate(f"{heading('accuracy')}.closest('th').ariaSort") == "ascending"
    first = page.evaluate(ORDER)
    page.press(key)
    assert page.evaluate(f"{heading('accuracy')}.closest('th').ariaSort") == "descending"
    assert page.evaluate(ORDER) != first
    assert page.evaluate(f"document.activeElement === {heading('accuracy')}")


def test_the_filters_work_by_arrows_typing_and_space(rows, shown):
    page = shown(rows.at_two_levels())
    focus(page, "document.querySelector('.filters select')")
    page.press("ArrowDown")
    assert count(page) == "1 of 9 cells", "the worst verdict is the first: error"
    page.press("Home")
    assert count(page) == "9 cells"
    focus(page, "document.getElementById('words')")
    page.call("Input.insertText", text="prune40 t3")
    assert count(page) == "1 of 9 cells"
    page.press("Tab")
    page.press(" ")
    page.evaluate(PAUSE)
    assert count(page) == "9 cells"


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_cell_opens_and_closes_by_enter_and_by_space(rows, shown, key):
    page = shown(rows.at_two_levels())
    focus(page, "document.querySelector('#row1 > summary')")
    page.press(key)
    assert page.evaluate("document.getElementById('row1').open")
    page.press(key)
    assert not page.evaluate("document.getElementById('row1').open")


def test_a_verdict_leads_to_its_cell_by_enter(rows, shown):
    page = shown(rows.at_two_levels())
    focus(page, "document.querySelector('#matrix a[href=\"#row2\"]')")
    page.press("Enter")
    page.evaluate(PAUSE)
    assert page.evaluate("document.getElementById('row2').open")
    assert page.evaluate("document.activeElement.parentNode.id") == "row2"


def points(page, key, presses):
    """The points that a key leads to, in turn."""
    found = [page.evaluate("document.activeElement.getAttribute('href')")]
    for _ in range(presses):
        page.press(key)
        found.append(page.evaluate("document.activeElement.getAttribute('href')"))
    return found


def test_the_arrow_keys_go_through_the_points_of_a_chart_and_enter_opens_the_cell(rows, shown):
    some = rows.at_two_levels()
    page = shown(some)
    figure = "document.querySelector('figure.tradeoff')"
    focus(page, f"{figure}.querySelector('svg.points a[tabindex=\"0\"]')")
    page.press("Home")
    assert points(page, "ArrowRight", 4) == ["#row6", "#row7", "#row4", "#row5", "#row5"], "by latency, and no further"
    assert points(page, "ArrowLeft", 1) == ["#row5", "#row4"]
    page.press("End")
    by_accuracy = sorted((some[place]["accuracy"]["mean"], f"#row{place}") for place in range(4, 8))
    above = [point for _, point in by_accuracy[by_accuracy.index((some[5]["accuracy"]["mean"], "#row5")) :]]
    assert len(above) == 3
    assert points(page, "ArrowUp", 3) == [*above, above[-1]]
    assert page.evaluate(f"{figure}.querySelectorAll('svg.points')[0].querySelectorAll('a[tabindex=\"0\"]').length") == 1
    said = page.evaluate(f"{figure}.querySelector('.tools').textContent")
    assert said == page.evaluate("document.activeElement.querySelector('title').textContent")
    last = page.evaluate("document.activeElement.getAttribute('href').slice(1)")
    page.press("Tab")
    assert page.evaluate("document.activeElement.closest('svg') === document.querySelectorAll('svg.points')[1]"), "the next chart"
    page.press("Tab", shift=True)
    page.press("Enter")
    page.evaluate(PAUSE)
    assert page.evaluate("document.activeElement.parentNode.id") == last
    assert page.evaluate(f"document.getElementById('{last}').open")


def test_points_that_a_filter_leaves_out_are_not_stopped_at(rows, shown):
    page = shown(rows.at_two_levels())
    focus(page, "document.getElementById('words')")
    page.call("Input.insertText", text="none")
    assert count(page) == "7 of 9 cells", "the one that broke among them"
    focus(page, "document.querySelector('svg.points a[tabindex=\"0\"]')")
    page.press("Home")
    assert points(page, "ArrowRight", 3) == ["#row6", "#row4", "#row5", "#row5"]
    stops = page.evaluate("[...document.querySelectorAll('svg.points a[tabindex=\"0\"]')].map((one) => one.classList.contains('off'))")
    assert stops == [False] * 4


def test_a_large_matrix_does_not_grow_before_who_goes_through_it_by_the_tab_key(rows, shown):
    row = rows.judged()
    page = shown([{**row, "cell": {**row["cell"], "learner": f"l{place}"}} for place in range(2 * MOST_OPEN + 20)])
    focus(page, "document.querySelector('#matrix a[href=\"#row98\"]')")
    page.press("Tab")
    page.press("Tab")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate("document.activeElement.id") == "more"
    assert page.evaluate(f"{ORDER}.split(' ').length") == 100
    page.press("Enter")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate(f"{ORDER}.split(' ').length") == 200
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#row100", "the first of the rows that came"


def test_a_link_leads_past_a_long_matrix(rows, shown):
    row = rows.judged()
    page = shown([{**row, "cell": {**row["cell"], "learner": f"l{place}"}} for place in range(30)])
    focus(page, "document.querySelector('.skip.here')")
    page.press("Enter")
    page.press("Tab")
    assert page.evaluate("document.activeElement.closest('section').getAttribute('aria-labelledby')") != "cells"


def test_what_is_wider_than_the_page_is_scrolled_by_the_keyboard(rows, shown):
    page = shown(rows.at_two_levels(), width=320)
    page.evaluate(PAUSE)
    all_ = "[...document.querySelectorAll('.wide:not(.matrix)')].filter((one) => one.checkVisibility())"
    wide = f"{all_}.filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{wide}.length") > 0
    assert page.evaluate(f"{wide}.every((one) => one.tabIndex === 0 && one.getAttribute('aria-label'))")
    focus(page, f"{wide}[0]")
    page.press("ArrowRight")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate(f"{wide}[0].scrollLeft") > 0
