"""Draw bytes against zero-shot accuracy: image codecs, and ours beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sememe.evaluate.curves import Chart, Curve
from sememe.evaluate.imagecodecs import FAMILIES
from sememe.evaluate.plot import draw as render

COLOURS = {"jpeg": "#0072B2", "webp": "#009E73", "avif": "#E69F00", "jxl": "#CC79A7", "pixels": "#4D4D4D"}
MARKERS = {"jpeg": "s", "webp": "^", "avif": "D", "jxl": "v", "pixels": "P"}


def draw(found: Any, path: Path) -> None:
    """Draw the messages of each family's best settings, and our codes, into an SVG."""
    ours = curve("sememe", found["ours"], "#D55E00", "o", ours=True)
    others = (
        curve(
            title,
            best([row for row in found["codecs"] if row["family"] == family]),
            COLOURS[family],
            MARKERS[family],
        )
        for family, title in FAMILIES.items()
    )
    pictures, sources = found["pool"]["test"], len(found["pool"]["classes"])
    subtitle = (
        f"{pictures:,} pictures of {sources} sources that the backbone never saw; headers taken off the files"
    )
    chart = Chart(
        "What a picture's bytes keep of its meaning",
        subtitle,
        "zero-shot top-1 accuracy (95 % interval)",
        (ours, *others),
        found["uncompressed"]["zero_shot"],
    )
    path.write_bytes(render(chart))


def curve(title: str, rows: list[Any], colour: str, marker: str, *, ours: bool = False) -> Curve:
    """Put rows on one curve."""
    points = tuple((row["bytes"]["message"]["mean"], row["zero_shot"]) for row in rows)
    band = tuple(tuple(row["zero_shot_interval"]) for row in rows) if ours else ()
    return Curve(title, points, band, colour, marker, "-" if ours else "--", ours)


def best(rows: list[Any]) -> list[Any]:
    """Keep the settings that no smaller one equals, the smallest first."""
    front: list[Any] = []
    for row in sorted(rows, key=lambda row: float(row["bytes"]["message"]["mean"])):
        if not front or row["zero_shot"] > front[-1]["zero_shot"]:
            front.append(row)
    return front
