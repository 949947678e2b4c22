"""Charts drawn with matplotlib: bytes on a logarithmic axis, each coder named where its curve ends."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sememe.errors import MissingExtraError
from sememe.evaluate.curves import Chart, Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_INK, _SOFT, _LINE = "#1d1b18", "#5b574f", "#d9d4c8"
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "sememe",
    "axes.edgecolor": _SOFT,
    "text.color": _INK,
}
_HEIGHT = 5.6  # inches, as all that follow
_LABEL = 0.25  # height of a name
_LEFT, _AXES, _BESIDE = 0.75, 5.85, 1.0  # room for ticks, the axes, and looks and ties before the names
_LETTER = 0.082
_TOP, _BOTTOM = 0.85, 0.62


def draw(chart: Chart, kind: str = "svg") -> bytes:
    """Draw a chart.

    Parameters
    ----------
    chart
        What to show.
    kind
        "svg" (text stays text) or "png" (160 dots an inch).

    Returns
    -------
    bytes
        The picture; the same chart gives the same bytes with the same matplotlib.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    metadata: dict[str, Any] = {"Title": f"{chart.title}: {chart.subtitle}"}
    metadata |= {"Date": None, "Creator": "sememe"} if kind == "svg" else {"Software": "sememe"}
    target = io.BytesIO()
    with _style():
        _figure(chart).savefig(target, format=kind, dpi=160, metadata=metadata)
    return target.getvalue()


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib
    except ImportError as exc:
        raise MissingExtraError("plots need matplotlib: pip install 'sememe[eval]'") from exc
    with matplotlib.rc_context(_STYLE):
        yield


def _figure(chart: Chart) -> Figure:
    from matplotlib.figure import Figure

    height = max(_HEIGHT, _TOP + _BOTTOM + _LABEL * (len(chart.curves) + 1))
    letters = max(len("uncompressed"), *(len(curve.title) for curve in chart.curves))
    width = _LEFT + _AXES + _BESIDE + _LETTER * letters
    figure = Figure((width, height), facecolor="white")
    place = (_LEFT / width, _BOTTOM / height, _AXES / width, 1 - (_TOP + _BOTTOM) / height)
    axes = figure.add_axes(place)
    _scales(axes, chart)
    axes.axhline(chart.uncompressed, color=_INK, linewidth=1, linestyle=(0, (5, 4)), zorder=1)
    for curve in sorted(chart.curves, key=lambda one: one.ours):
        _draw_curve(axes, curve)
    _name(axes, chart, _LABEL / (height - _TOP - _BOTTOM))
    figure.text(0.012, 1 - 0.30 / height, chart.title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.012, 1 - 0.59 / height, chart.subtitle, fontsize=9.5, color=_SOFT, va="center")
    return figure


def _scales(axes: Axes, chart: Chart) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    sizes = [x for curve in chart.curves for x, _ in curve.points]
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(sizes) / 1.15, max(sizes) * 1.15)
    first, last = math.floor(math.log2(min(sizes))), math.ceil(math.log2(max(sizes)))
    axes.xaxis.set_major_locator(FixedLocator([2.0**power for power in range(first, last + 1)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    heights = [y for curve in chart.curves for _, y in curve.points] + [chart.uncompressed]
    heights += [y for curve in chart.curves for pair in curve.band for y in pair]
    room = 0.05 * (max(heights) - min(heights) or 0.1)
    axes.set_ylim(min(heights) - room, max(heights) + room)
    axes.grid(color=_LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_SOFT, length=0)
    axes.set_xlabel("bytes per picture, mean of real messages (logarithmic)", color=_SOFT)
    axes.set_ylabel(chart.label, color=_SOFT)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    x, y = zip(*curve.points, strict=True)
    if curve.band:
        low, high = zip(*curve.band, strict=True)
        axes.fill_between(x, low, high, color=curve.colour, alpha=0.13, linewidth=0, zorder=2)
    axes.plot(x, y, zorder=4 if curve.ours else 3, clip_on=False, **_look(curve))


def _look(curve: Curve) -> dict[str, Any]:
    return {
        "color": curve.colour,
        "marker": curve.marker,
        "linestyle": curve.dashes,
        "linewidth": 2.8 if curve.ours else 1.3,
        "markersize": 7.5 if curve.ours else 6.0,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8 if curve.ours else 0.3,
    }


def _name(axes: Axes, chart: Chart, step: float) -> None:
    """Write names right of the axes, each as near to the end of its curve as the others leave room for.

    A curve that ends at the right edge is tied to its name by a thin line; others are found by their look.
    """
    scale = axes.transAxes.inverted()
    edge = max(curve.points[-1][0] for curve in chart.curves)

    def height(x: float, y: float) -> float:
        return float(scale.transform(axes.transData.transform((x, y)))[1])

    ends = [height(*curve.points[-1]) for curve in chart.curves] + [height(edge, chart.uncompressed)]
    places = spread(ends, step)
    beyond = float(scale.transform(axes.transData.transform((edge, chart.uncompressed)))[0])
    for curve, end, place in zip(chart.curves, ends, places, strict=False):
        if curve.points[-1][0] > edge / 1.1:
            _tie(axes, (beyond + 0.012, end), (1.065, place), curve.colour)
        axes.plot(
            [1.075, 1.1, 1.125], [place] * 3, transform=axes.transAxes, clip_on=False,
            **_look(curve) | {"markevery": [1]},
        )  # fmt: skip
        weight = "bold" if curve.ours else "normal"
        axes.text(1.145, place, curve.title, transform=axes.transAxes, va="center", fontweight=weight)
    _tie(axes, (1.0, ends[-1]), (1.065, places[-1]), _INK)
    axes.plot(
        [1.075, 1.125], [places[-1]] * 2, color=_INK, linewidth=1, linestyle=(0, (5, 4)),
        transform=axes.transAxes, clip_on=False,
    )  # fmt: skip
    axes.text(1.145, places[-1], "uncompressed", transform=axes.transAxes, va="center")


def _tie(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    (x, y), (to_x, to_y) = start, end
    axes.plot([x, to_x], [y, to_y], color=colour, linewidth=0.6, transform=axes.transAxes, clip_on=False)


def spread(wanted: Sequence[float], step: float) -> list[float]:
    """Places near the wanted ones, in the same order, a step apart, within 0 and 1 as long as they fit.

    Parameters
    ----------
    wanted
        Heights, in any order.
    step
        Least distance between two places.
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))  # of equals the first stands on top
    places: list[float] = []
    for i in order:  # upwards: none below 0, none nearer to the last than a step
        places.append(max(wanted[i], places[-1] + step if places else 0.0))
    ceiling = max(1.0, (len(places) - 1) * step)
    for i in reversed(range(len(places))):  # and downwards again from the top
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - step
    return [place for _, place in sorted(zip(order, places, strict=True))]
