"""When and where a photograph was taken, as its camera noted it (EXIF 2.32)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Taken", "read_taken"]

_EXIF, _GPS = 0x8769, 0x8825
_DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL = 0x9003, 0x9011
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _GPS_TIME, _GPS_DATE = 1, 2, 3, 4, 7, 29


class Taken(NamedTuple):
    """What a photograph says of its moment and place; None where it says nothing that makes sense."""

    time: datetime | None
    """With its offset from UTC; UTC is assumed if `zone_known` is false."""
    zone_known: bool
    position: tuple[float, float] | None
    """Latitude and longitude in degrees, WGS 84."""


def read_taken(image: str | Path | bytes) -> Taken:
    """Read time and position of an image file; damaged EXIF data counts as none.

    The camera's own time with its offset counts most, then the time of the satellites, then the camera's time
    without an offset.
    """
    exif, gps = _read(image)
    local = _camera_time(exif)
    time: datetime | None
    if local is not None and local.tzinfo is not None:
        time, known = local, True
    elif (satellites := _satellite_time(gps)) is not None:
        time, known = satellites, True
    else:
        time, known = (None if local is None else local.replace(tzinfo=UTC)), False
    return Taken(time, known, _position(gps))


def _read(image: str | Path | bytes) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as opened:
                exif = opened.getexif()
                return exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    except Exception:  # the parser raises whatever the damage makes it stumble over
        return {}, {}


def _camera_time(exif: Mapping[int, Any]) -> datetime | None:
    written = str(exif.get(_DATE_TIME_ORIGINAL, "")).strip("\0 ")
    offset = str(exif.get(_OFFSET_TIME_ORIGINAL, "")).strip("\0 ")
    with suppress(ValueError):
        return datetime.strptime(f"{written}{offset}", "%Y:%m:%d %H:%M:%S%z")
    with suppress(ValueError):
        return datetime.strptime(written, "%Y:%m:%d %H:%M:%S")  # no zone was noted
    return None


def _satellite_time(gps: Mapping[int, Any]) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError, ZeroDivisionError):
        day = datetime.strptime(str(gps.get(_GPS_DATE, "")).strip("\0 "), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = map(float, gps.get(_GPS_TIME, ()))
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None


def _position(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    with suppress(ValueError, TypeError, OverflowError, ZeroDivisionError):
        latitude = _degrees(gps.get(_LATITUDE, ()), gps.get(_LATITUDE_REF), "NS")
        longitude = _degrees(gps.get(_LONGITUDE, ()), gps.get(_LONGITUDE_REF), "EW")
        if abs(latitude) <= 90 and abs(longitude) <= 180:  # false for NaN
            return latitude, longitude
    return None


def _degrees(parts: Any, reference: object, names: str) -> float:
    """Degrees from degrees, minutes and seconds; ValueError unless the half of the Earth is named."""
    degrees, minutes, seconds = map(float, parts)
    half = str(reference).strip("\0 ").upper()
    if len(half) != 1 or half not in names:
        raise ValueError(half)
    return (degrees + minutes / 60 + seconds / 3600) * (1 if half == names[0] else -1)
