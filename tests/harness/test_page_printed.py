"""The page on paper, read back from the PDF that Chromium prints: all of it is there, nothing runs off the sheet, and it is light."""

from __future__ import annotations

import re

import pytest

from faultbench.report.page import MOST_OPEN, as_html

pytestmark = pytest.mark.slow

MARGIN = 12 / 25.4 * 72
"""Of the sheet, in points: `@page` of the style."""


class Sheet:
    """A printed page: its words, where they stand, and what it looks like."""

    def __init__(self, page):
        words = page.get_textpage()
        self.width, self.height = page.get_size()
        self.text = " ".join(words.get_text_bounded().split())
        self.letters = [words.get_charbox(at) for at in range(words.count_chars())]
        self.drawn = [one.get_bounds() for one in page.get_objects(max_depth=1)]
        picture = page.render(scale=0.5).to_numpy()[:, :, :3]
        self.light, self.corner = float(picture.mean()), tuple(int(value) for value in picture[2, 2])


@pytest.fixture
def printed(browser, tmp_path):
    """Prints what the browser shows."""
    pdfium = pytest.importorskip("pypdfium2", reason="no pypdfium2: pip install '.[dev]'")

    def read():
        browser.printed(tmp_path / "page.pdf")
        document = pdfium.PdfDocument(tmp_path / "page.pdf")
        try:
            return [Sheet(page) for page in document]
        finally:
            document.close()

    return read


def text(sheets):
    return " ".join(sheet.text for sheet in sheets)


def beyond(sheets):
    """Sheets with letters or drawings beyond the margins."""
    return [
        at
        for at, sheet in enumerate(sheets)
        if any(
            left < MARGIN - 2 or right > sheet.width - MARGIN + 2 for left, _, right, _ in [*sheet.letters, *sheet.drawn] if right > left
        )
    ]


def missing(sheets, words):
    # A word may be broken at the end of a line, in a narrow column of the matrix.
    found = text(sheets).replace(" ", "")
    return [word for word in words if word.replace(" ", "") not in found]


def widest(rows):
    """Rows that differ in every axis and setting: a matrix as wide as it gets."""
    other = {"dataset": "uestc", "scenario": "unseen-bearing:ways=3,parts=2", "level": "T3", "learner": "prototypical-network"}
    other |= {"compressor": "prune40,int8", "target": "armv7-emulated", "snr": "0", "sources": ["cwru", "paderborn"], "ways": 4, "shots": 1}
    other |= {"shots_rare": 1, "queries": 30, "episodes": 100, "seeds": 5, "window": 4096, "rate_hz": 25600.0, "channels": ["drive", "fan"]}
    return [rows.judged(), rows.judged(other, figures={"params": 77_700, "macs": 8_880_000, "artifact_bytes": 999_000})]


def test_every_section_is_on_paper_and_nothing_runs_off_the_sheet(rows, shown, printed):
    some = rows.at_two_levels()
    page = shown(some)
    sheets = printed()
    words = [page.evaluate("document.querySelector('h1').textContent"), "The matrix", "What is left when less is shared"]
    words += ["What accuracy costs", "The fronts as a table", "Cell by cell", "Recall of each fault bearing", "Confusion: the true class"]
    words += ["The audit of the splits", "To repeat it", "faultbench run -l maml"]
    words += [f"{row['accuracy']['mean']:.3f}" for row in some if row["accuracy"]]
    words += [f"{row['cell']['scenario']} [{row['cell']['level']}] {row['cell']['learner']} {row['cell']['compressor']}" for row in some]
    assert missing(sheets, words) == []
    assert beyond(sheets) == []
    assert text(sheets).count("Confusion: the true class") == 8, "every cell is open"


def test_the_widest_matrix_fits_the_sheet(rows, shown, printed):
    shown(widest(rows))
    sheets = printed()
    assert missing(sheets, ["prototypical-network", "prune40,int8", "armv7-emulated", "25600", "77.7k", "8.88M", "999 kB"]) == []
    assert beyond(sheets) == []
    assert sheets[0].width == pytest.approx(297 / 25.4 * 72, abs=2)


def test_what_does_not_fit_the_sheet_is_found(rows, browser, printed, tmp_path):
    page = as_html(widest(rows), ["faultbench", "run"]).replace("Content-Security-Policy", "nothing")
    wider = ".matrix table { font-size: 6.3pt; width: 100%; }"
    assert wider in page
    (tmp_path / "page.html").write_text(page.replace(wider, ".matrix table { width: 5000px; }"), encoding="utf-8")
    browser.open(tmp_path / "page.html")
    sheets = printed()
    assert beyond(sheets) or missing(sheets, ["999 kB"])


def test_no_control_is_on_paper(rows, shown, printed):
    shown(rows.at_two_levels())
    found = text(printed())
    for control in (
        "Show all",
        "any text",
        "To the matrix",
        "Past the matrix",
        "Open all",
        "Close all",
        "Point at a mark",
        "↕",
        "more rows",
    ):
        assert control not in found, control


@pytest.mark.parametrize("dark", [False, True])
def test_paper_is_light_though_the_page_is_dark(rows, shown, printed, dark):
    shown(rows.at_two_levels(), dark=dark)
    for sheet in printed():
        assert sheet.corner == (255, 255, 255)
        assert sheet.light > 230


def test_dark_paper_is_found(rows, browser, printed, tmp_path):
    page = as_html(rows.at_two_levels(), ["faultbench", "run"]).replace("Content-Security-Policy", "nothing")
    light = "@media print {\n  :root {"
    assert light in page
    (tmp_path / "page.html").write_text(page.replace(light, "@media print {\n  :not(*) {"), encoding="utf-8")
    browser.open(tmp_path / "page.html", dark=True)
    assert printed()[0].light < 100


def test_what_a_filter_leaves_out_is_said_on_paper(rows, shown, printed):
    page = shown(rows.at_two_levels())
    assert "Narrowed" not in text(printed())
    page.evaluate("""(() => {
      const words = document.getElementById('words');
      words.value = 'prune40';
      words.dispatchEvent(new Event('input', {bubbles: true}));
    })()""")
    assert 'Narrowed to 2 of 9 cells: the text "prune40".' in text(printed())


def test_without_scripts_paper_has_the_cells_too(rows, browser, printed, tmp_path):
    (tmp_path / "page.html").write_text(as_html(rows.at_two_levels(), ["faultbench", "run"]), encoding="utf-8")
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.call("Page.navigate", url=(tmp_path / "page.html").as_uri())
        while browser.evaluate("location.protocol + document.readyState") != "file:complete":
            pass
        found = text(printed())
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert found.count("Confusion: the true class") == 8
    assert "Show all" not in found


def test_a_large_matrix_is_on_paper_whole_with_its_headings_on_every_sheet_and_says_what_is_not(rows, shown, printed):
    row = rows.judged()
    page = shown([{**row, "cell": {**row["cell"], "learner": f"l{place}x"}} for place in range(MOST_OPEN + 20)])
    page.evaluate("document.querySelector('#matrix a[href=\"#row7\"]').click()")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    sheets = printed()
    listed = [set(re.findall(r"\bl\d+x\b", sheet.text)) for sheet in sheets]
    assert set.union(*listed) >= {f"l{place}x" for place in range(MOST_OPEN + 20)}
    with_rows = [sheet for sheet, found in zip(sheets, listed, strict=True) if len(found) > 10 and "fine-tune" in sheet.text]
    assert sum(len(re.findall(r"\bl\d+x\b", sheet.text)) for sheet in with_rows) >= MOST_OPEN, "the headings come again on every sheet"
    assert all("learner" in sheet.text and "missed" in sheet.text for sheet in with_rows)
    assert "Of 120 cells, only the details that were opened before printing are on paper" in text(sheets)
    assert text(sheets).count("Confusion: the true class") == 1
    assert beyond(sheets) == []
