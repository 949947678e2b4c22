"""What files of one codec, quality and size have in common, cut off and put back: byte for byte.

The cut is at the parts of each container, so that `join` gives a file that any program reads. What a length
field says follows from the length of the payload, so those fields are zero in the header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sememe.errors import FormatError, LengthError, MagicError, TruncatedError, UsageError

__all__ = ["join", "split"]

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_DHT, _SOS = 0xC4, 0xDA
_RIFF, _WEBP_HEAD, _VP8_DIMENSIONS = 20, 23, 30
_JXL = b"\xff\x0a"
_OBU_FRAME = 6  # AV1 specification, section 6.2.2


def split(file: bytes, name: str) -> tuple[bytes, bytes]:
    """Cut a file into a header, the same for every picture of that size and quality, and the rest.

    Parameters
    ----------
    file
        Written by `encode`.
    name
        Its format.

    Returns
    -------
    header, payload : bytes
        `join` puts them together again.

    Raises
    ------
    FormatError
        The file is not built as these encoders build theirs.
    """
    try:
        header, payload = _SPLITS[_known(name)](file)
    except IndexError as exc:
        raise TruncatedError(f"{len(file)} bytes end within the header of a {name} file") from exc
    if join(header, payload, name) != file:
        raise FormatError(f"this {name} file cannot be cut at its header and put together again")
    return header, payload


def join(header: bytes, payload: bytes, name: str) -> bytes:
    """Put a file together from what `split` gave.

    Raises
    ------
    FormatError
        Header or payload are not what `split` gives.
    """
    try:
        return _JOINS[_known(name)](header, payload)
    except IndexError as exc:
        raise TruncatedError(f"header or payload of a {name} file end too early") from exc


def _known(name: str) -> str:
    if name not in _SPLITS:
        raise UsageError(f"no image codec is called {name!r}; there are {', '.join(_SPLITS)}")
    return name


# JPEG: marker segments (ITU-T T.81, annex B); Huffman tables are payload unless they are the standard ones


class _Segment(NamedTuple):
    marker: int
    data: bytes


def _segments(file: bytes) -> Iterator[_Segment]:
    """Yield the segments up to the first scan's header; its data and all that follows are not read."""
    if file[:2] != _SOI:
        raise MagicError(f"a JPEG file begins with {_SOI.hex()}, these bytes with {file[:2].hex()}")
    at, marker = 2, 0
    while marker != _SOS:
        if file[at] != 0xFF:
            raise FormatError(f"byte {at} of a JPEG file is no marker")
        marker, end = file[at + 1], at + 2 + _number(file, at + 2, 2)
        if end > len(file):
            raise TruncatedError(f"a JPEG segment at byte {at} ends behind the file")
        yield _Segment(marker, file[at:end])
        at = end


def _split_jpeg(file: bytes) -> tuple[bytes, bytes]:
    """Standard tables: all up to the scan's data is header."""
    if not file.endswith(_EOI):
        raise TruncatedError("a JPEG file ends without its end marker")
    header = _SOI + b"".join(segment.data for segment in _segments(file))
    return header, file[len(header) : -len(_EOI)]


def _join_jpeg(header: bytes, payload: bytes) -> bytes:
    return header + payload + _EOI


def _split_jpeg_tables(file: bytes) -> tuple[bytes, bytes]:
    """Tables made for the picture: they come first in the payload.

    Of a progressive file every scan after the first brings its own header and tables, and keeps them.
    """
    found = list(_segments(file))
    length = len(_SOI) + sum(len(segment.data) for segment in found)
    first = next((i for i, s in enumerate(found) if s.marker == _DHT), len(found) - 1)
    tables = [s.data for s in found[first:-1]]
    if any(s.marker != _DHT for s in found[first:-1]) or not file.endswith(_EOI):
        raise FormatError("tables of this JPEG file do not stand just before its scan, or it has no end")
    header = _SOI + b"".join(s.data for s in (*found[:first], found[-1]))
    return header, b"".join(tables) + file[length : -len(_EOI)]


def _join_jpeg_tables(header: bytes, payload: bytes) -> bytes:
    *before, scan = (segment.data for segment in _segments(header))
    at = 0
    while payload[at : at + 2] == bytes([0xFF, _DHT]):
        at += 2 + _number(payload, at + 2, 2)
    return _SOI + b"".join(before) + payload[:at] + scan + payload[at:] + _EOI


# WebP: a RIFF container (RFC 9649) with one VP8 key frame (RFC 6386, section 9.1)


def _split_webp(file: bytes) -> tuple[bytes, bytes]:
    if file[:4] != b"RIFF" or file[8:16] != b"WEBPVP8 ":
        raise MagicError("a plain lossy WebP file begins with RIFF, WEBP and VP8")
    end = _RIFF + _number(file, 16, 4, little=True)
    tag, dimensions = file[_RIFF:_WEBP_HEAD], file[_WEBP_HEAD:_VP8_DIMENSIONS]
    return dimensions, tag + file[_VP8_DIMENSIONS:end]


def _join_webp(header: bytes, payload: bytes) -> bytes:
    frame = payload[:3] + header + payload[3:]
    body = b"WEBPVP8 " + len(frame).to_bytes(4, "little") + frame + bytes(len(frame) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


# AVIF: ISO base media boxes (ISO/IEC 14496-12) around AV1 OBUs; the last box holds the picture


def _split_avif(file: bytes) -> tuple[bytes, bytes]:
    boxes = dict(_boxes(file, 0, len(file)))
    if b"ftyp" not in boxes or b"mdat" not in boxes or boxes[b"mdat"][1] != len(file):
        raise MagicError("an AVIF file begins with ftyp and ends with mdat")
    start = boxes[b"mdat"][0]
    cut = start + _leading_obus(file[start:])
    header = bytearray(file[:cut])
    for at in (start - 8, _extent(file, boxes)):
        header[at : at + 4] = bytes(4)
    return bytes(header), file[cut:]


def _join_avif(header: bytes, payload: bytes) -> bytes:
    boxes = dict(_boxes(header, 0, len(header)))
    if b"mdat" not in boxes:
        raise FormatError("the header of an AVIF file has no mdat")
    start = boxes[b"mdat"][0]
    picture = len(header) - start + len(payload)
    file = bytearray(header + payload)
    for at, length in ((start - 8, picture + 8), (_extent(header, boxes), picture)):
        file[at : at + 4] = length.to_bytes(4, "big")
    return bytes(file)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield type, and start and end of the content, of the boxes between two places; length 0 is the rest."""
    while start < end:
        length = _number(data, start, 4) or end - start
        if length < 8 or start + length > end:
            raise LengthError(f"a box at byte {start} of an AVIF file is {length} bytes long")
        yield data[start + 4 : start + 8], (start + 8, start + length)
        start += length


def _extent(data: bytes, boxes: Mapping[bytes, tuple[int, int]]) -> int:
    """Find the field that says how long the only item is (version 0 of iloc, one extent, four bytes)."""
    start, end = boxes.get(b"meta", (0, 0))
    at, stop = dict(_boxes(data, start + 4, end)).get(b"iloc", (0, 0))
    if data[at : at + 8] != bytes.fromhex("00000000 4400 0001") or stop - at != 22:
        raise FormatError("an AVIF file holds one item in one piece; this one does not")
    return stop - 4


def _leading_obus(data: bytes) -> int:
    """Count the bytes of the temporal delimiter and the sequence header, before the frame."""
    at = 0
    while (data[at] >> 3 & 15) != _OBU_FRAME:
        if not data[at] & 2 or data[at + 1] > 127:
            raise FormatError("an AVIF file begins with short OBUs that say their length; this one does not")
        at += 2 + data[at + 1]
    return at


# JPEG XL: a bare codestream (ISO/IEC 18181-1) without a container; only its signature is always the same


def _split_jxl(file: bytes) -> tuple[bytes, bytes]:
    if file[:2] != _JXL:
        raise MagicError(f"a JPEG XL codestream begins with {_JXL.hex()}, these bytes with {file[:2].hex()}")
    return _JXL, file[2:]


def _split_nothing(file: bytes) -> tuple[bytes, bytes]:
    return b"", file


def _number(data: bytes, at: int, size: int, *, little: bool = False) -> int:
    if at + size > len(data):
        raise TruncatedError(f"{len(data)} bytes end before a number at byte {at} does")
    return int.from_bytes(data[at : at + size], "little" if little else "big")


def _glue(header: bytes, payload: bytes) -> bytes:
    return header + payload


_SPLITS = {
    "jpeg": _split_jpeg,
    "jpeg-optimised": _split_jpeg_tables,
    "jpeg-progressive": _split_jpeg_tables,
    "webp": _split_webp,
    "avif": _split_avif,
    "jxl": _split_jxl,
    "pixels": _split_nothing,
}
_JOINS = {
    "jpeg": _join_jpeg,
    "jpeg-optimised": _join_jpeg_tables,
    "jpeg-progressive": _join_jpeg_tables,
    "webp": _join_webp,
    "avif": _join_avif,
    "jxl": _glue,
    "pixels": _glue,
}
