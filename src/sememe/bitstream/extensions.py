"""Extensions of a `.sem` file: tagged fields beside the code, and the values of the tags we know."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from sememe.bitstream.regions import REGION_TAGS, read_regions
from sememe.errors import ExtensionError, TruncatedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_AREA = 3828
"""Longest extension area in bytes, its end included: keeps a file within the reach of the CRC."""

_SCALE = 1 << 23  # positions: full scale of 24 bits in two's complement


class Tag(IntEnum):
    """The tags that this version defines; see FORMAT.md for the bytes behind each."""

    END = 0
    ASPECT_RATIO = 1
    PIXEL_SIZE = 2
    TIME_TAKEN = 3
    POSITION = 4
    FIDELITY = 5
    COLOURS = 6
    REGIONS = 7


class Extension(NamedTuple):
    """One field: a tag in 1..255 and at most 255 bytes."""

    tag: int
    value: bytes


def check_order(fields: Sequence[Extension]) -> None:
    """Raise ExtensionError unless tags ascend within 1..255 and lengths fit their byte."""
    last = 0
    for tag, value in fields:
        if not last < tag <= 255:
            raise ExtensionError(f"extension tag {tag} follows {last}: tags must ascend within 1..255")
        if len(value) > 255:
            raise ExtensionError(f"extension {tag} holds {len(value)} bytes, at most 255 fit")
        last = tag
    if len(_join(fields)) > MAX_AREA:
        raise ExtensionError(f"extensions take {len(_join(fields))} bytes, at most {MAX_AREA} fit")


def check_values(fields: Sequence[Extension]) -> None:
    """Raise ExtensionError if a tag that we know holds a value that FORMAT.md forbids."""
    for tag, value in fields:
        if tag in _READERS:
            _READERS[tag](value)


def pack_area(fields: Sequence[Extension]) -> bytes:
    """Serialize the fields with their end mark; nothing at all when there are none."""
    return _join(fields) if fields else b""


def parse_area(data: bytes, start: int) -> tuple[tuple[Extension, ...], int]:
    """Read the area that begins at `start`; return its fields and the position after its end.

    Values are not looked at: until the checksum is known to match, they may be damage.
    """
    fields: list[Extension] = []
    at, last = start, 0
    while (tag := _byte(data, at)) != Tag.END:
        if tag <= last:
            raise ExtensionError(f"extension tag {tag} at byte {at} follows {last}: tags must ascend")
        end = at + 2 + _byte(data, at + 1)
        if end + 1 - start > MAX_AREA:
            raise ExtensionError(f"extensions take more than {MAX_AREA} bytes")
        if end > len(data):
            raise TruncatedError(f"the bytes end within extension {tag} at byte {at}")
        fields.append(Extension(tag, data[at + 2 : end]))
        at, last = end, tag
    if not fields:
        raise ExtensionError(f"the extension area at byte {start} is empty; then its flag must not be set")
    return tuple(fields), at + 1


def aspect_ratio(width: int, height: int) -> Extension:
    """Make the field that keeps width / height to about 1 % in one byte."""
    _require(width > 0 and height > 0, f"{width} x {height} has no aspect ratio")
    step = round(128 + 32 * math.log2(width / height))
    return Extension(Tag.ASPECT_RATIO, bytes([min(255, max(0, step))]))


def read_aspect_ratio(value: bytes) -> float:
    """Width divided by height, from the value of an aspect ratio field."""
    _require(len(value) == 1, f"an aspect ratio takes 1 byte, not {len(value)}")
    return float(2.0 ** ((value[0] - 128) / 32))


def pixel_size(width: int, height: int) -> Extension:
    """Make the field that keeps the size of the picture exactly; each side in 1..2**32 - 1."""
    _require(min(width, height) >= 1, f"{width} x {height} is not a size in pixels")
    half = (max(width, height).bit_length() + 7) // 8
    _require(half <= 4, f"{width} x {height} does not fit 4 bytes a side")
    return Extension(Tag.PIXEL_SIZE, width.to_bytes(half, "big") + height.to_bytes(half, "big"))


def read_pixel_size(value: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the value of a pixel size field."""
    half = len(value) // 2
    width, height = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    canonical = min(width, height) >= 1 and pixel_size(width, height).value == value
    _require(canonical, f"{value.hex()!r} is not a pixel size")
    return width, height


def time_taken(seconds: int) -> Extension:
    """Make the field that keeps a moment: seconds since 1970 UTC, negative before it."""
    _require(-(1 << 39) <= seconds < 1 << 39, f"{seconds} s do not fit 5 bytes")
    return Extension(Tag.TIME_TAKEN, seconds.to_bytes(5, "big", signed=True))


def read_time(value: bytes) -> int:
    """Seconds since 1970 UTC, from the value of a time field."""
    _require(len(value) == 5, f"a time takes 5 bytes, not {len(value)}")
    return int.from_bytes(value, "big", signed=True)


def position(latitude: float, longitude: float) -> Extension:
    """Make the field that keeps a place on Earth (WGS 84 degrees) to about two metres."""
    _require(abs(latitude) <= 90 and abs(longitude) <= 180, f"{latitude}, {longitude} is not on Earth")
    return Extension(Tag.POSITION, _fraction(latitude / 90) + _fraction(longitude / 180))


def read_position(value: bytes) -> tuple[float, float]:
    """Latitude and longitude in degrees, from the value of a position field."""
    _require(len(value) == 6, f"a position takes 6 bytes, not {len(value)}")
    steps = [int.from_bytes(part, "big", signed=True) for part in (value[:3], value[3:])]
    _require(-_SCALE not in steps, f"{value.hex()!r} is not a position")
    return steps[0] / _SCALE * 90, steps[1] / _SCALE * 180


def colour_layout(steps: NDArray[np.integer]) -> Extension:
    """Make the field that keeps where which colours lie, from the steps that `colours.measure` finds."""
    from sememe.bitstream.colours import pack_colours  # needs numpy, which reading a file does without

    return Extension(Tag.COLOURS, pack_colours(steps))


def _read_colours(value: bytes) -> object:
    from sememe.bitstream.colours import read_colours

    return read_colours(value)


def _read_fidelity(value: bytes) -> int:
    _require(len(value) == 1, f"a fidelity takes 1 byte, not {len(value)}")
    return value[0]


def _fraction(x: float) -> bytes:
    limit = _SCALE - 1
    return min(limit, max(-limit, round(x * _SCALE))).to_bytes(3, "big", signed=True)


def _join(fields: Sequence[Extension]) -> bytes:
    return b"".join(bytes([tag, len(value)]) + value for tag, value in fields) + bytes([Tag.END])


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise TruncatedError(f"the bytes end at {len(data)}, within the extensions")
    return data[at]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ExtensionError(message)


_READERS: dict[int, Callable[[bytes], object]] = {
    Tag.ASPECT_RATIO: read_aspect_ratio,
    Tag.PIXEL_SIZE: read_pixel_size,
    Tag.TIME_TAKEN: read_time,
    Tag.POSITION: read_position,
    Tag.FIDELITY: _read_fidelity,
    Tag.COLOURS: _read_colours,
    **dict.fromkeys(REGION_TAGS, read_regions),
}
