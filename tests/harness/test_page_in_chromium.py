"""The page in a real browser: it sorts, narrows and opens, by keyboard too; its console stays silent, and no text of it runs."""

from __future__ import annotations

import pytest

from faultbench.report.page import MOST_OPEN, as_html

COMMAND = ["faultbench", "run", "-l", "maml"]
EVIL = "<script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
pytestmark = pytest.mark.slow


ORDER = "[...document.querySelectorAll('#matrix tbody tr:not([hidden])')].map((row) => row.dataset.r).join(' ')"


def press(name):
    return f"""[...document.querySelectorAll('#matrix thead button')].find((b) => b.textContent === '{name}').click(), {ORDER}"""


def choose(name, value):
    return f"""(() => {{
      const label = [...document.querySelectorAll('.filters label')].find((one) => one.firstChild.textContent === '{name}');
      const select = label.querySelector('select');
      select.value = [...select.options].find((option) => option.textContent === '{value}').value;
      select.dispatchEvent(new Event('input', {{bubbles: true}}));
      return {ORDER} + ' | ' + document.getElementById('count').textContent;
    }})()"""


def several(rows):
    return [
        rows.judged({"learner": "middle"}, outcome=rows.answers(40), times=rows.times(latency_ms=30.0)),
        rows.judged({"learner": "worst", "compressor": "prune40"}, outcome=rows.answers(11), times=rows.times(latency_ms=0.5)),
        rows.judged({"learner": "best"}, outcome=rows.answers(97), times=None),
        rows.unscored({"learner": EVIL}, error=EVIL),
    ]


def test_a_press_on_a_heading_sorts_and_a_second_turns_the_order(rows, shown):
    page = shown(several(rows))
    assert page.evaluate(ORDER) == "0 1 2 3"
    assert page.evaluate(press("accuracy")) == "1 0 2 3"
    assert page.evaluate("document.querySelector('[aria-sort]').textContent").startswith("accuracy")
    assert page.evaluate(press("accuracy")) == "2 0 1 3", "what is not known stays last"
    assert page.evaluate("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    assert page.evaluate(press("latency ms p50")) == "1 0 2 3"
    assert page.evaluate("document.querySelectorAll('[aria-sort]').length") == 1
    assert page.evaluate(press("learner")) == "3 2 0 1", "words are sorted as words"


def test_the_verdict_is_sorted_by_how_bad_it_is(rows, shown):
    page = shown(rows.every_kind())
    said = "[...document.querySelectorAll('#matrix a.verdict')].map((one) => one.textContent)"
    order = ["error", "fail", "unproven", "unproven", "pass", "fail", "not applicable"]
    assert sorted(page.evaluate(said)) == sorted(order)
    page.evaluate(press("verdict"))
    order = ["error", "fail", "fail", "unproven", "unproven", "pass", "not applicable"]
    assert page.evaluate(said) == order
    page.evaluate(press("verdict"))
    assert page.evaluate(said) == order[::-1]
    options = "[...document.querySelectorAll('.filters select')][0].textContent"
    assert page.evaluate(options) == "any" + "".join(dict.fromkeys(order))


def test_filters_narrow_the_matrix_and_the_charts_and_say_how_many_are_left(rows, shown):
    page = shown(several(rows))
    assert page.evaluate(choose("compressor", "none")) == "0 2 3 | 3 of 4 cells"
    assert page.evaluate(choose("verdict", "error")) == "3 | 1 of 4 cells"
    assert page.evaluate("document.querySelectorAll('svg.points a.off').length") == 5, "every point of the cells that are left out"
    assert page.evaluate(choose("learner", "best")) == " | none of 4 cells fits"
    page.evaluate("document.querySelector('.filters').reset()")
    page.evaluate("new Promise((done) => setTimeout(done, 20))")
    assert page.evaluate(ORDER) == "0 1 2 3"
    words = "const w = document.getElementById('words'); w.value = 'prune40 worst'; w.dispatchEvent(new Event('input', {bubbles: true}));"
    page.evaluate(words)
    assert page.evaluate(ORDER) == "1"


def test_a_large_matrix_is_sorted_whole_and_shown_in_steps(rows, shown):
    row = rows.judged()
    some = [{**row, "params": 1000 - place, "cell": {**row["cell"], "learner": f"l{place}"}} for place in range(250)]
    page = shown(some, height=600)
    assert page.evaluate(f"{ORDER}.split(' ').length") == 100
    assert page.evaluate(f"{press('params')}").split()[:3] == ["249", "248", "247"]
    page.evaluate("document.getElementById('more').scrollIntoView()")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.evaluate(f"{ORDER}.split(' ').length") > 100, "who scrolls to the end sees more"
    page.evaluate("document.getElementById('words').value = 'l24'")
    page.evaluate("document.getElementById('words').dispatchEvent(new Event('input', {bubbles: true}))")
    assert page.evaluate(ORDER).split() == [str(place) for place in range(249, 239, -1)] + ["24"]
    page.evaluate("document.querySelector('.filters').reset()")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(f"{ORDER}.split(' ').length") == 250, "paper has them all"


def test_a_verdict_leads_to_its_cell_and_opens_it(rows, shown):
    page = shown(several(rows))
    page.evaluate("document.querySelector('#matrix a[href=\"#row2\"]').click()")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert page.evaluate("[...document.querySelectorAll('details.row[open]')].map((one) => one.id).join()") == "row2"
    assert page.evaluate("document.activeElement.closest('details').id") == "row2", "the keyboard goes on from there"


def test_a_point_says_its_figures_under_the_pointer_and_a_click_opens_its_cell(rows, shown):
    page = shown(several(rows))
    x, y = page.evaluate("""(() => {
      const point = document.querySelector('svg.points a[href="#row1"]');
      point.scrollIntoView({block: 'center'});
      const {x, y, width, height} = point.querySelector('.point').getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })()""")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert page.evaluate("document.querySelector('figure.tradeoff .tools').textContent").startswith("worst prune40 x86: 0.")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert page.evaluate("document.getElementById('row1').open")
    page.evaluate("document.getElementById('row1').open = false")
    page.evaluate(
        "document.querySelector('svg.points a[href=\"#row1\"]').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    assert page.evaluate("document.getElementById('row1').open"), "once more, though the address stays the same"


def test_a_packed_cell_is_unpacked_when_it_is_asked_for(rows, shown):
    row = rows.judged(notes={EVIL: EVIL})
    page = shown([{**row, "cell": {**row["cell"], "learner": f"{EVIL}{place}"}} for place in range(MOST_OPEN + 1)])
    page.evaluate(f"document.querySelector('#matrix a[href=\"#row{MOST_OPEN}\"]').click()")
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    opened = page.evaluate("[...document.querySelectorAll('details.row[open]')].map((one) => one.id).join()")
    assert opened == f"row{MOST_OPEN}"
    assert f"</script><img src=x onerror=\"document.title='broken'\">{MOST_OPEN}" in page.evaluate(
        f"document.getElementById('row{MOST_OPEN}').textContent"
    )
    assert page.evaluate("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_in_light_and_in_dark(rows, shown, dark):
    """The contrast of WCAG 2.1, AA, for text: 4.5 to 1, of every colour that words have on the sheet and on the page."""
    page = shown(rows.every_kind(), dark=dark)
    least = page.evaluate("""(() => {
      const root = getComputedStyle(document.documentElement);
      const light = (name) => {
        const said = root.getPropertyValue(name).trim().slice(1);
        const six = said.length === 3 ? [...said].map((c) => c + c).join('') : said;
        const [r, g, b] = [0, 2, 4].map((at) => parseInt(six.slice(at, at + 2), 16) / 255)
          .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const found = {};
      const series = [0, 1, 2, 3, 4, 5, 6].map((place) => `--c${place}`);
      for (const name of ['--ink', '--soft', '--link', '--pass', '--fail', '--open', '--none', ...series])
        for (const back of series.includes(name) ? ['--sheet'] : ['--sheet', '--back', '--tint']) {
          const [one, other] = [light(name), light(back)];
          found[`${name} on ${back}`] = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        }
      return found;
    })()""")
    assert {name: value for name, value in least.items() if value < 4.5} == {}
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)") == dark


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_itself_never_scrolls_sideways(rows, shown, width):
    page = shown([*rows.every_kind(), rows.judged({"learner": "n" * 200})], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_all_is_open_and_no_control_is_left(rows, shown, tmp_path):
    page = shown(several(rows))
    page.printed(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.filters')).display") == "none"
    page.call("Emulation.setEmulatedMedia", media="")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('details.row[open]').length") == 0


def test_a_script_that_is_not_the_pages_own_does_not_run(rows, browser, tmp_path):
    page = as_html(several(rows), COMMAND)
    planted = page.replace("</body>", "<script>document.title='broken'</script><img src='http://127.0.0.1:9/x'></body>")
    (tmp_path / "page.html").write_text(planted, encoding="utf-8")
    browser.complaints.clear()
    browser.open(tmp_path / "page.html")
    assert browser.evaluate("document.title").startswith("faultbench: 1 error")
    assert len(browser.complaints) >= 2, "the driver sees what the policy refuses"
