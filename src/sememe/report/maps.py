"""A map of an archive as SVG, and as one self-contained page without a script: pure, from data to text."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sememe.api.mapping import Map, Point

__all__ = ["COLOURS", "FIELDS", "chosen", "page", "svg", "title", "unmasked"]

COLOURS = (
    *("#0b5c54", "#b5541c", "#3d5a98", "#8a3b6e", "#6b7a1e", "#a3283b"),
    *("#2b7a9b", "#7a5c2e", "#5d4a9c", "#3f7d3a", "#b0457f", "#5b574f"),
)
"""One for each cluster, and again from the first; all readable on white."""

SIDE, MARGIN = 1000, 40  # of the drawing, in its own units
FIELDS = 23
"""Pictures in a row, if it is full."""

_AROUND = sorted(
    ((dx, dy) for dx in range(-2, 3) for dy in range(-2, 3)), key=lambda gap: (gap[0] ** 2 + gap[1] ** 2, gap)
)
_CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 3rem; background: #faf8f3; color: #1d1b18;
  font: 1rem/1.5 ui-sans-serif, system-ui, sans-serif; }
h1 { margin: 0; font-size: clamp(1.6rem, 4vw, 2.6rem); line-height: 1.1; letter-spacing: -.02em; }
p { max-width: 46rem; color: #5b574f; }
fieldset { border: 0; margin: 1rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
legend { padding: 0 0 .3rem; font-weight: 600; }
label { border: 1px solid #d9d4c8; border-radius: 999px; padding: .25rem .8rem; background: #fffefb;
  cursor: pointer; }
label:has(:checked) { border-color: #1d1b18; box-shadow: 0 0 0 1px #1d1b18; }
label:has(:focus-visible) { outline: 3px solid #0b5c54; outline-offset: 2px; }
label input { position: absolute; opacity: 0; width: 1px; height: 1px; }
label i { display: inline-block; width: .7em; height: .7em; margin-right: .45em; border-radius: 50%; }
svg { display: block; width: 100%; height: auto; border: 1px solid #e3ded2; border-radius: 14px;
  background: #fffefb; }
"""


def page(found: Map, thumbnails: Mapping[str, bytes]) -> str:
    """Return the map as an HTML document; `thumbnails` are JPEGs by path."""
    rules = "".join(
        f"body:has(#only{n}:checked) svg .p:not(.c{n}), body:has(#only{n}:checked) svg .n:not(.c{n})"
        " { opacity: .07; }\n"
        for n in range(len(found.clusters))
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title(found)} · sememe</title>\n<style>{_STYLE}{rules}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title(found)}</h1>\n<p>{_explained(found)}</p>\n{_choices(found)}{svg(found, thumbnails)}"
        "</main>\n</body>\n</html>\n"
    )


def svg(found: Map, thumbnails: Mapping[str, bytes]) -> str:
    """Return the map as one SVG element, a document of its own too."""
    shown = chosen(found, thumbnails)
    size = SIDE + 2 * MARGIN
    dots = "".join(_dot(point) for point in found.points if point.item.path not in shown)
    pictures = "".join(
        _picture(point, thumbnails[path], *shown[path])
        for point in found.points
        if (path := point.item.path) in shown
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'font-family="ui-sans-serif, system-ui, sans-serif" aria-label="{escape(title(found))}">\n'
        f"{dots}{pictures}{''.join(_names(found))}</svg>\n"
    )


def title(found: Map) -> str:
    """Say what is on the map."""
    shown, images = len(found.points), found.images
    return f"{images:,} pictures" if shown == images else f"{shown:,} of {images:,} pictures"


def chosen(found: Map, thumbnails: Collection[str]) -> dict[str, tuple[float, float]]:
    """Middles, in the unit square, of the fields on which pictures are drawn, by path.

    A picture goes to the free field of a grid that is nearest to its place, at most two fields away, so that
    none hides another; those that find no room stay dots.
    """
    taken: set[tuple[int, int]] = set()
    places: dict[str, tuple[float, float]] = {}
    for point in found.points:
        if point.item.path not in thumbnails:
            continue
        own = int(point.x * FIELDS), int(point.y * FIELDS)
        around = [(own[0] + dx, own[1] + dy) for dx, dy in _AROUND]
        free = [field for field in around if field not in taken and 0 <= min(field) <= max(field) < FIELDS]
        if free:
            taken.add(free[0])
            places[point.item.path] = (free[0][0] + 0.5) / FIELDS, (free[0][1] + 0.5) / FIELDS
    return places


def unmasked(text: str) -> str:
    """Make any path printable: what is not UTF-8, and control characters, become marks."""
    printable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in printable)


def _explained(found: Map) -> str:
    sample = "" if len(found.points) == found.images else "An even sample is shown. "
    return (
        f"{sample}Pictures whose codes mean alike lie near each other; directions and empty space mean "
        "nothing. A colour is a cluster, named by the word that fits most of its pictures, or <em>none</em> "
        "if no word fits a quarter of them. Hold the pointer over a picture for its name."
    )


def _choices(found: Map) -> str:
    options = ['<label><input type="radio" name="only" id="all" checked>all</label>']
    options += [
        f'<label><input type="radio" name="only" id="only{n}"><i style="background:{_colour(n)}"></i>'
        f"{escape(one.name or 'none')} · {one.count:,}</label>"
        for n, one in enumerate(found.clusters)
    ]
    return f"<fieldset><legend>Clusters</legend>{''.join(options)}</fieldset>\n"


def _dot(point: Point) -> str:
    x, y = _at(point.x), _at(point.y)
    style = f'fill="{_colour(point.cluster)}" fill-opacity="{".75" if point.word else ".4"}"'
    return f'<circle class="p c{point.cluster}" cx="{x}" cy="{y}" r="5" {style}>{_told(point)}</circle>\n'


def _picture(point: Point, jpeg: bytes, x: float, y: float) -> str:
    side = SIDE / FIELDS - 4
    place = f'x="{_at(x) - side / 2:.1f}" y="{_at(y) - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}"'
    data = base64.b64encode(jpeg).decode()
    frame = f'<rect {place} fill="none" stroke="{_colour(point.cluster)}" stroke-width="3"/>'
    return (
        f'<g class="p c{point.cluster}">{_told(point)}<image {place} preserveAspectRatio="xMidYMid slice" '
        f'href="data:image/jpeg;base64,{data}"/>{frame}</g>\n'
    )


def _told(point: Point) -> str:
    return f"<title>{escape(unmasked(point.item.path))}: {escape(point.word or 'none')}</title>"


def _names(found: Map) -> Iterator[str]:
    """Names at the middles of their clusters, moved down where they would lie on each other."""
    taken: list[tuple[float, float, float]] = []
    for number, one in sorted(enumerate(found.clusters), key=lambda pair: pair[1].y):
        text = one.name or "none"
        half = 8.5 * len(text)
        x, y = min(max(_at(one.x), half), SIDE + 2 * MARGIN - half), _at(one.y)
        while any(
            abs(x - other_x) < half + other and abs(y - other_y) < 28 for other_x, other_y, other in taken
        ):
            y += 6
        taken.append((x, y, half))
        yield (
            f'<text class="n c{number}" x="{x:.0f}" y="{y:.0f}" text-anchor="middle" font-size="26" '
            f'font-weight="700" fill="{_colour(number)}" stroke="#fffefb" stroke-width="6" '
            f'paint-order="stroke" pointer-events="none">{escape(text)}</text>\n'
        )


def _at(value: float) -> float:
    return round(MARGIN + value * SIDE, 1)


def _colour(cluster: int) -> str:
    return COLOURS[cluster % len(COLOURS)]
