"""What a plot shows, as data: one curve for each coder, with the look that tells it apart.

Colours are those of Okabe and Ito (2008), which people with any colour vision tell apart; markers and dashes
say the same once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from math import inf
from typing import Any

from sememe.errors import UsageError
from sememe.evaluate.judge import FIGURES
from sememe.evaluate.report import Section, measured
from sememe.evaluate.tables import is_ours, select

__all__ = ["METRICS", "Chart", "Curve", "chart", "metrics_of"]

METRICS = (
    "centred_cosine",
    "recall_at_10",
    "zero_shot",
    "text_recall_at_10",
    "class_mean",
    "class_mean_kept",
    "zero_shot_top5",
    "cosine",
    "text_agreement",
    "zero_shot_agreement",
)
"""Figures that can be plotted, the most telling first."""

_VERMILION, _PURPLE = "#D55E00", "#CC79A7"
_OURS = ((_VERMILION, "-", "o"), ("#A33B00", "--", "d"), ("#F28E4B", ":", "*"))
_OTHERS = ("#0072B2", "#009E73", "#E69F00", _PURPLE, "#56B4E9", "#4D4D4D")
_MARKERS = "s^DvPX<>ph"
_DASHES = ("-", "--", ":")


@dataclass(frozen=True)
class Curve:
    """One coder: points in ascending bytes, and how it looks.

    Attributes
    ----------
    title
        Of the coder.
    points
        (bytes, figure).
    band
        (low, high) of each point where the figure has an interval, else empty.
    colour, marker, dashes
        As matplotlib names them.
    ours
        Whether it is to stand out.
    """

    title: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float], ...]
    colour: str
    marker: str
    dashes: str
    ours: bool


@dataclass(frozen=True)
class Chart:
    """Everything on one plot."""

    title: str
    subtitle: str
    label: str
    curves: tuple[Curve, ...]
    uncompressed: float


def metrics_of(section: Section, which: str = "all") -> tuple[str, ...]:
    """Figures that a report's trial has, of those that can be plotted."""
    whole = select(section["uncompressed"], which)
    return tuple(metric for metric in METRICS if whole[metric] is not None)


def chart(section: Section, metric: str, which: str = "all", most: float = inf) -> Chart:
    """Put one figure of a trial's coders over bytes.

    Parameters
    ----------
    section
        Of a report.
    metric
        One of `METRICS`.
    which
        "all" test vectors, their "mean" over sets, or the name of a set.
    most
        Points at more bytes than this are left out.

    Raises
    ------
    UsageError
        The trial has no such set or figure, or nothing was measured.
    """
    if metric not in metrics_of(section, which):
        known = ", ".join(metrics_of(section, which))
        raise UsageError(f"{section['name']}: has no figure {metric!r} to plot; it has {known}")
    curves = _curves(section, metric, which, most)
    if not curves:
        raise UsageError(f"{section['name']}: no coder was measured there, so there is nothing to plot")
    what = FIGURES[metric]
    return Chart(
        title=f"{what[0].upper()}{what[1:]} at equal bytes",
        subtitle=_subtitle(section, which, any(curve.band for curve in curves)),
        label=what,
        curves=curves,
        uncompressed=select(section["uncompressed"], which)[metric],
    )


def _curves(section: Section, metric: str, which: str, most: float) -> tuple[Curve, ...]:
    """Curves in the order in which coders were first measured, which their looks follow in every plot."""
    runs: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in measured(section):
        runs.setdefault((row["coder"], row["seed"]), []).append(row)
    own, others = cycle(_OURS), cycle(_looks())
    curves = []
    for (_, seed), rows in runs.items():
        title = rows[0]["title"] if len(section["seeds"]) == 1 else f"{rows[0]['title']}, seed {seed}"
        ours = is_ours(rows[0]["source"])
        colour, dashes, marker = next(own if ours else others)
        figures = sorted((select(row["figures"], which) for row in rows), key=lambda one: one["bytes_mean"])
        drawn = [one for one in figures if 0 < one["bytes_mean"] <= most]
        if drawn:
            points = tuple((one["bytes_mean"], one[metric]) for one in drawn)
            bands = [tuple(found) for one in drawn if (found := one.get(f"{metric}_interval"))]
            band = tuple(bands) if ours and len(bands) == len(points) else ()
            curves.append(Curve(title, points, band, colour, marker, dashes, ours))
    return tuple(curves)


def _looks() -> list[tuple[str, str, str]]:
    """Thirty looks; any two differ in marker or colour, and neighbours in both."""
    count = len(_MARKERS) * len(_DASHES)
    return [
        (_OTHERS[i % len(_OTHERS)], _DASHES[i // len(_MARKERS)], _MARKERS[i % len(_MARKERS)])
        for i in range(count)
    ]


def _subtitle(section: Section, which: str, band: bool) -> str:
    counts = section["counts"]
    part = {"all": "", "mean": ", mean over sets"}.get(which, f", {which}")
    images = section["uncompressed"]["sets"][which]["images"] if which in section["sets"] else counts["test"]
    shaded = "; shaded: 95 % interval" if band else ""
    return f"{section['name']}{part}: {images:,} test vectors, {counts['train']:,} to learn from{shaded}"
