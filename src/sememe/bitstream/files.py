"""The `.sem` file: magic, version, profile, payload, extensions and a checksum that is always there."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator

from sememe.bitstream.extensions import Extension, pack_area, parse_area
from sememe.bitstream.records import Record, pack_profile, parse_profile
from sememe.errors import (
    ChecksumError,
    FlagError,
    LengthError,
    MagicError,
    TrailingDataError,
    TruncatedError,
    VersionError,
)

MAGIC = b"\xb5SM"
VERSION = 1
HAS_EXTENSIONS = 0x01
MAX_FILE = 4095
"""Longest file in bytes: up to here the checksum finds every error of three bits."""

_CHECKSUM = 2  # bytes


def pack(record: Record) -> bytes:
    """Serialize one record as a `.sem` file.

    Parameters
    ----------
    record : Record
        Any record; the same record always gives the same bytes.

    Returns
    -------
    bytes
        Payload plus 8 bytes (12 for a custom profile), plus the extensions if there are any.
    """
    flags = HAS_EXTENSIONS if record.extensions else 0
    head = MAGIC + bytes([VERSION << 4 | flags]) + pack_profile(record)
    body = head + bytes([len(record.payload)]) + record.payload + pack_area(record.extensions)
    return body + checksum(body).to_bytes(_CHECKSUM, "big")


def parse(data: bytes) -> Record:
    """Read one `.sem` file.

    Parameters
    ----------
    data : bytes
        The whole file and nothing else.

    Returns
    -------
    Record
        Extensions that this version does not know are kept.

    Raises
    ------
    FormatError
        `data` is not exactly one file; the subclass names how. No other error can happen: every
        change of up to three bits, every truncation and every trailing byte is refused.
    """
    data = bytes(data)
    record, end = _parse_one(data, whole=True)
    assert end == len(data), "a whole file ends where its bytes do"
    return record


def parse_stream(data: bytes) -> Iterator[Record]:
    """Read `.sem` files that were concatenated, one record at a time.

    Parameters
    ----------
    data : bytes
        One or more files with nothing between or after them.

    Yields
    ------
    Record
        In the order of the stream.

    Raises
    ------
    FormatError
        At the first file that is damaged; records before it have been given out.
    """
    data = bytes(data)
    at = 0
    while at < max(1, len(data)):  # an empty stream is one truncated file
        record, size = _parse_one(data[at : at + MAX_FILE], whole=False)
        yield record
        at += size


def checksum(data: bytes) -> int:
    """CRC-16/IBM-3740 (CCITT-FALSE): polynomial 0x1021, initial value 0xFFFF, not reflected."""
    return crc_hqx(data, 0xFFFF)


def _parse_one(data: bytes, *, whole: bool) -> tuple[Record, int]:
    has_extensions = _parse_head(data)
    profile, fingerprint, at = parse_profile(data, len(MAGIC) + 1)
    payload, at = _parse_payload(data, at)
    fields: tuple[Extension, ...] = ()
    if has_extensions:
        fields, at = parse_area(data, at)
    end = at + _CHECKSUM
    if end > len(data):
        raise TruncatedError("the bytes end before the checksum does")
    if whole and end < len(data):
        raise TrailingDataError(f"{len(data) - end} bytes follow the end of the file at byte {end}")
    stored, computed = int.from_bytes(data[at:end], "big"), checksum(data[:at])
    if stored != computed:
        raise ChecksumError(f"the checksum is {stored:#06x} but the bytes give {computed:#06x}: damaged")
    return Record(profile, fingerprint, payload, fields), end


def _parse_head(data: bytes) -> bool:
    """Check magic, version and flags; return whether extensions follow the payload."""
    magic = data[: len(MAGIC)]
    if magic != MAGIC[: len(magic)]:
        raise MagicError(f"a .sem file begins with {MAGIC.hex()}, these bytes with {magic.hex()}")
    if len(data) <= len(MAGIC):
        raise TruncatedError(f"{len(data)} bytes are too few for a .sem file")
    version, flags = divmod(data[len(MAGIC)], 16)
    if version != VERSION:
        raise VersionError(f"version {version} of the .sem format; this program reads version {VERSION}")
    if flags & ~HAS_EXTENSIONS:
        raise FlagError(f"flags {flags:#03x} hold bits that this version does not define")
    return bool(flags & HAS_EXTENSIONS)


def _parse_payload(data: bytes, at: int) -> tuple[bytes, int]:
    if at >= len(data):
        raise TruncatedError("the bytes end before the length of the payload")
    start, length = at + 1, data[at]
    if length == 0:
        raise LengthError("the length of the payload is 0, at least 1 byte is needed")
    if start + length > len(data):
        raise TruncatedError(f"the payload takes {length} bytes, {len(data) - start} are there")
    return data[start : start + length], start + length
