"""The map of an archive as a drawing inside the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape
from zlib import crc32

from sememe.report.data import Place

__all__ = ["draw_map"]

_WIDTH, _HEIGHT, _EDGE = 1000, 620, 30
_WORDS = 30  # written at most
_SIDE = 70  # that a word needs on both sides
_APART = (110, 26)  # of two words, across and down

_Spot = tuple[float, float]


def draw_map(places: Sequence[Place]) -> str:
    """Return the section of the map; nothing if there are no places."""
    if not places:
        return ""
    spots = [_spot(place) for place in places]
    radius = 5 if len(places) < 300 else 3
    points = "".join(
        f"<circle cx='{x:.0f}' cy='{y:.0f}' r='{radius}'{_colour(place.label)}/>"
        for place, (x, y) in zip(places, spots, strict=True)
    )
    words = _words(places, spots)
    texts = "".join(
        f"<text x='{min(max(x, _SIDE), _WIDTH - _SIDE):.0f}' y='{y - 9:.0f}'>{escape(word)}</text>"
        for word, (x, y) in words.items()
    )
    said = (
        f"Map of {len(places):,} images; heaps of {escape(', '.join(words), quote=True) or 'no common kind'}"
    )
    return (
        "<section aria-labelledby='map'>\n<h2 id='map'>The archive as a map</h2>\n"
        "<p>Images that mean alike lie together; a word stands at the heap that it fits.</p>\n"
        f"<svg class='map' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{said}'>"
        f"{points}{texts}</svg>\n</section>\n"
    )


def _spot(place: Place) -> _Spot:
    return _EDGE + place.x * (_WIDTH - 2 * _EDGE), _EDGE + place.y * (_HEIGHT - 2 * _EDGE)


def _colour(label: str | None) -> str:
    return "" if label is None else f" style='fill:hsl({crc32(label.encode()) % 360} 55% 52%)'"


def _words(places: Sequence[Place], spots: Sequence[_Spot]) -> dict[str, _Spot]:
    """Give the commonest words a spot each: the one in the middle of those that they fit."""
    heaps: dict[str, list[_Spot]] = defaultdict(list)
    for place, spot in zip(places, spots, strict=True):
        if place.label is not None:
            heaps[place.label].append(spot)
    written: dict[str, _Spot] = {}
    for word, heap in sorted(heaps.items(), key=lambda one: -len(one[1])):
        middle = _middle(heap)
        if len(written) < _WORDS and all(_clear(middle, other) for other in written.values()):
            written[word] = middle
    return written


def _middle(heap: Sequence[_Spot]) -> _Spot:
    x, y = (sum(spot[axis] for spot in heap) / len(heap) for axis in (0, 1))
    return min(heap, key=lambda spot: (spot[0] - x) ** 2 + (spot[1] - y) ** 2)


def _clear(one: _Spot, other: _Spot) -> bool:
    return abs(one[0] - other[0]) > _APART[0] or abs(one[1] - other[1]) > _APART[1]
