"""Plots and pages: the right points, names that do not run into each other, nothing fetched from anywhere."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coders import Tiny
from sememe import evaluate
from sememe.errors import MissingExtraError, UsageError
from sememe.evaluate import Report
from sememe.evaluate.curves import METRICS, chart, metrics_of
from sememe.evaluate.page import page
from sememe.evaluate.plot import draw, spread
from test_evaluate import trial

SVG = "{http://www.w3.org/2000/svg}"
CODERS = 13


@pytest.fixture(scope="module")
def report() -> Report:
    """Thirteen coders, ours among them, on two sets."""
    coders = [Tiny(f"c{i}") for i in range(CODERS)]
    for i, coder in enumerate(coders):
        coder.title = f"coder {i} & <sons>"
        coder.source = "this project" if i in (0, 7) else "a test"
    made = Report()
    evaluate.run(trial(sets=2), coders, [4, 12], report=made)
    evaluate.run(trial(seed=1), coders[:2], [4, 12], report=made)
    return made


@pytest.fixture
def _matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra [eval]")


# what is drawn


def test_a_chart_has_the_points_of_the_report(report: Report) -> None:
    section = report.sections[0]
    found = chart(section, "recall_at_10")
    assert found.title == "Recall@10 (image to image) at equal bytes"
    assert found.uncompressed == 1
    assert len(found.curves) == CODERS
    rows = [row["figures"]["all"] for row in section["rows"] if row["coder"] == "c3"]
    assert found.curves[3].points == tuple((row["bytes_mean"], row["recall_at_10"]) for row in rows)
    assert [curve.ours for curve in found.curves] == [i in (0, 7) for i in range(CODERS)]
    assert found.subtitle == "one, two: 120 test vectors, 240 to learn from"


def test_no_two_curves_look_alike(report: Report) -> None:
    curves = chart(report.sections[0], "cosine").curves
    looks = {(curve.colour, curve.marker, curve.dashes) for curve in curves}
    assert len(looks) == len(curves)
    for one, other in pairwise(curves):
        assert one.colour != other.colour
        assert one.marker != other.marker


def test_looks_follow_the_coder_into_every_chart(report: Report) -> None:
    section = report.sections[0]
    one, other = chart(section, "cosine"), chart(section, "zero_shot", "two", most=5)
    assert [c.colour for c in one.curves] == [c.colour for c in other.curves]
    assert {len(curve.points) for curve in other.curves} == {1}
    assert "two" in other.subtitle


def test_accuracies_of_ours_come_with_their_interval(report: Report) -> None:
    section = report.sections[0]
    accuracy = chart(section, "zero_shot")
    assert accuracy.subtitle.endswith("shaded: 95 % interval")
    assert [bool(curve.band) for curve in accuracy.curves] == [curve.ours for curve in accuracy.curves]
    for curve in accuracy.curves[:1]:
        assert all(
            low <= y <= high and low < high
            for (_, y), (low, high) in zip(curve.points, curve.band, strict=True)
        )
    assert not any(curve.band for curve in chart(section, "zero_shot", "mean").curves)


def test_seeds_are_curves_of_their_own() -> None:
    made = Report()
    base = trial()
    for seed in (0, 1):
        training = evaluate.Training(base.training.x, seed=seed)
        evaluate.run(
            evaluate.Trial("t", training, base.test, base.queries, base.known), [Tiny()], [4], report=made
        )
    titles = [curve.title for curve in chart(made.sections[0], "cosine").curves]
    assert titles == ["tiny, first dimensions, seed 0", "tiny, first dimensions, seed 1"]


def test_what_cannot_be_drawn_is_named(report: Report) -> None:
    section = report.sections[0]
    with pytest.raises(UsageError, match="has no figure 'bpp' to plot; it has centred_cosine, "):
        chart(section, "bpp")
    with pytest.raises(UsageError, match="no set is called 'three'"):
        chart(section, "cosine", "three")
    with pytest.raises(UsageError, match="nothing to plot"):
        chart(section, "cosine", most=2)
    assert metrics_of(section) == METRICS
    assert "zero_shot" not in metrics_of({"uncompressed": {**section["uncompressed"], "all": BARE}})


BARE = dict.fromkeys(evaluate.FIGURES) | {"cosine": 1.0}


# names beside the axes


@settings(deadline=None)
@given(st.lists(st.floats(-0.2, 1.2), min_size=1, max_size=20), st.floats(0.01, 0.2))
def test_names_keep_their_distance_and_their_order(wanted: list[float], step: float) -> None:
    places = spread(wanted, step)
    assert len(places) == len(wanted)
    ranked = sorted(places)
    assert all(b - a >= step - 1e-9 for a, b in pairwise(ranked))
    assert ranked[-1] <= max(1.0, (len(places) - 1) * step) + 1e-9
    if (len(places) - 1) * step <= 1:
        assert ranked[0] >= -1e-9
    for i, a in enumerate(wanted):
        for j, b in enumerate(wanted):
            assert a <= b or places[i] > places[j]


def test_names_with_room_stay_where_they_are() -> None:
    assert spread([0.9, 0.1, 0.5], 0.1) == [0.9, 0.1, 0.5]
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.6, 0.5])


# pictures


@pytest.mark.usefixtures("_matplotlib")
def test_an_svg_says_what_it_shows(report: Report) -> None:
    data = draw(chart(report.sections[0], "zero_shot"))
    root = ElementTree.fromstring(data)
    assert root.tag == f"{SVG}svg"
    said = [node.text for node in root.iter(f"{SVG}text")]
    assert "Zero-shot top-1 accuracy at equal bytes" in said
    assert "zero-shot top-1 accuracy" in said
    assert "bytes per picture, mean of real messages (logarithmic)" in said
    assert {"4", "8"} <= set(said)
    assert {"uncompressed", *(f"coder {i} & <sons>" for i in range(CODERS))} <= set(said)
    assert data == draw(chart(report.sections[0], "zero_shot"))


@pytest.mark.usefixtures("_matplotlib")
def test_names_lie_on_the_picture_and_apart(report: Report) -> None:
    root = ElementTree.fromstring(draw(chart(report.sections[0], "cosine")))
    width, height = (float(root.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    named = [(node, node.text or "") for node in root.iter(f"{SVG}text")]
    places = [
        (float(node.attrib["x"]), float(node.attrib["y"]), len(text))
        for node, text in named
        if text.startswith(("coder", "uncompressed"))
    ]
    assert len(places) == CODERS + 1
    for x, y, letters in places:
        assert x + 5 * letters < width  # ten points high, five wide on average
        assert 0 < y < height
    heights = sorted(y for _, y, _ in places)
    assert min(b - a for a, b in pairwise(heights)) > 12


@pytest.mark.usefixtures("_matplotlib")
def test_a_png_is_wide_enough_to_read(report: Report) -> None:
    data = draw(chart(report.sections[0], "cosine"), "png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20]) > 1400


@pytest.mark.usefixtures("_matplotlib")
def test_one_point_alone_can_be_drawn() -> None:
    made = Report()
    evaluate.run(trial(), [Tiny()], [4], report=made)
    section = made.sections[0]
    for figures in (section["uncompressed"]["all"], section["rows"][0]["figures"]["all"]):
        figures["cosine"] = 1.0
    assert draw(chart(section, "cosine")).startswith(b"<?xml")


def test_without_matplotlib_the_extra_is_named(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"sememe\[eval\]"):
        draw(chart(report.sections[0], "cosine"))


# the page


class Page(HTMLParser):
    """Collects ids, what refers to them, and everything that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            text = value or ""
            if name == "id":
                self.ids.append(text)
            self.references |= set(re.findall(r"url\(#([^)]+)\)", text))
            if name in ("href", "xlink:href", "src"):
                (self.references.add(text[1:]) if text.startswith("#") else self.fetched.append(text))


@pytest.mark.usefixtures("_matplotlib")
def test_a_page_stands_alone(report: Report) -> None:
    text = page(report, metrics=METRICS[:3])
    found = Page()
    found.feed(text)
    assert found.fetched == []
    assert found.tags.count("script") == found.tags.count("link") == 0
    assert found.tags.count("svg") == 6
    assert found.tags.count("table") == 4
    assert len(found.ids) == len(set(found.ids))
    assert found.references <= set(found.ids)
    assert report.sections[0]["digest"] in text
    assert "coder 3 &amp; &lt;sons&gt;" in text
    assert "<sons>" not in text


@pytest.mark.usefixtures("_matplotlib")
def test_a_page_of_one_figure_and_what_failed(report: Report) -> None:
    made = Report()
    made.merge(report)
    made.sections = made.sections[:1]
    evaluate.report.put(made.sections[0], {**made.sections[0]["rows"][0], "rate": 99, "error": "odd <b>"})
    text = page(made, "mean", ("cosine",))
    assert text.count("<svg") == 1
    assert "mean over sets" in text
    assert "odd &lt;b&gt;" in text


def test_figures_that_are_plotted_are_figures() -> None:
    assert set(METRICS) <= set(evaluate.FIGURES)
    assert len(set(METRICS)) == len(METRICS)
    assert np.all([evaluate.FIGURES[metric] for metric in METRICS])
