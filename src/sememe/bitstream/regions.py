"""Regions of a picture: boxes of four bytes, each with a code of its own, as values of extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sememe.errors import ExtensionError

REGION_TAGS = (7, *range(16, 24))
"""Extensions that hold regions: the first, and those that go on where one is full."""

ROOM = 255
"""Bytes of the value of one extension."""

BOX = 4
"""Bytes of a box."""

HEAD = BOX + 1
"""Bytes of a region beside its code: the box and the code's length."""


class Box(NamedTuple):
    """A rectangle, its edges in steps of 1/255 of the picture's width and height: 0 is left or top.

    Parameters
    ----------
    left, top, right, bottom : int
        0..255 with left < right and top < bottom.
    """

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """Make the nearest box to edges given as shares of width and height; at least one step long."""
        (x0, x1), (y0, y1) = _steps(left, right), _steps(top, bottom)
        return cls(x0, y0, x1, y1)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom as shares of width and height."""
        return self.left / 255, self.top / 255, self.right / 255, self.bottom / 255

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle as shares of width and height."""
        return (self.left + self.right) / 510, (self.top + self.bottom) / 510

    @property
    def area(self) -> int:
        """In square steps."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Intersection over union of two boxes, 0 to 1."""
        shared = Box(*map(max, self[:2], other[:2]), *map(min, self[2:], other[2:])).area
        return shared / (self.area + other.area - shared)


WHOLE = Box(0, 0, 255, 255)
"""The whole picture."""


class Region(NamedTuple):
    """A box and the code (1..250 bytes) of what it shows."""

    box: Box
    code: bytes


def pack_regions(regions: Iterable[Region]) -> list[bytes]:
    """Serialize regions in their order as values of at most 255 bytes, each filled before the next begins.

    Raises
    ------
    ExtensionError
        A box is empty or out of bounds, or a code too short or too long.
    """
    values: list[bytes] = []
    for box, code in regions:
        _check(box, code)
        entry = bytes(box) + bytes([len(code)]) + code
        if values and len(values[-1]) + len(entry) <= ROOM:
            values[-1] += entry
        else:
            values.append(entry)
    return values


def read_regions(value: bytes) -> tuple[Region, ...]:
    """Read one value; at least one region.

    Raises
    ------
    ExtensionError
        The value is empty, ends within a region, or holds a region that FORMAT.md forbids.
    """
    if not value:
        raise ExtensionError("a list of regions is empty; then it must not be there")
    return tuple(_entries(value))


def size_of(lengths: Sequence[int]) -> int:
    """Bytes that codes of such lengths take as regions: values with their tags and lengths."""
    total, room = 0, 0
    for length in lengths:
        entry = HEAD + length
        if entry > room:
            total, room = total + 2, ROOM
        total, room = total + entry, room - entry
    return total


def _entries(value: bytes) -> Iterator[Region]:
    at = 0
    while at < len(value):
        start = at + HEAD
        end = start + value[start - 1] if start <= len(value) else start
        if end > len(value):
            raise ExtensionError(f"a list of regions ends within the region at byte {at}")
        region = Region(Box(*value[at : at + BOX]), value[start:end])
        _check(*region)
        yield region
        at = end


def _check(box: Box, code: bytes) -> None:
    if not (0 <= box.left < box.right <= 255 and 0 <= box.top < box.bottom <= 255):
        raise ExtensionError(f"a region's box {tuple(box)} is empty or not within 0..255")
    if not 1 <= len(code) <= ROOM - HEAD:
        raise ExtensionError(f"a region's code takes 1 to {ROOM - HEAD} bytes, not {len(code)}")


def _steps(low: float, high: float) -> tuple[int, int]:
    """Nearest steps of an interval's ends, apart and within bounds."""
    first = min(254, max(0, round(255 * low)))
    return first, min(255, max(first + 1, round(255 * high)))
