"""Pictures and pages of recordings: which are chosen, what is drawn, and that the same input gives the same bytes."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from faultbench.data.recording import Catalogue, Channel, Gearing
from faultbench.errors import DataError, PluginError, UsageError
from faultbench.inspection.selection import MOST, Chosen, select
from faultbench.inspection.spectra import side_bands
from faultbench.inspection.views import view

pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
from faultbench.inspection.page import page
from faultbench.inspection.plots import Caption, picture

HOSTILE = "<script>alert(1)</script>&\"'$x^2$ \x1b[31m"
CAPTION = Caption("plant: waveform", "as chosen", ("small print", HOSTILE))


class Noisy:
    """A data set of noise, as loud as it is said."""

    def __init__(self, catalogue, loud=lambda recording: 1.0):
        self.catalogue, self.loud = lambda: catalogue, loud

    def read(self, recording, channel):
        samples = recording.channel(channel).samples
        return (self.loud(recording) * np.random.default_rng(3).normal(size=samples)).astype(np.float32)


@pytest.fixture
def rig(plant):
    return plant(samples=4000)


def views(catalogue, dataset=None, **said):
    made = dataset or Noisy(catalogue)
    return [view(made, chosen) for chosen in select(catalogue, **said).chosen]


# What is chosen.


def test_one_recording_for_every_element_is_the_first_at_the_targets_mounting(rig):
    selection = select(rig)
    assert [c.heading for c in selection.chosen] == ["healthy", "inner", "ball", "outer"]
    assert [c.recording.id for c in selection.chosen] == [
        "beta-0/healthy//0 at 0 hp",
        "beta-0/inner/small/0 at 0 hp",
        "beta-0/ball/small/0 at 0 hp",
        "beta-0/outer/small/0@3 at 0 hp",
    ]
    assert selection.said == "one recording for each element, the first in the catalogue's order at load 0 hp, mounting beta-0"


def test_per_class_severities_are_classes(rig):
    assert [c.heading for c in select(rig, per_class=True).chosen] == [
        "healthy", "inner small", "inner large", "ball small", "ball large", "outer small", "outer large",
    ]  # fmt: skip


def test_the_load_is_the_one_at_which_most_classes_were_measured(plant):
    def only(recording):
        return None if recording.load == "0 hp" and recording.element == "ball" else recording

    selection = select(plant(change=only))
    assert {c.recording.load for c in selection.chosen} == {"1 hp"}

    def torn(recording):
        return None if (recording.load == "2 hp") != (recording.element == "ball") else recording

    selection = select(plant(change=torn))
    assert {c.heading: c.recording.load for c in selection.chosen} == {"healthy": "0 hp", "inner": "0 hp", "ball": "2 hp", "outer": "0 hp"}
    assert "at load 0 hp where there is one" in selection.said


def test_named_recordings_come_in_their_order_and_once(rig):
    ids = (rig.recordings[5].id, rig.recordings[0].id, rig.recordings[5].id)
    assert [c.recording.id for c in select(rig, ids).chosen] == list(ids[:2])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"ids": ("beta-0/inner/small/0 at 9 hp",)}, "did you mean 'beta-0/inner/small/0 at 2 hp', "),
        ({"ids": ("\x1b[31m",)}, "has no recording"),
        ({"ids": ("beta-0/healthy//0 at 0 hp",), "per_class": True}, "leave one of them away"),
        ({"channel": "b"}, "has no channel 'b': it has a"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(said, message, rig):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        select(rig, **said)
    assert str(caught.value).isprintable()


def test_too_many_rows_and_none_are_refused(plant):
    big = plant(bearings=9)
    with pytest.raises(UsageError, match=f"at most {MOST}"):
        select(big, [r.id for r in big.recordings[: MOST + 1]])
    with pytest.raises(DataError, match="holds no recording"):
        select(Catalogue("plant", "1", (), ()))


def test_a_channel_is_read_by_its_name(rig):
    two = replace(rig.recordings[0], channels=(*rig.recordings[0].channels, Channel("b", 500.0, 2000, unit="V")))
    (chosen,) = select(Catalogue("plant", "1", (two,), ()), channel="b").chosen
    seen = view(Noisy(rig), chosen)
    assert (seen.channel, seen.rate_hz, seen.unit, len(seen.waveform)) == ("b", 500.0, "V", 100)


# What is seen.


def test_levels_are_those_of_the_whole_recording(rig):
    (seen,) = views(rig, Noisy(rig, lambda r: 3.0), ids=(rig.recordings[0].id,))
    assert (seen.rms, seen.kurtosis) == (pytest.approx(3.0, rel=0.05), pytest.approx(3.0, rel=0.1))
    assert len(seen.waveform) == 200
    assert seen.averaged_s == 4.0


@pytest.mark.parametrize("returned", [np.full(100, np.nan, dtype=np.float32), [1.0, 2.0], np.zeros((2, 50)), np.zeros(0)])
def test_a_data_set_that_breaks_its_contract_is_named(returned, rig):
    broken = Noisy(rig)
    broken.read = lambda recording, channel: returned
    with pytest.raises(PluginError, match=r"plant: .*read\(\) returned no finite array"):
        views(rig, broken)


def test_a_waveform_of_no_samples_is_refused(rig):
    with pytest.raises(UsageError, match="give --window more seconds"):
        view(Noisy(rig), Chosen("healthy", rig.recordings[0], "a"), 0.0005)


# What is drawn.


def test_the_same_input_gives_the_same_bytes(rig):
    seen = views(rig)
    for made in (lambda: picture(seen, CAPTION, "svg"), lambda: picture(seen, CAPTION, "png"), lambda: page(seen, CAPTION)):
        assert made() == made()


def test_a_users_own_settings_change_nothing_and_stay(rig):
    import matplotlib

    seen = views(rig)[:1]
    plain = picture(seen, CAPTION, "svg")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.hashsalt": "theirs"}):
        assert picture(seen, CAPTION, "svg") == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_a_png_has_a_row_for_each_recording(rig):
    def size(data):
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        return struct.unpack(">II", data[16:24])

    seen = views(rig)
    one, four = size(picture(seen[:1], CAPTION, "png")), size(picture(seen, CAPTION, "png"))
    assert one[0] == four[0] == 1760
    assert four[1] > 2 * one[1]


class Page(HTMLParser):
    """What a page holds: its tags, ids, references and text."""

    def __init__(self, data):
        super().__init__()
        self.tags, self.ids, self.links, self.text = [], [], [], ""
        self.feed(data.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.links.append(value)

    def handle_data(self, data):
        self.text += data


def test_a_page_is_one_file_with_a_section_for_each_class(rig):
    data = page(views(rig), CAPTION)
    held = Page(data)
    assert (held.tags.count("section"), held.tags.count("svg"), held.tags.count("script"), held.tags.count("img")) == (4, 12, 0, 0)
    assert all(link.startswith("#") for link in held.links)
    assert "default-src 'none'" in data.decode()
    assert len(held.ids) == len(set(held.ids))
    references = {link[1:] for link in held.links} | set(re.findall(r"url\(#([^)]+)\)", data.decode()))
    assert references <= set(held.ids)
    for claim in ("BPFO 90.0 Hz (3.000x)", "BPFI 150.0 Hz", "2xBSF 120.0 Hz", "small print", "waveform, first 0.2 s", "amplitude, g"):
        assert claim in " ".join(held.text.split())


def test_text_from_outside_is_text(plant):
    def named(recording):
        return replace(recording, load=HOSTILE, channels=(replace(recording.channels[0], name=HOSTILE, unit=HOSTILE),))

    rig = plant(samples=4000, change=named)
    seen = views(rig)
    held = Page(page(seen, CAPTION))
    assert "script" not in held.tags
    assert "<script>alert(1)</script>&\"'$x^2$" in held.text
    assert "\x1b" not in held.text
    ET.fromstring(picture(seen[:1], CAPTION, "svg"))  # noqa: S314 - our own
    assert picture(seen[:1], CAPTION, "png")


def test_lines_are_left_out_where_they_are_not_known_and_that_is_said(plant):
    bare = plant(samples=4000, change=lambda r: replace(r, geometry=None, speed_rpm=None))
    text = Page(page(views(bare), CAPTION)).text
    assert "no fault lines: the geometry is not stated" in text
    assert "speed not known" in text
    assert "BPFO" not in text
    assert "orders" not in text
    still = plant(samples=4000, change=lambda r: replace(r, speed_rpm=None))
    assert "no fault lines: the speed is not known" in Page(page(views(still), CAPTION)).text


def test_gears_have_their_mesh_with_side_bands_and_their_turns(plant):
    geared = plant(samples=40_000, change=lambda r: replace(r, geometry=None, speed_rpm=1800.0, gearing=Gearing("29:67", 29, 67)))
    (first, *_) = seen = views(geared)
    assert [(line.name, round(line.hz, 3)) for line in first.lines] == [("GMF", 870.0), ("pinion", 30.0), ("wheel", 12.985)]
    places = {(line.name, round(at, 1)) for line, at in side_bands(first.lines, 3, 3)}
    assert {("GMF", 870.0), ("GMF", 2610.0), ("pinion", 840.0), ("pinion", 900.0), ("wheel", 857.0), ("wheel", 909.0)} <= places
    assert 3 * 30 < first.envelope_to_hz < 870, "the gears' turns can be told apart"
    text = Page(page(seen, CAPTION)).text
    assert "no fault lines" not in text
    assert all(name in text for name in ("GMF", "pinion", "wheel", "29.000x", "0.433x"))
    still = plant(samples=4000, change=lambda r: replace(r, geometry=None, speed_rpm=None, gearing=Gearing("29:67", 29, 67)))
    assert "no fault lines: the speed is not known" in Page(page(views(still), CAPTION)).text


def test_rows_share_a_scale_unless_one_would_be_flat(rig):
    def scales(loud):
        svg = page(views(rig, Noisy(rig, loud)), CAPTION).decode()
        return [re.findall(r">(−?\d+(?:\.\d+)?)</text>", part)[-3:] for part in svg.split("<figure>")[1::3]]

    alike = scales(lambda r: 1.0 + (r.element == "inner"))
    assert alike[0] == alike[1]
    apart = scales(lambda r: 1.0 + 50 * (r.element == "inner"))
    assert apart[0] != apart[1]


def test_a_unit_that_is_not_stated_is_said(plant):
    rig = plant(samples=4000, change=lambda r: replace(r, channels=(replace(r.channels[0], unit="not stated"),)))
    assert "amplitude (unit not stated)" in Page(page(views(rig), CAPTION)).text


def test_a_silent_recording_is_drawn(rig):
    seen = views(rig, Noisy(rig, lambda r: 0.0))
    assert picture(seen, CAPTION, "png")
    assert page(seen, CAPTION)
