"""What stands around a collection's bytes: magic, kind, length and checksum, so that damage is noticed.

::

    "SmC"  version·16 + kind  varint length  payload  CRC-32 of all before, big-endian
"""

from __future__ import annotations

import zlib
from enum import IntEnum

from sememe.errors import (
    ChecksumError,
    FlagError,
    LengthError,
    MagicError,
    TrailingDataError,
    TruncatedError,
    VersionError,
)

__all__ = ["Kind", "Reader", "frame", "unframe", "varint"]

MAGIC = b"SmC"
VERSION = 1
_CHECK_BYTES = 4
_VARINT_BYTES = 5


class Kind(IntEnum):
    """What a payload is."""

    MULTISET = 1
    DICTIONARY = 2


def varint(value: int) -> bytes:
    """A number below 2**35, seven bits a byte, low bits first, the last byte below 128."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


class Reader:
    """Bytes read from front to back.

    Parameters
    ----------
    data
        All of them.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """Take the next bytes.

        Raises
        ------
        TruncatedError
            There are not so many.
        """
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise TruncatedError(
                f"the collection ends after {len(self._data)} bytes, {count - len(taken)} too early"
            )
        self._at += count
        return taken

    def varint(self, most: int) -> int:
        """Take a number.

        Raises
        ------
        LengthError
            It is more than `most`, or written in more bytes than it needs.
        TruncatedError
            The bytes end within it.
        """
        value = 0
        for place in range(_VARINT_BYTES):
            byte = self.take(1)[0]
            value |= (byte & 127) << 7 * place
            if byte < 128:
                if value > most or (byte == 0 and place > 0):
                    raise LengthError(
                        f"the collection holds the number {value} where at most {most} may stand"
                    )
                return value
        raise LengthError(f"the collection holds a number of more than {_VARINT_BYTES} bytes")

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises
        ------
        TrailingDataError
            Something is.
        """
        if self._at < len(self._data):
            raise TrailingDataError(f"{len(self._data) - self._at} bytes follow the end of the collection")


def frame(kind: Kind, payload: bytes) -> bytes:
    """Put magic, kind, length and checksum around a payload."""
    body = MAGIC + bytes([VERSION << 4 | kind]) + varint(len(payload)) + payload
    return body + zlib.crc32(body).to_bytes(_CHECK_BYTES, "big")


def unframe(data: bytes, kind: Kind) -> bytes:
    """Take the payload out again.

    Raises
    ------
    FormatError
        MagicError, VersionError, FlagError (another kind), TruncatedError, TrailingDataError, LengthError or
        ChecksumError.
    """
    reader = Reader(bytes(data))
    if reader.take(len(MAGIC)) != MAGIC:
        raise MagicError("these bytes are not a collection")
    head = reader.take(1)[0]
    if head >> 4 != VERSION:
        raise VersionError(f"the collection is of version {head >> 4}, this reads version {VERSION}")
    if head & 15 != kind:
        raise FlagError(f"the collection is of kind {head & 15}, not {kind.name.lower()} ({kind.value})")
    payload = reader.take(reader.varint((1 << 32) - 1))
    check = reader.take(_CHECK_BYTES)
    reader.end()
    if zlib.crc32(data[: -len(check)]) != int.from_bytes(check, "big"):
        raise ChecksumError("the collection's checksum does not match: its bytes were damaged")
    return payload
