"""The packet: profile, extras and payload, for links and columns that bring their own length and checksum.

Extras say what extensions of a file say, in fewer bytes: one byte tells which, then come the values.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sememe.bitstream.extensions import (
    Extension,
    Tag,
    pixel_size,
    read_pixel_size,
    read_position,
    read_time,
    time_taken,
)
from sememe.bitstream.records import MAX_PAYLOAD, PREFIX, Record, pack_profile, parse_profile
from sememe.errors import ExtensionError, FlagError, LengthError, TruncatedError

HAS_EXTRAS = 0x80

EXTRAS = {Tag.ASPECT_RATIO: 1, Tag.PIXEL_SIZE: 4, Tag.TIME_TAKEN: 4, Tag.POSITION: 6, Tag.FIDELITY: 1}
"""Extensions that a packet can carry, ascending, and the bytes that each takes there."""


class Budget(NamedTuple):
    """How the bytes of a packet are spent."""

    head: int
    """Profile, and the fingerprint of a custom one."""
    extras: int
    """The byte that names them, and their values; 0 if there are none."""
    payload: int
    """What is left for the code; may be 0 or less if the packet is too small."""


def packet_budget(max_bytes: int, *, custom: bool, extras: Collection[Tag] = ()) -> Budget:
    """Plan a packet of at most `max_bytes`: what must be there first, all the rest for the code."""
    head = 1 + (PREFIX if custom else 0)
    spent = sum(EXTRAS[tag] for tag in set(extras))
    spent += bool(spent)
    return Budget(head, spent, min(MAX_PAYLOAD, max_bytes - head - spent))


def pack_packet(record: Record, extras: Collection[Tag] = ()) -> bytes:
    """Serialize profile and payload, and those extensions that are asked for.

    Parameters
    ----------
    record : Record
    extras : collection of Tag
        Extensions to carry, of those in `EXTRAS`; the others are left out.

    Returns
    -------
    bytes
        1 byte more than the payload (5 for a custom profile), and what `EXTRAS` says plus 1 for extras.

    Raises
    ------
    ExtensionError
        The record lacks one of them, or its value does not fit a packet.
    """
    head = pack_profile(record)
    if not extras:
        return head + record.payload
    mask, values = 0, b""
    for tag in sorted(set(extras)):
        value = record.get(tag)
        if value is None or tag not in EXTRAS:
            raise ExtensionError(f"extension {int(tag)} is not in the record, or has no place in a packet")
        mask |= 1 << (tag - 1)
        values += _shorten(tag, value)
    return bytes([head[0] | HAS_EXTRAS]) + head[1:] + bytes([mask]) + values + record.payload


def parse_packet(data: bytes) -> Record:
    """Read one packet; its end is the end of the bytes.

    Parameters
    ----------
    data : bytes
        The whole packet. It is not protected: a flipped bit gives another code.

    Returns
    -------
    Record
        Extras have become extensions.

    Raises
    ------
    FormatError
        TruncatedError (no payload), FlagError (unknown extras), ExtensionError (a wrong value of one) or
        LengthError (more than 255 bytes of payload).
    """
    data = bytes(data)
    has_extras = bool(data) and data[0] >= HAS_EXTRAS
    profile, fingerprint, at = parse_profile(bytes([data[0] & 127]) + data[1:] if has_extras else data, 0)
    fields, at = _parse_extras(data, at) if has_extras else ((), at)
    payload = data[at:]
    if not payload:
        raise TruncatedError("the packet ends before its payload")
    if len(payload) > MAX_PAYLOAD:
        raise LengthError(f"the packet holds {len(payload)} bytes of payload, at most {MAX_PAYLOAD} fit")
    return Record(profile, fingerprint, payload, fields)


def _parse_extras(data: bytes, at: int) -> tuple[tuple[Extension, ...], int]:
    if at >= len(data):
        raise TruncatedError("the packet ends before its extras")
    mask = data[at]
    if mask >> len(EXTRAS):
        raise FlagError(f"extras {mask:#04x} of a packet hold bits that this version does not define")
    if not mask:
        raise ExtensionError("the packet names no extras; then bit 7 of its profile must not be set")
    at += 1
    fields = []
    for tag in (tag for tag in EXTRAS if mask >> (tag - 1) & 1):
        value, at = data[at : at + EXTRAS[tag]], at + EXTRAS[tag]
        if at >= len(data):  # a payload must follow
            raise TruncatedError(f"the packet ends within extra {int(tag)}, or before its payload")
        fields.append(_lengthen(tag, value))
    return tuple(fields), at


def _shorten(tag: Tag, value: bytes) -> bytes:
    """Turn the value of an extension into that of an extra."""
    if tag == Tag.TIME_TAKEN:
        seconds = read_time(value)
        if not 0 <= seconds < 1 << 32:
            raise ExtensionError(
                f"{seconds} s since 1970 do not fit a packet, which reaches from 1970 to 2106"
            )
        return seconds.to_bytes(4, "big")
    if tag == Tag.PIXEL_SIZE:
        width, height = read_pixel_size(value)
        if max(width, height) >= 1 << 16:
            raise ExtensionError(f"{width} x {height} does not fit a packet, which takes sides up to 65,535")
        return width.to_bytes(2, "big") + height.to_bytes(2, "big")
    return value


def _lengthen(tag: Tag, value: bytes) -> Extension:
    """Turn the value of an extra into an extension."""
    if tag == Tag.TIME_TAKEN:
        return time_taken(int.from_bytes(value, "big"))
    if tag == Tag.PIXEL_SIZE:
        return pixel_size(int.from_bytes(value[:2], "big"), int.from_bytes(value[2:], "big"))
    if tag == Tag.POSITION:
        read_position(value)
    return Extension(tag, value)
