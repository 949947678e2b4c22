"""A map of an archive as PNG, drawn with matplotlib (the extra `[eval]`)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sememe.errors import MissingExtraError
from sememe.report.maps import COLOURS, FIELDS, chosen, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sememe.api.mapping import Map

__all__ = ["png"]

_INCHES, _DOTS = 10, 160


def png(found: Map, thumbnails: Mapping[str, bytes]) -> bytes:
    """Draw the map; `thumbnails` are JPEGs by path.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise MissingExtraError(
            "a PNG needs matplotlib: pip install 'sememe[eval]', or write .svg or .html"
        ) from exc
    figure = Figure(figsize=(_INCHES, _INCHES), facecolor="#fffefb")
    axes = figure.add_axes((0.03, 0.03, 0.94, 0.92))
    axes.set_axis_off()
    axes.set(xlim=(-0.03, 1.03), ylim=(1.03, -0.03))  # y downwards, as on the page
    axes.set_title(title(found), loc="left", color="#1d1b18")
    shown = chosen(found, thumbnails)
    dots = [point for point in found.points if point.item.path not in shown]
    colours = [COLOURS[point.cluster % len(COLOURS)] for point in dots]
    axes.scatter([p.x for p in dots], [p.y for p in dots], s=18, c=colours, alpha=0.7, linewidths=0)
    for point in found.points:
        if (path := point.item.path) in shown:
            _picture(axes, thumbnails[path], *shown[path], COLOURS[point.cluster % len(COLOURS)])
    _names(axes, found)
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=_DOTS, metadata={"Software": "sememe"})
    return target.getvalue()


def _picture(axes: Axes, jpeg: bytes, x: float, y: float, colour: str) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from PIL import Image, ImageOps

    side = round(0.8 * _INCHES * _DOTS / FIELDS)
    with Image.open(io.BytesIO(jpeg)) as image:
        square = ImageOps.fit(image.convert("RGB"), (side, side))
    frame = {"edgecolor": colour, "linewidth": 1.5}
    axes.add_artist(
        AnnotationBbox(OffsetImage(square, zoom=72 / _DOTS), (x, y), pad=0, bboxprops=frame)  # type: ignore[arg-type]
    )


def _names(axes: Axes, found: Map) -> None:
    from matplotlib.patheffects import withStroke

    for number, one in enumerate(found.clusters):
        axes.text(
            one.x,
            one.y,
            one.name or "none",
            color=COLOURS[number % len(COLOURS)],
            ha="center",
            va="center",
            fontsize=14,
            fontweight="bold",
            path_effects=[withStroke(linewidth=4, foreground="#fffefb")],
            zorder=9,
        )
