"""A photograph into one frame of a link that carries few bytes: extras first, all the rest for the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sememe.api.exif import read_taken
from sememe.bitstream import (
    EXTRAS,
    Budget,
    Extension,
    Record,
    Tag,
    aspect_ratio,
    pack_packet,
    packet_budget,
    pixel_size,
    position,
    read_aspect_ratio,
    read_pixel_size,
    read_position,
    read_time,
    time_taken,
)
from sememe.errors import ExtensionError, InputError, UsageError
from sememe.metrics import byte_to_fidelity

if TYPE_CHECKING:
    from sememe.api.codec import Codec

__all__ = ["NAMES", "Packet", "make_packet"]

NAMES = {
    "aspect": Tag.ASPECT_RATIO,
    "size": Tag.PIXEL_SIZE,
    "time": Tag.TIME_TAKEN,
    "gps": Tag.POSITION,
    "fidelity": Tag.FIDELITY,
}
"""What a packet can carry beside the code, by the name that a user gives it."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, and how its bytes are spent."""

    data: bytes
    record: Record
    budget: Budget
    extras: tuple[str, ...]
    cosine: float
    """Of the picture's vector and what the code decodes to."""
    zone_known: bool
    """Whether the time of the photograph names its zone; UTC was assumed otherwise."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"packet_bytes", "head_bytes", "extra_bytes", "nbytes", ...``, and the packet in hex."""
        return {
            "packet_bytes": len(self.data),
            "head_bytes": self.budget.head,
            "extra_bytes": self.budget.extras,
            "nbytes": len(self.record.payload),
            "cosine": round(self.cosine, 6),
            "extras": {name: _told(self.record, NAMES[name]) for name in self.extras},
            "packet": self.data.hex(),
        }


def make_packet(
    codec: Codec,
    image: str | Path | bytes,
    max_bytes: int,
    extras: Sequence[str] = (),
    *,
    time: datetime | None = None,
    place: tuple[float, float] | None = None,
) -> Packet:
    """Encode an image file into a packet (FORMAT.md) of at most `max_bytes`.

    Parameters
    ----------
    codec : Codec
    image : path or bytes of an image file
    max_bytes : int
        Bytes of the frame that are ours.
    extras : sequence of str
        What to carry beside the code: of `NAMES`.
    time : datetime, optional
        When the picture was taken, if not what its EXIF data say.
    place : (float, float), optional
        Latitude and longitude in degrees, if not those of its EXIF data.

    Raises
    ------
    UsageError
        An extra has no such name, or nothing is left for the code.
    InputError
        The image cannot be read, or does not say what is to be carried.
    """
    unknown = [name for name in extras if name not in NAMES]
    if unknown:
        raise UsageError(f"a packet cannot carry {unknown[0]!r}; it can carry {', '.join(NAMES)}")
    tags = sorted({NAMES[name] for name in extras})
    budget = packet_budget(max_bytes, custom=not codec.profile.registered, extras=tags)
    if budget.payload < 1:
        spent = budget.head + budget.extras
        raise UsageError(
            f"{max_bytes} bytes leave none for the code: profile and extras take {spent}; carry fewer extras"
        )
    nbytes = min(budget.payload, codec.profile.max_bytes)
    encoded = codec.encode(image, nbytes=nbytes)
    code, name = encoded[0], encoded.names[0]
    taken = read_taken(image)
    fields = list(codec.record(code, cosine=float(encoded.cosines[0])).extensions)
    try:
        fields += [aspect_ratio(*encoded.sizes[0]), pixel_size(*encoded.sizes[0])]
        moment, where = time or taken.time, place or taken.position
        fields += [] if moment is None else [time_taken(int(moment.timestamp()))]
        fields += [] if where is None else [position(*where)]
        record = _record(codec, code, [field for field in sorted(fields) if field.tag in tags])
        _check_all_there(name, record, extras)
        data = pack_packet(record, tags)
    except ExtensionError as error:
        raise InputError(f"{name}: {error}") from error
    used = budget._replace(payload=nbytes)
    known = time is not None or taken.zone_known or Tag.TIME_TAKEN not in tags
    kept = tuple(extra for extra in NAMES if NAMES[extra] in tags)
    return Packet(data, record, used, kept, float(encoded.cosines[0]), known)


def _record(codec: Codec, code: bytes, fields: Sequence[Extension]) -> Record:
    bare = codec.record(code)
    return Record(bare.profile, bare.fingerprint, bare.payload, tuple(fields))


def _check_all_there(name: str, record: Record, extras: Sequence[str]) -> None:
    missing = next((extra for extra in extras if record.get(NAMES[extra]) is None), None)
    if missing is not None:
        option = {"time": "--time", "gps": "--position"}.get(missing, "another picture")
        raise InputError(f"{name}: its EXIF data hold no {missing}; give it with {option}, or leave it out")


def _told(record: Record, tag: Tag) -> Any:
    """Say in words and numbers what an extra holds, as a reader of the packet will see it."""
    value = record.get(tag)
    assert value is not None and tag in EXTRAS, "only what is there is told"  # noqa: PT018
    if tag == Tag.TIME_TAKEN:
        return datetime.fromtimestamp(read_time(value), UTC).isoformat().replace("+00:00", "Z")
    if tag == Tag.POSITION:
        return [round(degrees, 5) for degrees in read_position(value)]
    if tag == Tag.PIXEL_SIZE:
        return list(read_pixel_size(value))
    return round(read_aspect_ratio(value) if tag == Tag.ASPECT_RATIO else byte_to_fidelity(value[0]), 4)
